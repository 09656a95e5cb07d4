#include "optimizer/report/svg.h"

#include "optimizer/report/colour.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 32 /* of nested elements: gnuplot's have about 4 */

static const char *const colour_names[COLOURS] = {
    NULL, "ink", "muted", "grid", "layered", "best", "bound",
    "ramp0", "ramp1", "ramp2", "ramp3", "ramp4", "ramp5", "ramp6", "ramp7",
    "kind0", "kind1", "kind2", "kind3", "kind4", "kind5", "kind6", "kind7",
};

const char *report_colour_name(int colour)
{
    return colour > COLOUR_NONE && colour < COLOURS ? colour_names[colour] : NULL;
}

typedef struct attribute {
    const char *name, *value;
    size_t name_length, value_length;
} attribute;

static bool is_name(const attribute *a, const char *name)
{
    return a->name_length == strlen(name) && memcmp(a->name, name, a->name_length) == 0;
}

static bool is_value(const attribute *a, const char *value)
{
    return a->value_length == strlen(value) && memcmp(a->value, value, a->value_length) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Steps over NAME="VALUE" or NAME = 'VALUE'; false at the end of the tag. */
static bool next_attribute(const char **at, const char *end, attribute *a)
{
    const char *s = *at;
    while (s < end && is_space(*s)) s++;
    a->name = s;
    while (s < end && *s != '=' && !is_space(*s) && *s != '/') s++;
    a->name_length = (size_t)(s - a->name);
    while (s < end && (is_space(*s) || *s == '=')) s++;
    if (a->name_length == 0 || s == end || (*s != '"' && *s != '\'')) return false;
    char quote = *s;
    a->value = ++s;
    while (s < end && *s != quote) s++;
    if (s == end) return false;
    a->value_length = (size_t)(s - a->value);
    *at = s + 1;
    return true;
}

/* What our scripts let nearly every group have stands once, in the <svg> element; groups say what differs. */
#define COMMON " fill=\"none\" stroke=\"currentColor\" stroke-linecap=\"round\" stroke-linejoin=\"round\" font-size=\"14\""

static bool is_superfluous(const attribute *a, bool group)
{
    static const struct {
        const char *name, *value;
    } common[] = {{"fill", "none"}, {"stroke", "currentColor"}, {"stroke-linecap", "round"}, {"stroke-linejoin", "round"},
                  {"font-size", "14.00"}, {"stroke-width", "1.00"}};
    for (size_t i = 0; group && i < sizeof common / sizeof *common; i++)
        if (is_name(a, common[i].name) && is_value(a, common[i].value)) return true;
    if (is_name(a, "id") || is_name(a, "class") || is_name(a, "font-family")) return true;
    if (is_name(a, "color")) return a->value[0] != 'r'; /* its black and white; the page's ink then shows */
    return false;
}

/* "M51.35,277.60 L61.10,277.60" as "M51.4,277.6 61.1,277.6": a tenth of a unit cannot be seen, and what follows a move is
 * a line anyway. */
static void put_numbers(const char *s, const char *end, report_text *page)
{
    bool blank = false;
    while (s < end) {
        if (is_space(*s)) {
            blank = true;
            s++;
            continue;
        }
        if (blank && s > end - 1) break;
        bool number = (*s >= '0' && *s <= '9') || *s == '-' || *s == '.';
        if (blank) report_bytes(page, " ", 1);
        blank = false;
        if (!number) {
            if (*s != 'L') report_bytes(page, s, 1);
            s++;
            continue;
        }
        char copy[32] = "";
        size_t length = 0;
        for (; s < end && length + 1 < sizeof copy && ((*s >= '0' && *s <= '9') || *s == '-' || *s == '.');
             s++) copy[length++] = *s;
        double value = round(10.0 * strtod(copy, NULL)) / 10.0;
        report_format(page, value == floor(value) ? "%.0f" : "%.1f", value == 0.0 ? 0.0 : value);
    }
}

static void put_attribute(const attribute *a, report_text *page)
{
    int red, green, blue;
    char start[32];
    size_t length = a->value_length < sizeof start - 1 ? a->value_length : sizeof start - 1;
    memcpy(start, a->value, length);
    start[length] = '\0';
    report_format(page, " %.*s=\"", (int)a->name_length, a->name);
    if (sscanf(start, "rgb(%d ,%d ,%d", &red, &green, &blue) == 3 && red == 0 && green == 0 && report_colour_name(blue))
        report_format(page, "var(--%s)", report_colour_name(blue));
    else if (is_name(a, "d") || is_name(a, "points"))
        put_numbers(a->value, a->value + a->value_length, page);
    else
        report_bytes(page, a->value, a->value_length);
    report_bytes(page, "\"", 1);
}

static void put_attributes(const char *at, const char *end, bool group, report_text *page)
{
    for (attribute a; next_attribute(&at, end, &a);)
        if (!is_superfluous(&a, group)) put_attribute(&a, page);
}

/* A point refers to a definition we left out: the shape itself takes its place. */
static void put_point(const char *at, const char *end, report_text *page)
{
    static const struct {
        const char *reference, *shape;
    } shapes[] = {{"#gpPt6", "circle r=\"1\""}, {"#gpPt4", "rect x=\"-1\" y=\"-1\" width=\"2\" height=\"2\""}};
    const char *shape = shapes[0].shape;
    const char *rest = at;
    attribute a;
    while (next_attribute(&rest, end, &a))
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            if (is_name(&a, "xlink:href") && is_value(&a, shapes[i].reference)) shape = shapes[i].shape;
    report_format(page, "<%s stroke=\"none\" fill=\"currentColor\"", shape);
    while (next_attribute(&at, end, &a))
        if (!is_superfluous(&a, false) && !is_name(&a, "xlink:href")) put_attribute(&a, page);
    report_put(page, "/>");
}

static const char *find(const char *from, const char *end, const char *words)
{
    size_t length = strlen(words);
    for (; from && (size_t)(end - from) >= length; from++)
        if (memcmp(from, words, length) == 0) return from;
    return NULL;
}

typedef struct open_element {
    size_t before, behind; /* lengths of the page before and behind its opening tag */
    bool group, dropped; /* dropped: a group that says nothing; only what is in it stays */
} open_element;

/* What stands between the definitions and the end. */
static bool put_content(const char *s, const char *end, report_text *page)
{
    open_element open[DEPTH];
    int depth = 0;
    while (s < end) {
        const char *tag = memchr(s, '<', (size_t)(end - s));
        const char *words_end = tag ? tag : end;
        while (s < words_end && is_space(*s)) s++;
        if (s < words_end) report_bytes(page, s, (size_t)(words_end - s));
        if (!tag) break;
        const char *close = memchr(tag, '>', (size_t)(end - tag));
        if (!close) return false;
        s = close + 1;
        if (tag[1] == '!' || tag[1] == '?') continue;
        if (tag[1] == '/') { /* empty groups, which set a colour for nothing, go */
            if (depth-- == 0) return true; /* of the canvas, which was opened before the definitions */
            if (open[depth].group && page->length == open[depth].behind) page->length = open[depth].before;
            else if (!open[depth].dropped) report_bytes(page, tag, (size_t)(s - tag));
            continue;
        }
        if (strncmp(tag, "<title>", 7) == 0) {
            s = find(s, end, "</title>");
            if (!s) return false;
            s += 8;
            continue;
        }
        bool closed = close[-1] == '/';
        const char *behind = closed ? close - 1 : close, *name_end = tag + 1;
        while (name_end < behind && !is_space(*name_end)) name_end++;
        if (strncmp(tag, "<use ", 5) == 0 && closed) {
            put_point(name_end, behind, page);
            continue;
        }
        if (!closed && depth == DEPTH) return false;
        bool group = name_end - tag == 2 && tag[1] == 'g';
        size_t before = page->length;
        report_bytes(page, tag, (size_t)(name_end - tag));
        put_attributes(name_end, behind, group, page);
        bool dropped = group && !closed && page->length == before + 2;
        if (dropped) page->length = before;
        else report_put(page, closed ? "/>" : ">");
        if (!closed) open[depth++] = (open_element){before, page->length, group, dropped};
    }
    return true;
}

bool report_svg_inline(const report_text *drawing, const char *label_id, report_text *page)
{
    if (!drawing->length) return false;
    const char *start = drawing->data, *end = drawing->data + drawing->length;
    const char *box = find(start, end, "viewBox=\""), *content = find(start, end, "</defs>");
    float width, height;
    char numbers[64] = "";
    if (!box || !content) return false;
    snprintf(numbers, sizeof numbers, "%.*s", (int)(end - box < 60 ? end - box : 60), box);
    if (sscanf(numbers, "viewBox=\"0 0 %f %f\"", &width, &height) != 2) return false;
    report_format(page, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s\"" COMMON ">", (double)width,
                  (double)height,
                  label_id);
    bool fine = put_content(content + 7, end, page);
    report_put(page, "</svg>\n");
    return fine;
}
