/* SPDX-License-Identifier: Apache-2.0
 * The last flows that did not end in order, as event lines: what `nlbsim explain --from` reads. */
#ifndef OBSERVE_RECENT_H
#define OBSERVE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/ceilings.h"
#include "observe/record.h"

#define RECENT_EVENTS 500

/* Did the flow end otherwise than a person would wish? */
bool record_is_trouble(const struct flow_record *record);

struct recent_events;
/* At most `most` bytes of lines are kept; where that is less than RECENT_EVENTS of them, `ceilings`
 * are told. NULL without memory. */
struct recent_events *recent_events_new(size_t most, struct ceilings *ceilings);
void recent_events_free(struct recent_events *r);
/* Takes `line` (malloc'd). Any thread. */
void recent_events_add(struct recent_events *r, char *line);
/* The lines after number `after` (0: all that are kept), oldest first, each with its line break;
 * `*last` is the number of the newest, to ask with next time. Allocated; NULL without memory. */
char *recent_events_text(struct recent_events *r, uint64_t after, uint64_t *last);

#endif
