/* The figures about one search. */
#include "optimizer/report/search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WINDOW 64 /* rounds a swap rate is averaged over, like the barrier of the trace */

static const char *rungs_note(const report_search *s, char *note, size_t size)
{
    if (s->shown == s->trace.rungs) return NULL;
    snprintf(note, size, "%" PRIu32 " of %" PRIu32 " shown, evenly spaced.", s->shown, s->trace.rungs);
    return note;
}

static report_figure start(const report_search *s, const char *title, const char *y_label, const char *alt)
{
    report_figure f = {.title = title, .x_label = "round", .y_label = y_label, .alt = alt,
                       .table_note = "All are in the archive's trace."};
    double *x = report_figure_x(&f, s->trace.rounds);
    for (uint64_t r = 0; x && r < s->trace.rounds; r++) x[r] = (double)(r + 1);
    return f;
}

static report_series *add_rung(report_figure *f, const report_rung *r)
{
    report_series *line = report_figure_add(f, r->colour, MARK_LINE, "%s", r->name);
    if (!line) return NULL;
    line->dashed = r->dashed;
    memcpy(line->group, r->group, sizeof line->group);
    memcpy(line->brief, r->brief, sizeof line->brief);
    return line;
}

ioa_status report_draw_cost(report_search *s, report_text *text, ioa_error *error)
{
    char note[96];
    report_figure f = start(s, "Cost over time, per rung", "I/Os beyond the compulsory",
                            "Lines over the rounds: the cost of the replica at each temperature, and the best order so far "
                            "below them.");
    f.caption = rungs_note(s, note, sizeof note);
    for (uint32_t i = 0; s->trace.energy && i < s->shown; i++) {
        report_series *line = add_rung(&f, &s->rungs[i]);
        for (uint64_t r = 0; line && r < s->trace.rounds; r++)
            line->y[r] = report_value(s->trace.energy, r, s->rungs[i].index) - (double)s->schedule->lower_bound;
    }
    report_series *best = s->trace.best ? report_figure_add(&f, COLOUR_INK, MARK_LINE, "best so far") : NULL;
    for (uint64_t r = 0; best && r < s->trace.rounds; r++)
        best->y[r] = report_value(s->trace.best, r, 0) - (double)s->schedule->lower_bound;
    return report_page_draw(s->page, &f, text, error);
}

/* A column of one value per rung and round as a small figure. */
static ioa_status draw_rungs(report_search *s, const ioa_column *column, report_figure f, report_text *text, ioa_error *error)
{
    char note[96];
    f.small = true;
    f.caption = rungs_note(s, note, sizeof note);
    for (uint32_t i = 0; i < s->shown; i++) {
        report_series *line = add_rung(&f, &s->rungs[i]);
        for (uint64_t r = 0; line && r < s->trace.rounds; r++) line->y[r] = report_value(column, r, s->rungs[i].index);
    }
    return report_page_draw(s->page, &f, text, error);
}

/* Mean of the probabilities tried in the last WINDOW rounds; not-a-number before the first. */
static void average(const report_search *s, uint32_t pair, double *y)
{
    double sum = 0.0;
    uint64_t tried = 0;
    for (uint64_t r = 0; r < s->trace.rounds; r++) {
        double p = report_value(s->trace.probability, r, pair);
        if (p >= 0.0) {
            sum += p;
            tried++;
        }
        if (r >= WINDOW) {
            p = report_value(s->trace.probability, r - WINDOW, pair);
            if (p >= 0.0) {
                sum -= p;
                tried--;
            }
        }
        y[r] = tried ? fmax(0.0, sum / (double)tried) : NAN;
    }
}

ioa_status report_draw_swaps(report_search *s, report_text *text, ioa_error *error)
{
    char caption[160];
    uint32_t pairs = s->trace.rungs - s->groups, drawn = 0;
    if (!s->trace.probability || pairs == 0) {
        report_empty(text, s->trace.probability ? "No exchanges: every replica stays on its own (one replica, or "
                                                  "<code>--method anneal</code>)."
                                                : "The trace has no column <code>swap_probability</code>.");
        return IOA_OK;
    }
    report_figure f = start(s, "Swap acceptance", "mean probability of the last 64 rounds",
                            "Lines over the rounds: the mean probability with which neighbouring rungs exchange their "
                            "replicas.");
    f.small = f.as_percent = f.from_zero = true;
    uint32_t most = pairs < REPORT_RUNGS ? pairs : REPORT_RUNGS, seen = 0;
    for (uint32_t i = 0; i + 1 < s->trace.rungs; i++) {
        if (s->group[i] != s->group[i + 1]) continue;
        if ((uint64_t)drawn * pairs > (uint64_t)seen++ * most) continue; /* evenly, if there are too many */
        uint32_t group = s->group[i], at = i - s->first[group], size = s->size[group];
        report_colour colour = report_ramp(at, size - 1);
        report_series *line = s->groups > 1
            ? report_figure_add(&f, colour, MARK_LINE, "group %" PRIu32 ", %" PRIu32 " and %" PRIu32, group + 1, at, at + 1)
            : report_figure_add(&f, colour, MARK_LINE, "rungs %" PRIu32 " and %" PRIu32, at, at + 1);
        if (line) {
            line->dashed = group % 2;
            if (s->groups > 1) {
                snprintf(line->group, sizeof line->group, "group %" PRIu32, group + 1);
                snprintf(line->brief, sizeof line->brief, "%s%" PRIu32 " and %" PRIu32, at ? "" : "rungs ", at, at + 1);
            }
            average(s, i, line->y);
        }
        drawn++;
    }
    if (drawn < pairs) {
        snprintf(caption, sizeof caption, "%" PRIu32 " of %" PRIu32 " pairs shown, evenly spaced.", drawn, pairs);
        f.caption = caption;
    }
    return report_page_draw(s->page, &f, text, error);
}

ioa_status report_draw_barrier(report_search *s, report_text *text, ioa_error *error)
{
    if (!s->trace.barrier || s->trace.rungs == s->groups) return IOA_OK;
    report_figure f = start(s, "Communication barrier", "sum of the mean rejection probabilities",
                            "A line over the rounds: the communication barrier, the sum of the pairs' mean rejection "
                            "probabilities.");
    f.small = f.from_zero = true;
    report_series *line = report_figure_add(&f, COLOUR_BEST, MARK_LINE, "barrier");
    for (uint64_t r = 0; line && r < s->trace.rounds; r++) line->y[r] = report_value(s->trace.barrier, r, 0);
    return report_page_draw(s->page, &f, text, error);
}

/* Which replica is where. A replica keeps its colour; such a process has no envelope, so every n-th round is drawn. */
ioa_status report_draw_replicas(report_search *s, report_text *text, ioa_error *error)
{
    const report_trace *t = &s->trace;
    char caption[200] = "";
    if (!t->replica || t->rungs < 2) {
        report_empty(text, t->replica ? "One replica alone: it stays where it is."
                     : "The trace has no column <code>replica</code>: which replica was where is not known.");
        return IOA_OK;
    }
    uint64_t stride = (t->rounds + s->page->budget.points - 1) / s->page->budget.points;
    report_figure f = {.title = "Index process: which replica is at which rung", .x_label = "round", .y_label = s->groups > 1
                       ? "rung, group above group, the coldest of each lowest" : "rung; 0 is the coldest",
                       .alt = "Lines over the rounds: the rung at which each replica is. Lines that wander from bottom to top "
                              "and back are round trips.",
                       .table_note = "All are in the archive's trace.", .even_y = true};
    double *x = report_figure_x(&f, (t->rounds + stride - 1) / stride);
    for (uint64_t i = 0; x && i < f.count; i++) x[i] = (double)(i * stride + 1);
    for (uint32_t i = 0; x && i < s->shown; i++) {
        uint32_t replica = s->shown > 1 ? (uint32_t)((uint64_t)i * (t->rungs - 1) / (s->shown - 1)) : 0;
        report_series *line = report_figure_add(&f, COLOUR_KIND_0 + i % REPORT_KINDS, MARK_LINE, "replica %" PRIu32, replica);
        for (uint64_t at = 0; line && at < f.count; at++)
            for (uint32_t place = 0; place < t->rungs; place++)
                if (report_value(t->replica, at * stride, place) == (double)replica) line->y[at] = (double)place;
    }
    size_t used = 0;
    if (stride > 1) used = (size_t)snprintf(caption, sizeof caption, "One of %" PRIu64 " rounds is drawn. ", stride);
    if (s->shown < t->rungs)
        snprintf(caption + used, sizeof caption - used, "%" PRIu32 " of %" PRIu32 " replicas are drawn.", s->shown, t->rungs);
    f.caption = caption[0] ? caption : NULL;
    return report_page_draw(s->page, &f, text, error);
}

ioa_status report_draw_temperatures(report_search *s, report_text *text, ioa_error *error)
{
    bool any = false;
    for (uint64_t r = 0; s->trace.temperature && r < s->trace.rounds && !any; r++) any = report_value(s->trace.temperature, r,
        0) > 0.0;
    if (!any) {
        report_empty(text, s->trace.temperature ? "All temperatures are 0." : "The trace has no column "
                "<code>temperature</code>.");
        return IOA_OK;
    }
    report_figure f = start(s, "Ladder", "temperature, in I/Os",
                            "Lines over the rounds on a logarithmic scale: the temperature of each rung, falling as the "
                            "search cools down.");
    f.log_y = true;
    return draw_rungs(s, s->trace.temperature, f, text, error);
}

ioa_status report_draw_acceptance(report_search *s, report_text *text, ioa_error *error)
{
    if (!s->trace.acceptance) {
        report_empty(text, "The trace has no column <code>acceptance</code>.");
        return IOA_OK;
    }
    report_figure f = start(s, "Accepted proposals", "share of the proposals",
                            "Lines over the rounds: the share of proposals that each rung accepts.");
    f.as_percent = f.from_zero = true;
    return draw_rungs(s, s->trace.acceptance, f, text, error);
}
