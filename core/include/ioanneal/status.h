/* Status codes and error text.
 *
 * Every function of the library that can fail returns an ioa_status and takes an optional ioa_error as its last
 * argument. On failure the error holds one line that names what is wrong (and, from io, the file and the dataset);
 * output arguments are then left untouched unless a header says otherwise. The library never prints, exits or aborts. */
#ifndef IOANNEAL_STATUS_H
#define IOANNEAL_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define IOA_ERROR_TEXT 1024 /* bytes of an error line, terminating NUL included */

typedef enum ioa_status {
    IOA_OK = 0,
    IOA_ERR_CHECK,  /* well-formed, but a claim did not hold (a recount, a hash, an accuracy) */
    IOA_ERR_INPUT,  /* bad usage or bad input; the text says what and where */
    IOA_ERR_SYSTEM, /* the operating system refused: disk full, permission, broken device */
    IOA_ERR_NOMEM,  /* out of memory */
    IOA_STATUS_COUNT
} ioa_status;

typedef struct ioa_error {
    ioa_status status;
    char text[IOA_ERROR_TEXT];
} ioa_error;

#if defined(__GNUC__)
#define IOA_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define IOA_PRINTF(text, first)
#endif

/* Process exit code for a status: 0, 1, 2, 3, 3 (README, "Exit codes"). */
int ioa_status_exit_code(ioa_status status);

/* Fixed English name of a status, never NULL. */
const char *ioa_status_name(ioa_status status);

/* Fills *error (may be NULL) and returns `status`, so that callers can write `return ioa_fail(...)`. */
ioa_status ioa_fail(ioa_error *error, ioa_status status, const char *format, ...) IOA_PRINTF(3, 4);

/* Puts "prefix: " before the text of an error that is already set; returns its status. */
ioa_status ioa_fail_prefix(ioa_error *error, ioa_status status, const char *format, ...) IOA_PRINTF(3, 4);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
