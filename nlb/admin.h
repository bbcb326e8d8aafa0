/* SPDX-License-Identifier: Apache-2.0
 * Read-only state for people, scrapers and tests, over HTTP: /metrics, /healthz, /targets, /flows,
 * /events (docs/metrics.md). A thread and an event base of its own: flows never wait for it. */
#ifndef NLB_ADMIN_H
#define NLB_ADMIN_H

#include "core/addr.h"
#include "core/err.h"

struct nlb;
struct admin;

/* Serve at `addr`; `nlb` is borrowed until admin_stop(). NULL with the reason in `err`. */
struct admin *admin_start(struct nlb *nlb, const struct addr *addr, struct err *err);
void admin_stop(struct admin *a); /* NULL is fine */
/* With the real port. */
const struct addr *admin_address(const struct admin *a);

/* --- the pages, nlb/admin_pages.c --- */
struct admin_page {
    unsigned status;
    const char *content_type;
    char *body;      /* malloc'd; NULL: memory is out */
    char extra[128]; /* header lines; empty: none */
};
/* The page of a request target ("/flows?limit=3"). Any thread. */
struct admin_page admin_page(struct nlb *nlb, const char *target);

#endif
