/* SPDX-License-Identifier: Apache-2.0
 * Lines on their way to a file. A thread of its own writes them from a bounded queue, so that
 * whoever makes a line never waits for a disk, a pipe or a person. What does not fit, or cannot be
 * written, is counted and told, each time it begins and each time it is over. */
#ifndef OBSERVE_LINE_WRITER_H
#define OBSERVE_LINE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* --- a file of whole lines --- */
struct line_file {
    int fd;
    bool torn;     /* a half line stands at its end and could not be taken away */
    bool may_hang; /* a pipe, or who knows: line_writer_stop() may give a write up */
};
/* Write whole lines. Returns how many bytes of whole lines stand in the file; fewer than `n`: errno
 * says why, and no half line stays (one that cannot be cut off is ended before the next). */
size_t line_file_put(struct line_file *f, const char *lines, size_t n);
/* Open to append; "-" is a copy of standard output. A FIFO is not waited for. -1 with errno. */
int line_file_open(const char *path);

/* --- the queue and its thread --- */
struct line_writer;
/* As line_file_put(); called on the writer's thread. */
typedef size_t (*line_put_cb)(void *arg, const char *lines, size_t n);

/*   what, path  for the log; copied
 *   put         where lines go
 *   most        bytes that may wait */
struct line_writer *line_writer_start(const char *what, const char *path, line_put_cb put,
                                      void *arg, size_t most, struct err *err);
/* Any thread; never waits. `lines` end in '\n'; all of them are taken, or none. */
void line_writer_add(struct line_writer *w, const char *lines, size_t n);
/* Call `then` between two calls of `put`, as a rule after everything that was added before (not
 * when the writer hangs). */
void line_writer_between(struct line_writer *w, void (*then)(void *arg, int value), int value);
/* Nothing is added any more; returns at once. The moment of line_writer_stop() begins. */
void line_writer_finish(struct line_writer *w);
/* Write what waits, for a moment; then give up what cannot be written. NULL is fine. */
void line_writer_stop(struct line_writer *w);

#endif
