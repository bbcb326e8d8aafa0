/* SPDX-License-Identifier: Apache-2.0
 * What the files of the embedded target share. */
#ifndef LABTARGET_TARGET_IMPL_H
#define LABTARGET_TARGET_IMPL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/addr.h"
#include "core/http.h"
#include "labtarget/faults.h"
#include "labtarget/lab_target.h"
#include "labtarget/sections.h"
#include "tls/hop.h"
#include "tls/hop_tls.h"

#define TARGET_SCRATCH 16384

struct evbuffer;

/* One [lab_target]. Everything but `connections` is constant once the thread runs. */
struct lab_target {
    struct lab_target_info info;
    const struct lab_target_cfg *cfg;
    struct lab_targets *set;
    struct fault fault;
    struct tls_conf *conf_12, *conf_13; /* NULL: the version is off */
    int fd;
    struct event accept_event, retry_event;
    uint64_t connections;
};

struct lab_targets {
    struct nlb_config *config; /* a reference: configurations and certificates live there */
    struct lab_target *at;
    size_t n;
    struct event_base *base; /* NULL: no lab target, no thread */
    pthread_t thread;
    bool running;
    int wake_fd; /* written once: stop */
    struct event wake;
    LIST_HEAD(, conn) conns;
    uint8_t scratch[TARGET_SCRATCH];
};

enum conn_stage {
    CONN_FIRST,     /* looking at the first bytes: a PROXY header? */
    CONN_SECURE,    /* TLS handshake */
    CONN_READ,      /* a request */
    CONN_WRITE,     /* what is in `out`, then `then` */
    CONN_END,       /* close_notify and FIN */
    CONN_FLUSH_END, /* after a fatal alert: FIN alone */
    CONN_DRAIN,     /* FIN is out; read and drop until the peer closes, so that no RST hides it */
    CONN_HUNG,      /* fault: never again a byte */
};

/* What a fault, or the end of the connection, asks of the loop; done after the hop's call. */
enum conn_act { ACT_NONE, ACT_CLOSE, ACT_RESET, ACT_HANG, ACT_WAIT };

struct conn {
    LIST_ENTRY(conn) all;
    struct lab_target *target;
    struct lab_targets *set;
    enum conn_stage stage, then;
    enum conn_act act;
    enum conn_act idle; /* fault: do this when the peer has been silent for a while */
    uint64_t wait_ms;
    int fd; /* the hop's once there is one */
    struct hop *hop;
    struct hop_io io; /* below the hop when a fault acts on bytes */
    struct event event;
    bool watching; /* `event` stays armed, edge-triggered */
    struct addr peer;
    uint64_t number;  /* of the connection at this target, from 1 */
    uint64_t request; /* of the request on this connection, from 1 */
    json_t *proxy;    /* the PROXY header as the answer tells it; NULL: none */
    struct http_parser *parser;
    struct evbuffer *out;
    uint8_t *left; /* owned: read, but of the next request */
    size_t n_left;
    bool continued; /* "100 Continue" is out */
    bool told;      /* its end is in the log */
    size_t drained;
    struct fault_state fault;
};

/* labtarget/target_conn.c */
void conn_start(struct lab_target *t, int fd, const struct addr *peer); /* takes `fd` */
void conn_free(struct conn *c, bool reset);

/* labtarget/target_end.c */
/* After the handshake: send the alert and close. */
void conn_refuse(struct conn *c, uint8_t alert);
/* One line of the debug log, once per connection. */
void conn_log_end(struct conn *c, const char *how);

/* labtarget/target_request.c: the stages CONN_READ and CONN_WRITE. HOP_OK: go on with c->stage. */
enum hop_status conn_stage_read(struct conn *c);
enum hop_status conn_stage_write(struct conn *c);

/* labtarget/target_tls.c: prepare the TLS configurations of an HTTPS target; 0 or -1. */
int lab_target_tls_prepare(struct lab_target *t, struct err *err);
void lab_target_tls_clear(struct lab_target *t);
/* The chooser of the hops (tls/hop_tls.h); `arg` is the connection. */
void lab_target_tls_choose(void *arg, const struct tls_offer *offer, struct hop_tls_choice *out);
/* After the handshake: the alert that refuses the client's certificate, 0: it is fine. */
uint8_t target_tls_refusal(const struct conn *c);

/* labtarget/target_answer.c: append the response to the request that was read. 0, or -1: no memory.
 */
int target_answer(struct conn *c, unsigned status);
/* The response to what could not be read as a request. */
int target_answer_error(struct conn *c, unsigned status, const char *why);
struct proxy_header;
json_t *target_describe_proxy(const struct proxy_header *h);

#endif
