/* Layer-wise inference by MKL's sparse matrix products, for comparison; only in builds with IOA_WITH_MKL.
 *
 * A layer is one call of mkl_sparse_s_mm with an optimized handle (CSR, as many calls expected as will come); bias and
 * activation follow by our vectorized kernels. Either the whole batch at once with values [neuron][batch], or tiles of
 * 16, 64 or 128 columns, a tile running through all layers before the next one. One thread. */
#ifndef IOA_CORE_BASELINE_MKL_H
#define IOA_CORE_BASELINE_MKL_H

#include <ioanneal/network.h>
#include <stdbool.h>

typedef struct ioa_mkl ioa_mkl;

bool ioa_mkl_built_in(void);

/* `tile`: 16, 64 or 128 columns, or 0: the whole batch. Networks in layers only, every connection from one layer to
 * the next, inputs the first layer. IOA_ERR_INPUT for others, and in builds without MKL; IOA_ERR_NOMEM;
 * IOA_ERR_SYSTEM if MKL refuses. */
ioa_status ioa_mkl_create(const ioa_network *network, uint32_t batch, uint32_t tile, ioa_mkl **mkl, ioa_error *error);
void ioa_mkl_destroy(ioa_mkl *mkl); /* NULL is allowed */

/* y = network(x), as ioa_plan_run, for at most the batch it was created for; activations are its own. */
void ioa_mkl_run(ioa_mkl *mkl, const float *x, float *y, size_t batch);

#endif
