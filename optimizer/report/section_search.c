/* What the searches did, by the traces: one part of the page per search. */
#include "optimizer/report/search.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Between two groups no swap is ever tried. Without the column there is one group. */
static ioa_status find_groups(report_search *s, ioa_error *error)
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

report_colour report_ramp(uint32_t at, uint32_t size)
{
    return size > 1 ? COLOUR_RAMP_0 + (report_colour)lround((REPORT_RAMP - 1.0) * at / (size - 1.0)) : COLOUR_RAMP_0;
}

static void choose_rungs(report_search *s)
{
    uint32_t rungs = s->trace.rungs;
    s->shown = rungs < REPORT_RUNGS ? rungs : REPORT_RUNGS;
    for (uint32_t i = 0; i < s->shown; i++) {
        report_rung *r = &s->rungs[i];
        r->index = s->shown > 1 ? (uint32_t)((uint64_t)i * (rungs - 1) / (s->shown - 1)) : 0;
        uint32_t group = s->group[r->index], at = r->index - s->first[group], size = s->size[group];
        bool alone = s->groups == rungs && rungs > 1;
        r->colour = alone ? COLOUR_KIND_0 + i : report_ramp(at, size);
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

static void put_fact(const char *name, double value, report_text *text)
{
    if (isnan(value)) return;
    report_format(text, "<div><dt>%s</dt><dd>", name);
    report_number(text, value);
    report_put(text, "</dd></div>\n");
}

static void put_facts(const report_search *s, report_text *text)
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
    static const char *const known[] = {"round", "best", "proposals", "round_trips", "energy", "temperature", "acceptance",
                                        "replica",
                                        "swap", "swap_probability", "barrier", "correlation"};
    bool any = false;
    for (uint32_t i = 0; i < schedule->columns; i++) {
        bool is_known = false;
        for (size_t j = 0; j < sizeof known / sizeof *known && !is_known; j++) is_known = strcmp(known[j],
            schedule->trace[i].name) == 0;
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
        ioa_status (*draw)(report_search *s, report_text *text, ioa_error *error);
    } figures[] = {{"cost", report_draw_cost}, {"temperatures", report_draw_temperatures}, {"swaps", report_draw_swaps},
                   {"acceptance", report_draw_acceptance},
                   {"barrier", report_draw_barrier}, {"replicas", report_draw_replicas}};
    report_search *s = page->subject;
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
    report_search s = {.page = page, .item = item, .schedule = item->schedule, .trace = report_trace_of(item->schedule)};
    if (s.trace.rounds == 0) {
        char name[96];
        report_item_name(page, item, name, sizeof name);
        report_format(text, "<h3>%s</h3>\n", name);
        report_empty(text, "No trace: nothing was annealed (<code>--method construct</code>), or another program wrote the "
                           "archive. <code>ioanneal optimize</code> with <code>--method tempering</code>, the default, records one.");
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
