/* Text files as tokens and lines, with numbers read the same in every locale. */
#ifndef IOA_IO_IMPORT_TEXT_H
#define IOA_IO_IMPORT_TEXT_H

#include <ioanneal/status.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define IOA_TOKEN 128 /* bytes of a token, NUL included; longer ones are cut and refused as numbers */

typedef struct ioa_text {
    FILE *file;
    const char *path; /* borrowed */
    uint64_t bytes;   /* size of the file */
    uint64_t line;    /* of the next character, from 1 */
    char token[IOA_TOKEN];
    bool cut;         /* the token was longer */
    locale_t plain, saved;
    size_t at, filled;
    unsigned char *buffer; /* owned */
} ioa_text;

/* IOA_ERR_INPUT if missing, a folder, empty; IOA_ERR_SYSTEM. `path` stays borrowed until ioa_text_close. */
ioa_status ioa_text_open(const char *path, ioa_text *text, ioa_error *error);
void ioa_text_close(ioa_text *text);

/* Next token of the current line into text->token; false at the end of the line. Blanks separate, and so do commas if
 * `commas`. */
bool ioa_text_token(ioa_text *text, bool commas);

/* Moves past the end of the current line; false at the end of the file. */
bool ioa_text_next_line(ioa_text *text);

/* The first character of what follows on this line without taking it; '\n' at its end, -1 at the end of the file. */
int ioa_text_peek(ioa_text *text);

/* The next token as a number. The error names file and line and says `what` was wanted. */
ioa_status ioa_text_whole(ioa_text *text, bool commas, uint64_t most, const char *what, uint64_t *value,
                          ioa_error *error);
ioa_status ioa_text_real(ioa_text *text, float *value, ioa_error *error); /* finite */

ioa_status ioa_text_fail(const ioa_text *text, ioa_error *error, const char *format, ...) IOA_PRINTF(3, 4);

#endif
