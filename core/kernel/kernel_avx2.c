#define KERNEL_TABLE ioa_kernel_avx2
#include "core/kernel/kernel_impl.h"
