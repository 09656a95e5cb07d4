#include "optimizer/report/page.h"

#include <string.h>

ioa_status report_template_put(const char *words, report_fill fill, report_page *page, report_text *text, ioa_error *error)
{
    for (const char *open; (open = strstr(words, "{{")); ) {
        char name[64];
        const char *close = strstr(open, "}}");
        size_t length = close ? (size_t)(close - open) - 2 : sizeof name;
        if (length >= sizeof name) return ioa_fail(error, IOA_ERR_SYSTEM, "a template of the report is damaged");
        memcpy(name, open + 2, length);
        name[length] = '\0';
        report_bytes(text, words, (size_t)(open - words));
        ioa_status status = fill(page, name, text, error);
        if (status != IOA_OK) return status;
        words = close + 2;
    }
    report_put(text, words);
    return report_text_check(text, error);
}
