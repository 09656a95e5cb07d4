#include "optimizer/cli/cli.h"

#include "optimizer/cli/terminal.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool cli_number(const char *text, uint64_t *value)
{
    if (*text < '0' || *text > '9') return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || *end) return false;
    *value = number;
    return true;
}

/* A number with a unit of the list "" u1 u2 u3, each `factor` times the one before. */
static bool scaled(const char *text, const char *const *units, uint64_t factor, uint64_t *value)
{
    if (*text < '0' || *text > '9') return false;
    if (cli_number(text, value)) return true; /* all 64 bits, which a double does not have */
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (errno || !isfinite(number)) return false;
    double scale = (double)factor;
    for (int i = 1; units[i]; i++, scale *= (double)factor)
        if (strcmp(end, units[i]) == 0) {
            double whole = number * scale;
            if (whole < 0.0 || whole >= 18446744073709551616.0 || whole != floor(whole)) return false;
            *value = (uint64_t)whole;
            return true;
        }
    return false;
}

static bool store(const cli_option *option, const char *text)
{
    static const char *const counts[] = {"", "k", "M", "G", NULL}, *const bytes[] = {"", "KiB", "MiB", "GiB", NULL};
    bool limited = option->least != 0.0 || option->most != 0.0;
    if (option->kind == CLI_TEXT) {
        *(const char **)option->value = text;
        return true;
    }
    if (option->kind == CLI_REAL) {
        char *end;
        errno = 0;
        double number = strtod(text, &end);
        if (end == text || *end || errno || !isfinite(number)) return false;
        if (limited && (number < option->least || number > option->most)) return false;
        *(double *)option->value = number;
        return true;
    }
    uint64_t number;
    if (option->kind == CLI_BYTES ? !scaled(text, bytes, 1024, &number) : !scaled(text, counts, 1000, &number))
        return false;
    if (limited && ((double)number < option->least || (double)number > option->most)) return false;
    *(uint64_t *)option->value = number;
    return true;
}

static const char *wanted(const cli_option *option, char *text, size_t size)
{
    const char *what = option->kind == CLI_REAL    ? "a number"
                       : option->kind == CLI_BYTES ? "a size such as 65536, 64KiB or 2MiB"
                                                   : "a whole number";
    if (option->most > 1e15)
        snprintf(text, size, "%s of at least %g", what, option->least);
    else if (option->least != 0.0 || option->most != 0.0)
        snprintf(text, size, "%s from %g to %g", what, option->least, option->most);
    else
        snprintf(text, size, "%s", what);
    return text;
}

/* "  name   text" with the text from column `column` on; on a terminal it is broken at its width. */
static void print_entry(const char *name, const char *text, int column)
{
    int columns = cli_columns(stdout), room = columns - column - 1;
    int used = printf("  %-*s ", column - 3, name), pad = used > column ? used : column;
    if (room - (pad - column) < 20) { /* no terminal, or too narrow a one */
        printf("%s\n", text);
        return;
    }
    int left = columns - 1 - pad;
    for (bool first = true; *text; first = false) {
        int length = (int)strlen(text), take = length;
        if (length > left)
            for (take = left; take > 0 && text[take] != ' '; take--) continue;
        if (take == 0) take = (int)strcspn(text, " ");
        printf("%*s%.*s\n", first ? 0 : column, "", take, text);
        text += take + (text[take] == ' ');
        left = room;
    }
}

void cli_help_section(const char *title)
{
    printf("\n%s:\n", title);
}

void cli_help_entry(const char *name, const char *text)
{
    print_entry(name, text, 16);
}

static void print_option(const cli_option *option)
{
    char left[64];
    int used = option->letter ? snprintf(left, sizeof left, "-%c, --%s", option->letter, option->name)
                              : snprintf(left, sizeof left, "    --%s", option->name);
    if (option->argument) snprintf(left + used, sizeof left - (size_t)used, " %s", option->argument);
    print_entry(left, option->help, 31);
}

static void print_help(const cli_command *command, const cli_option *options, const cli_option *common)
{
    printf("ioanneal %s: %s\n\nusage: ioanneal %s %s\n", command->name, command->summary, command->name,
           command->usage);
    if (options->kind != CLI_END) printf("\noptions:\n");
    for (const cli_option *o = options; o->kind != CLI_END; o++) print_option(o);
    printf("\ncommon options:\n");
    for (const cli_option *o = common; o->kind != CLI_END; o++) print_option(o);
    if (command->notes) command->notes();
    if (command->examples) printf("\nexamples:\n%s", command->examples);
}

static const cli_option *find(const cli_option *options, const char *name, size_t length)
{
    for (const cli_option *o = options; o->kind != CLI_END; o++) {
        if (length == 1 && o->letter && o->letter == *name) return o;
        if (length > 1 && strlen(o->name) == length && strncmp(o->name, name, length) == 0) return o;
    }
    return NULL;
}

/* Letters to insert, delete or change to turn one word into the other; words of at most 31 letters. */
static int distance(const char *a, const char *b)
{
    int row[32], n = (int)strlen(a), m = (int)strlen(b);
    if (n > 31 || m > 31) return 99;
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int corner = row[0]++;
        for (int j = 1; j <= m; j++) {
            int change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            int least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[m];
}

const char *cli_similar(const char *word, const char *const *words)
{
    const char *best = NULL;
    int least = strlen(word) < 5 ? 2 : 3; /* as far as this it is another word */
    for (; *words; words++) {
        int d = strncmp(*words, word, strlen(word)) == 0 && *word ? 0 : distance(word, *words);
        if (d < least) least = d, best = *words;
    }
    return best;
}

static cli_parsed unknown(const cli_command *command, const cli_option *options, const cli_option *common, const char *word)
{
    const char *names[64];
    char name[32];
    size_t count = 0;
    for (const cli_option *o = options; o->kind != CLI_END && count < 55; o++) names[count++] = o->name;
    for (const cli_option *o = common; o->kind != CLI_END && count < 63; o++) names[count++] = o->name;
    names[count] = NULL;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *similar = word[1] == '-' ? cli_similar(name, names) : NULL;
    if (similar)
        cli_refuse(command, "unknown option '%s'; was --%s meant? See 'ioanneal %s --help'", word, similar, command->name);
    else
        cli_refuse(command, "unknown option '%s'; see 'ioanneal %s --help'", word, command->name);
    return CLI_BAD;
}

/* Handles argv[*at], an option; steps over its value. */
static cli_parsed take(const cli_command *command, const cli_option *options, const cli_option *common, int argc,
                       char **argv, int *at)
{
    const char *word = argv[*at];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1), *equals = is_long ? strchr(name, '=') : NULL;
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    if (!is_long && length > 1) return unknown(command, options, common, word); /* -q only: one way to write things */
    const cli_option *option = length ? find(options, name, length) : NULL;
    if (!option && length) option = find(common, name, length);
    if (!option) return unknown(command, options, common, word);
    if (option->kind == CLI_FLAG) {
        if (equals) {
            cli_refuse(command, "--%s takes no value", option->name);
            return CLI_BAD;
        }
        *(bool *)option->value = true;
        return CLI_GO;
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value) {
        cli_refuse(command, "--%s wants a value (%s)", option->name, option->argument);
        return CLI_BAD;
    }
    if (!store(option, value)) {
        char text[128];
        cli_refuse(command, "--%s wants %s, not '%s'", option->name, wanted(option, text, sizeof text), value);
        return CLI_BAD;
    }
    return CLI_GO;
}

cli_parsed cli_parse(const cli_command *command, const cli_option *options, cli_common *common, int argc, char **argv,
                     int *positional)
{
    bool help = false;
    const cli_option shared[] = {
        {CLI_FLAG, 'h', "help", NULL, &help, "show this text", 0, 0},
        {CLI_FLAG, 0, "json", NULL, &common->json, "results as JSON on standard output", 0, 0},
        {CLI_FLAG, 'q', "quiet", NULL, &common->quiet, "no progress and no log on standard error", 0, 0},
        {CLI_FLAG, 'v', "verbose", NULL, &common->verbose, "more log on standard error: of a search, every round and the rungs", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int count = 0;
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        if (only_files || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_files = true;
        } else {
            cli_parsed parsed = take(command, options, shared, argc, argv, &i);
            if (parsed != CLI_GO) return parsed;
        }
        if (help) {
            if (!command->silent) print_help(command, options, shared);
            return CLI_HELP_SHOWN;
        }
    }
    *positional = count;
    return CLI_GO;
}

int cli_split(char *text, char **parts, int most)
{
    int count = 0;
    for (char *part = text; part;) {
        char *comma = strchr(part, ',');
        if (comma) *comma++ = '\0';
        if (count == most) return -1;
        parts[count++] = part;
        part = comma;
    }
    return count;
}

ioa_status cli_resolve_memory(const cli_memory *options, uint64_t fallback, uint64_t *sizes, int *count,
                              ioa_policy *policy, ioa_error *error)
{
    int code = options->policy ? ioa_policy_from_name(options->policy) : IOA_POLICY_MIN;
    if (code < 0)
        return ioa_fail(error, IOA_ERR_INPUT, "--policy wants lru, rr or min, not '%s'", options->policy);
    *policy = (ioa_policy)code;
    *count = 1;
    if (options->memory && options->cache)
        return ioa_fail(error, IOA_ERR_INPUT, "--memory and --cache exclude each other");
    if (options->cache) {
        if (!options->batch) return ioa_fail(error, IOA_ERR_INPUT, "--cache wants --batch beside it");
        sizes[0] = options->cache / (4 * options->batch);
    } else if (options->memory) {
        char copy[1024], *parts[CLI_MEMORIES];
        if (strlen(options->memory) >= sizeof copy)
            return ioa_fail(error, IOA_ERR_INPUT, "--memory lists more than %d sizes", CLI_MEMORIES);
        strcpy(copy, options->memory);
        *count = cli_split(copy, parts, CLI_MEMORIES);
        if (*count < 0) return ioa_fail(error, IOA_ERR_INPUT, "--memory lists more than %d sizes", CLI_MEMORIES);
        for (int i = 0; i < *count; i++)
            if (!cli_number(parts[i], &sizes[i]))
                return ioa_fail(error, IOA_ERR_INPUT, "--memory wants whole numbers such as 100 or 32,100, not '%s'",
                                options->memory);
    } else if (fallback) {
        sizes[0] = fallback;
    } else
        return ioa_fail(error, IOA_ERR_INPUT, "--memory (or --cache with --batch) is needed, such as --memory 32 for the registers of AVX-512, 16 for AVX2's");
    for (int i = 0; i < *count; i++) {
        if (sizes[i] < IOA_MEMORY_MIN)
            return ioa_fail(error, IOA_ERR_INPUT,
                            "a fast memory of %" PRIu64 " values is too small: two neurons and a weight need 3", sizes[i]);
        for (int j = 0; j < i; j++)
            if (sizes[i] == sizes[j])
                return ioa_fail(error, IOA_ERR_INPUT, "--memory lists %" PRIu64 " twice", sizes[i]);
    }
    return IOA_OK;
}
