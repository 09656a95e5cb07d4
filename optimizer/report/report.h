/* The report: one HTML page about schedule archives, complete in itself (style and drawings are inside, nothing is
 * fetched). Everything that comes from files is taken for hostile: it is escaped in the page and never reaches gnuplot,
 * which draws. The same archives give the same page, byte for byte. */
#ifndef IOA_REPORT_H
#define IOA_REPORT_H

#include "io/archive/archive.h"

typedef struct ioa_report_source {
    const char *path;           /* as the page calls it; borrowed */
    const ioa_archive *archive; /* borrowed */
} ioa_report_source;

typedef struct ioa_report_options {
    const ioa_report_source *sources; /* [count] archives of one topology */
    uint32_t count;                   /* at least 1 */
    /* The network they belong to, for which their orders are legal; NULL: what needs it is left out, and the page says so. */
    const ioa_network *network;
    /* Called now and then while curves are computed, from one thread at a time; `share` of it done. May be NULL. */
    void (*progress)(void *context, double share);
    void *context;
} ioa_report_options;

typedef struct ioa_report_facts {
    uint32_t figures, schedules;
    uint64_t bytes;
} ioa_report_facts;

/* Writes the page atomically (io/base/atomic_file.h). IOA_ERR_SYSTEM if gnuplot is missing (with what to install) or fails,
 * or the disk is full; IOA_ERR_INPUT if the target cannot be written; IOA_ERR_NOMEM. */
ioa_status ioa_report_write(const ioa_report_options *options, const char *path, ioa_report_facts *facts, ioa_error *error);

#endif
