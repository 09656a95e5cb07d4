#include "core/compile/compile_file.h"
#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/base/atomic_file.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_CODE 70000u  /* connections from which on code is cut into segments: it fills much of L2, */
#define FAR_CODE 150000u  /* and from which on it is prefetched: it may not stay there */

typedef struct compile_options {
    const char *network, *output, *isa, *name;
    uint64_t memory, segment, group;
    bool exact;
} compile_options;

/* What is written, by the end of the output's name. */
typedef enum product { PRODUCT_NONE, PRODUCT_TEXT, PRODUCT_OBJECT, PRODUCT_LIBRARY } product;

static product product_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot || strchr(dot, '/')) return PRODUCT_NONE;
    if (strcmp(dot, ".S") == 0 || strcmp(dot, ".s") == 0) return PRODUCT_TEXT;
    return strcmp(dot, ".o") == 0 ? PRODUCT_OBJECT : strcmp(dot, ".so") == 0 ? PRODUCT_LIBRARY : PRODUCT_NONE;
}

/* `name`: what messages call the file at `path`. */
static ioa_status write_to(const char *path, const char *name, const char *text, size_t length, ioa_error *error)
{
    FILE *file = fopen(path, "w");
    bool good = file && fwrite(text, 1, length, file) == length;
    int code = errno;
    if (file && fclose(file) != 0) {
        good = false;
        code = errno;
    }
    return good ? IOA_OK : ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be written: %s", name, strerror(code));
}

/* What the driver has to say for itself: its first line with an error, or its first line, or nothing. */
static void first_error(int from, char *line, size_t size)
{
    char said[4096], more[512];
    size_t used = 0;
    for (ssize_t got; (got = read(from, more, sizeof more)) != 0;) { /* to its end, or the driver might wait for us */
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) break;
        size_t room = sizeof said - 1 - used, take = (size_t)got < room ? (size_t)got : room;
        memcpy(said + used, more, take);
        used += take;
    }
    said[used] = '\0';
    char *start = strstr(said, "rror: ");
    if (!start) start = said;
    while (start > said && start[-1] != '\n') start--;
    if (start > said && strncmp(start, "collect2: ", 10) == 0) /* only says that the linker said something before */
        for (start--; start > said && start[-1] != '\n';) start--;
    start[strcspn(start, "\r\n")] = '\0';
    snprintf(line, size, "%.*s", (int)size - 1, start);
}

/* Starts `words[0]` with its standard error in a pipe: errno, or 0. */
static int spawn(char **words, pid_t *child, int *said)
{
    extern char **environ;
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0) return errno;
    int code = posix_spawn_file_actions_init(&actions);
    if (code == 0) {
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        posix_spawn_file_actions_addclose(&actions, ends[1]);
        code = posix_spawnp(child, words[0], &actions, NULL, words, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (code == 0) *said = ends[0];
    else close(ends[0]);
    return code;
}

/* Runs the compiler driver: $CC, or cc. No shell comes between. `path`: what `target` will be called, for messages. */
static ioa_status assemble(const char *source, const char *target, const char *path, product what, ioa_error *error)
{
    const char *given = getenv("CC");
    char driver[PATH_MAX], assembler[] = "assembler", from[PATH_MAX], to[PATH_MAX];
    char minus_x[] = "-x", minus_c[] = "-c", shared[] = "-shared", pic[] = "-nostdlib", minus_o[] = "-o";
    snprintf(driver, sizeof driver, "%s", given && *given ? given : "cc");
    snprintf(from, sizeof from, "%s", source);
    snprintf(to, sizeof to, "%s", target);
    char *object[] = {driver, minus_c, minus_x, assembler, from, minus_o, to, NULL};
    char *library[] = {driver, shared, pic, minus_x, assembler, from, minus_o, to, NULL};
    pid_t child;
    char line[400] = "";
    int state = 0, said = -1, code = spawn(what == PRODUCT_OBJECT ? object : library, &child, &said);
    if (code == 0) {
        first_error(said, line, sizeof line);
        close(said);
    }
    if (code == 0 && waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0) return IOA_OK;
    if (code != 0 || (WIFEXITED(state) && WEXITSTATUS(state) == 127))
        return ioa_fail(error, IOA_ERR_SYSTEM,
                        "'%s' cannot be run; .o and .so need a compiler driver ($CC, or cc), .S does not", driver);
    return ioa_fail(error, IOA_ERR_SYSTEM, "%s: '%s' does not assemble the code%s%s", path, driver, line[0] ? ": " : "", line);
}

/* Writes to `target`; `path` as above. */
static ioa_status write_object(const char *target, const char *path, const ioa_code_file *code, product what, ioa_error *error)
{
    const char *folder = getenv("TMPDIR");
    char source[PATH_MAX];
    snprintf(source, sizeof source, "%s/ioanneal-XXXXXX", folder && *folder ? folder : "/tmp");
    int descriptor = mkstemp(source);
    if (descriptor < 0)
        return ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be created: %s", source, strerror(errno));
    close(descriptor);
    ioa_status status = write_to(source, source, code->assembly, code->assembly_length, error);
    if (status == IOA_OK) status = assemble(source, target, path, what, error);
    unlink(source);
    return status;
}

/* Both files or none: the header is of no use without the code, and an old one is wrong for it. */
static ioa_status write_files(const char *output, const char *header, const ioa_code_file *code, product what, ioa_error *error)
{
    ioa_atomic_file made = {0}, declared = {0};
    ioa_status status = ioa_atomic_begin(output, &made, error);
    if (status == IOA_OK) status = ioa_atomic_begin(header, &declared, error);
    if (status == IOA_OK) status = write_to(declared.temp, header, code->header, code->header_length, error);
    if (status == IOA_OK)
        status = what == PRODUCT_TEXT ? write_to(made.temp, output, code->assembly, code->assembly_length, error)
                                      : write_object(made.temp, output, code, what, error);
    if (status == IOA_OK) status = ioa_atomic_commit(&made, error);
    if (status == IOA_OK) status = ioa_atomic_commit(&declared, error);
    ioa_atomic_abort(&declared); /* nothing is left to remove where it was committed */
    ioa_atomic_abort(&made);
    return status;
}

/* "net.so" -> "net.h" */
static void header_path(const char *output, char *path, size_t size)
{
    snprintf(path, size, "%s", output);
    char *dot = strrchr(path, '.');
    if (dot) snprintf(dot, size - (size_t)(dot - path), ".h");
}

static ioa_status make(const char *archive_path, const compile_options *o, ioa_code_isa isa, ioa_code_file *code,
                       uint64_t *memory, ioa_error *error)
{
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    ioa_status status = ioa_network_read(o->network, &network, error);
    if (status == IOA_OK) status = cli_open_archive(archive_path, network, &archive, error);
    if (status == IOA_OK) {
        const ioa_schedule *s =
            ioa_archive_nearest(archive, o->memory ? o->memory : ioa_code_isa_memory(isa), IOA_POLICY_MIN);
        ioa_code_options options = {.segment = o->segment, .group = (uint32_t)o->group, .prune = !o->exact};
        if (!o->exact && !o->segment && network->connections > LONG_CODE) {
            options.segment = 2000;
            options.group = options.group ? options.group : 4;
            options.ahead = network->connections > FAR_CODE;
        }
        *memory = s->memory;
        status = ioa_code_file_make(network, s->order, isa, &options, o->name, code, error);
    }
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return status;
}

static int print(const cli_common *common, const compile_options *o, const char *header, ioa_code_isa isa,
                 uint64_t memory, const ioa_code_file *code)
{
    const ioa_code_facts *f = &code->facts;
    char text[2][32];
    if (common->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "output", o->output);
        cJSON_AddStringToObject(json, "header", header);
        cJSON_AddStringToObject(json, "function", o->name);
        cJSON_AddStringToObject(json, "isa", ioa_code_isa_name(isa));
        cli_json_count(json, "memory", ioa_code_isa_memory(isa));
        cli_json_count(json, "schedule_memory", memory);
        cli_json_count(json, "tile", code->tile);
        cli_json_count(json, "segments", f->segments);
        cli_json_count(json, "reads", f->reads);
        cli_json_count(json, "writes", f->writes);
        cli_json_count(json, "extra_reads", f->extra_reads);
        cli_json_count(json, "extra_writes", f->extra_writes);
        cli_json_count(json, "stream_bytes", f->stream_bytes);
        cli_json_count(json, "scratch_bytes", code->scratch_bytes);
        return cli_print_json(json);
    }
    printf("%s and %s: function %s for %s, tiles of %" PRIu32 " samples, %" PRIu64 " segment%s\n", o->output,
           header, o->name, ioa_code_isa_name(isa), code->tile, f->segments, f->segments == 1 ? "" : "s");
    printf("  per tile %s reads and %s writes", cli_grouped(f->reads, text[0]), cli_grouped(f->writes, text[1]));
    if (f->extra_reads + f->extra_writes)
        printf(", and %s and %s for activations", cli_grouped(f->extra_reads, text[0]),
               cli_grouped(f->extra_writes, text[1]));
    printf("\n");
    if (memory != ioa_code_isa_memory(isa))
        printf("  the schedule was made for M = %" PRIu64 "; one for M = %" PRIu32 " would suit %s better\n", memory,
               ioa_code_isa_memory(isa), ioa_code_isa_name(isa));
    return cli_finish_output();
}

static int compile(const cli_command *command, const cli_common *common, const char *archive, const compile_options *o,
                   ioa_code_isa isa)
{
    product what = product_of(o->output);
    char header[4096];
    ioa_error error = {0};
    ioa_code_file code = {0};
    uint64_t memory = 0;
    header_path(o->output, header, sizeof header);
    const char *const inputs[] = {archive, o->network};
    ioa_status status = ioa_file_distinct(o->output, inputs, 2, &error);
    if (status == IOA_OK) status = ioa_file_distinct(header, inputs, 2, &error);
    if (status == IOA_OK) status = ioa_file_writable(o->output, &error);
    if (status == IOA_OK) status = ioa_file_writable(header, &error);
    cli_busy *busy = cli_busy_begin(common->quiet, 0.0);
    cli_busy_step(busy, -1.0, "compiling %s", archive);
    if (status == IOA_OK) status = make(archive, o, isa, &code, &memory, &error);
    if (what != PRODUCT_TEXT) cli_busy_step(busy, -1.0, "assembling %s", o->output);
    if (status == IOA_OK) status = write_files(o->output, header, &code, what, &error);
    cli_busy_end(busy);
    int exit_code = status == IOA_OK ? print(common, o, header, isa, memory, &code) : cli_fail(command, &error);
    ioa_code_file_clear(&code);
    return exit_code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    compile_options o = {.name = "ioanneal_net", .isa = "avx512"};
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'n', "network", "NET.h5", &o.network, "the archive's network, with its weights (a bundle brings its own)", 0, 0},
        {CLI_TEXT, 'o', "output", "FILE", &o.output, "net.S, net.o or net.so; net.h appears beside it (required)", 0, 0},
        {CLI_TEXT, 0, "isa", "NAME", &o.isa, "avx512, avx2 or neon (default avx512)", 0, 0},
        {CLI_TEXT, 0, "name", "NAME", &o.name, "of the C function (default ioanneal_net)", 0, 0},
        {CLI_COUNT, 'm', "memory", "M", &o.memory, "take the schedule nearest to M (default: the registers of --isa)", 3,
         1.8e19},
        {CLI_COUNT, 0, "segment", "N", &o.segment, "cut the code about every N connections (default: long code, 2000)", 1,
         4e9},
        {CLI_COUNT, 0, "group", "N", &o.group, "tiles a segment runs over before the next one", 1, 1024},
        {CLI_FLAG, 0, "exact", NULL, &o.exact, "leave out nothing and do not cut: the I/O of 'simulate', exactly", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one archive file is wanted");
    if (!o.output) return cli_refuse(command, "-o FILE is needed");
    if (!o.network && !ioa_bundle_probe(argv[0])) return cli_refuse(command, "--network NET.h5 is needed");
    if (!o.network) o.network = argv[0];
    int isa = ioa_code_isa_from_name(o.isa);
    if (isa < 0) return cli_refuse(command, "--isa wants avx512, avx2 or neon, not '%s'", o.isa);
    product what = product_of(o.output);
    if (what == PRODUCT_NONE) return cli_refuse(command, "%s: the name must end in .S, .o or .so", o.output);
#if !defined(__aarch64__)
    if (what != PRODUCT_TEXT && isa == IOA_CODE_NEON && !getenv("CC"))
        return cli_refuse(command, "%s: NEON is not this machine's; write .S, or name a compiler for AArch64 in CC", o.output);
#endif
    if (o.exact && o.segment) return cli_refuse(command, "--exact and --segment exclude each other");
    return compile(command, &common, argv[0], &o, (ioa_code_isa)isa);
}

const cli_command cli_compile = {
    .name = "compile",
    .summary = "compile a schedule into a C function without dependencies",
    .usage = "ARCHIVE.h5 --network NET.h5 [--isa avx512|avx2|neon] -o net.S|net.o|net.so | BUNDLE.h5 -o FILE",
    .examples = "  ioanneal compile best.h5 --network net.h5 --isa avx512 -o net.so\n"
                "  ioanneal compile best.h5 --network net.h5 --isa neon --name infer -o infer.S\n"
                "  ioanneal compile bundle.h5 -o net.so\n",
    .run = run,
};
