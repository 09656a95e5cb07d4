#define KERNEL_TABLE ioa_kernel_portable
#include "core/kernel/kernel_impl.h"
