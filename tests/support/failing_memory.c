#include "tests/support/failing_memory.h"

#include "core/base/mem.h"
#include "tests/support/unit.h"

#include <string.h>

uint64_t ioa_test_fail_each_allocation(ioa_test_work work, void *context, unsigned outcomes)
{
    for (uint64_t n = 1;; n++) {
        ioa_error error = {0};
        ioa_mem_fail_at(n);
        ioa_status status = work(context, &error);
        if (ioa_mem_fail_at(0) < n) { /* the failure lay beyond the end */
            if (status != IOA_OK) fail_msg("%s", error.text);
            assert_true(n > 1);
            return n - 1;
        }
        if (status == IOA_OK && outcomes & IOA_TEST_OR_OK) continue;
        if (status != IOA_ERR_NOMEM && !(status == IOA_ERR_SYSTEM && outcomes & IOA_TEST_OR_SYSTEM) &&
            !(status == IOA_ERR_INPUT && outcomes & IOA_TEST_OR_INPUT))
            fail_msg("allocation %lu failed, but the status is \"%s\" (%s)", (unsigned long)n, ioa_status_name(status), error.text);
        if (error.status != status || !error.text[0] || strchr(error.text, '\n'))
            fail_msg("allocation %lu failed with the text \"%s\"", (unsigned long)n, error.text);
    }
}
