/* SPDX-License-Identifier: Apache-2.0
 * Inside the client: one call, shared by client.c (its life and states), client_connect.c,
 * client_tls.c (TLS and the judge) and answer.c (HTTP). */
#ifndef VPCLINK_CALL_H
#define VPCLINK_CALL_H

#include <event2/event_struct.h>

#include "core/linger.h"
#include "tls/hop.h"
#include "vpclink/client.h"

struct addrinfo;
struct lookup;
struct pool;
struct tls_conf;
struct tls_question;

struct gateway_client {
    struct event_base *base;
    struct tls_conf *conf; /* https only */
    struct pool *pool;
    struct lingerers lingers;
    unsigned connections; /* made so far */
};

enum call_state {
    CALL_RESOLVING,
    CALL_CONNECTING,
    CALL_SECURING,
    CALL_ASKING, /* the handshake was refused: for something that the TLS library lacks? */
    CALL_SENDING,
    CALL_READING,
    CALL_OVER,
};

struct gateway_call {
    struct gateway_client *client;
    const struct gateway_task *task;
    struct gateway_result *now; /* borrowed */
    gateway_done_cb done;
    void *arg;

    enum call_state state;
    struct event io, timer;
    uint64_t deadline_us;
    short armed; /* EV_READ or EV_WRITE while `io` waits for the hop's socket and stays; else 0 */

    struct lookup *lookup;
    const struct addrinfo *next; /* of the lookup: what is still to be tried */
    int fd;                      /* connecting; -1: none, or the hop's already */
    struct hop *hop;
    struct tls_question *question; /* while CALL_ASKING */

    char *head;      /* the request's head */
    size_t sent;     /* of head and body together */
    bool send_reset; /* sending the request met a reset */
    struct http_parser *parser;
    size_t garbled;   /* bytes of the answer that were no HTTP */
    unsigned interim; /* answers with a status below 200 */
    bool clean;       /* the answer is whole and the connection can serve another call */
};

/* --- client_connect.c; both as hop_secure() answers, and call->now tells of a failure --- */
/* The descriptor to watch is lookup_fd(call->lookup). */
enum hop_status call_resolve(struct gateway_call *call);
/* The descriptor to watch is call->fd. HOP_OK: call->hop is made. */
enum hop_status call_connect(struct gateway_call *call);

/* --- client_tls.c --- */
/* The TLS configuration for a task; NULL with the reason in `err`. */
struct tls_conf *call_tls_conf(const struct gateway_task *task, struct err *err);
/* A TLS hop on a connected socket (taken on success) that asks the judge inside the handshake. */
struct hop *call_tls_hop(struct gateway_call *call, int fd);
/* Has the peer sent a warning alert, which ends a JDK's handshake? */
bool call_tls_warned(const struct gateway_call *call);
/* Name the failure of a handshake in call->now. When it may be for want of something that the TLS
 * library cannot offer, call->question asks the server about it. */
void call_tls_failed(struct gateway_call *call);
/* The question's answer, as hop_secure() answers; HOP_OK when there is no more to wait for. */
enum hop_status call_tls_ask(struct gateway_call *call);
/* The handshake is over: facts to call->now. False when the host name does not suit. */
bool call_tls_secured(struct gateway_call *call);
/* An alert came on a secured connection: name it. */
enum gateway_break call_tls_alert(struct gateway_call *call, bool in_use);
/* Copy what is known of the TLS hop to call->now. */
void call_tls_note(struct gateway_call *call);

/* --- answer.c --- */
/* The parser for the call's answer. False without memory. */
bool answer_begin(struct gateway_call *call);
/* Take `n` bytes. True when the answer is whole, or cannot become whole. */
bool answer_take(struct gateway_call *call, const char *data, size_t n);
/* The connection ended, in order (HOP_EOF) or not, before the answer was whole. */
void answer_ended(struct gateway_call *call, enum hop_status st);

#endif
