/* SPDX-License-Identifier: Apache-2.0
 * One reason why something failed: a code and a sentence that names the object and the field. */
#include "core/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "core/foreign.h"

void err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return;
    e->code = code;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    foreign_clean(e->text, sizeof e->text);
}

void err_prefix(struct err *e, const char *fmt, ...)
{
    char old[ERR_TEXT_MAX];
    va_list ap;
    size_t n;

    if (e == NULL)
        return;
    memcpy(old, e->text, sizeof old);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, ": %s", old);
    foreign_clean(e->text, sizeof e->text);
}

const char *err_why(int error)
{
    static _Thread_local char text[160];
    struct rlimit limit;

    if (error != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return strerror(error);
    snprintf(text, sizeof text,
             "no file descriptor is left: this process may have %llu (ulimit -n); raise the limit",
             (unsigned long long)limit.rlim_cur);
    return text;
}

static const char *(*why_denied_cb)(const char *path, bool write);

void err_ask_denied(const char *(*why_cb)(const char *path, bool write))
{
    why_denied_cb = why_cb;
}

const char *err_why_at(int error, const char *path, bool write)
{
    static _Thread_local char text[ERR_TEXT_MAX];
    const char *more = error == EACCES && why_denied_cb != NULL ? why_denied_cb(path, write) : NULL;

    if (more == NULL)
        return err_why(error);
    snprintf(text, sizeof text, "%s: %s", err_why(error), more);
    return text;
}

int err_exit_status(const struct err *e)
{
    switch (e->code) {
    case ERR_USAGE:
    case ERR_CONFIG:
    case ERR_FORMAT:
        return 2;
    case ERR_NONE:
    case ERR_ENVIRONMENT:
    case ERR_NOMEM:
    case ERR_CRYPTO:
    case ERR_BUG:
        return 3;
    }
    return 3;
}
