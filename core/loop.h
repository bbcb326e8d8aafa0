/* SPDX-License-Identifier: Apache-2.0
 * The event loop of one thread: a libevent base whose warnings go to the log. */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include "core/err.h"

struct event_base;

/* For one thread alone (no locks), able to wait edge-triggered. NULL with the reason in `err`; free
 * it with event_base_free(). */
struct event_base *loop_new(struct err *err);

#endif
