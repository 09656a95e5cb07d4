#include "optimizer/report/page.h"

#include <inttypes.h>
#include <math.h>

#define CARDS 4u

static double reduction(const ioa_schedule *s)
{
    double layered = report_excess(s, s->baseline_total);
    return layered > 0.0 ? 1.0 - report_excess(s, report_total(s)) / layered : NAN;
}

ioa_status report_put_lead(report_page *page, report_text *text, ioa_error *error)
{
    const ioa_archive *a = page->options->sources[0].archive;
    report_count(text, a->neurons);
    report_put(text, " neurons, ");
    report_count(text, a->connections);
    report_put(text, " connections, ");
    report_count(text, a->inputs);
    report_put(text, " inputs, ");
    report_count(text, a->outputs);
    report_format(text, " outputs. %" PRIu32 " schedule%s", page->count, page->count == 1 ? "" : "s");
    if (page->options->count > 1) report_format(text, " from %" PRIu32 " archives", page->options->count);
    report_put(text, ".");
    return report_text_check(text, error);
}

static void put_percent(double share, report_text *text)
{
    report_format(text, "%s%.1f %%", share > 0.0 ? "\xe2\x88\x92" : share < 0.0 ? "+" : "", fabs(100.0 * share));
}

/* The first few results, large. */
static void put_cards(const report_page *page, report_text *text)
{
    char name[96];
    report_put(text, "<div class=\"cards\">\n");
    for (uint32_t i = 0; i < page->count && i < CARDS; i++) {
        const ioa_schedule *s = page->items[i].schedule;
        double gone = reduction(s);
        report_item_name(page, &page->items[i], name, sizeof name);
        report_format(text, "<div class=\"card\"><p class=\"what\">%s</p><p class=\"figure\">", name);
        if (isnan(gone)) report_put(text, "nothing to gain");
        else put_percent(gone, text);
        report_put(text, "</p><p>beyond the compulsory I/O:<br>");
        report_number(text, report_excess(s, s->baseline_total));
        report_put(text, " layered, ");
        report_number(text, report_excess(s, report_total(s)));
        report_put(text, " best</p></div>\n");
    }
    report_put(text, "</div>\n");
    if (page->count > CARDS) report_format(text, "<p class=\"note\">The first %u schedules; all are in the table.</p>\n",
                                           CARDS);
}

static void put_number(double value, report_text *text)
{
    report_put(text, "<td>");
    report_number(text, value);
    report_put(text, "</td>");
}

static void put_row(const report_page *page, const report_item *item, report_text *text)
{
    const ioa_schedule *s = item->schedule;
    char name[96];
    double gone = reduction(s);
    report_item_name(page, item, name, sizeof name);
    report_format(text, "<tr><th scope=\"row\">%s</th><td class=\"words\">%s</td>", name,
                  s->verified ? "<span class=\"yes\">verified</span>" : "<span class=\"no\">not verified</span>");
    put_number(report_excess(s, s->baseline_total), text);
    put_number(report_excess(s, report_total(s)), text);
    report_put(text, "<td>");
    if (isnan(gone)) report_put(text, "-");
    else put_percent(gone, text);
    report_put(text, "</td>");
    put_number(s->certified_bound ? report_excess(s, s->certified_bound) : NAN, text);
    put_number(s->certified_bound ? (double)report_total(s) - (double)s->certified_bound : NAN, text);
    put_number((double)s->io.reads, text);
    put_number((double)s->io.writes, text);
    put_number((double)report_total(s), text);
    report_put(text, "<td class=\"words\">");
    report_escape(text, s->method[0] ? s->method : "not recorded");
    report_put(text, "</td></tr>\n");
}

ioa_status report_put_summary(report_page *page, report_text *text, ioa_error *error)
{
    bool unverified = false;
    put_cards(page, text);
    report_put(text, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>"
                     "<tr><td colspan=\"2\"></td><th scope=\"colgroup\" colspan=\"5\">I/Os beyond the compulsory</th>"
                     "<th scope=\"colgroup\" colspan=\"3\">all I/Os of the best order</th><td></td></tr>\n"
                     "<tr><th scope=\"col\">schedule</th><th scope=\"col\" class=\"words\">verified</th>"
                     "<th scope=\"col\">layered</th><th scope=\"col\">best</th><th scope=\"col\">change</th>"
                     "<th scope=\"col\">certified bound</th><th scope=\"col\">best above bound</th>"
                     "<th scope=\"col\">reads</th><th scope=\"col\">writes</th><th scope=\"col\">total</th>"
                     "<th scope=\"col\" class=\"words\">method</th></tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < page->count; i++) {
        put_row(page, &page->items[i], text);
        unverified = unverified || !page->items[i].schedule->verified;
    }
    report_put(text, "</tbody></table></div>\n<p class=\"note\">The compulsory I/O is ");
    report_count(text, page->items[0].schedule->lower_bound);
    report_put(text, ": every connection's weight, every neuron once, every output written. No order needs less than the "
                     "certified bound.");
    if (unverified)
        report_put(text, " <strong>Not every schedule was verified: see <code>ioanneal check</code>.</strong>");
    report_put(text, "</p>\n");
    for (uint32_t i = 0; page->options->count > 1 && i < page->options->count; i++) {
        report_format(text, "%sArchive %" PRIu32 ": <bdi>", i ? "<br>" : "<p class=\"note\">", i + 1);
        report_escape(text, page->options->sources[i].path);
        report_put(text, i + 1 < page->options->count ? "</bdi>\n" : "</bdi></p>\n");
    }
    return report_text_check(text, error);
}
