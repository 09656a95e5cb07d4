#include "io/import/import_text.h"

#include "core/base/mem.h"
#include "io/import/import_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER (UINT64_C(1) << 18)

ioa_status ioa_text_fail(const ioa_text *text, ioa_error *error, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    for (char *c = what; *c; c++) /* the text may quote the file */
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return ioa_fail(error, IOA_ERR_INPUT, "%s: line %" PRIu64 ": %s", text->path, text->line, what);
}

ioa_status ioa_text_open(const char *path, ioa_text *text, ioa_error *error)
{
    *text = (ioa_text){.path = path, .line = 1};
    ioa_status status = ioa_import_file_open(path, &text->file, &text->bytes, error);
    if (status != IOA_OK) return status;
    text->buffer = ioa_alloc(BUFFER, 1);
    if (!text->buffer) {
        status = ioa_fail_nomem(error, "a text buffer", BUFFER, 1);
    } else {
        /* Of this thread alone, and only while the file is open. */
        text->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (text->plain)
            text->saved = uselocale(text->plain);
        else
            status = ioa_fail_nomem(error, "a locale", 1, 1);
    }
    if (status != IOA_OK) ioa_text_close(text);
    return status;
}

void ioa_text_close(ioa_text *text)
{
    if (text->plain) {
        uselocale(text->saved);
        freelocale(text->plain);
    }
    if (text->file) fclose(text->file);
    ioa_free(text->buffer);
    *text = (ioa_text){0};
}

/* The next character without taking it; -1 at the end. */
static inline int look(ioa_text *text)
{
    if (text->at == text->filled) {
        text->at = 0;
        text->filled = fread(text->buffer, 1, BUFFER, text->file);
        if (text->filled == 0) return -1;
    }
    return text->buffer[text->at];
}

static bool is_blank(int c, bool commas)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || (commas && c == ',');
}

int ioa_text_peek(ioa_text *text)
{
    int c;
    while (is_blank(c = look(text), false)) text->at++;
    return c;
}

bool ioa_text_token(ioa_text *text, bool commas)
{
    size_t length = 0;
    int c;
    while (is_blank(c = look(text), commas)) text->at++;
    text->cut = false;
    for (; c != -1 && c != '\n' && !is_blank(c, commas); c = look(text)) {
        if (length < IOA_TOKEN - 1)
            text->token[length++] = (char)c;
        else
            text->cut = true;
        text->at++;
    }
    text->token[length] = '\0';
    return length > 0;
}

bool ioa_text_next_line(ioa_text *text)
{
    int c;
    while ((c = look(text)) != -1 && c != '\n') text->at++;
    if (c == -1) return false;
    text->at++;
    text->line++;
    return look(text) != -1;
}

ioa_status ioa_text_whole(ioa_text *text, bool commas, uint64_t most, const char *what, uint64_t *value,
                          ioa_error *error)
{
    if (!ioa_text_token(text, commas)) return ioa_text_fail(text, error, "%s is missing", what);
    uint64_t v = 0;
    const char *c = text->token;
    for (; *c >= '0' && *c <= '9'; c++) {
        unsigned digit = (unsigned)(*c - '0');
        if (v > (UINT64_MAX - digit) / 10) return ioa_text_fail(text, error, "%s %s is too large", what, text->token);
        v = v * 10 + digit;
    }
    if (*c || text->cut) return ioa_text_fail(text, error, "%s \"%.40s\" is not a whole number", what, text->token);
    if (v > most) return ioa_text_fail(text, error, "%s %s is greater than %" PRIu64, what, text->token, most);
    *value = v;
    return IOA_OK;
}

ioa_status ioa_text_real(ioa_text *text, float *value, ioa_error *error)
{
    if (!ioa_text_token(text, false)) return ioa_text_fail(text, error, "a value is missing");
    char *end;
    float v = strtof(text->token, &end);
    if (*end || text->cut) return ioa_text_fail(text, error, "\"%.40s\" is not a number", text->token);
    if (!isfinite(v)) return ioa_text_fail(text, error, "the value %.40s is not a finite float32", text->token);
    *value = v;
    return IOA_OK;
}
