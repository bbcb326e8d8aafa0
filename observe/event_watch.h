/* SPDX-License-Identifier: Apache-2.0
 * Events in memory, for as long as somebody on this machine watches (nlb/signpost.h). While nobody
 * does, they cost one look at a number. */
#ifndef OBSERVE_EVENT_WATCH_H
#define OBSERVE_EVENT_WATCH_H

#include <stdbool.h>

struct event_watch;
struct event_watch *event_watch_new(void);    /* NULL without memory */
void event_watch_free(struct event_watch *w); /* NULL is fine */

/* One more who watches. Returns the descriptor of a file in memory to which the lines are appended,
 * borrowed until event_watch_end(): read it by pread(2), from where it ends now. -1: there is none,
 * and no end to call. */
int event_watch_begin(struct event_watch *w);
void event_watch_end(struct event_watch *w);
/* Does anybody? */
bool event_watched(const struct event_watch *w);
/* Add a line of event_format(). Any thread. */
void event_watch_add(struct event_watch *w, const char *line);

#endif
