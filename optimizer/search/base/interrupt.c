#include "optimizer/search/base/interrupt.h"

ioa_status ioa_interrupt_look(ioa_interrupt *i, ioa_error *error)
{
    if (!i) return IOA_OK;
    i->stopped = i->stopped || i->stop(i->context);
    return i->stopped ? ioa_fail(error, IOA_ERR_CHECK, "told to stop") : IOA_OK;
}
