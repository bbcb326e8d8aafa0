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
#include "core/watch.h"
#include "labtarget/faults.h"
#include "labtarget/target_cfg.h"
#include "tls/hop.h"
#include "tls/hop_tls.h"

#define TARGET_SCRATCH 16384

struct evbuffer;

/* One [lab_target] of one configuration, constant. A connection keeps the one it began with. */
struct lab_target {
    unsigned refs; /* its socket's and its connections'; only the thread counts */
    void *owner;   /* a reference: `cfg` and certificates live there */
    void (*unref_cb)(void *owner);
    struct lab_target_info info;
    const struct lab_target_cfg *cfg;
    struct fault fault;
    struct tls_conf *conf_12, *conf_13; /* NULL: the version is off */
};

/* Where a target listens. It outlives configurations as long as its address stays. */
struct target_socket {
    struct lab_targets *set;
    struct lab_target *target; /* of new connections; a reference */
    struct addr requested;     /* as configured */
    struct addr bound;
    int fd;
    bool listening; /* false: only bound, connections are refused */
    struct event accept_event, retry_event;
    uint64_t connections;
};

struct lab_targets_change;
struct lab_target_source;

struct lab_targets {
    struct target_socket **at; /* in file order; changed by the thread, read while it waits */
    size_t n;
    struct event_base *base; /* NULL: no lab target so far, no thread */
    pthread_t thread;
    struct watch watch;
    bool running;
    int wake_fd;
    pthread_mutex_t lock; /* the next two */
    pthread_cond_t taken;
    struct lab_targets_change *wanted; /* NULL once taken */
    bool stop;
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

/* labtarget/target_settings.c: prepared for connections; info.addr is the socket's to say. One
 * reference; NULL with the reason in `err`. */
struct lab_target *lab_target_new(const struct lab_target_source *source,
                                  const struct lab_target_cfg *cfg, struct err *err);
void lab_target_unref(struct lab_target *t); /* NULL is fine */
/* Does it own its port without listening? */
bool lab_target_is_deaf(const struct lab_target *t);

/* labtarget/target_socket.c */
/* Bound to cfg->listen and, unless `deaf`, listening. NULL with the reason in `err`. */
struct target_socket *target_socket_open(struct lab_targets *set, const struct lab_target_cfg *cfg,
                                         bool deaf, struct err *err);
/* Where the load balancer finds it: a target that listens everywhere on the loopback address. */
struct addr target_socket_reachable(const struct target_socket *s);
/* On the thread: new connections get this target from now on; takes the reference. */
void target_socket_adopt(struct target_socket *s, struct lab_target *t);
/* On the thread, or without one; NULL is fine. What waits to be accepted is accepted first. */
void target_socket_close(struct target_socket *s);

/* labtarget/target_conn.c */
void conn_start(struct target_socket *s, int fd, const struct addr *peer); /* takes `fd` */
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
/* What answers the ClientHellos (tls/hop_tls.h); `arg` is the connection. */
void lab_target_tls_hello_cb(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out);
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
