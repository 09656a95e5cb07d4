/* Second half of an import: layers that are read, turned and pruned become a network and a report. */
#ifndef IOA_IO_IMPORT_ASSEMBLE_H
#define IOA_IO_IMPORT_ASSEMBLE_H

#include "io/import/import_format.h"

/* Everything an import holds while it runs. */
typedef struct ioa_import_work {
    const char *const *files; /* [files_count] */
    uint32_t files_count;
    const ioa_import_format *format;
    ioa_model model;                    /* layers in [out, in] */
    ioa_import_activation *activations; /* [model.count]; owned */
} ioa_import_work;

/* `report` may be NULL. */
ioa_status ioa_import_assemble(const ioa_import_work *im, ioa_network **network, ioa_import_report *report,
                               ioa_error *error);

#endif
