#include "optimizer/report/text.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_text_clear(report_text *text)
{
    ioa_free(text->data);
    *text = (report_text){0};
}

static bool make_room(report_text *text, size_t more)
{
    if (text->failed) return false;
    if (text->room - text->length >= more) return true;
    size_t room = (text->length + more) * 2 + 256;
    char *larger = ioa_alloc(room, 1);
    if (!larger) {
        text->failed = true;
        return false;
    }
    if (text->length) memcpy(larger, text->data, text->length);
    ioa_free(text->data);
    text->data = larger;
    text->room = room;
    return true;
}

void report_bytes(report_text *text, const char *bytes, size_t length)
{
    if (length == 0 || !make_room(text, length)) return;
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
}

void report_put(report_text *text, const char *words)
{
    report_bytes(text, words, strlen(words));
}

void report_format(report_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length <= 0 || !make_room(text, (size_t)length + 1)) return;
    va_start(arguments, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

/* Length in bytes and code point of the UTF-8 character at `s`; code 0 (and length 1) if it is broken. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } kinds[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < 4; more++) {
        if ((*s & kinds[more].mask) != kinds[more].lead) continue;
        uint32_t value = *s & (unsigned char)~kinds[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((s[i] & 0xc0) != 0x80) break; /* the terminating NUL included */
            value = value << 6 | (s[i] & 0x3f);
            if (i < more) continue;
            if (value < kinds[more].least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) break;
            *code = value;
            return more + 1;
        }
        if (more == 0) {
            *code = value;
            return 1;
        }
        break;
    }
    *code = 0;
    return 1;
}

static bool is_harmful(uint32_t code)
{
    return (code < 0x20 && code != '\t' && code != '\n') || (code >= 0x7f && code < 0xa0) || code == 0xfeff ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           (code & 0xfffe) == 0xfffe;
}

void report_escape(report_text *text, const char *words)
{
    for (const unsigned char *s = (const unsigned char *)words; *s;) {
        uint32_t code;
        size_t length = decode(s, &code);
        switch (code) {
        case '<': report_put(text, "&lt;"); break;
        case '>': report_put(text, "&gt;"); break;
        case '&': report_put(text, "&amp;"); break;
        case '"': report_put(text, "&quot;"); break;
        case '\'': report_put(text, "&#39;"); break;
        default:
            if (is_harmful(code)) report_put(text, "\xef\xbf\xbd");
            else report_bytes(text, (const char *)s, length);
        }
        s += length;
    }
}

void report_count(report_text *text, uint64_t value)
{
    char plain[24];
    int digits = snprintf(plain, sizeof plain, "%" PRIu64, value);
    for (int i = 0; i < digits; i++) {
        if (i && (digits - i) % 3 == 0) report_put(text, ",");
        report_bytes(text, plain + i, 1);
    }
}

void report_number(report_text *text, double value)
{
    double size = fabs(value);
    if (!isfinite(value)) {
        report_put(text, "-");
    } else if (size == floor(size) && size < 1e15) {
        if (value < 0.0) report_put(text, "\xe2\x88\x92");
        report_count(text, (uint64_t)size);
    } else
        report_format(text, size >= 1e15 ? "%.3g" : size >= 1000.0 ? "%.0f" : size >= 1.0 ? "%.3f" : "%.3g", value);
}

ioa_status report_text_check(const report_text *text, ioa_error *error)
{
    return text->failed ? ioa_fail_nomem(error, "the report", text->length, 2) : IOA_OK;
}
