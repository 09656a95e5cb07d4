/* One small network in every format that can be imported, written by hand: seeds of damage tests and fuzzing.
 *
 * Three inputs, two hidden neurons (relu), two outputs: weights [out, in]
 *     1 0 -2      0 1.5
 *     0.5 3 0    -4 2        biases 0.25 -1, 0 0.125 */
#ifndef IOA_TESTS_SUPPORT_IMPORT_SAMPLES_H
#define IOA_TESTS_SUPPORT_IMPORT_SAMPLES_H

#include <stdbool.h>

typedef struct import_sample {
    const char *name; /* of the file; its extension tells the format */
    bool whole;       /* the whole network; else only weights of the first layer */
    bool turned;      /* to be read with rows = outputs although the format says otherwise */
} import_sample;

/* The index-th sample, or NULL behind the last one. */
const import_sample *import_sample_at(unsigned index);

/* Writes it to `path`; false if that fails. */
bool import_sample_write(unsigned index, const char *path);

#endif
