/* What ends a run before its time: signals, deadlines, and a watchdog for runs that hang. No MPI in here.
 *
 * SIGUSR1 and SIGTERM only raise a flag, which is looked at between two rounds. The watchdog is a timer: whoever waits
 * sets it anew whenever something has happened; if it runs out the process says so and ends with exit code 3, which makes the
 * launcher end the others. That works while the process is stuck inside of a library, and needs no thread. */
#ifndef IOA_MPI_STOP_H
#define IOA_MPI_STOP_H

#include <stdbool.h>

/* Installs the handlers; calling it again changes nothing. */
void ioa_stop_listen(void);

bool ioa_stop_signalled(void); /* once a signal has come: for good */

/* The earlier of `seconds` (0: none) after `began` and `margin` seconds before the end of the SLURM job, in seconds of
 * ioa_clock; INFINITY if there is neither. */
double ioa_stop_deadline(double began, double seconds, double margin);

/* The line of the watchdog of this rank; before the first ioa_watchdog_set. */
void ioa_watchdog_prepare(int rank);

/* From now on `seconds` may pass without anything happening; 0: any time. */
void ioa_watchdog_set(double seconds);

#endif
