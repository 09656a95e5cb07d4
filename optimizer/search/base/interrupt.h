/* Being told to stop while something long is prepared: looked at between its parts, each of which takes a second at most for
 * 10^7 connections. */
#ifndef IOA_SEARCH_INTERRUPT_H
#define IOA_SEARCH_INTERRUPT_H

#include <ioanneal/status.h>
#include <stdbool.h>

typedef struct ioa_interrupt {
    bool (*stop)(void *context);
    void *context; /* borrowed */
    bool stopped;  /* out: it was told to; what was being prepared is not there */
} ioa_interrupt;

/* IOA_OK to go on; NULL: always. IOA_ERR_CHECK once it was told to stop, to be handed on like a failure. */
ioa_status ioa_interrupt_look(ioa_interrupt *interrupt, ioa_error *error);

#endif
