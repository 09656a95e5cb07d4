#define KERNEL_TABLE ioa_kernel_avx512
#include "core/kernel/kernel_impl.h"
