/* The command line: one table of subcommands, one table of options per subcommand, one file per subcommand. */
#ifndef IOA_CLI_H
#define IOA_CLI_H

#include "io/archive/archive.h"

#include <cjson/cJSON.h>
#include <ioanneal/memory.h>
#include <ioanneal/network.h>
#include <ioanneal/plan.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* ---- options (options.c) ---- */

typedef enum cli_kind {
    CLI_END = 0,
    CLI_FLAG,  /* bool */
    CLI_COUNT, /* uint64_t, plain decimal or with k, M, G (powers of 1000) */
    CLI_BYTES, /* uint64_t, 64KiB, 2MiB, 1GiB, 4096 */
    CLI_REAL,  /* double */
    CLI_TEXT,  /* const char *, borrowed from argv */
} cli_kind;

typedef struct cli_option {
    cli_kind kind;
    char letter;          /* short form, or 0 */
    const char *name;     /* long form without dashes */
    const char *argument; /* what --help calls the value */
    void *value;          /* where it goes; keeps its content if the option is absent */
    const char *help;
    double least, most;   /* limits of COUNT and REAL; both 0: none but the type's */
} cli_option;

typedef struct cli_command {
    const char *name;
    const char *summary;  /* one line */
    const char *usage;    /* arguments after the name */
    const char *examples; /* lines for --help, or NULL */
    void (*notes)(void);  /* prints further sections of --help (cli_help_section, cli_help_entry), or NULL */
    int (*run)(const struct cli_command *command, int argc, char **argv); /* exit code; argv[0] is the command */
    bool silent;          /* neither help nor refusals are printed: another rank says the same */
} cli_command;

/* What every subcommand takes; part of each parse. */
typedef struct cli_common {
    bool json;    /* --json: results as JSON on standard output */
    bool quiet;   /* -q: no progress, no log */
    bool verbose; /* -v: more log */
} cli_common;

typedef enum cli_parsed { CLI_GO, CLI_HELP_SHOWN, CLI_BAD } cli_parsed;

/* Parses argv[1 ..]; positional arguments are moved to argv[0 .. *positional - 1]. Prints help or one error line. */
cli_parsed cli_parse(const cli_command *command, const cli_option *options, cli_common *common, int argc, char **argv,
                     int *positional);

/* For notes: a heading, and an entry below it. */
void cli_help_section(const char *title);
void cli_help_entry(const char *name, const char *text);

/* The one of `words` (NULL at the end) that `word` may have been meant to be, or NULL. */
const char *cli_similar(const char *word, const char *const *words);

/* Splits "a,b,c" in place (`text` is a copy the caller owns); returns the number of parts, at most `most`; -1 if more. */
int cli_split(char *text, char **parts, int most);

/* A whole decimal number with nothing behind it. */
bool cli_number(const char *text, uint64_t *value);

/* ---- output (output.c) ---- */

/* Prints "ioanneal COMMAND: text" to standard error; returns the exit code of the status. */
int cli_fail(const cli_command *command, const ioa_error *error);

/* The same from a format, exit code 2. */
int cli_refuse(const cli_command *command, const char *format, ...) IOA_PRINTF(2, 3);

/* Prints and deletes `json`; exit code 0, or 3 if standard output is broken. */
int cli_print_json(cJSON *json);

/* Flushes standard output: 0, or 3 if it could not be written. */
int cli_finish_output(void);

/* The command line as one text, for the provenance: "ioanneal" and argv, before it is parsed; " .." at the end says that it
 * is longer. */
void cli_join(int argc, char **argv, char *text, size_t size);

/* "1,234,567"; `text` is [32]. */
const char *cli_grouped(uint64_t value, char *text);

/* Words from a file for a terminal: control characters, which might command it, become question marks. Fills `copy` [size]
 * and returns it; what is longer is cut. */
const char *cli_shown(const char *text, char *copy, size_t size);

/* Adds a whole number with all its digits: cJSON's own numbers are doubles, exact up to 2^53. */
void cli_json_count(cJSON *json, const char *name, uint64_t value);

/* ---- shared pieces ---- */

/* Memory size and policy from the options --memory / --cache + --batch / --policy. */
typedef struct cli_memory {
    const char *memory; /* list of numbers, or NULL */
    uint64_t cache;     /* bytes, 0: not given */
    uint64_t batch;
    const char *policy;
} cli_memory;

#define CLI_MEMORIES 64

/* Resolves to 1 .. CLI_MEMORIES sizes; `fallback` is used if nothing is given (0: refuse). IOA_ERR_INPUT. */
ioa_status cli_resolve_memory(const cli_memory *options, uint64_t fallback, uint64_t *sizes, int *count,
                              ioa_policy *policy, ioa_error *error);

/* M of an instruction set's registers as text ("auto": this machine's); NULL for an unknown name. */
const char *cli_machine_memory(const char *name);

/* What decides about the plan that inference uses. */
typedef struct cli_plan {
    const char *name; /* --plan, or NULL */
    const char *isa;  /* --isa, or NULL */
    uint32_t batch, threads;
    double seconds;   /* for measuring, where that is needed */
} cli_plan;

/* The plan named; else the one the schedule's archive says was measured best on this processor, for the nearest batch;
 * else the fastest by a short measurement now. `schedule` is an ioa_schedule whose order is legal, or NULL: layered. */
ioa_status cli_choose_plan(const ioa_network *network, const ioa_schedule *schedule, const cli_plan *wanted,
                           ioa_plan_options *plan, ioa_error *error);

/* For info: how far the search is that wrote this checkpoint; printed, or as JSON the caller owns. */
ioa_status cli_show_checkpoint(const char *path, bool as_json, cJSON **json, ioa_error *error);

/* The subcommands. */
extern const cli_command cli_import, cli_generate, cli_info, cli_simulate, cli_optimize, cli_check, cli_bench, cli_run,
    cli_compile, cli_merge, cli_pack, cli_report;

#endif
