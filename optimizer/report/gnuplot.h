/* gnuplot as a program that draws: started without a shell, fed through one pipe and read through another. Scripts hold
 * words of our own and numbers, never text from files. */
#ifndef IOA_REPORT_GNUPLOT_H
#define IOA_REPORT_GNUPLOT_H

#include "optimizer/report/text.h"

/* IOA_ERR_SYSTEM, with what to install, if gnuplot cannot be started. */
ioa_status report_gnuplot_find(ioa_error *error);

/* Runs `script` and appends what gnuplot prints to `output`. Nobody's start-up files are read. IOA_ERR_SYSTEM if it
 * cannot be started or fails, with the first line of its complaint. While it runs, SIGPIPE is ignored: not to be called
 * while other threads rely on it. */
ioa_status report_gnuplot_run(const report_text *script, report_text *output, ioa_error *error);

#endif
