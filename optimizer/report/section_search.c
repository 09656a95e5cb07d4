/* What the searches did, by the traces. */
#include "optimizer/report/page.h"

#include "core/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WINDOW 64 /* rounds a swap rate is averaged over, like the barrier of the trace */

/* One rung as it is drawn. */
typedef struct rung {
    uint32_t index;
    report_colour colour; /* cold to hot within its group */
    bool dashed;          /* every other group */
    char name[64], group[32], brief[32]; /* the last two for legends; "" if there is one group */
} rung;

typedef struct search {
    report_page *page;
    const report_item *item;
    const ioa_schedule *schedule;
    report_trace trace;
    uint32_t groups;           /* of rungs that swap among themselves */
    uint32_t *group, *first, *size; /* [rungs] group of a rung; of a group its first rung and its rungs; owned */
    rung rungs[REPORT_RUNGS];
    uint32_t shown;
} search;

/* Between two groups no swap is ever tried. Without the column there is one group. */
static ioa_status find_groups(search *s, ioa_error *error)
{
    const report_trace *t = &s->trace;
    uint64_t rungs = t->rungs ? t->rungs : 1;
    s->group = ioa_alloc_zero(rungs, sizeof *s->group);
    s->first = ioa_alloc_zero(rungs, sizeof *s->first);
    s->size = ioa_alloc_zero(rungs, sizeof *s->size);
    if (!s->group || !s->first || !s->size) return ioa_fail_nomem(error, "the rungs", rungs, 12);
    s->groups = 1;
    s->size[0] = 1;
    for (uint32_t i = 1; i < t->rungs; i++) {
        bool tried = !t->probability || t->rounds < 2;
        for (uint64_t r = 0; r < t->rounds && !tried; r++) tried = report_value(t->probability, r, i - 1) >= 0.0;
        if (!tried) s->first[s->groups++] = i;
        s->group[i] = s->groups - 1;
        s->size[s->groups - 1]++;
    }
    return IOA_OK;
}

/* The colour of number `at` of `size`, cold to hot. */
static report_colour ramp(uint32_t at, uint32_t size)
{
    return size > 1 ? COLOUR_RAMP_0 + (report_colour)lround((REPORT_RAMP - 1.0) * at / (size - 1.0)) : COLOUR_RAMP_0;
}

static void choose_rungs(search *s)
{
    uint32_t rungs = s->trace.rungs;
    s->shown = rungs < REPORT_RUNGS ? rungs : REPORT_RUNGS;
    for (uint32_t i = 0; i < s->shown; i++) {
        rung *r = &s->rungs[i];
        r->index = s->shown > 1 ? (uint32_t)((uint64_t)i * (rungs - 1) / (s->shown - 1)) : 0;
        uint32_t group = s->group[r->index], at = r->index - s->first[group], size = s->size[group];
        bool alone = s->groups == rungs && rungs > 1;
        r->colour = alone ? COLOUR_KIND_0 + i : ramp(at, size);
        r->dashed = !alone && group % 2;
        const char *end = size == 1 ? "" : at == 0 ? ", coldest" : at + 1 == size ? ", hottest" : "";
        if (alone) snprintf(r->name, sizeof r->name, "replica %" PRIu32, r->index);
        else if (s->groups > 1) {
            snprintf(r->name, sizeof r->name, "group %" PRIu32 ", rung %" PRIu32, group + 1, at);
            snprintf(r->group, sizeof r->group, "group %" PRIu32, group + 1);
            snprintf(r->brief, sizeof r->brief, "%s%" PRIu32 "%s", at ? "" : "rung ", at, end);
        } else snprintf(r->name, sizeof r->name, "rung %" PRIu32 "%s", at, end);
    }
}

static const char *rungs_note(const search *s, char *note, size_t size)
{
    if (s->shown == s->trace.rungs) return NULL;
    snprintf(note, size, "%" PRIu32 " of %" PRIu32 " shown, evenly spaced.", s->shown, s->trace.rungs);
    return note;
}

static report_figure start(const search *s, const char *title, const char *y_label, const char *alt)
{
    report_figure f = {.title = title, .x_label = "round", .y_label = y_label, .alt = alt,
                       .table_note = "All are in the archive's trace."};
    double *x = report_figure_x(&f, s->trace.rounds);
    for (uint64_t r = 0; x && r < s->trace.rounds; r++) x[r] = (double)(r + 1);
    return f;
}

static report_series *add_rung(report_figure *f, const rung *r)
{
    report_series *line = report_figure_add(f, r->colour, MARK_LINE, "%s", r->name);
    if (!line) return NULL;
    line->dashed = r->dashed;
    memcpy(line->group, r->group, sizeof line->group);
    memcpy(line->brief, r->brief, sizeof line->brief);
    return line;
}

static ioa_status draw_cost(search *s, report_text *text, ioa_error *error)
{
    char note[96];
    report_figure f = start(s, "Cost over time, per rung", "I/Os beyond the compulsory",
                            "Lines over the rounds: the cost of the replica at each temperature, and the best order so far below them.");
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
static ioa_status draw_rungs(search *s, const ioa_column *column, report_figure f, report_text *text, ioa_error *error)
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
static void average(const search *s, uint32_t pair, double *y)
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

static ioa_status draw_swaps(search *s, report_text *text, ioa_error *error)
{
    char caption[160];
    uint32_t pairs = s->trace.rungs - s->groups, drawn = 0;
    if (!s->trace.probability || pairs == 0) {
        report_empty(text, s->trace.probability ? "No exchanges: every replica stays on its own (one replica, or <code>--method anneal</code>)."
                                                : "The trace has no column <code>swap_probability</code>.");
        return IOA_OK;
    }
    report_figure f = start(s, "Swap acceptance", "mean probability of the last 64 rounds",
                            "Lines over the rounds: the mean probability with which neighbouring rungs exchange their replicas.");
    f.small = f.as_percent = f.from_zero = true;
    uint32_t most = pairs < REPORT_RUNGS ? pairs : REPORT_RUNGS, seen = 0;
    for (uint32_t i = 0; i + 1 < s->trace.rungs; i++) {
        if (s->group[i] != s->group[i + 1]) continue;
        if ((uint64_t)drawn * pairs > (uint64_t)seen++ * most) continue; /* evenly, if there are too many */
        uint32_t group = s->group[i], at = i - s->first[group], size = s->size[group];
        report_colour colour = ramp(at, size - 1);
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

static ioa_status draw_barrier(search *s, report_text *text, ioa_error *error)
{
    if (!s->trace.barrier || s->trace.rungs == s->groups) return IOA_OK;
    report_figure f = start(s, "Communication barrier", "sum of the mean rejection probabilities",
                            "A line over the rounds: the communication barrier, the sum of the pairs' mean rejection probabilities.");
    f.small = f.from_zero = true;
    report_series *line = report_figure_add(&f, COLOUR_BEST, MARK_LINE, "barrier");
    for (uint64_t r = 0; line && r < s->trace.rounds; r++) line->y[r] = report_value(s->trace.barrier, r, 0);
    return report_page_draw(s->page, &f, text, error);
}

/* Which replica is where. A replica keeps its colour; such a process has no envelope, so every n-th round is drawn. */
static ioa_status draw_replicas(search *s, report_text *text, ioa_error *error)
{
    const report_trace *t = &s->trace;
    char caption[200] = "";
    if (!t->replica || t->rungs < 2) {
        report_empty(text, t->replica ? "One replica alone: it stays where it is." : "The trace has no column <code>replica</code>: which replica was where is not known.");
        return IOA_OK;
    }
    uint64_t stride = (t->rounds + s->page->budget.points - 1) / s->page->budget.points;
    report_figure f = {.title = "Index process: which replica is at which rung", .x_label = "round", .y_label = s->groups > 1 ? "rung, group above group, the coldest of each lowest" : "rung; 0 is the coldest",
                       .alt = "Lines over the rounds: the rung at which each replica is. Lines that wander from bottom to top and back are round trips.",
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

static ioa_status draw_temperatures(search *s, report_text *text, ioa_error *error)
{
    bool any = false;
    for (uint64_t r = 0; s->trace.temperature && r < s->trace.rounds && !any; r++) any = report_value(s->trace.temperature, r, 0) > 0.0;
    if (!any) {
        report_empty(text, s->trace.temperature ? "All temperatures are 0." : "The trace has no column <code>temperature</code>.");
        return IOA_OK;
    }
    report_figure f = start(s, "Ladder", "temperature, in I/Os",
                            "Lines over the rounds on a logarithmic scale: the temperature of each rung, falling as the search cools down.");
    f.log_y = true;
    return draw_rungs(s, s->trace.temperature, f, text, error);
}

static ioa_status draw_acceptance(search *s, report_text *text, ioa_error *error)
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

static void put_fact(const char *name, double value, report_text *text)
{
    if (isnan(value)) return;
    report_format(text, "<div><dt>%s</dt><dd>", name);
    report_number(text, value);
    report_put(text, "</dd></div>\n");
}

static void put_facts(const search *s, report_text *text)
{
    const report_trace *t = &s->trace;
    const ioa_schedule *o = s->schedule;
    report_put(text, "<dl class=\"facts\">\n<div><dt>method</dt><dd>");
    report_escape(text, o->method[0] ? o->method : "not recorded");
    report_put(text, "</dd></div>\n");
    put_fact("seed", (double)o->seed, text);
    put_fact("replicas", o->replicas ? (double)o->replicas : NAN, text);
    put_fact("rounds", (double)t->rounds, text);
    if (o->planned_rounds != o->rounds) put_fact("rounds planned", (double)o->planned_rounds, text);
    if (o->trial_rounds) put_fact("rounds of trial", (double)o->trial_rounds, text);
    put_fact("proposals", report_value(t->proposals, t->rounds - 1, 0), text);
    put_fact("round trips", report_value(t->round_trips, t->rounds - 1, 0), text);
    put_fact("barrier at the end", s->trace.rungs > s->groups ? report_value(t->barrier, t->rounds - 1, 0) : NAN, text);
    double most = NAN;
    for (uint32_t i = 0; t->correlation && i < t->rungs; i++) most = fmax(most, report_value(t->correlation, i, 0));
    put_fact("largest lag-1 correlation", most, text);
    report_put(text, "</dl>\n");
}

/* Columns nobody here knows: named, so that nobody thinks they are lost. */
static void put_others(const ioa_schedule *schedule, report_text *text)
{
    static const char *const known[] = {"round", "best", "proposals", "round_trips", "energy", "temperature", "acceptance", "replica",
                                        "swap", "swap_probability", "barrier", "correlation"};
    bool any = false;
    for (uint32_t i = 0; i < schedule->columns; i++) {
        bool is_known = false;
        for (size_t j = 0; j < sizeof known / sizeof *known && !is_known; j++) is_known = strcmp(known[j], schedule->trace[i].name) == 0;
        if (is_known) continue;
        report_put(text, any ? ", <code>" : "<p class=\"note\">The trace also has, not drawn here: <code>");
        report_escape(text, schedule->trace[i].name);
        report_put(text, "</code>");
        any = true;
    }
    if (any) report_put(text, ".</p>\n");
}

static ioa_status fill(report_page *page, const char *name, report_text *text, ioa_error *error)
{
    static const struct {
        const char *name;
        ioa_status (*draw)(search *s, report_text *text, ioa_error *error);
    } figures[] = {{"cost", draw_cost}, {"temperatures", draw_temperatures}, {"swaps", draw_swaps}, {"acceptance", draw_acceptance},
                   {"barrier", draw_barrier}, {"replicas", draw_replicas}};
    search *s = page->subject;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (strcmp(name, figures[i].name) == 0) return figures[i].draw(s, text, error);
    char title[96];
    report_item_name(page, s->item, title, sizeof title);
    if (strcmp(name, "name") == 0) report_put(text, title);
    else if (strcmp(name, "facts") == 0) put_facts(s, text);
    else if (strcmp(name, "others") == 0) put_others(s->schedule, text);
    else return ioa_fail(error, IOA_ERR_SYSTEM, "a template of the report wants '%s', which nobody knows", name);
    return IOA_OK;
}

static ioa_status put_one(report_page *page, const report_item *item, report_text *text, ioa_error *error)
{
    search s = {.page = page, .item = item, .schedule = item->schedule, .trace = report_trace_of(item->schedule)};
    if (s.trace.rounds == 0) {
        char name[96];
        report_item_name(page, item, name, sizeof name);
        report_format(text, "<h3>%s</h3>\n", name);
        report_empty(text, "No trace: nothing was annealed (<code>--method construct</code>), or another program wrote the archive. "
                           "<code>ioanneal optimize</code> with <code>--method tempering</code>, the default, records one.");
        return IOA_OK;
    }
    ioa_status status = find_groups(&s, error);
    if (status == IOA_OK) {
        choose_rungs(&s);
        page->subject = &s;
        status = report_template_put(report_schedule_html, fill, page, text, error);
        page->subject = NULL;
    }
    ioa_free(s.group);
    ioa_free(s.first);
    ioa_free(s.size);
    return status;
}

ioa_status report_put_search(report_page *page, report_text *text, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (uint32_t i = 0; status == IOA_OK && i < page->count; i++) status = put_one(page, &page->items[i], text, error);
    return status;
}
