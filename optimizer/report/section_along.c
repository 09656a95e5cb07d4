/* Where the I/Os happen along the order. */
#include "optimizer/report/page.h"

#include "core/base/mem.h"
#include "core/model/order.h"
#include "core/model/simulator.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define STRETCHES 200u

/* Values loaded (upwards) and written back (downwards) per connection, the connection's weight left out. */
static void put_profile(const ioa_io *io, uint64_t connections, uint32_t stretches, double *loads, double *writes)
{
    for (uint32_t i = 0; i < stretches; i++) {
        uint64_t steps = connections * (i + 1) / stretches - connections * i / stretches;
        loads[i] = ((double)io[i].reads - (double)steps) / (double)steps;
        writes[i] = -(double)io[i].writes / (double)steps;
    }
    loads[stretches] = loads[stretches - 1]; /* the end of the last step */
    writes[stretches] = writes[stretches - 1];
}

static void put_orders(report_figure *f, const ioa_io *layered, const ioa_io *best, uint64_t connections, uint32_t stretches)
{
    const struct {
        const char *label;
        const ioa_io *io;
        report_colour colour;
        report_mark mark;
    } orders[] = {{"layered order", layered, COLOUR_LAYERED, MARK_AREA}, {"best order", best, COLOUR_BEST, MARK_STEPS}};
    for (int i = 0; i < 2; i++) {
        report_series *loads = report_figure_add(f, orders[i].colour, orders[i].mark, "%s", orders[i].label);
        report_series *writes = loads ? report_figure_add(f, orders[i].colour, orders[i].mark, "%s", "") : NULL;
        if (!writes) return;
        put_profile(orders[i].io, connections, stretches, f->series[2 * i].y, writes->y);
    }
}

/* An archive states what its order costs; now that it has been counted, is it so? */
static void compare(const ioa_network *network, const ioa_schedule *s, const ioa_io io[2][STRETCHES], uint32_t stretches,
                    report_text *text)
{
    uint64_t lone = ioa_network_bounds(network).lone_outputs, total[2] = {2 * lone, 2 * lone};
    const uint64_t stated[2] = {s->baseline_total, report_total(s)};
    for (int order = 0; order < 2; order++) {
        for (uint32_t i = 0; i < stretches; i++) total[order] += io[order][i].reads + io[order][i].writes;
        if (total[order] == stated[order]) continue;
        report_format(text, "<p class=\"empty\"><strong>The archive is wrong:</strong> it states ");
        report_count(text, stated[order]);
        report_format(text, " I/Os for the %s order, but it has ", order ? "best" : "layered");
        report_count(text, total[order]);
        report_put(text, ". <code>ioanneal check</code> tells more.</p>\n");
    }
}

static ioa_status draw(report_page *page, const report_item *item, const uint32_t *layered, report_text *text, ioa_error *error)
{
    const ioa_network *network = page->options->network;
    const ioa_schedule *s = item->schedule;
    uint64_t connections = ioa_network_connections(network);
    uint32_t stretches = connections < STRETCHES ? (uint32_t)connections : STRETCHES;
    char title[128], name[96];
    ioa_io io[2][STRETCHES];
    ioa_simulator *simulator;
    if (stretches > page->budget.points) stretches = (uint32_t)page->budget.points;
    ioa_status status = ioa_simulator_create(network, s->memory, s->policy, &simulator, error);
    if (status != IOA_OK) return status;
    ioa_simulator_profile(simulator, layered, stretches, io[0]);
    ioa_simulator_profile(simulator, s->order, stretches, io[1]);
    ioa_simulator_destroy(simulator);
    report_item_name(page, item, name, sizeof name);
    snprintf(title, sizeof title, "Along the order, %s", name);
    report_figure f = {.title = title, .x_label = "share of the connections handled, in percent", .from_zero = true,
                       .no_table = true,
                       .y_label = "per connection: values loaded (up), written back (down)",
                       .alt = "Two outlines over the course of the order: values loaded per connection above zero and written "
                              "back below zero, for the layered order as an area and for the best order as a line."};
    double *x = report_figure_x(&f, (uint64_t)stretches + 1);
    for (uint32_t i = 0; x && i <= stretches; i++) x[i] = 100.0 * i / stretches;
    if (x) put_orders(&f, io[0], io[1], connections, stretches);
    status = report_page_draw(page, &f, text, error);
    if (status != IOA_OK) return status;
    compare(network, s, (const ioa_io(*)[STRETCHES])io, stretches, text);

    uint32_t rows = stretches < 10 ? stretches : 10; /* the table adds up tenths: sums say more than samples */
    report_put(text, "<details class=\"behind\"><summary>The numbers behind this plot</summary>\n");
    report_table_open(text, "part of the order|layered: values loaded|written|best: values loaded|written");
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t from = stretches * row / rows, to = stretches * (row + 1) / rows;
        report_format(text, "<tr><th scope=\"row\">%.0f to %.0f %%</th>", 100.0 * from / stretches, 100.0 * to / stretches);
        for (int order = 0; order < 2; order++) {
            uint64_t reads = 0, writes = 0, steps = connections * to / stretches - connections * from / stretches;
            for (uint32_t i = from; i < to; i++) {
                reads += io[order][i].reads;
                writes += io[order][i].writes;
            }
            report_put(text, "<td>");
            report_count(text, reads - steps);
            report_put(text, "</td><td>");
            report_count(text, writes);
            report_put(text, "</td>");
        }
        report_put(text, "</tr>\n");
    }
    report_table_close(text);
    report_put(text, "</details>\n");
    return report_text_check(text, error);
}

ioa_status report_put_along(report_page *page, report_text *text, ioa_error *error)
{
    const ioa_network *network = page->options->network;
    if (!network) {
        report_empty(text, "This needs the network: give <code>--network NET.h5</code>, or make the report from a bundle "
                           "(<code>ioanneal pack</code>).");
        return IOA_OK;
    }
    if (ioa_network_connections(network) == 0) {
        report_empty(text, "The network has no connections.");
        return IOA_OK;
    }
    uint32_t *layered = ioa_alloc(ioa_network_connections(network), sizeof *layered);
    if (!layered) return ioa_fail_nomem(error, "the layered order", ioa_network_connections(network), sizeof *layered);
    ioa_order_layered(network, layered);
    ioa_status status = IOA_OK;
    for (uint32_t i = 0; status == IOA_OK && i < page->count; i++) status = draw(page, &page->items[i], layered, text, error);
    ioa_free(layered);
    return status;
}
