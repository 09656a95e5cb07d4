#include "optimizer/report/report.h"

#include "core/base/build_info.h"
#include "core/base/mem.h"
#include "io/base/atomic_file.h"
#include "optimizer/report/gnuplot.h"
#include "optimizer/report/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 500000.0  /* of all lines of all figures, about: the page stays below 2 MB however long the search */
#define TABLE_BYTES 300000.0 /* of all tables of numbers behind figures */
#define POINT_BYTES 12.0
#define CELL_BYTES 22.0

uint64_t report_total(const ioa_schedule *schedule)
{
    return schedule->io.reads + schedule->io.writes;
}

double report_excess(const ioa_schedule *schedule, uint64_t total)
{
    return (double)total - (double)schedule->lower_bound;
}

void report_item_name(const report_page *page, const report_item *item, char *name, size_t size)
{
    static const char *const policies[IOA_POLICY_COUNT] = {"LRU", "RR", "MIN"};
    int used = snprintf(name, size, "M = %" PRIu64 ", %s", item->schedule->memory, policies[item->schedule->policy]);
    if (page->options->count > 1 && used > 0 && (size_t)used < size)
        snprintf(name + used, size - (size_t)used, " (archive %u)", item->source + 1);
}

void report_empty(report_text *text, const char *html)
{
    report_format(text, "<p class=\"empty\">%s</p>\n", html);
}

void report_table_open(report_text *text, const char *heads)
{
    report_put(text, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    while (*heads) {
        bool words = *heads == '*';
        heads += words;
        size_t length = strcspn(heads, "|");
        report_format(text, "<th scope=\"col\"%s>%.*s</th>", words ? " class=\"words\"" : "", (int)length, heads);
        heads += length + (heads[length] == '|');
    }
    report_put(text, "</tr></thead>\n<tbody>\n");
}

void report_table_close(report_text *text)
{
    report_put(text, "</tbody></table></div>\n");
}

ioa_status report_page_draw(report_page *page, report_figure *figure, report_text *text, ioa_error *error)
{
    ioa_status status = report_figure_put(figure, &page->budget, page->figures + 1, text, error);
    page->figures++;
    report_figure_clear(figure);
    return status;
}

static void put_name(const report_page *page, report_text *text)
{
    const char *name = page->options->sources[0].archive->network_name;
    report_escape(text, name[0] ? name : "unnamed network");
}

static ioa_status fill(report_page *page, const char *name, report_text *text, ioa_error *error)
{
    static const struct {
        const char *name;
        ioa_status (*put)(report_page *page, report_text *text, ioa_error *error);
    } sections[] = {{"lead", report_put_lead}, {"summary", report_put_summary}, {"memory", report_put_memory},
                    {"search", report_put_search}, {"along", report_put_along}, {"times", report_put_times},
                    {"origin", report_put_origin}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(name, sections[i].name) == 0) return sections[i].put(page, text, error);
    if (strcmp(name, "network") == 0) put_name(page, text);
    else if (strcmp(name, "version") == 0) report_put(text, IOA_VERSION);
    else if (strcmp(name, "style") == 0) report_put(text, report_style_css);
    else return ioa_fail(error, IOA_ERR_SYSTEM, "a template of the report wants '%s', which nobody knows", name);
    return IOA_OK;
}

/* How many points a line and rows a table may have. */
static report_budget find_budget(const report_page *page)
{
    double lines = 0.0;
    for (uint32_t i = 0; i < page->count; i++) {
        report_trace t = report_trace_of(page->items[i].schedule);
        uint32_t rungs = t.rungs < REPORT_RUNGS ? t.rungs : REPORT_RUNGS;
        lines += 4.0 + 5.0 * rungs + 4.0; /* best; energy, temperature, swaps, acceptance, index process; along the order */
    }
    double points = PATH_BYTES / POINT_BYTES / lines, rows = TABLE_BYTES / CELL_BYTES / lines;
    return (report_budget){.points = points < 24.0 ? 24 : points > 600.0 ? 600 : (uint64_t)points,
                           .rows = rows < 5.0 ? 5 : rows > 21.0 ? 21 : (uint64_t)rows};
}

static ioa_status write_file(const report_text *text, const char *path, ioa_error *error)
{
    ioa_atomic_file file;
    ioa_status status = ioa_atomic_begin(path, &file, error);
    if (status != IOA_OK) return status;
    FILE *out = fopen(file.temp, "wb");
    bool written = out && fwrite(text->data, 1, text->length, out) == text->length;
    int code = errno;
    if (out && fclose(out) != 0 && written) {
        written = false;
        code = errno;
    }
    if (written) return ioa_atomic_commit(&file, error);
    ioa_atomic_abort(&file);
    return ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be written: %s", path, strerror(code));
}

ioa_status ioa_report_write(const ioa_report_options *options, const char *path, ioa_report_facts *facts, ioa_error *error)
{
    report_page page = {.options = options};
    report_text text = {0};
    ioa_status status = ioa_file_writable(path, error);
    if (status == IOA_OK) status = report_gnuplot_find(error);
    if (status != IOA_OK) return status;
    uint64_t count = 0;
    for (uint32_t i = 0; i < options->count; i++) count += options->sources[i].archive->count;
    page.items = ioa_alloc(count, sizeof *page.items);
    if (!page.items) return ioa_fail_nomem(error, "the report", count, sizeof *page.items);
    for (uint32_t i = 0; i < options->count; i++)
        for (uint32_t j = 0; j < options->sources[i].archive->count; j++)
            page.items[page.count++] = (report_item){&options->sources[i].archive->schedules[j], i};
    page.budget = find_budget(&page);
    status = report_template_put(report_page_html, fill, &page, &text, error);
    if (status == IOA_OK) status = write_file(&text, path, error);
    *facts = (ioa_report_facts){.figures = page.figures, .schedules = page.count, .bytes = text.length};
    report_text_clear(&text);
    ioa_free(page.items);
    return status;
}
