/* SPDX-License-Identifier: Apache-2.0
 * Ceilings that were reached: counted, and told in the log. */
#include "observe/ceilings.h"

#include <stddef.h>

#include "core/clock.h"
#include "core/log.h"

static const struct {
    const char *key, *happens;
} rows[CEILING_N] = {
#define CEILING(id, key, happens) [CEILING_##id] = { key, happens },
#include "observe/ceilings.def"
#undef CEILING
};

void ceiling_reached(struct ceilings *c, enum ceiling id, uint64_t limit, const char *who)
{
    uint64_t now = clock_mono_us(), told_us, reached, told;

    if (c == NULL)
        return;
    reached = atomic_fetch_add(&c->at[id].reached, 1) + 1;
    told_us = atomic_load(&c->at[id].told_us);
    if ((told_us != 0 && now - told_us < CEILING_TELL_US) ||
        !atomic_compare_exchange_strong(&c->at[id].told_us, &told_us, now))
        return; /* told lately, or another thread tells */
    told = atomic_exchange(&c->at[id].told, reached);
    log_warn("limit", "key=%s limit=%llu times=%llu %s%s", rows[id].key, (unsigned long long)limit,
             (unsigned long long)(reached - told), who, rows[id].happens);
}

uint64_t ceiling_count(const struct ceilings *c, enum ceiling id)
{
    return atomic_load(&c->at[id].reached);
}

const char *ceiling_key(enum ceiling id)
{
    return rows[id].key;
}
