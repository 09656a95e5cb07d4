#include <ioanneal/status.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int exit_code;
    const char *name;
} statuses[IOA_STATUS_COUNT] = {
    [IOA_OK] = {0, "ok"},
    [IOA_ERR_CHECK] = {1, "check failed"},
    [IOA_ERR_INPUT] = {2, "bad input"},
    [IOA_ERR_SYSTEM] = {3, "system error"},
    [IOA_ERR_NOMEM] = {3, "out of memory"},
};

int ioa_status_exit_code(ioa_status status)
{
    return (unsigned)status < IOA_STATUS_COUNT ? statuses[status].exit_code : 3;
}

const char *ioa_status_name(ioa_status status)
{
    return (unsigned)status < IOA_STATUS_COUNT ? statuses[status].name : "unknown status";
}

ioa_status ioa_fail(ioa_error *error, ioa_status status, const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

ioa_status ioa_fail_prefix(ioa_error *error, ioa_status status, const char *format, ...)
{
    if (!error) return status;
    char tail[IOA_ERROR_TEXT];
    memcpy(tail, error->text, sizeof tail);
    tail[sizeof tail - 1] = '\0';
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (used < 0 || (size_t)used >= sizeof error->text) return status;
    snprintf(error->text + used, sizeof error->text - (size_t)used, ": %s", tail);
    return status;
}
