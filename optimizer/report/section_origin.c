/* Where everything comes from: files, hashes, runs, machines. */
#include "optimizer/report/page.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

static void put_text_row(const char *name, const char *value, report_text *text)
{
    report_put(text, "<tr><th scope=\"row\">");
    report_escape(text, name);
    report_put(text, "</th><td class=\"words\"><bdi>");
    report_escape(text, value);
    report_put(text, "</bdi></td></tr>\n");
}

static void put_item(const cJSON *item, report_text *text)
{
    if (item->string) {
        report_escape(text, item->string);
        report_put(text, " ");
    }
    if (cJSON_IsString(item)) report_escape(text, item->valuestring);
    else if (cJSON_IsNumber(item)) report_number(text, item->valuedouble);
    else report_put(text, cJSON_IsTrue(item) ? "yes" : cJSON_IsFalse(item) ? "no" : cJSON_IsNull(item) ? "-" : "..");
}

/* Objects of plain values, and lists of them, read better as words; everything else stays as it is. */
static void put_fact(const ioa_fact *fact, report_text *text)
{
    cJSON *json = fact->value[0] == '{' || fact->value[0] == '[' ? cJSON_Parse(fact->value) : NULL;
    if (!json) {
        put_text_row(fact->key, fact->value, text);
        return;
    }
    report_put(text, "<tr><th scope=\"row\">");
    report_escape(text, fact->key);
    report_put(text, "</th><td class=\"words\"><bdi>");
    bool list = cJSON_IsArray(json);
    for (const cJSON *line = list ? json->child : json; line; line = list ? line->next : NULL) {
        if (line != json && line != json->child) report_put(text, "<br>");
        if (!cJSON_IsObject(line)) {
            put_item(line, text);
            continue;
        }
        for (const cJSON *item = line->child; item; item = item->next) {
            if (item != line->child) report_put(text, ", ");
            put_item(item, text);
        }
    }
    report_put(text, "</bdi></td></tr>\n");
    cJSON_Delete(json);
}

static void put_source(const report_page *page, uint32_t index, report_text *text)
{
    const ioa_report_source *source = &page->options->sources[index];
    const ioa_archive *a = source->archive;
    report_put(text, "<div class=\"scroll\" tabindex=\"0\"><table class=\"origin\">\n<caption>");
    if (page->options->count > 1) report_format(text, "Archive %" PRIu32 ": ", index + 1);
    report_put(text, "<bdi>");
    report_escape(text, source->path);
    report_put(text, "</bdi></caption>\n<tbody>\n");
    put_text_row("network", a->network_name[0] ? a->network_name : "unnamed", text);
    put_text_row("topology SHA-256", a->topology_sha256, text);
    put_text_row("weights SHA-256", a->weights_sha256, text);
    for (uint32_t i = 0; i < a->facts; i++) put_fact(&a->provenance[i], text);
    report_put(text, "</tbody></table></div>\n");
    if (a->facts == 0)
        report_empty(text, "The archive says nothing about the run it comes from: <code>/provenance</code> is missing. "
                           "<code>ioanneal optimize</code> writes it.");
}

static void put_bytes(uint64_t bytes, report_text *text)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    double value = (double)bytes;
    for (; value >= 1024.0 && unit < 4; unit++) value /= 1024.0;
    report_put(text, "<td>");
    if (bytes == 0) report_put(text, "-");
    else report_format(text, value >= 100.0 || value == (double)(uint64_t)value ? "%.0f %s" : "%.1f %s", value, units[unit]);
    report_put(text, "</td>");
}

static void put_words(const char *words, report_text *text)
{
    report_put(text, "<td class=\"words\">");
    report_escape(text, words[0] ? words : "-");
    report_put(text, "</td>");
}

static void put_machines(const report_page *page, report_text *text)
{
    bool any = false;
    for (uint32_t i = 0; i < page->count; i++)
        for (uint32_t j = 0; j < page->items[i].schedule->measurements; j++) {
            const ioa_measured *m = &page->items[i].schedule->measured[j];
            char name[96];
            report_item_name(page, &page->items[i], name, sizeof name);
            if (!any) {
                report_put(text, "<h3>Machines that measured</h3>\n");
                report_table_open(text, "schedule|*processor|cores|L1d|L2|L3|memory|*kernels|*compiler and flags|*date");
            }
            any = true;
            report_format(text, "<tr><th scope=\"row\">%s</th>", name);
            put_words(m->machine.cpu, text);
            report_format(text, "<td>%" PRIu32 "</td>", m->machine.cores);
            put_bytes(m->machine.l1d_bytes, text);
            put_bytes(m->machine.l2_bytes, text);
            put_bytes(m->machine.l3_bytes, text);
            put_bytes(m->machine.memory_bytes, text);
            put_words(m->isa, text);
            report_put(text, "<td class=\"words\">");
            report_escape(text, m->compiler);
            report_put(text, " ");
            report_escape(text, m->flags);
            report_put(text, "</td>");
            put_words(m->date, text);
            report_put(text, "</tr>\n");
        }
    if (any) report_table_close(text);
}

ioa_status report_put_origin(report_page *page, report_text *text, ioa_error *error)
{
    for (uint32_t i = 0; i < page->options->count; i++) put_source(page, i, text);
    put_machines(page, text);
    return report_text_check(text, error);
}
