/* What every cmocka test needs, in the sequence cmocka wants it. */
#ifndef IOA_TESTS_SUPPORT_UNIT_H
#define IOA_TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above first */
#include <cmocka.h>

#endif
