/* Batch tiles: what is packed comes back, whatever the number of columns and rows, and nothing beside it is touched. */
#include "core/base/mem.h"
#include "core/kernel/kernel.h"

#include "tests/support/unit.h"

#define MOST_COLUMNS 1100u /* rows a power of two apart go in blocks of columns, and these are several */
#define TILE 32u
#define MARK -7.0f

static void check_sequence(const ioa_kernel *kernel, uint32_t columns, uint32_t rows, bool far)
{
    size_t count = (size_t)columns * rows;
    float *x = ioa_alloc(count + 1, sizeof *x), *y = ioa_alloc(count + 1, sizeof *y);
    float *values = ioa_alloc_zero(MOST_COLUMNS, TILE * sizeof *values);
    uint32_t offsets[MOST_COLUMNS], width = ioa_kernel_width(TILE, rows);
    assert_true(x && y && values);
    for (size_t i = 0; i <= count; i++) x[i] = (float)(i + 1);
    for (size_t i = 0; i <= count; i++) y[i] = MARK;
    for (uint32_t c = 0; c < columns; c++) /* scattered: 7 and 1100 have no common factor */
        offsets[c] = c * 7 % MOST_COLUMNS * (TILE * (uint32_t)sizeof(float) / IOA_OFFSET_BYTES(TILE));
    kernel->pack(x, columns, rows, offsets, values, TILE, width, far);
    for (uint32_t c = 0; c < columns; c++)
        for (uint32_t r = 0; r < width; r++) {
            float expected = r < rows ? x[(size_t)r * columns + c] : 0;
            assert_true(values[(size_t)(c * 7 % MOST_COLUMNS) * TILE + r] == expected);
        }
    kernel->unpack(y, columns, rows, offsets, values, TILE, far);
    assert_memory_equal(x, y, count * sizeof *x);
    assert_true(y[count] == MARK);
    ioa_free(x);
    ioa_free(y);
    ioa_free(values);
}

static void test_there_and_back(void **state)
{
    (void)state;
    static const uint32_t columns[] = {1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 257, 272, 1023, 1024, 1025, 1040};
    static const uint32_t rows[] = {1, 5, 8, 9, 15, 16, 17, 31, 32};
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        for (size_t c = 0; c < sizeof columns / sizeof *columns && ioa_isa_available((ioa_isa)isa); c++)
            for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
                for (int far = 0; far < 2; far++) check_sequence(ioa_kernel_for((ioa_isa)isa), columns[c], rows[r], far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
