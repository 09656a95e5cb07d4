#include "optimizer/report/axis.h"

#include <math.h>

bool report_axis_can_show(double value)
{
    return fabs(value) <= 1e30; /* not-a-number is not */
}

report_axis report_axis_start(bool logarithmic)
{
    return (report_axis){.least = INFINITY, .most = -INFINITY, .logarithmic = logarithmic};
}

void report_axis_include(report_axis *axis, double value)
{
    if (!report_axis_can_show(value) || (axis->logarithmic && value < 1e-30)) return;
    if (value < axis->least) axis->least = value;
    if (value > axis->most) axis->most = value;
}

static void lay_out_logarithmic(report_axis *a, int ticks, bool tight)
{
    if (a->least == a->most) { /* one value: some room on either side */
        a->least /= 2.0;
        a->most *= 2.0;
    }
    double decades = log10(a->most / a->least);
    if (a->doubling && decades / log10(2.0) <= 2.0 * ticks) {
        a->step = 2.0;
    } else {
        a->step = decades <= ticks ? 10.0 : pow(10.0, ceil(decades / ticks));
        a->fine = decades * 3.0 <= 1.5 * ticks;
    }
    double base = log(a->step);
    if (tight || a->fine) { /* whole decades would leave too much room */
        a->from = tight ? a->least : a->least / 1.1;
        a->to = tight ? a->most : a->most * 1.1;
        return;
    }
    a->from = pow(a->step, floor(log(a->least) / base + 1e-9));
    a->to = pow(a->step, ceil(log(a->most) / base - 1e-9));
}

void report_axis_lay_out(report_axis *a, int ticks, bool tight)
{
    if (!(a->least <= a->most)) { /* nothing there */
        a->least = a->logarithmic ? 1.0 : 0.0;
        a->most = 1.0;
    }
    if (a->logarithmic) {
        lay_out_logarithmic(a, ticks, tight);
        return;
    }
    if (a->least == a->most) {
        double room = a->least == 0.0 ? 1.0 : fabs(a->least) * 0.1;
        if (a->least != 0.0 || a->most != 0.0) a->least -= room;
        a->most += room;
    }
    double rough = (a->most - a->least) / ticks, power = pow(10.0, floor(log10(rough))), share = rough / power;
    a->step = power * (share <= 1.0 ? 1.0 : share <= 2.0 ? 2.0 : share <= 5.0 ? 5.0 : 10.0);
    a->from = tight ? a->least : a->step * floor(a->least / a->step + 1e-9);
    a->to = tight ? a->most : a->step * ceil(a->most / a->step - 1e-9);
}

static void put_tick(double value, double step, bool percent, report_text *script)
{
    double shown = percent ? 100.0 * value : value, grain = percent ? 100.0 * step : step;
    double whole = round(shown);
    if (fabs(shown - whole) < 1e-6 * grain) shown = whole;
    if (shown < 0.0) report_put(script, "\"\xe2\x88\x92");
    else report_put(script, "\"");
    double size = fabs(shown);
    if (size != 0.0 && (size < 1e-3 || size >= 1e9)) report_format(script, "%.3g", size);
    else if (shown == whole) report_count(script, (uint64_t)size);
    else report_format(script, "%.*f", grain >= 0.1 ? 1 : grain >= 0.01 ? 2 : grain >= 0.001 ? 3 : 4, size);
    report_format(script, "%s\" %.17g", percent ? " %%" : "", value); /* gnuplot takes labels for formats */
}

void report_axis_ticks(const report_axis *a, bool percent, report_text *script)
{
    static const double parts[] = {1.0, 2.0, 5.0};
    report_put(script, "(");
    int drawn = 0;
    double base = a->logarithmic ? log(a->step) : 0.0;
    double first = a->logarithmic ? floor(log(a->from) / base) : ceil(a->from / a->step - 1e-9);
    double last = a->logarithmic ? ceil(log(a->to) / base) : floor(a->to / a->step + 1e-9);
    for (double i = first; i <= last && drawn < 64; i += 1.0)
        for (int part = 0; part < (a->fine ? 3 : 1); part++) {
            double value = a->logarithmic ? parts[part] * pow(a->step, i) : i * a->step + 0.0; /* no -0 */
            if (a->logarithmic && (value < a->from * (1.0 - 1e-9) || value > a->to * (1.0 + 1e-9))) continue;
            if (drawn++) report_put(script, ", ");
            put_tick(value, a->logarithmic ? value : a->step, percent, script);
        }
    report_put(script, ")");
}
