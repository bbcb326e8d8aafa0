/* SPDX-License-Identifier: Apache-2.0
 * Words that every report of the matrix uses. */
#include <stdio.h>
#include <string.h>

#include "matrix/matrix.h"

const char *report_outcome(const struct scenario_result *r)
{
    static const char *const prefixes[] = {
        "Execution failed due to configuration error: ",
        "Execution failed due to a network error communicating with endpoint: ",
        "Execution failed due to a ",
    };

    if (!r->acted)
        return "not acted out";
    if (r->error == NULL)
        return r->ok ? "ok" : "-";
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i]);

        if (strncmp(r->error, prefixes[i], n) == 0)
            return r->error + n;
    }
    return r->error;
}

const char *report_evidence(enum evidence e)
{
    static const char *const names[] = {
        [EVIDENCE_NONE] = NULL,
        [EVIDENCE_DOCUMENTED] = "documented",
        [EVIDENCE_REPORTED] = "reported",
        [EVIDENCE_INFERRED] = "inferred",
    };

    return names[e];
}

const char *report_expected(const struct integration_cfg *g, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", g->expect == NULL ? "anything" : g->expect,
             g->also_expect == NULL ? "" : ", or ", g->also_expect == NULL ? "" : g->also_expect);
    return out;
}
