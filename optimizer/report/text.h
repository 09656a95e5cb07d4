/* Text that grows: what the page and the scripts for gnuplot are put together in. */
#ifndef IOA_REPORT_TEXT_H
#define IOA_REPORT_TEXT_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts zeroed. Once memory has run out, nothing more is added and `failed` stays true: check it at the end. */
typedef struct report_text {
    char *data; /* [length], not NUL-terminated, or NULL; owned */
    size_t length, room;
    bool failed;
} report_text;

void report_text_clear(report_text *text); /* frees, zeroes */

void report_bytes(report_text *text, const char *bytes, size_t length); /* as they are */
void report_put(report_text *text, const char *words);                  /* as they are */
void report_format(report_text *text, const char *format, ...) IOA_PRINTF(2, 3);

/* Words from a file, for HTML: markup is escaped; control characters, broken UTF-8 and characters that turn the
 * direction of writing become U+FFFD. */
void report_escape(report_text *text, const char *words);

/* "1,234,567" */
void report_count(report_text *text, uint64_t value);

/* The same for a number that may be negative or not whole: whole numbers grouped, others with three digits or so, "-"
 * for not-a-number. */
void report_number(report_text *text, double value);

/* IOA_ERR_NOMEM if memory ran out. */
ioa_status report_text_check(const report_text *text, ioa_error *error);

#endif
