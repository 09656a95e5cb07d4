/* ioanneal: I/O-efficient evaluation orders for sparse feed-forward networks. */
#include "optimizer/cli/cli.h"

#include "core/base/build_info.h"
#include "core/plan/baseline_mkl.h"
#include "io/archive/archive_schema.h"
#include "io/h5/h5.h"
#include "optimizer/mpi/job.h"

#include <ioanneal/plan.h>
#include <string.h>

static const cli_command *const commands[] = {
    &cli_import, &cli_generate, &cli_info,    &cli_simulate, &cli_optimize, &cli_check,
    &cli_bench,  &cli_run,      &cli_compile, &cli_merge,    &cli_pack,     &cli_report,
};

static void print_usage(FILE *to)
{
    fprintf(to, "ioanneal %s: I/O-efficient evaluation orders for sparse feed-forward networks\n\n"
                "usage: ioanneal COMMAND [options]      'ioanneal COMMAND --help' tells more\n\n", IOA_VERSION);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\n  --version  version and build facts\n\n"
                "exit codes: 0 done; 1 a check failed; 2 bad usage or bad input; 3 system error;\n"
                "            75 stopped early, resume possible\n");
}

static int print_version(void)
{
    char text[256];
    printf("ioanneal %s (%s)\n", IOA_VERSION, IOA_GIT_REVISION);
    printf("build:    %s, %s, for %s\n", IOA_BUILD_TYPE, IOA_COMPILER, IOA_SYSTEM);
    printf("flags:    %s%s%s\n", IOA_COMPILER_FLAGS, IOA_SANITIZERS[0] ? " -fsanitize=" : "", IOA_SANITIZERS);
    printf("kernels: ");
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        if (ioa_isa_available((ioa_isa)isa)) printf(" %s", ioa_isa_name((ioa_isa)isa));
    printf(" run here; %s is chosen\n", ioa_isa_name(ioa_isa_best()));
    ioa_h5_library(text, sizeof text);
    printf("files:    %s, schema %s\n", text, IOA_ARCHIVE_VERSION);
    ioa_job_library(text, sizeof text);
    printf("MPI:      %s\n", text);
    printf("MKL:      %s\n", ioa_mkl_built_in() ? "compared with in measurements" : "not built in");
    return cli_finish_output();
}

int main(int argc, char **argv)
{
    ioa_h5_program_start();
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return cli_finish_output();
    }
    if (strcmp(argv[1], "--version") == 0) return print_version();
    const char *names[sizeof commands / sizeof *commands + 1] = {NULL};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i]->name, argv[1]) == 0) {
            int code = commands[i]->run(commands[i], argc - 1, argv + 1);
            return code ? code : cli_finish_output(); /* --help, too */
        }
        names[i] = commands[i]->name;
    }
    const char *similar = cli_similar(argv[1], names);
    fprintf(stderr, "ioanneal: unknown command '%s'; %s%s%s'ioanneal --help' lists them\n", argv[1],
            similar ? "was " : "", similar ? similar : "", similar ? " meant? " : "");
    return 2;
}
