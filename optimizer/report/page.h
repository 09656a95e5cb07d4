/* What the sections of the page share. */
#ifndef IOA_REPORT_PAGE_H
#define IOA_REPORT_PAGE_H

#include "optimizer/report/figure.h"
#include "optimizer/report/report.h"

typedef struct report_item { /* a schedule of one of the archives */
    const ioa_schedule *schedule;
    uint32_t source;
} report_item;

typedef struct report_page {
    const ioa_report_options *options;
    report_item *items; /* [count], archive by archive; owned */
    uint32_t count;
    uint32_t figures;   /* drawn so far */
    report_budget budget;
    void *subject;      /* of the section whose template is being filled in; borrowed */
} report_page;

#define REPORT_RUNGS 8u /* drawn at most; the text says when there are more */

/* Fills in a template: {{NAME}} is replaced by what `fill` writes for it. IOA_ERR_SYSTEM for a name that `fill` does not
 * know, by the text. */
typedef ioa_status (*report_fill)(report_page *page, const char *name, report_text *text, ioa_error *error);
ioa_status report_template_put(const char *words, report_fill fill, report_page *page, report_text *text, ioa_error *error);

/* The templates, made from page.html, schedule.html and style.css by the build; NUL-terminated. */
extern const char report_page_html[], report_schedule_html[], report_style_css[];

/* Draws and clears the figure. */
ioa_status report_page_draw(report_page *page, report_figure *figure, report_text *text, ioa_error *error);

/* "M = 100, MIN", with " (A)" where there are several archives. Plain words. */
void report_item_name(const report_page *page, const report_item *item, char *name, size_t size);

/* A paragraph that says why a section is empty and what to do; HTML of ours. */
void report_empty(report_text *text, const char *html);

/* A table up to its body, and its end. `heads` are plain words of ours between bars; a column whose head begins with * holds
 * words and is set flush left. */
void report_table_open(report_text *text, const char *heads);
void report_table_close(report_text *text);

uint64_t report_total(const ioa_schedule *schedule);

/* total - compulsory, also where a damaged archive claims less than nothing. */
double report_excess(const ioa_schedule *schedule, uint64_t total);

/* The sections, each writing HTML. */
ioa_status report_put_lead(report_page *page, report_text *text, ioa_error *error);
ioa_status report_put_summary(report_page *page, report_text *text, ioa_error *error);
ioa_status report_put_memory(report_page *page, report_text *text, ioa_error *error);
ioa_status report_put_search(report_page *page, report_text *text, ioa_error *error);
ioa_status report_put_along(report_page *page, report_text *text, ioa_error *error);
ioa_status report_put_times(report_page *page, report_text *text, ioa_error *error);
ioa_status report_put_origin(report_page *page, report_text *text, ioa_error *error);

/* ---- traces (trace.c): columns by name, whatever else there is or is not ---- */

typedef struct report_trace {
    uint64_t rounds;
    uint32_t rungs;
    const ioa_column *best, *proposals, *round_trips, *energy, *temperature, *acceptance, *probability, *replica, *barrier,
        *correlation; /* NULL: missing or of another shape */
} report_trace;

/* What the trace holds that can be drawn; rounds 0 if that is nothing. */
report_trace report_trace_of(const ioa_schedule *schedule);

/* Value `at` of row `row`; not-a-number if there is none. */
double report_value(const ioa_column *column, uint64_t row, uint32_t at);

#endif
