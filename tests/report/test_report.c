/* The parts of the report that can be looked at without a page: words from files, axes, scripts, gnuplot's SVG, sweeps. */
#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "optimizer/report/axis.h"
#include "optimizer/report/figure.h"
#include "optimizer/report/report.h"
#include "optimizer/report/svg.h"
#include "optimizer/report/sweep.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef STEPS
#define STEPS 4 /* allocations that fail in the test of memory: about STEPS per doubling */
#endif

/* The text as a string; cleared by the next call. */
static const char *string_of(report_text *text)
{
    static char copy[200000];
    assert_false(text->failed);
    assert_true(text->length < sizeof copy);
    if (text->length) memcpy(copy, text->data, text->length);
    copy[text->length] = '\0';
    report_text_clear(text);
    return copy;
}

static const char *escaped(const char *words)
{
    report_text text = {0};
    report_escape(&text, words);
    return string_of(&text);
}

#define REPLACED "\xef\xbf\xbd"

static void words_from_files_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(escaped("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    assert_string_equal(escaped("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
                        "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_string_equal(escaped("a\x1b[31m\x7f\tb\n"), "a" REPLACED "[31m" REPLACED "\tb\n");
    assert_string_equal(escaped("\xff<\xc3"), REPLACED "&lt;" REPLACED);                 /* broken */
    assert_string_equal(escaped("\xc0\xbc"), REPLACED REPLACED);                         /* '<' in two bytes */
    assert_string_equal(escaped("\xed\xa0\x80"), REPLACED REPLACED REPLACED);            /* half a surrogate pair */
    assert_string_equal(escaped("\xe2\x80\xae" "x\xe2\x81\xa6"), REPLACED "x" REPLACED); /* turns the direction of writing */
    assert_string_equal(escaped("\xc2\x9b"), REPLACED);                                  /* a control character above 0x7f */
    assert_string_equal(escaped("\xe2\x82"), REPLACED REPLACED);                         /* cut off at the end */
}

static const char *number(double value)
{
    report_text text = {0};
    report_number(&text, value);
    return string_of(&text);
}

static void numbers_are_grouped(void **state)
{
    (void)state;
    assert_string_equal(number(0.0), "0");
    assert_string_equal(number(1234567.0), "1,234,567");
    assert_string_equal(number(-1000.0), "\xe2\x88\x92" "1,000");
    assert_string_equal(number(NAN), "-");
    assert_string_equal(number(INFINITY), "-");
    assert_string_equal(number(0.125), "0.125");
    assert_true(strlen(number(1e300)) < 12);
}

static const char *ticks(double least, double most, bool logarithmic, bool doubling, bool percent)
{
    report_text text = {0};
    report_axis axis = report_axis_start(logarithmic);
    axis.doubling = doubling;
    report_axis_include(&axis, least);
    report_axis_include(&axis, most);
    report_axis_include(&axis, NAN);
    report_axis_include(&axis, INFINITY);
    report_axis_lay_out(&axis, 6, false);
    double rounding = 1e-9 * (fabs(least) + fabs(most));
    assert_true(axis.from <= least + rounding && axis.to >= most - rounding && axis.from < axis.to);
    report_axis_ticks(&axis, percent, &text);
    return string_of(&text);
}

static void ticks_stand_at_round_numbers(void **state)
{
    (void)state;
    assert_string_equal(ticks(0, 5000, false, false, false),
                        "(\"0\" 0, \"1,000\" 1000, \"2,000\" 2000, \"3,000\" 3000, \"4,000\" 4000, \"5,000\" 5000)");
    assert_string_equal(ticks(-0.5, 1.0, false, false, false), "(\"\xe2\x88\x92" "0.5\" -0.5, \"0\" 0, \"0.5\" 0.5, \"1\" 1)");
    assert_non_null(strstr(ticks(0, 0.83, false, false, true), "\"60 %%\" 0.6")); /* gnuplot takes labels for formats */
    assert_string_equal(ticks(16, 100, true, true, false), "(\"16\" 16, \"32\" 32, \"64\" 64, \"128\" 128)");
    assert_non_null(strstr(ticks(0.04, 0.9, true, false, false), "\"0.1\" 0.1"));
    ticks(3.0, 3.0, false, false, false); /* one value alone has an axis too */
    ticks(-1e30, 1e30, false, false, false);
    ticks(1e16, 1e16 + 4, false, false, false);
}

/* A line of 100,000 points with one spike becomes a few hundred, and the spike stays. */
static void long_lines_keep_their_envelope(void **state)
{
    (void)state;
    report_figure f = {.title = "t", .x_label = "x", .y_label = "y", .alt = "a"};
    double *x = report_figure_x(&f, 100000);
    report_series *s = report_figure_add(&f, COLOUR_BEST, MARK_LINE, "%s", "\"; system(\"touch pwned\") #");
    assert_non_null(s);
    for (uint64_t i = 0; i < f.count; i++) {
        x[i] = (double)i;
        s->y[i] = i == 77777 ? 123456.0 : (double)(i % 10);
    }
    report_text script = {0};
    report_figure_script(&f, &(report_budget){.points = 200, .rows = 5}, &script);
    const char *words = string_of(&script);
    uint64_t lines = 0;
    for (const char *c = words; *c; c++) lines += *c == '\n';
    assert_true(lines > 150 && lines < 250);
    assert_non_null(strstr(words, "77777 123456\n"));
    assert_non_null(strstr(words, "\n99999 9\n"));
    assert_null(strstr(words, "pwned")); /* labels may come from files: they stay out of scripts */
    report_figure_clear(&f);
}

static void drawings_take_the_colours_of_the_page(void **state)
{
    (void)state;
    static const char drawing[] =
        "<?xml version=\"1.0\"?>\n<svg \n viewBox=\"0 0 460 290\"\n xmlns=\"http://www.w3.org/2000/svg\">\n<title>x</title>\n"
        "<g id=\"gnuplot_canvas\">\n<defs>\n<circle id='gpDot' r='0.5'/>\n</defs>\n"
        "<g fill=\"none\" color=\"black\" stroke=\"rgb(  0,   0,   1)\" stroke-width=\"0.70\">\n</g>\n"
        "<g id=\"gnuplot_plot_1\" ><title>evil</title>\n"
        "<g fill=\"none\" color=\"black\" stroke=\"currentColor\" stroke-width=\"2.00\">\n"
        "\t<path stroke='rgb(  0,   0,   5)'  d='M1.04,2.00 L3.14159,-4.06  '/>\n"
        "<use xlink:href='#gpPt6' transform='translate(5.00,6.00) scale(2.00)' color='rgb(  0,   0,   4)'/>"
        "<polygon fill = 'rgb(  0,   0,   4)' points = '1.00,2.00 3.00,4.00 '/>\n"
        "<text>a &lt; b</text></g>\n</g>\n</g>\n</svg>\n";
    report_text in = {0}, out = {0};
    report_put(&in, drawing);
    assert_true(report_svg_inline(&in, "figure-7", &out));
    assert_string_equal(string_of(&out),
                        "<svg viewBox=\"0 0 460 290\" role=\"img\" aria-labelledby=\"figure-7\" fill=\"none\" "
                        "stroke=\"currentColor\""
                        " stroke-linecap=\"round\" stroke-linejoin=\"round\" font-size=\"14\">"
                        "<g stroke-width=\"2.00\"><path stroke=\"var(--best)\" d=\"M1,2 3.1,-4.1\"/>"
                        "<circle r=\"1\" stroke=\"none\" fill=\"currentColor\" transform=\"translate(5.00,6.00) scale(2.00)\" "
                        "color=\"var(--layered)\"/>"
                        "<polygon fill=\"var(--layered)\" points=\"1,2 3,4\"/><text>a &lt; b</text></g></svg>\n");
    report_text_clear(&in);
    for (size_t length = 0; length + 1 < sizeof drawing; length++) { /* whatever is cut off, nothing is read behind the end */
        char *part = ioa_alloc(length, 1);
        memcpy(part, drawing, length);
        report_text cut = {.data = part, .length = length, .room = length};
        (void)report_svg_inline(&cut, "id", &out);
        report_text_clear(&out);
        report_text_clear(&cut);
    }
}

/* Every figure of a sweep is what the simulator and the certificate say, in whatever sequence threads did it. */
static void sweeps_count_what_the_simulator_counts(void **state)
{
    (void)state;
    static const uint32_t widths[] = {40, 60, 50, 7};
    ioa_error error;
    ioa_network *network = ioa_test_random_mlp(5, widths, 4, 0.3, IOA_ACT_RELU);
    assert_non_null(network);
    uint64_t connections = network->connections, lower = network->bounds.lower;
    uint32_t *layered = ioa_alloc(connections, sizeof *layered);
    ioa_pcg32 rng = ioa_rng_keyed(5, IOA_RNG_TEST, 1, 0);
    uint32_t *random = ioa_test_random_order(network, &rng);
    ioa_order_layered(network, layered);
    const uint32_t *orders[] = {layered, random};
    const uint64_t sizes[] = {10, 16, 33};
    for (int policy = 0; policy < IOA_POLICY_COUNT; policy++) {
        report_sweep_config config = {.network = network, .policy = (ioa_policy)policy, .sizes = sizes, .size_count = 3,
                                      .orders = orders, .order_count = 2};
        report_sweep sweep;
        assert_int_equal(report_sweep_run(&config, &sweep, &error), IOA_OK);
        assert_true(sweep.count > 5 && sweep.memory[0] < 10 && sweep.layered[sweep.count - 1] == lower);
        uint32_t found = 0;
        for (uint32_t i = 0; i < sweep.count; i++) {
            ioa_io io[2];
            ioa_certificate certificate = {0};
            for (int o = 0; o < 2; o++) {
                assert_int_equal(ioa_memory_count(network, orders[o], sweep.memory[i], (ioa_policy)policy, &io[o], &error),
                                 IOA_OK);
                assert_int_equal(sweep.order[(uint32_t)o * sweep.count + i], io[o].reads + io[o].writes);
            }
            assert_int_equal(sweep.layered[i], io[0].reads + io[0].writes);
            assert_int_equal(ioa_certified_bound(network, sweep.memory[i], &certificate, &error), IOA_OK);
            assert_true(sweep.certified[i] >= lower && sweep.certified[i] <= io[1].reads + io[1].writes);
            if (certificate.excess == 0) assert_true(i == 0 || sweep.certified[i] <= sweep.certified[i - 1]);
            else assert_true(sweep.certified[i] >= lower + certificate.excess || sweep.certified[i] == lower);
            ioa_certificate_free(&certificate);
            assert_true(i == 0 || sweep.memory[i] > sweep.memory[i - 1]);
            for (int k = 0; k < 3; k++) found += sweep.memory[i] == sizes[k];
        }
        assert_int_equal(found, 3);
        report_sweep_clear(&sweep);
    }
    ioa_free(layered);
    ioa_free(random);
    ioa_network_destroy(network);
}

/* An archive with a trace of `rounds` rounds and 4 replicas. */
static ioa_archive *make_archive(const ioa_network *network, uint64_t rounds)
{
    static const char *const names[] = {"energy", "temperature", "swap_probability", "replica"};
    ioa_error error;
    ioa_archive *archive;
    ioa_schedule *s;
    ioa_column *column;
    assert_int_equal(ioa_archive_create(network, &archive, &error), IOA_OK);
    assert_int_equal(ioa_archive_add_schedule(archive, &s, &error), IOA_OK);
    s->memory = 16;
    s->policy = IOA_POLICY_MIN;
    s->order = ioa_alloc(network->connections, sizeof *s->order);
    assert_non_null(s->order);
    ioa_order_layered(network, s->order);
    assert_int_equal(ioa_memory_count(network, s->order, 16, IOA_POLICY_MIN, &s->io, &error), IOA_OK);
    s->lower_bound = network->bounds.lower;
    s->baseline_total = s->io.reads + s->io.writes;
    assert_int_equal(ioa_schedule_add_column(s, "best", true, rounds, 1, &column, &error), IOA_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(ioa_schedule_add_column(s, names[i], false, rounds, 4, &column, &error), IOA_OK);
        for (uint64_t j = 0; j < 4 * rounds; j++) column->real[j] = (double)(j % 4);
    }
    return archive;
}

/* Whichever allocation fails: the page is there as a whole or not at all, and an error says what happened. The
 * first are tried one by one, later ones in growing steps, since each attempt draws all figures before it. */
static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    static const uint32_t widths[] = {10, 20, 5};
    char path[] = "/tmp/ioa-report-XXXXXX";
    ioa_error error = {0};
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    ioa_network *network = ioa_test_random_mlp(5, widths, 3, 0.4, IOA_ACT_RELU);
    assert_non_null(network);
    ioa_archive *archive = make_archive(network, 20);
    ioa_report_source source = {"archive.h5", archive};
    ioa_report_options options = {.sources = &source, .count = 1, .network = network};
    ioa_report_facts facts = {0};
    ioa_status status = ioa_report_write(&options, path, &facts, &error);
    bool drawn = status == IOA_OK;
    if (!drawn) assert_non_null(strstr(error.text, "gnuplot-nox"));
    if (drawn) assert_true(facts.figures >= 6 && facts.schedules == 1 && facts.bytes > 10000);
    uint64_t failures = 0, bytes = facts.bytes;
    for (uint64_t n = 1; drawn; n += 1 + n / STEPS) {
        assert_int_equal(truncate(path, 0), 0);
        ioa_mem_fail_at(n);
        status = ioa_report_write(&options, path, &facts, &error);
        uint64_t allocations = ioa_mem_fail_at(0);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        /* Some failures can be done without; one right at the end leaves the new page and says that its folder is not
         * synchronized. */
        assert_true(info.st_size == 0 || info.st_size == (off_t)bytes);
        if (status == IOA_OK) assert_int_equal(info.st_size, bytes);
        else assert_true(status == IOA_ERR_NOMEM || (status == IOA_ERR_SYSTEM && info.st_size != 0));
        failures += status != IOA_OK;
        if (allocations < n) break;
    }
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    unlink(path);
    if (!drawn) {
        print_message("gnuplot is missing (Debian: gnuplot-nox)\n");
        skip();
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_from_files_are_escaped),       cmocka_unit_test(numbers_are_grouped),
        cmocka_unit_test(ticks_stand_at_round_numbers),       cmocka_unit_test(long_lines_keep_their_envelope),
        cmocka_unit_test(drawings_take_the_colours_of_the_page), cmocka_unit_test(sweeps_count_what_the_simulator_counts),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
