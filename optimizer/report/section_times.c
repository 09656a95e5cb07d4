/* Measured speedups, with their spread and without flattery. */
#include "optimizer/report/page.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_DRAWN 24u /* rows of the plot; the table has all */
#define CLEAR 1.02     /* a gain counts if the lower quartile is beyond it, as in `bench` */

/* The three figures, and MKL where it was there. */
typedef struct comparison {
    const char *name, *against;
    size_t offset; /* of the quartiles in a measurement */
    report_colour colour;
} comparison;

static const comparison comparisons[] = {
    {"the order's share", "our plan in this order against the same kind of plan in layered order",
     offsetof(ioa_measurement, speedup_order), COLOUR_BEST},
    {"the kernel's share", "our plan in layered order against layer-wise CSR",
     offsetof(ioa_measurement, speedup_kernel), COLOUR_BOUND},
    {"the whole", "our plan in this order against layer-wise CSR",
     offsetof(ioa_measurement, speedup_csr), COLOUR_INK},
    {"the whole against MKL", "the same against the best of MKL's ways",
     offsetof(ioa_measurement, speedup_mkl), COLOUR_LAYERED},
};
#define COMPARISONS (sizeof comparisons / sizeof *comparisons)

/* All 0: not measured, or no ratio of times. */
static ioa_quartiles ratio(const ioa_measurement *m, size_t which)
{
    ioa_quartiles q;
    memcpy(&q, (const char *)m + comparisons[which].offset, sizeof q);
    return q.q1 > 1e-9 && q.median >= q.q1 && q.q3 >= q.median && q.q3 < 1e9 ? q : (ioa_quartiles){0};
}

/* `format` takes one double. */
static void put_value(const char *format, double value, report_text *text)
{
    char words[64] = "-"; /* also for what no measurement gives */
    if (fabs(value) < 1e12) snprintf(words, sizeof words, format, value);
    report_format(text, "<td>%s</td>", words);
}

static void put_ratio(ioa_quartiles q, report_text *text)
{
    if (q.median > 0.0)
        report_format(text, "<td><strong>%.3f\xc3\x97</strong> <span class=\"spread\">%.3f to %.3f</span></td>", q.median, q.q1,
                      q.q3);
    else
        report_put(text, "<td>not measured</td>");
}

/* Kernels that arrange connections themselves (ioanneal/plan.h) are the same in any order. */
static bool ignores_order(const ioa_measurement *m)
{
    return m->speedup_order.q1 == 1.0 && m->speedup_order.q3 == 1.0;
}

static void put_verdict(const char *name, const ioa_measurement *m, report_text *text)
{
    ioa_quartiles q = ratio(m, 0);
    report_format(text, "<li><strong>%s, batch %" PRIu32 ":</strong> ", name, m->batch);
    if (q.median == 0.0) report_put(text, "the order's own share was not measured.");
    else if (ignores_order(m))
        report_put(text, "the order brings nothing here: the fastest kernel arranges the connections itself, whatever the "
                         "order. What is gained is the kernel's.");
    else if (q.q3 < 1.0) report_format(text, "the order makes this kernel slower on this machine (%.2f\xc3\x97).", q.median);
    else if (q.q1 <= CLEAR) report_put(text, "no clear gain from the order itself on this kernel and machine.");
    else report_format(text, "the order itself makes inference %.2f times as fast.", q.median);
    report_put(text, "</li>\n");
}

static void put_rows(const report_page *page, bool mkl, report_text *text)
{
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; j < page->items[i].schedule->measurements; j++) {
            const ioa_measurement *m = &page->items[i].schedule->measured[j].measurement;
            char name[96];
            report_item_name(page, &page->items[i], name, sizeof name);
            report_format(text, "<tr><th scope=\"row\">%s</th><td>%" PRIu32 "</td><td>%" PRIu32 "</td>", name, m->batch,
                          m->threads);
            for (size_t k = 0; k < COMPARISONS - !mkl; k++) put_ratio(ratio(m, k), text);
            put_value("%.1f", m->gflops > 0.0 ? m->gflops : NAN, text);
            put_value("%.1e", m->exactness.max_rel_error > 0.0 ? m->exactness.max_rel_error : m->exactness.max_abs_error, text);
            report_put(text, "<td class=\"words\"><code>");
            report_escape(text, m->kernel);
            report_put(text, "</code></td></tr>\n");
        }
}

static ioa_status put_times(const ioa_measurement *m, report_text *text, ioa_error *error)
{
    const struct {
        const char *name;
        const double *seconds;
    } times[] = {{"schedule", m->schedule}, {"layered", m->layered}, {"CSR", m->csr}, {"MKL", m->mkl}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (!times[i].seconds || m->repeats == 0) continue;
        double *copy = ioa_alloc_copy(times[i].seconds, m->repeats, sizeof *copy);
        if (!copy) return ioa_fail_nomem(error, "measured times", m->repeats, sizeof *copy);
        ioa_quartiles q = ioa_quartiles_of(copy, m->repeats);
        const double shown[] = {copy[0], q.q1, q.median, q.q3, copy[m->repeats - 1]};
        report_format(text, "<tr><th scope=\"row\">%s</th>", times[i].name);
        for (size_t j = 0; j < sizeof shown / sizeof *shown; j++) put_value("%#.4g", 1e3 * shown[j], text);
        report_format(text, "<td>%" PRIu32 "</td></tr>\n", m->repeats);
        ioa_free(copy);
    }
    return IOA_OK;
}

static ioa_status put_raw(const report_page *page, report_text *text, ioa_error *error)
{
    ioa_status status = IOA_OK;
    report_put(text, "<details class=\"behind\"><summary>Times behind the speedups, in milliseconds per pass over the "
                     "batch</summary>\n");
    report_table_open(text, "competitor|fastest|lower quartile|median|upper quartile|slowest|repetitions");
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; status == IOA_OK && j < page->items[i].schedule->measurements; j++) {
            char name[96];
            report_item_name(page, &page->items[i], name, sizeof name);
            report_format(text, "<tr><th scope=\"rowgroup\" colspan=\"7\">%s, batch %" PRIu32 "</th></tr>\n", name,
                          page->items[i].schedule->measured[j].measurement.batch);
            status = put_times(&page->items[i].schedule->measured[j].measurement, text, error);
        }
    report_table_close(text);
    report_put(text, "</details>\n");
    return status;
}

/* Then rows need not say it. */
static bool same_batch(const report_page *page)
{
    uint32_t batch = 0;
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; j < page->items[i].schedule->measurements; j++) {
            uint32_t its = page->items[i].schedule->measured[j].measurement.batch;
            if (batch && its != batch) return false;
            batch = its;
        }
    return true;
}

/* A row per speedup that was measured, MOST_DRAWN at most. */
static ioa_status draw(report_page *page, uint32_t measurements, report_text *text, ioa_error *error)
{
    char names[MOST_DRAWN][160], caption[120];
    const char *rows[MOST_DRAWN];
    uint32_t count = 0, which[MOST_DRAWN], drawn = 0;
    ioa_quartiles values[MOST_DRAWN];
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; j < page->items[i].schedule->measurements; j++) {
            const ioa_measurement *m = &page->items[i].schedule->measured[j].measurement;
            char name[96];
            if (count + COMPARISONS > MOST_DRAWN) continue;
            report_item_name(page, &page->items[i], name, sizeof name);
            drawn++;
            for (uint32_t k = 0; k < COMPARISONS; k++) {
                values[count] = ratio(m, k);
                if (values[count].median == 0.0) continue;
                if (same_batch(page)) snprintf(names[count], sizeof names[count], "%s: %s", name, comparisons[k].name);
                else snprintf(names[count], sizeof names[count], "%s, batch %" PRIu32 ": %s", name, m->batch,
                              comparisons[k].name);
                rows[count] = names[count];
                which[count++] = k;
            }
        }
    if (count == 0) return IOA_OK;
    report_figure f = {.title = "Speedups with their spread", .x_label = "times as fast; point: median, bar: quartiles",
                       .no_table = true,
                       .alt = "A row per speedup: a point at the median and a bar between the quartiles, against a line at 1, "
                              "where nothing is gained.",
                       .rows = rows, .row_count = count, .line_drawn = true, .line_x = 1.0};
    double *x = report_figure_x(&f, count);
    for (uint32_t i = 0; x && i < count; i++) x[i] = NAN;
    for (uint32_t k = 0; x && k < COMPARISONS; k++) {
        bool any = false;
        for (uint32_t i = 0; i < count; i++) any = any || which[i] == k;
        report_series *s = any ? report_figure_add_spans(&f, comparisons[k].colour, comparisons[k].name) : NULL;
        for (uint32_t i = 0; s && i < count; i++) {
            if (which[i] != k) continue;
            s->x[i] = values[i].median;
            s->y[i] = i + 1.0;
            s->low[i] = values[i].q1;
            s->high[i] = values[i].q3;
        }
    }
    if (drawn < measurements) {
        snprintf(caption, sizeof caption, "%" PRIu32 " of %" PRIu32 " measurements are drawn; the table has all.", drawn,
                 measurements);
        f.caption = caption;
    }
    return report_page_draw(page, &f, text, error);
}

ioa_status report_put_times(report_page *page, report_text *text, ioa_error *error)
{
    uint32_t measurements = 0;
    bool mkl = false;
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; j < page->items[i].schedule->measurements; j++, measurements++)
            mkl = mkl || ratio(&page->items[i].schedule->measured[j].measurement, COMPARISONS - 1).median > 0.0;
    if (measurements == 0) {
        report_empty(text, "Nothing was measured: the search ran with <code>--timing 0</code>, or the schedules were not "
                           "verified. <code>ioanneal bench NET.h5 --schedule ARCHIVE.h5</code> measures them on this machine "
                           "and prints the result; <code>ioanneal optimize</code> with <code>--timing</code> above 0 stores it.");
        return IOA_OK;
    }
    report_put(text, "<ul class=\"verdicts\">\n");
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; j < page->items[i].schedule->measurements; j++) {
            char name[96];
            report_item_name(page, &page->items[i], name, sizeof name);
            put_verdict(name, &page->items[i].schedule->measured[j].measurement, text);
        }
    report_put(text, "</ul>\n");
    ioa_status status = draw(page, measurements, text, error);
    if (status != IOA_OK) return status;
    report_text heads = {0};
    report_put(&heads, "schedule|batch|threads|");
    for (size_t k = 0; k < COMPARISONS - !mkl; k++) report_format(&heads, "%s|", comparisons[k].name);
    report_put(&heads, "GF/s|largest error|*kernel");
    report_bytes(&heads, "", 1);
    if (!heads.failed) report_table_open(text, heads.data);
    text->failed = text->failed || heads.failed;
    report_text_clear(&heads);
    put_rows(page, mkl, text);
    report_table_close(text);
    report_put(text, "<p class=\"note\">Medians, with their quartiles: ");
    for (size_t k = 0; k < COMPARISONS - !mkl; k++)
        report_format(text, "%s%s is %s", k ? "; " : "", comparisons[k].name, comparisons[k].against);
    report_format(text, ".%s Competitors ran interleaved, and a speedup is a ratio within one repetition. Errors are against "
                        "float64, relative to max(1, |y|).</p>\n",
                  mkl ? "" : " MKL was not built in.");
    return put_raw(page, text, error);
}
