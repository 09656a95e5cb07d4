/* Figures as scripts for gnuplot: words of ours and numbers, nothing else. */
#include "optimizer/report/axis.h"
#include "optimizer/report/figure.h"

#include <math.h>

#define TICKS 6 /* about so many on an axis */

static void put_point(double x, double y, report_text *script)
{
    if (report_axis_can_show(y) && report_axis_can_show(x)) report_format(script, "%.10g %.10g\n", x, y);
    else report_put(script, "NaN NaN\n"); /* a gap in the line */
}

/* A long line becomes its envelope: of each stretch of the data the lowest and the highest point, in the sequence they
 * have, and both ends. */
static void put_thinned(const double *x, const double *y, uint64_t count, uint64_t points, report_text *script)
{
    uint64_t stretches = points / 2 > 0 ? points / 2 : 1;
    put_point(x[0], y[0], script);
    for (uint64_t s = 0; s < stretches; s++) {
        uint64_t from = 1 + (count - 2) * s / stretches, to = 1 + (count - 2) * (s + 1) / stretches;
        uint64_t low = from, high = from;
        for (uint64_t i = from; i < to; i++) {
            if (isnan(y[low]) || y[i] < y[low]) low = i;
            if (isnan(y[high]) || y[i] > y[high]) high = i;
        }
        if (from == to) continue;
        uint64_t first = low < high ? low : high, second = low < high ? high : low;
        put_point(x[first], y[first], script);
        if (second != first) put_point(x[second], y[second], script);
    }
    put_point(x[count - 1], y[count - 1], script);
}

static void put_data(const report_figure *f, const report_budget *budget, uint32_t index, report_text *script)
{
    const report_series *s = &f->series[index];
    const double *x = s->x ? s->x : f->x;
    report_format(script, "$d%u << end_of_data\n", index);
    if (s->mark == MARK_SPANS) {
        for (uint64_t i = 0; i < f->count; i++)
            if (report_axis_can_show(x[i]) && report_axis_can_show(s->low[i]) && report_axis_can_show(s->high[i]))
                report_format(script, "%.10g %.10g %.10g %.10g\n", x[i], s->y[i], s->low[i], s->high[i]);
    } else if (s->mark == MARK_AREA) { /* its outline, with the steps */
        for (uint64_t i = 0; i + 1 < f->count; i++) {
            put_point(x[i], s->y[i], script);
            put_point(x[i + 1], s->y[i], script);
        }
    } else if (f->count > budget->points && f->count > 2)
        put_thinned(x, s->y, f->count, budget->points, script);
    else
        for (uint64_t i = 0; i < f->count; i++) put_point(x[i], s->y[i], script);
    report_put(script, "end_of_data\n");
}

static void put_style(const report_series *s, uint32_t index, report_text *script)
{
    static const char *const styles[] = {
        [MARK_LINE] = "lines lw 2", [MARK_STEPS] = "steps lw 1.6", [MARK_POINTS] = "points pt 7 ps 0.7",
        [MARK_BOTH] = "linespoints lw 2 pt 7 ps 0.6", [MARK_AREA] = "filledcurves y=0 fs solid 0.6 noborder",
        [MARK_SPANS] = "xerrorbars lw 2.5 pt 7 ps 0.8",
    };
    report_format(script, "$d%u using %s with %s%s lc rgb \"#%06x\"", index, s->mark == MARK_SPANS ? "1:2:3:4" : "1:2",
                  styles[s->mark], s->dashed ? " dt (7,4)" : "", (unsigned)s->colour);
}

static void put_axes(const report_figure *f, report_text *script)
{
    report_axis x = report_axis_start(f->log_x), y = report_axis_start(f->log_y);
    x.doubling = f->log_x;
    if (f->from_zero) report_axis_include(&y, 0.0);
    if (f->line_drawn) {
        report_axis_include(&x, 0.95 * f->line_x); /* the line is not the axis */
        report_axis_include(&x, 1.05 * f->line_x);
    }
    for (uint32_t i = 0; i < f->series_count; i++)
        for (uint64_t j = 0; j < f->count; j++) {
            const report_series *s = &f->series[i];
            report_axis_include(&x, (s->x ? s->x : f->x)[j]);
            report_axis_include(&y, s->y[j]);
            if (s->low) report_axis_include(&x, s->low[j]);
            if (s->high) report_axis_include(&x, s->high[j]);
        }
    report_axis_lay_out(&x, f->small ? TICKS : TICKS + 2, !f->rows);
    report_axis_lay_out(&y, TICKS, false);
    if (f->even_y) {
        y.step = y.most - y.least <= 12.0 ? 1.0 : ceil(y.step);
        y.from = y.least - 0.5;
        y.to = y.most + 0.5;
    }
    if (f->log_x) report_put(script, "set logscale x\n");
    if (f->log_y) report_put(script, "set logscale y\n");
    report_format(script, "set xrange [%.17g:%.17g]\nset xtics ", x.from, x.to);
    report_axis_ticks(&x, false, script);
    if (f->rows) {
        report_format(script, "\nset yrange [%.1f:0.5]\nset ytics (", f->row_count + 0.5);
        for (uint32_t i = 0; i < f->row_count; i++) report_format(script, "%s\"%s\" %u", i ? ", " : "", f->rows[i], i + 1);
        report_put(script, ") scale 0\n");
        return;
    }
    if (y.from < 0.0 && y.to > 0.0 && !f->even_y) report_format(script, "\nset xzeroaxis lt 1 lw 1 lc rgb \"#%06x\"",
                                                                COLOUR_INK);
    report_format(script, "\nset yrange [%.17g:%.17g]\nset ytics ", y.from, y.to);
    report_axis_ticks(&y, f->as_percent, script);
    report_put(script, " scale 0\n");
}

void report_figure_script(const report_figure *f, const report_budget *budget, report_text *script)
{
    double height = f->rows ? 70.0 + 26.0 * f->row_count : f->small ? 290.0 : 360.0;
    report_format(script, "set encoding utf8\nset terminal svg size %d,%.0f dynamic noenhanced font \"sans,14\" rounded\n",
                  f->small ? 460 : 920, height);
    report_format(script, "unset key\nset border 1 lc rgb \"#%06x\"\nset tics nomirror scale 0.4 textcolor rgb \"#%06x\"\n",
                  COLOUR_INK, COLOUR_MUTED);
    report_format(script, "set grid %s back lt 1 lw 0.8 lc rgb \"#%06x\"\n", f->rows ? "xtics" : "ytics", COLOUR_GRID);
    report_format(script, "set xlabel \"%s\" textcolor rgb \"#%06x\" offset 0,0.3\nset rmargin 3\n", f->x_label, COLOUR_MUTED);
    if (f->y_label)
        report_format(script, "set tmargin 2\nset label 1 \"%s\" at graph 0, graph 1 offset 0,0.9 left textcolor rgb "
                              "\"#%06x\"\n",
                      f->y_label, COLOUR_MUTED);
    else
        report_put(script, "set tmargin 0.8\n");
    put_axes(f, script);
    if (f->line_drawn)
        report_format(script, "set arrow 1 from first %.10g, graph 0 to first %.10g, graph 1 nohead back dt (4,4) lc rgb "
                              "\"#%06x\"\n",
                      f->line_x, f->line_x, COLOUR_INK);
    for (uint32_t i = 0; i < f->series_count; i++) put_data(f, budget, i, script);
    report_put(script, "plot ");
    for (uint32_t i = 0; i < f->series_count; i++) {
        if (i) report_put(script, ", ");
        put_style(&f->series[i], i, script);
    }
    if (f->series_count == 0) report_put(script, "NaN");
    report_put(script, "\n");
}
