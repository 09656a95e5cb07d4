/* One figure of the page: data, how it is drawn, a legend, and the numbers behind it as a table. */
#ifndef IOA_REPORT_FIGURE_H
#define IOA_REPORT_FIGURE_H

#include "optimizer/report/colour.h"
#include "optimizer/report/text.h"

typedef enum report_mark {
    MARK_LINE,
    MARK_STEPS,  /* a value holds until the next */
    MARK_POINTS,
    MARK_BOTH,   /* line and points */
    MARK_AREA,   /* steps, filled down to 0; never thinned */
    MARK_SPANS,  /* horizontal: from `low` to `high` with a point at x, at height y */
} report_mark;

typedef struct report_series {
    char label[128]; /* may come from files: it is escaped where it is shown, and never reaches gnuplot */
    char group[32], brief[32]; /* in the legend: series of one group stand in a row of their own under short names; or "" */
    report_colour colour;
    report_mark mark;
    bool dashed;
    double *x, *y, *low, *high; /* [count] of the figure; x may be NULL: the figure's. NaN: nothing there. Owned */
} report_series;

/* Starts zeroed but for what is named by the caller; x and the series are owned. */
typedef struct report_figure {
    const char *title, *x_label, *y_label; /* plain words of ours: no quotes, no markup */
    const char *alt;                       /* what is to be seen, for those who do not see it; plain words of ours */
    const char *caption;                   /* HTML of ours under the plot, or NULL */
    uint64_t count;
    double *x; /* [count] */
    report_series *series;
    uint32_t series_count;
    bool log_x, log_y;     /* values that are not positive are left out */
    bool from_zero;        /* the y axis includes 0 */
    bool small;            /* half a page wide */
    bool as_percent;       /* the y axis in percent: 1 is 100 % */
    bool failed;           /* memory ran out */
    double line_x;         /* a vertical line, if line_drawn */
    bool line_drawn;
    bool even_y;           /* the y axis has whole numbers, with half a unit of room below and above */
    bool no_table;         /* the numbers stand elsewhere on the page */
    const char *table_note; /* plain words of ours behind the table, or NULL */
    const char *const *rows; /* names of the heights 1 .. row_count, from the top, instead of a y axis; or NULL */
    uint32_t row_count;
} report_figure;

/* How much of the data is shown; the page must stay small whatever the length of a search. */
typedef struct report_budget {
    uint64_t points; /* per line: longer ones are thinned to their envelope */
    uint64_t rows;   /* per table: evenly spaced ones */
} report_budget;

/* Gives the figure an x axis of `count` values; NULL if memory is out. */
double *report_figure_x(report_figure *figure, uint64_t count);

/* Adds a series whose y are not-a-number so far; borrowed until the next one is added. NULL if memory is out. */
report_series *report_figure_add(report_figure *figure, report_colour colour, report_mark mark, const char *format, ...)
    IOA_PRINTF(4, 5);

/* The same for MARK_SPANS: x, low and high are there as well. */
report_series *report_figure_add_spans(report_figure *figure, report_colour colour, const char *label);

void report_figure_clear(report_figure *figure);

/* Draws the figure and appends it to the page; `number` makes its ids unique. IOA_ERR_SYSTEM (gnuplot), IOA_ERR_NOMEM. */
ioa_status report_figure_put(const report_figure *figure, const report_budget *budget, uint32_t number, report_text *page,
                             ioa_error *error);

/* The script for gnuplot (script.c). */
void report_figure_script(const report_figure *figure, const report_budget *budget, report_text *script);

#endif
