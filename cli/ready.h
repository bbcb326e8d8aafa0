/* SPDX-License-Identifier: Apache-2.0
 * How `nlbsim run` tells that it is ready: lines, a file, sd_notify. */
#ifndef CLI_READY_H
#define CLI_READY_H

#include <stdio.h>

#include "core/err.h"
#include "testbed/testbed.h"

/* "ready listener=https protocol=TLS address=127.0.0.1:8443", one line per listener. */
void ready_print(FILE *out, const struct testbed *t);
/* Write the JSON document of the ready file atomically (a temporary file beside it, then rename).
 */
int ready_write_file(const char *path, const struct testbed *t, struct err *err);
/* Send a state to $NOTIFY_SOCKET as sd_notify(3) describes it; nothing when it is not set. */
void ready_notify(const char *state);
/* The same, from a thread that must not wait: lost when nobody reads there. */
void ready_beat(const char *state);

#endif
