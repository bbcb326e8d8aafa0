/* SPDX-License-Identifier: Apache-2.0
 * AWS's access log of TLS listeners: one line of 22 fields per connection, written when it ends.
 * Source: NLB guide, "Access logs for your Network Load Balancer"; docs/access-log.md. */
#ifndef OBSERVE_ACCESSLOG_H
#define OBSERVE_ACCESSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "observe/ids.h"
#include "observe/record.h"

/* --- one line --- */
#define ACCESS_LINE_MAX 2048 /* no line is longer, whatever a client sends */

/* Write the line of a TLS listener's flow with its line break, without terminator, into `out`
 * (ACCESS_LINE_MAX bytes); returns its length. */
size_t access_line(char *out, const struct flow_record *record);

/* --- where lines go --- */
struct access_log;
struct access_log_params {
    const char *path; /* "-": standard output; a directory (there, or named with a '/' at its end):
                         gzip files as AWS names them; else a file to append to */
    struct aws_identity who; /* for the names in a directory; copied */
    uint64_t period_us;      /* of a directory's files: five minutes of simulated time */
    size_t queue_bytes;      /* that may wait to be written (observe/line_writer.h) */
};
/* NULL with the reason in `err`. */
struct access_log *access_log_open(const struct access_log_params *params, struct err *err);
/* Log rotation: open the file again; a directory's current file is finished now. 0, or -1: the old
 * file stays in use. */
int access_log_reopen(struct access_log *log, struct err *err);
/* Finishes a directory's file. NULL is fine. */
/* As event_sink_finish(). */
void access_log_finish(struct access_log *log);
void access_log_close(struct access_log *log);
/* Whole lines, written soon. Any thread; never waits, lines never mix. */
void access_log_write(struct access_log *log, const char *lines, size_t n);

/* --- one worker's lines on their way --- */
#define ACCESS_BUF_BYTES (64 * 1024)
struct access_buf {
    struct access_log *log;
    char *at; /* owned, ACCESS_BUF_BYTES */
    size_t n;
};
int access_buf_init(struct access_buf *buf, struct access_log *log); /* 0, or -1 without memory */
/* Add the flow's line. True when it is the first since the last flush: flush soon. */
bool access_buf_add(struct access_buf *buf, const struct flow_record *record);
void access_buf_flush(struct access_buf *buf);
void access_buf_clear(struct access_buf *buf); /* flushes */

#endif
