/* SPDX-License-Identifier: Apache-2.0
 * How flows end, as codes. */
#include "core/ends.h"

#include <string.h>

static const char *const codes[END_N] = {
#define END(id, code, party, where, metric, front, back, text) [END_##id] = code,
#include "core/ends.def"
#undef END
};

const char *flow_end_code(enum flow_end end)
{
    return end < END_N ? codes[end] : "";
}

enum flow_end flow_end_find(const char *code)
{
    for (unsigned i = 0; i < END_N; i++) {
        if (strcmp(codes[i], code) == 0)
            return (enum flow_end)i;
    }
    return END_N;
}
