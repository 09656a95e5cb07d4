#define KERNEL_TABLE ioa_kernel_portable
#include "core/kernel_impl.h"
