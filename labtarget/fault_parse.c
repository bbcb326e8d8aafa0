/* SPDX-License-Identifier: Apache-2.0
 * `fault = NAME[:ARGUMENT]`, and the table for people. */
#include <ctype.h>
#include <string.h>

#include "core/cfg_key.h"
#include "core/screen.h"
#include "core/suggest.h"
#include "labtarget/fault_parse.h"
#include "tls/tls_params.h"

static const struct arg_kind {
    const char *what; /* for messages and help */
    const char *sign; /* in "NAME:SIGN" */
    uint64_t min, max;
    bool optional;
} kinds[] = {
    [FAULT_ARG_NONE] = { "no argument", "", 0, 0, true },
    [FAULT_ARG_BYTES] = { "a number of bytes, 1-1000000000", "BYTES", 1, 1000000000, false },
    [FAULT_ARG_MS] = { "milliseconds, 1-3600000", "MS", 1, 3600000, false },
    [FAULT_ARG_NTH] = { "the number of a request, 1-1000000", "N", 1, 1000000, false },
    [FAULT_ARG_ALERT] = { "an alert by name (handshake_failure) or number, 0-255", "ALERT", 0, 255,
                          false },
    [FAULT_ARG_STATUS] = { "an HTTP status, 200-599", "STATUS", 200, 599, false },
    [FAULT_ARG_NAME] = { "a host name", "NAME", 0, 0, true },
    [FAULT_ARG_SHA256] = { "64 hexadecimal digits", "SHA256", 0, 0, true },
};

static const struct fault_row *find(const char *name, size_t len)
{
    size_t n;
    const struct fault_row *rows = fault_rows(&n);

    for (size_t i = 0; i < n; i++) {
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    }
    return NULL;
}

static int unknown(const char *text, size_t len, struct err *err)
{
    char name[64], hint[96];
    struct suggest s;
    size_t n;
    const struct fault_row *rows = fault_rows(&n);

    snprintf(name, sizeof name, "%.*s", (int)(len > 60 ? 60 : len), text);
    s = suggest_for(name);
    for (size_t i = 0; i < n; i++)
        suggest_try(&s, rows[i].name);
    suggest_try(&s, "none");
    err_set(err, ERR_CONFIG, "there is no fault '%s'%s (nlbsim target --help lists them)", name,
            suggest_text(&s, hint, sizeof hint));
    return -1;
}

static bool is_sha256(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static int parse_arg(struct fault *f, const char *arg)
{
    const struct arg_kind *kind = &kinds[f->row->arg];
    int alert;

    switch (f->row->arg) {
    case FAULT_ARG_NONE:
        return -1;
    case FAULT_ARG_NAME:
        f->text = arg;
        return 0;
    case FAULT_ARG_SHA256:
        f->text = arg;
        return is_sha256(arg) ? 0 : -1;
    case FAULT_ARG_ALERT:
        alert = tls_alert_by_name(arg);
        if (alert >= 0) {
            f->number = (uint64_t)alert;
            return 0;
        }
        break;
    case FAULT_ARG_BYTES:
    case FAULT_ARG_MS:
    case FAULT_ARG_NTH:
    case FAULT_ARG_STATUS:
        break;
    }
    return cfg_parse_uint(arg, kind->min, kind->max, &f->number);
}

int fault_parse(const char *text, struct fault *out, struct err *err)
{
    size_t len = strcspn(text, ":");
    const char *arg = text[len] == ':' ? text + len + 1 : NULL;

    *out = (struct fault){ .text = "" };
    if (strcmp(text, "none") == 0)
        return 0;
    out->row = find(text, len);
    if (out->row == NULL)
        return unknown(text, len, err);
    out->number = out->row->def < 0 ? 0 : (uint64_t)out->row->def;
    if (arg == NULL && out->row->def >= 0)
        return 0;
    if (arg != NULL && arg[0] != '\0' && parse_arg(out, arg) == 0)
        return 0;
    err_set(err, ERR_CONFIG, "fault %s takes %s%s", out->row->name, kinds[out->row->arg].what,
            out->row->arg == FAULT_ARG_NONE ? "" : ": fault = NAME:ARGUMENT");
    return -1;
}

/* --- for people --- */
static const char *spelled(const struct fault_row *row, char *out, size_t size)
{
    const struct arg_kind *kind = &kinds[row->arg];

    if (row->arg == FAULT_ARG_NONE)
        snprintf(out, size, "%s", row->name);
    else
        snprintf(out, size, row->def >= 0 ? "%s[:%s]" : "%s:%s", row->name, kind->sign);
    return out;
}

static const char *usual(const struct fault_row *row, char *out, size_t size)
{
    out[0] = '\0';
    if (row->arg != FAULT_ARG_NONE && row->def > 0)
        snprintf(out, size, "%lld", (long long)row->def);
    return out;
}

void fault_print_help(FILE *out)
{
    char text[96], number[24], help[512];
    size_t n;
    const struct fault_row *rows = fault_rows(&n);

    for (size_t i = 0; i < n; i++) {
        usual(&rows[i], number, sizeof number);
        fprintf(out, "  %s\n", spelled(&rows[i], text, sizeof text));
        snprintf(help, sizeof help, "%s%s%s%s", rows[i].help, number[0] != '\0' ? " (default " : "",
                 number, number[0] != '\0' ? ")" : "");
        screen_sentence(out, "      ", help);
    }
}

void fault_print_markdown(FILE *out)
{
    char text[96], number[24];
    size_t n;
    const struct fault_row *rows = fault_rows(&n);

    fputs("| fault | default | for | what the target does |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "| `%s` | %s | %s | %s |\n", spelled(&rows[i], text, sizeof text),
                usual(&rows[i], number, sizeof number), rows[i].https_only ? "HTTPS" : "both",
                rows[i].help);
}
