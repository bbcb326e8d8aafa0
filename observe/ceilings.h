/* SPDX-License-Identifier: Apache-2.0
 * Ceilings that were reached: counted, and told in the log. Any thread. */
#ifndef OBSERVE_CEILINGS_H
#define OBSERVE_CEILINGS_H

#include <stdatomic.h>
#include <stdint.h>

enum ceiling {
#define CEILING(id, key, happens) CEILING_##id,
#include "observe/ceilings.def"
#undef CEILING
    CEILING_N,
};

/* Zeroed: nothing was reached. */
struct ceilings {
    struct {
        _Atomic uint64_t reached, told, told_us;
    } at[CEILING_N];
};

/* The log tells the first time at once, and then at most once in so long, for all in between. */
#define CEILING_TELL_US 10000000U

/* `limit` was reached once more; `who` is "key=value " or "". NULL counts nowhere. */
void ceiling_reached(struct ceilings *c, enum ceiling id, uint64_t limit, const char *who);
uint64_t ceiling_count(const struct ceilings *c, enum ceiling id);
const char *ceiling_key(enum ceiling id);

#endif
