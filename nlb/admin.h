/* SPDX-License-Identifier: Apache-2.0
 * Read-only state for people, scrapers and tests, over HTTP: /metrics, /healthz, /targets, /flows,
 * /events (docs/metrics.md). A thread and an event base of its own: flows never wait for it. */
#ifndef NLB_ADMIN_H
#define NLB_ADMIN_H

#include "core/addr.h"
#include "core/err.h"
#include "observe/ceilings.h"

struct admin;
struct http_message;

/* The answer to one request. */
struct admin_page {
    unsigned status;
    const char *content_type;
    char *body;      /* malloc'd; NULL: memory is out */
    char extra[128]; /* header lines; empty: none */
};
/* The page of a GET or HEAD; called on the admin's thread. */
typedef struct admin_page (*admin_page_fn)(void *arg, const struct http_message *request);

/* What an admin asks whoever it serves for, on its own thread, with `arg`. */
struct admin_calls {
    admin_page_fn page;
    void (*starved)(void *arg); /* no descriptor is left: give some up */
    void *arg;
    uint64_t connections, bytes; /* at once; of answers that wait to be read, in all */
    struct ceilings *ceilings;   /* told when one of them is reached; borrowed */
};
/* Serve at `addr`; calls->arg is borrowed until admin_stop(). NULL with the reason in `err`. */
struct admin *admin_start(const struct admin_calls *calls, const struct addr *addr,
                          struct err *err);
void admin_stop(struct admin *a); /* NULL is fine */
/* With the real port. */
const struct addr *admin_address(const struct admin *a);

#endif
