/* SPDX-License-Identifier: Apache-2.0
 * One health check of one target, from connect to answer. */
#ifndef TARGETS_CHECK_H
#define TARGETS_CHECK_H

#include <event2/event_struct.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "targets/health.h"
#include "tls/tls_can.h"
#include "tls/tls_conf.h"

/* What a check needs to know. `base`, `preface` and `tls` are borrowed until it is over, texts only
 * while it starts. */
struct check_params {
    struct event_base *base;
    struct addr to;
    uint64_t timeout_us;
    const uint8_t *preface; /* what goes first: a PROXY header; NULL: nothing */
    size_t n_preface;
    /* HTTP and HTTPS */
    const struct tls_conf *tls; /* NULL: plain HTTP */
    struct addr node;           /* for the Host header; a wildcard address becomes our own end's */
    const char *path, *matcher;
};

/* Called once, on the loop, never from inside check_*_start(); the check is gone then.
 *   detail  what was seen, for people; valid during the call, empty when it passed */
typedef void (*check_done_cb)(void *arg, enum check_result result, const char *detail);

struct check;
/* A TCP check passes when the connection is made. Source: NLB guide, "Health checks". NULL: out of
 * memory (no callback then). */
struct check *check_tcp_start(const struct check_params *p, check_done_cb done, void *arg);
/* An HTTP check passes when the answer's status is one of the matcher's. With TLS nothing of the
 * target is validated. */
struct check *check_http_start(const struct check_params *p, check_done_cb done, void *arg);
/* End it without a callback; NULL is fine. */
void check_cancel(struct check *c);

/* Is `status` one of "200,202" or "200-399" (as [target_group] has checked it)? */
bool check_matches(const char *matcher, unsigned status);
/* TLS toward targets in health checks: up to TLS 1.2, nothing validated, no SNI. Source: NLB
 * guide, "Health checks" (TLS 1.3 only targets fail); SNI is unknown. NULL with the reason. */
struct tls_conf *check_tls_conf(enum tls_use use, struct err *err);

/* --- for check_*.c ------------------------------------------------------------------------------
 */
struct check {
    struct check_params p;
    check_done_cb done;
    void *arg;
    int fd; /* -1: none, or a hop's */
    int early_errno;
    bool connected;
    struct event io, timer;
    /* The connection is made and the preface sent, or the socket is ready again. */
    void (*ready)(struct check *c);
    /* Give back what the kind of check added; the check itself is freed by check_end(). */
    void (*clear)(struct check *c);
};
/* Open the socket and begin to connect; `c` is zeroed but for `ready` and `clear`. */
void check_begin(struct check *c, const struct check_params *p, check_done_cb done, void *arg);
/* Wait for EV_READ or EV_WRITE. */
void check_wait(struct check *c, short what);
/* Tell the outcome and free. */
void check_end(struct check *c, enum check_result result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
