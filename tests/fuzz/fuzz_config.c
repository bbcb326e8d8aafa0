/* SPDX-License-Identifier: Apache-2.0
 * The configuration loader: any bytes give a configuration or problems with sensible lines. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "testbed/sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problems problems = { .path = "fuzz" };
    struct nlb_config *c = nlb_config_parse((const char *)data, n, "fuzz", ".", lab_section_kinds,
                                            lab_n_section_kinds, false, &problems);
    int lines = 1;

    for (size_t i = 0; i < n; i++)
        lines += data[i] == '\n';
    if ((c == NULL) == (problems_exit_status(&problems) == 0))
        abort();
    for (size_t i = 0; i < problems.n; i++) {
        if (problems.v[i].line < 0 || problems.v[i].line > lines)
            abort();
    }
    for (size_t i = 0; c != NULL && i < c->n_listeners; i++) {
        if (c->listeners[i].n_forwards == 0 || c->listeners[i].forwards[0].group == NULL)
            abort();
    }
    nlb_config_unref(c);
    problems_clear(&problems);
    return 0;
}
