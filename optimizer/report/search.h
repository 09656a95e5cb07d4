/* What the section of the searches and its figures share. */
#ifndef IOA_REPORT_SEARCH_H
#define IOA_REPORT_SEARCH_H

#include "optimizer/report/page.h"

/* One rung as it is drawn. */
typedef struct report_rung {
    uint32_t index;
    report_colour colour; /* cold to hot within its group */
    bool dashed;          /* every other group */
    char name[64], group[32], brief[32]; /* the last two for legends; "" if there is one group */
} report_rung;

typedef struct report_search {
    report_page *page;
    const report_item *item;
    const ioa_schedule *schedule;
    report_trace trace;
    uint32_t groups;           /* of rungs that swap among themselves */
    uint32_t *group, *first, *size; /* [rungs] group of a rung; of a group its first rung and its rungs; owned */
    report_rung rungs[REPORT_RUNGS];
    uint32_t shown;
} report_search;

/* The colour of number `at` of `size`, cold to hot. */
report_colour report_ramp(uint32_t at, uint32_t size);

/* The figures; where there is nothing to draw, a paragraph that says why. */
ioa_status report_draw_cost(report_search *search, report_text *text, ioa_error *error);
ioa_status report_draw_temperatures(report_search *search, report_text *text, ioa_error *error);
ioa_status report_draw_swaps(report_search *search, report_text *text, ioa_error *error);
ioa_status report_draw_acceptance(report_search *search, report_text *text, ioa_error *error);
ioa_status report_draw_barrier(report_search *search, report_text *text, ioa_error *error);
ioa_status report_draw_replicas(report_search *search, report_text *text, ioa_error *error);

#endif
