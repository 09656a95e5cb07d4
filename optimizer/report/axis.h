/* Ticks at round numbers, chosen here and not by gnuplot: it knows no grouping of digits without a locale. */
#ifndef IOA_REPORT_AXIS_H
#define IOA_REPORT_AXIS_H

#include "optimizer/report/text.h"

typedef struct report_axis {
    double least, most; /* of the values; infinite the wrong way round if there are none */
    double from, to;    /* of the axis, once laid out */
    double step;        /* between ticks; of a logarithmic axis: the ratio of two, or of ten times as much with `fine` */
    bool logarithmic;
    bool doubling;      /* of a logarithmic axis: ticks at powers of two, as memory sizes want */
    bool fine;          /* of a logarithmic axis: ticks at 1, 2, 5, 10, .. */
} report_axis;

/* Whether a value can be drawn: finite and of a size that leaves room for arithmetic. Damaged files hold others. */
bool report_axis_can_show(double value);

report_axis report_axis_start(bool logarithmic);
void report_axis_include(report_axis *axis, double value); /* ignored if it cannot be shown, or not on this axis */

/* Chooses from, to and about `ticks` ticks. `tight`: the axis ends where the values end. */
void report_axis_lay_out(report_axis *axis, int ticks, bool tight);

/* Appends  ("1,000" 1000, "2,000" 2000)  */
void report_axis_ticks(const report_axis *axis, bool percent, report_text *script);

#endif
