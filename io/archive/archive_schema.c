#include "io/archive/archive_schema.h"

#include <stdarg.h>
#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define NUMBER(type, member, k) .offset = offsetof(type, member), .kind = (k)
#define TEXT(type, member) .offset = offsetof(type, member), .text = sizeof(((type *)0)->member)
#define QUARTILES(member) .offset = offsetof(ioa_measured, measurement.member), .kind = IOA_H5_F64, .count = 3

const ioa_field ioa_archive_fields[] = {
    {"neurons", NUMBER(ioa_archive, neurons, IOA_H5_U64)},
    {"connections", NUMBER(ioa_archive, connections, IOA_H5_U64)},
    {"inputs", NUMBER(ioa_archive, inputs, IOA_H5_U64)},
    {"outputs", NUMBER(ioa_archive, outputs, IOA_H5_U64)},
};
const size_t ioa_archive_field_count = COUNT(ioa_archive_fields);

/* policy, total and excess are not members and are handled beside this table. */
const ioa_field ioa_schedule_fields[] = {
    {"memory", NUMBER(ioa_schedule, memory, IOA_H5_U64)},
    {"reads", NUMBER(ioa_schedule, io.reads, IOA_H5_U64)},
    {"writes", NUMBER(ioa_schedule, io.writes, IOA_H5_U64)},
    {"lower_bound", NUMBER(ioa_schedule, lower_bound, IOA_H5_U64)},
    {"upper_bound", NUMBER(ioa_schedule, upper_bound, IOA_H5_U64)},
    {"baseline_total", NUMBER(ioa_schedule, baseline_total, IOA_H5_U64)},
    {"certified_bound", NUMBER(ioa_schedule, certified_bound, IOA_H5_U64), .optional = true},
    {"method", TEXT(ioa_schedule, method), .optional = true},
    {"seed", NUMBER(ioa_schedule, seed, IOA_H5_U64), .optional = true},
    {"rounds", NUMBER(ioa_schedule, rounds, IOA_H5_U64), .optional = true},
    {"planned_rounds", NUMBER(ioa_schedule, planned_rounds, IOA_H5_U64), .optional = true},
    {"trial_rounds", NUMBER(ioa_schedule, trial_rounds, IOA_H5_U64), .optional = true},
    {"replicas", NUMBER(ioa_schedule, replicas, IOA_H5_U64), .optional = true},
    {"verified", NUMBER(ioa_schedule, verified, IOA_H5_U8), .optional = true},
};
const size_t ioa_schedule_field_count = COUNT(ioa_schedule_fields);

const ioa_field ioa_measured_fields[] = {
    {"batch", NUMBER(ioa_measured, measurement.batch, IOA_H5_U32)},
    {"threads", NUMBER(ioa_measured, measurement.threads, IOA_H5_U32)},
    {"tile", NUMBER(ioa_measured, measurement.tile, IOA_H5_U32), .optional = true},
    {"kernel", TEXT(ioa_measured, measurement.kernel)},
    {"max_abs_error", NUMBER(ioa_measured, measurement.exactness.max_abs_error, IOA_H5_F64)},
    {"max_rel_error", NUMBER(ioa_measured, measurement.exactness.max_rel_error, IOA_H5_F64), .optional = true},
    {"error_bound", NUMBER(ioa_measured, measurement.exactness.error_bound, IOA_H5_F64), .optional = true},
    {"depth", NUMBER(ioa_measured, measurement.exactness.depth, IOA_H5_U32), .optional = true},
    {"fan_in", NUMBER(ioa_measured, measurement.exactness.fan_in, IOA_H5_U32), .optional = true},
    {"nonzero", NUMBER(ioa_measured, measurement.exactness.nonzero, IOA_H5_F64), .optional = true},
    {"baseline", TEXT(ioa_measured, measurement.baseline), .optional = true},
    {"gflops", NUMBER(ioa_measured, measurement.gflops, IOA_H5_F64), .optional = true},
    {"speedup_order", QUARTILES(speedup_order), .optional = true},
    {"speedup_kernel", QUARTILES(speedup_kernel), .optional = true},
    {"speedup_csr", QUARTILES(speedup_csr), .optional = true},
    {"speedup_mkl", QUARTILES(speedup_mkl), .optional = true},
    {"limit", TEXT(ioa_measured, limits.binding), .optional = true},
    {"limit_share", NUMBER(ioa_measured, limits.share, IOA_H5_F64), .optional = true},
    {"fma_gflops", NUMBER(ioa_measured, limits.limits.fma_gflops, IOA_H5_F64), .optional = true},
    {"fma_memory_gflops", NUMBER(ioa_measured, limits.limits.fma_memory_gflops, IOA_H5_F64), .optional = true},
    {"l1_gbps", NUMBER(ioa_measured, limits.limits.l1_gbps, IOA_H5_F64), .optional = true},
    {"l2_gbps", NUMBER(ioa_measured, limits.limits.l2_gbps, IOA_H5_F64), .optional = true},
    {"l3_gbps", NUMBER(ioa_measured, limits.limits.l3_gbps, IOA_H5_F64), .optional = true},
    {"dram_gbps", NUMBER(ioa_measured, limits.limits.dram_gbps, IOA_H5_F64), .optional = true},
    {"fetch_gbps", NUMBER(ioa_measured, limits.limits.fetch_gbps, IOA_H5_F64), .optional = true},
    {"l2_lines_gbps", NUMBER(ioa_measured, limits.limits.l2_lines_gbps, IOA_H5_F64), .optional = true},
    {"l1_write_gbps", NUMBER(ioa_measured, limits.limits.l1_write_gbps, IOA_H5_F64), .optional = true},
    {"l2_write_gbps", NUMBER(ioa_measured, limits.limits.l2_write_gbps, IOA_H5_F64), .optional = true},
    {"l3_write_gbps", NUMBER(ioa_measured, limits.limits.l3_write_gbps, IOA_H5_F64), .optional = true},
    {"dram_write_gbps", NUMBER(ioa_measured, limits.limits.dram_write_gbps, IOA_H5_F64), .optional = true},
    {"cpu", TEXT(ioa_measured, machine.cpu), .optional = true},
    {"l1d_bytes", NUMBER(ioa_measured, machine.l1d_bytes, IOA_H5_U64), .optional = true},
    {"l2_bytes", NUMBER(ioa_measured, machine.l2_bytes, IOA_H5_U64), .optional = true},
    {"l3_bytes", NUMBER(ioa_measured, machine.l3_bytes, IOA_H5_U64), .optional = true},
    {"cores", NUMBER(ioa_measured, machine.cores, IOA_H5_U32), .optional = true},
    {"memory_bytes", NUMBER(ioa_measured, machine.memory_bytes, IOA_H5_U64), .optional = true},
    {"isa", TEXT(ioa_measured, isa), .optional = true},
    {"compiler", TEXT(ioa_measured, compiler), .optional = true},
    {"flags", TEXT(ioa_measured, flags), .optional = true},
    {"date", TEXT(ioa_measured, date), .optional = true},
};
const size_t ioa_measured_field_count = COUNT(ioa_measured_fields);

_Static_assert(sizeof(ioa_quartiles) == 3 * sizeof(double), "quartiles are stored as a vector of 3");

const ioa_field ioa_measured_times[] = {
    {"seconds_schedule", NUMBER(ioa_measured, measurement.schedule, IOA_H5_F64)},
    {"seconds_layered", NUMBER(ioa_measured, measurement.layered, IOA_H5_F64), .optional = true},
    {"seconds_csr", NUMBER(ioa_measured, measurement.csr, IOA_H5_F64), .optional = true},
    {"seconds_mkl", NUMBER(ioa_measured, measurement.mkl, IOA_H5_F64), .optional = true},
};
const size_t ioa_measured_time_count = COUNT(ioa_measured_times);

void ioa_archive_name(char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, IOA_ARCHIVE_NAME, format, arguments);
    va_end(arguments);
}
