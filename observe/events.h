/* SPDX-License-Identifier: Apache-2.0
 * The event stream: one JSON object per flow, one line each. docs/events.md names the fields. */
#ifndef OBSERVE_EVENTS_H
#define OBSERVE_EVENTS_H

#include "core/err.h"
#include "observe/record.h"

struct event_sink;

/* Append to `path`; "-" is standard output. At most `most` bytes wait to be written
 * (observe/line_writer.h). NULL with the reason in `err`. */
struct event_sink *event_sink_open(const char *path, size_t most, struct err *err);
/* The file, as it was given; NULL for standard output and for a NULL sink. Borrowed. */
const char *event_sink_path(const struct event_sink *sink);
/* Close and open the file again (log rotation). 0, or -1: the old file stays in use. */
int event_sink_reopen(struct event_sink *sink, struct err *err);
/* No event comes any more: write what waits, and return at once. NULL is fine. */
void event_sink_finish(struct event_sink *sink);
void event_sink_close(struct event_sink *sink);
/* Write a line of event_format(), soon. Any thread; never waits, lines never mix. `line` is as it
 * was afterwards. */
void event_sink_write(struct event_sink *sink, char *line);

/* The line without the line break; the caller frees it. NULL without memory. One that would be
 * longer than `most` leaves out lists, the longest first, names them in `left_out`, and sets
 * `*cut`.
 */
char *event_format(const struct flow_record *record, size_t most, bool *cut);

#endif
