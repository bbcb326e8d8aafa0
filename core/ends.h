/* SPDX-License-Identifier: Apache-2.0
 * How flows end, as codes: what writes an event and what reads one share them. */
#ifndef CORE_ENDS_H
#define CORE_ENDS_H

enum flow_end {
#define END(id, code, party, where, metric, front, back, text) END_##id,
#include "core/ends.def"
#undef END
    END_N,
};

/* "target_refused"; "" for END_N. */
const char *flow_end_code(enum flow_end end);
/* The end of a code; END_N when there is no such code. */
enum flow_end flow_end_find(const char *code);

#endif
