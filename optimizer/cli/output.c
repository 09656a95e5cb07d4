#include "optimizer/cli/cli.h"

#include "optimizer/cli/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const cli_command *command, const ioa_error *error)
{
    if (!command->silent)
        fprintf(stderr, "%sioanneal %s:%s %s\n", cli_color_of(stderr, CLI_RED), command->name, cli_color_of(stderr, CLI_PLAIN),
                error->text);
    return ioa_status_exit_code(error->status);
}

int cli_refuse(const cli_command *command, const char *format, ...)
{
    ioa_error error = {.status = IOA_ERR_INPUT};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.text, sizeof error.text, format, arguments);
    va_end(arguments);
    size_t used = strlen(error.text);
    if (!strstr(error.text, "--help"))
        snprintf(error.text + used, sizeof error.text - used, "; see 'ioanneal %s --help'", command->name);
    return cli_fail(command, &error);
}

int cli_finish_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    fprintf(stderr, "ioanneal: standard output cannot be written: %s\n", strerror(errno));
    return 3;
}

int cli_print_json(cJSON *json)
{
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (!text) {
        fprintf(stderr, "ioanneal: out of memory while printing JSON\n");
        return 3;
    }
    puts(text);
    cJSON_free(text);
    return cli_finish_output();
}

void cli_join(int argc, char **argv, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "ioanneal");
    for (int i = 0; i < argc && used < size; i++) {
        int more = snprintf(text + used, size - used, " %s", argv[i]);
        used += more > 0 ? (size_t)more : 0;
    }
    if (used >= size) memcpy(text + size - sizeof " ..", " ..", sizeof " ..");
}

const char *cli_grouped(uint64_t value, char *text)
{
    char plain[24];
    int digits = snprintf(plain, sizeof plain, "%" PRIu64, value), at = 0;
    for (int i = 0; i < digits; i++) {
        if (i && (digits - i) % 3 == 0) text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = '\0';
    return text;
}

void cli_json_count(cJSON *json, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    cJSON_AddRawToObject(json, name, text);
}

const char *cli_shown(const char *text, char *copy, size_t size)
{
    size_t used = 0;
    for (; text[used] && used + 1 < size; used++) {
        unsigned char c = (unsigned char)text[used];
        copy[used] = c < 0x20 || c == 0x7f ? '?' : text[used];
    }
    copy[used] = '\0';
    return copy;
}
