/* SPDX-License-Identifier: Apache-2.0
 * What the commands of `nlbsim cert` say of wrong arguments and failures. */
#include <stdio.h>

#include "cli/cert.h"
#include "core/clock.h"

int cert_fail(const char *command, const struct err *err)
{
    fprintf(stderr, "nlbsim cert %s: %s\n", command, err->text);
    return err_exit_status(err);
}

int cert_usage(const char *command, const char *text)
{
    fprintf(stderr, "nlbsim cert %s: %s (nlbsim cert %s --help)\n", command, text, command);
    return 2;
}

int cert_try_help(const char *command)
{
    fprintf(stderr, "(nlbsim cert %s --help tells more)\n", command);
    return 2;
}

int cert_parse_at(const char *command, const char *text, int64_t *now_s)
{
    if (clock_parse_utc(text, *now_s, now_s) == 0)
        return 0;
    fprintf(stderr,
            "nlbsim cert %s: --at: '%s' is no time (2026-11-21T10:00:00Z, +30d, @1764000000)\n",
            command, text);
    return -1;
}
