/* I/O against M: from the archives alone, or computed with the network. */
#include "optimizer/report/page.h"
#include "optimizer/report/sweep.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_ORDERS 6u /* drawn as curves of their own */

/* The items of one policy, by memory. */
typedef struct selection {
    const report_item **items; /* [count] owned */
    uint64_t *sizes;           /* [size_count] their memory sizes, ascending, each once; owned */
    uint32_t count, size_count;
    ioa_policy policy;
} selection;

static int by_memory(const void *left, const void *right)
{
    const report_item *a = *(const report_item *const *)left, *b = *(const report_item *const *)right;
    if (a->schedule->memory != b->schedule->memory) return a->schedule->memory < b->schedule->memory ? -1 : 1;
    return a < b ? -1 : a > b;
}

static ioa_status select_items(const report_page *page, ioa_policy policy, selection *s, ioa_error *error)
{
    *s = (selection){.items = ioa_alloc(page->count, sizeof *s->items), .sizes = ioa_alloc(page->count, sizeof *s->sizes),
                     .policy = policy};
    if (!s->items || !s->sizes) return ioa_fail_nomem(error, "the report", page->count, sizeof *s->items);
    for (uint32_t i = 0; i < page->count; i++)
        if (page->items[i].schedule->policy == policy) s->items[s->count++] = &page->items[i];
    if (s->count) qsort(s->items, s->count, sizeof *s->items, by_memory);
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t memory = s->items[i]->schedule->memory;
        if (s->size_count == 0 || s->sizes[s->size_count - 1] != memory) s->sizes[s->size_count++] = memory;
    }
    return IOA_OK;
}

static uint32_t place_of(const report_figure *figure, uint64_t memory)
{
    uint32_t at = 0;
    while (at + 1 < figure->count && figure->x[at] != (double)memory) at++;
    return at;
}

/* The best total at each memory size of the figure that the archives state, all or those of one source. */
static void put_best(const selection *s, const report_figure *figure, int64_t source, double *y)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const ioa_schedule *schedule = s->items[i]->schedule;
        if (source >= 0 && s->items[i]->source != source) continue;
        double excess = report_excess(schedule, report_total(schedule));
        double *at = &y[place_of(figure, schedule->memory)];
        if (isnan(*at) || excess < *at) *at = excess;
    }
}

static report_figure start(bool share)
{
    return (report_figure){
        .x_label = "M, slots of fast memory", .log_x = true, .from_zero = true, .as_percent = share,
        .title = share ? "What is left of the layered order's excess" : "I/Os beyond the compulsory against M",
        .y_label = share ? "share of the layered order's I/Os beyond the compulsory" : "I/Os beyond the compulsory",
        .alt = share ? "Lines over the memory size: the share of the layered order's excess that the best order keeps, and "
                       "the share that no order can avoid."
                     : "Lines over the memory size: I/Os beyond the compulsory of the layered order at the top, of the orders "
                       "found below it, and of the certified bound at the bottom."};
}

/* From what the archives state. */
static ioa_status draw_stated(report_page *page, const selection *s, report_text *text, ioa_error *error)
{
    report_figure f = start(false);
    double *x = report_figure_x(&f, s->size_count);
    for (uint32_t i = 0; x && i < s->size_count; i++) x[i] = (double)s->sizes[i];
    report_series *layered = x ? report_figure_add(&f, COLOUR_LAYERED, MARK_BOTH, "layered order") : NULL;
    for (uint32_t i = 0; layered && i < s->count; i++) {
        const ioa_schedule *schedule = s->items[i]->schedule;
        layered->y[place_of(&f, schedule->memory)] = report_excess(schedule, schedule->baseline_total);
    }
    for (uint32_t source = 0; source < page->options->count && !f.failed; source++) {
        bool one = page->options->count == 1;
        report_series *best = one ? report_figure_add(&f, COLOUR_BEST, MARK_BOTH, "best order found")
                                  : report_figure_add(&f, COLOUR_KIND_0 + source % REPORT_KINDS, MARK_BOTH,
                                                      "best of archive %u", source + 1);
        if (best) put_best(s, &f, source, best->y);
    }
    report_series *bound = f.failed ? NULL : report_figure_add(&f, COLOUR_BOUND, MARK_BOTH, "certified bound");
    for (uint32_t i = 0; bound && i < s->count; i++) {
        const ioa_schedule *schedule = s->items[i]->schedule;
        bound->dashed = true;
        if (schedule->certified_bound)
            bound->y[place_of(&f, schedule->memory)] = report_excess(schedule, schedule->certified_bound);
    }
    ioa_status status = report_page_draw(page, &f, text, error);
    report_empty(text, "Only the memory sizes of the archive are shown. With <code>--network NET.h5</code> (or a bundle) the "
                       "curves are computed for all sizes, and each order is counted at the sizes it was not made for.");
    return status;
}

static ioa_status run_sweep(const report_page *page, const selection *s, const report_item **drawn, uint32_t count,
                            report_sweep *sweep, ioa_error *error)
{
    const uint32_t *orders[MOST_ORDERS];
    for (uint32_t i = 0; i < count; i++) orders[i] = drawn[i]->schedule->order;
    report_sweep_config config = {.network = page->options->network, .policy = s->policy, .sizes = s->sizes,
                                  .size_count = s->size_count, .orders = orders, .order_count = count,
                                  .progress = page->options->progress, .context = page->options->context};
    return report_sweep_run(&config, sweep, error);
}

static double excess_of(uint64_t total, uint64_t lower)
{
    return (double)total - (double)lower;
}

static ioa_status draw_computed(report_page *page, const selection *s, const report_item **drawn, uint32_t count,
                                const report_sweep *sweep, report_text *text, ioa_error *error)
{
    uint64_t lower = page->options->network->bounds.lower;
    static const report_colour colours[MOST_ORDERS] = { /* none like the bound's */
        COLOUR_KIND_0, COLOUR_KIND_0 + 2, COLOUR_KIND_0 + 3, COLOUR_KIND_0 + 4, COLOUR_KIND_0 + 5, COLOUR_KIND_0 + 6};
    report_figure f = start(false);
    char name[96], caption[240];
    double *x = report_figure_x(&f, sweep->count);
    for (uint32_t i = 0; x && i < sweep->count; i++) x[i] = (double)sweep->memory[i];
    report_series *layered = x ? report_figure_add(&f, COLOUR_LAYERED, MARK_LINE, "layered order") : NULL;
    for (uint32_t i = 0; layered && i < sweep->count; i++) layered->y[i] = excess_of(sweep->layered[i], lower);
    for (uint32_t order = 0; order < count && !f.failed; order++) {
        report_item_name(page, drawn[order], name, sizeof name);
        report_series *curve = report_figure_add(&f, colours[order], MARK_LINE, "order made for %s", name);
        for (uint32_t i = 0; curve && i < sweep->count; i++)
            curve->y[i] = excess_of(sweep->order[(uint64_t)order * sweep->count + i], lower);
    }
    report_series *bound = f.failed ? NULL : report_figure_add(&f, COLOUR_BOUND, MARK_LINE, "certified bound");
    if (bound) bound->dashed = true;
    for (uint32_t i = 0; bound && i < sweep->count; i++) bound->y[i] = excess_of(sweep->certified[i], lower);
    report_series *best = f.failed ? NULL : report_figure_add(&f, COLOUR_INK, MARK_POINTS, "stated by the archive");
    if (best) put_best(s, &f, -1, best->y);
    if (count < s->count) {
        snprintf(caption, sizeof caption, "%" PRIu32 " of %" PRIu32 " orders are counted at every size; all are shown at "
                                                                    "their own.", count, s->count);
        f.caption = caption;
    }
    return report_page_draw(page, &f, text, error);
}

static ioa_status draw_shares(report_page *page, const selection *s, uint32_t count, const report_sweep *sweep,
                              report_text *text,
                              ioa_error *error)
{
    uint64_t lower = page->options->network->bounds.lower;
    report_figure f = start(true);
    double *x = report_figure_x(&f, sweep->count);
    for (uint32_t i = 0; x && i < sweep->count; i++) x[i] = (double)sweep->memory[i];
    report_series *best = x ? report_figure_add(&f, COLOUR_BEST, MARK_LINE, "best of the archive's orders at each size") : NULL;
    if (best) put_best(s, &f, -1, best->y);
    for (uint32_t i = 0; best && i < sweep->count; i++) {
        for (uint32_t order = 0; order < count; order++) {
            double excess = excess_of(sweep->order[(uint64_t)order * sweep->count + i], lower);
            if (isnan(best->y[i]) || excess < best->y[i]) best->y[i] = excess;
        }
        best->y[i] = sweep->layered[i] > lower ? best->y[i] / excess_of(sweep->layered[i], lower) : NAN;
    }
    report_series *bound = f.failed ? NULL : report_figure_add(&f, COLOUR_BOUND, MARK_LINE, "certified: no order keeps less");
    if (bound) bound->dashed = true;
    for (uint32_t i = 0; bound && i < sweep->count; i++)
        if (sweep->layered[i] > lower)
            bound->y[i] = excess_of(sweep->certified[i], lower) / excess_of(sweep->layered[i], lower);
    return report_page_draw(page, &f, text, error);
}

static ioa_status draw_sweep(report_page *page, const selection *s, report_text *text, ioa_error *error)
{
    const report_item *drawn[MOST_ORDERS];
    uint32_t count = s->count < MOST_ORDERS ? s->count : MOST_ORDERS;
    for (uint32_t i = 0; i < count; i++) drawn[i] = s->items[count > 1 ? i * (s->count - 1) / (count - 1) : 0];
    report_sweep sweep;
    ioa_status status = run_sweep(page, s, drawn, count, &sweep, error);
    if (status != IOA_OK) return status;
    status = draw_computed(page, s, drawn, count, &sweep, text, error);
    if (status == IOA_OK) status = draw_shares(page, s, count, &sweep, text, error);
    report_sweep_clear(&sweep);
    return status;
}

ioa_status report_put_memory(report_page *page, report_text *text, ioa_error *error)
{
    static const char *const titles[IOA_POLICY_COUNT] = {"LRU", "RR", "MIN"};
    uint32_t shown = 0;
    ioa_status status = IOA_OK;
    for (int policy = IOA_POLICY_COUNT; policy-- > 0 && status == IOA_OK;) {
        selection s;
        status = select_items(page, (ioa_policy)policy, &s, error);
        if (status == IOA_OK && s.count) {
            if (s.count < page->count || shown) report_format(text, "<h3>Policy %s</h3>\n", titles[policy]);
            shown++;
            status = page->options->network ? draw_sweep(page, &s, text, error) : draw_stated(page, &s, text, error);
        }
        ioa_free(s.items);
        ioa_free(s.sizes);
    }
    return status;
}
