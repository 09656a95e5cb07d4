#include "optimizer/report/figure.h"

#include "core/base/mem.h"
#include "optimizer/report/gnuplot.h"
#include "optimizer/report/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

double *report_figure_x(report_figure *figure, uint64_t count)
{
    figure->count = count;
    figure->x = ioa_alloc(count, sizeof *figure->x);
    if (!figure->x) figure->failed = true;
    return figure->x;
}

static double *blank(report_figure *figure)
{
    double *values = ioa_alloc(figure->count, sizeof *values);
    if (!values) figure->failed = true;
    for (uint64_t i = 0; values && i < figure->count; i++) values[i] = NAN;
    return values;
}

static report_series *add(report_figure *figure, report_colour colour, report_mark mark)
{
    uint32_t count = figure->series_count;
    if ((count & (count - 1)) == 0) { /* full at powers of two, 0 included */
        report_series *larger = ioa_alloc_zero(count ? 2 * (uint64_t)count : 1, sizeof *larger);
        if (!larger) {
            figure->failed = true;
            return NULL;
        }
        if (count) memcpy(larger, figure->series, count * sizeof *larger);
        ioa_free(figure->series);
        figure->series = larger;
    }
    double *y = blank(figure);
    if (!y) return NULL;
    report_series *series = &figure->series[figure->series_count++];
    *series = (report_series){.colour = colour, .mark = mark, .y = y};
    return series;
}

report_series *report_figure_add(report_figure *figure, report_colour colour, report_mark mark, const char *format, ...)
{
    report_series *series = add(figure, colour, mark);
    if (!series) return NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(series->label, sizeof series->label, format, arguments);
    va_end(arguments);
    return series;
}

report_series *report_figure_add_spans(report_figure *figure, report_colour colour, const char *label)
{
    report_series *series = add(figure, colour, MARK_SPANS);
    if (!series) return NULL;
    snprintf(series->label, sizeof series->label, "%s", label);
    series->x = blank(figure);
    series->low = blank(figure);
    series->high = blank(figure);
    return series->x && series->low && series->high ? series : NULL;
}

void report_figure_clear(report_figure *figure)
{
    for (uint32_t i = 0; i < figure->series_count; i++) {
        ioa_free(figure->series[i].x);
        ioa_free(figure->series[i].y);
        ioa_free(figure->series[i].low);
        ioa_free(figure->series[i].high);
    }
    ioa_free(figure->series);
    ioa_free(figure->x);
    figure->series = NULL;
    figure->x = NULL;
    figure->series_count = 0;
}

/* Legends stand in the page, not in the drawing: there they wrap, and may hold words from files. */
static void put_legend(const report_figure *figure, report_text *page)
{
    const char *group = "";
    report_put(page, "<ul class=\"legend\">\n");
    for (uint32_t i = 0; i < figure->series_count; i++) {
        const report_series *s = &figure->series[i];
        if (strcmp(s->group, group) != 0) {
            report_put(page, i ? "</ul>\n<ul class=\"legend\">\n" : "");
            if (s->group[0]) report_format(page, "<li class=\"group\">%s</li>\n", s->group);
            group = s->group;
        }
        bool point = s->mark == MARK_POINTS || s->mark == MARK_SPANS;
        if (!s->label[0]) continue;
        report_put(page, "<li><svg viewBox=\"0 0 24 10\" aria-hidden=\"true\">");
        const char *colour = report_colour_name(s->colour);
        if (s->mark == MARK_AREA)
            report_format(page, "<rect y=\"1\" width=\"24\" height=\"8\" fill=\"var(--%s)\"/>", colour);
        else if (!point)
            report_format(page, "<path d=\"M0 5h24\" stroke=\"var(--%s)\" stroke-width=\"2.5\"%s/>", colour,
                          s->dashed ? " stroke-dasharray=\"5 3\"" : "");
        if (point || s->mark == MARK_BOTH)
            report_format(page, "<circle cx=\"12\" cy=\"5\" r=\"3.5\" fill=\"var(--%s)\"/>", colour);
        report_put(page, "</svg>");
        report_escape(page, s->brief[0] ? s->brief : s->label);
        report_put(page, "</li>\n");
    }
    report_put(page, "</ul>\n");
}

static void put_cell(double value, bool percent, report_text *page)
{
    report_put(page, "<td>");
    if (percent && fabs(value) < 1e12) report_format(page, "%.1f %%", 100.0 * value);
    else report_number(page, value);
    report_put(page, "</td>");
}

/* The numbers behind the lines that share the figure's x. */
static void put_table(const report_figure *f, uint64_t most, report_text *page)
{
    uint64_t rows = f->count < most ? f->count : most;
    report_put(page, "<details><summary>The numbers behind this plot</summary>\n<div class=\"scroll\" "
                     "tabindex=\"0\"><table>\n");
    report_format(page, "<thead><tr><th scope=\"col\">%s</th>", f->x_label);
    for (uint32_t i = 0; i < f->series_count; i++) {
        if (f->series[i].x || !f->series[i].label[0]) continue;
        report_put(page, "<th scope=\"col\">");
        report_escape(page, f->series[i].label);
        report_put(page, "</th>");
    }
    report_put(page, "</tr></thead>\n<tbody>\n");
    for (uint64_t row = 0; row < rows; row++) {
        uint64_t at = rows > 1 ? (uint64_t)((double)row * (double)(f->count - 1) / (double)(rows - 1) + 0.5) : 0;
        report_put(page, "<tr><th scope=\"row\">");
        report_number(page, f->x[at]);
        report_put(page, "</th>");
        for (uint32_t i = 0; i < f->series_count; i++)
            if (!f->series[i].x && f->series[i].label[0]) put_cell(f->series[i].y[at], f->as_percent, page);
        report_put(page, "</tr>\n");
    }
    report_put(page, "</tbody></table></div>\n");
    if (rows < f->count) {
        report_format(page, "<p class=\"note\">%llu of ", (unsigned long long)rows);
        report_count(page, f->count);
        report_format(page, " rows, evenly spaced.%s%s</p>\n", f->table_note ? " " : "", f->table_note ? f->table_note : "");
    }
    report_put(page, "</details>\n");
}

ioa_status report_figure_put(const report_figure *figure, const report_budget *budget, uint32_t number, report_text *page,
                             ioa_error *error)
{
    report_text script = {0}, drawing = {0};
    char id[32];
    if (figure->failed) return ioa_fail_nomem(error, "a figure", figure->count, sizeof(double));
    report_figure_script(figure, budget, &script);
    ioa_status status = report_text_check(&script, error);
    if (status == IOA_OK) status = report_gnuplot_run(&script, &drawing, error);
    if (status == IOA_OK) {
        snprintf(id, sizeof id, "figure-%u", number);
        report_format(page, "<figure%s>\n<h4>%s</h4>\n", figure->small ? " class=\"small\"" : "", figure->title);
        put_legend(figure, page);
        report_put(page, "<div class=\"plot\" tabindex=\"0\">");
        if (!report_svg_inline(&drawing, id, page))
            status = ioa_fail(error, IOA_ERR_SYSTEM, "gnuplot draws no SVG of the kind that is known here");
        report_format(page, "</div>\n<p class=\"alt\" id=\"%s\">%s</p>\n", id, figure->alt);
        if (figure->caption) report_format(page, "<figcaption>%s</figcaption>\n", figure->caption);
        if (!figure->no_table) put_table(figure, budget->rows, page);
        report_put(page, "</figure>\n");
    }
    report_text_clear(&script);
    report_text_clear(&drawing);
    return status;
}
