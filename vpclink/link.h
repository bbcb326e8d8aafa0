/* SPDX-License-Identifier: Apache-2.0
 * Inside the client: one link, shared by client.c (the call), client_connect.c and client_tls.c
 * (TLS and the judge). */
#ifndef VPCLINK_LINK_H
#define VPCLINK_LINK_H

#include "tls/hop.h"
#include "vpclink/client.h"

struct tls_conf;

struct gateway_link {
    const struct gateway_task *task;
    struct tls_conf *conf;      /* https only */
    struct http_parser *parser; /* of answers */
    char *head;                 /* the request's head */
    struct hop *hop;            /* the kept connection, or the one in use; NULL: none */
    unsigned connections;       /* made so far */
    struct gateway_result *now; /* the call in progress */
    uint64_t deadline_us;
    bool send_reset;  /* sending the request met a reset */
    size_t garbled;   /* bytes of the answer that were no HTTP */
    unsigned interim; /* answers with a status below 200 */
};

/* Wait for poll(2) `events`. 1: ready, 0: the deadline has passed. */
int link_wait_fd(int fd, short events, uint64_t deadline_us);
/* Connect and make link->hop; link->now tells what came of it. */
bool link_open(struct gateway_link *link);

/* The TLS configuration for a task; NULL with the reason in `err`. */
struct tls_conf *link_tls_conf(const struct gateway_task *task, struct err *err);
/* A TLS hop on a connected socket (taken on success) that asks the judge inside the handshake. */
struct hop *link_tls_hop(struct gateway_link *link, int fd);
/* Has the peer sent a warning alert, which ends a JDK's handshake? */
bool link_tls_warned(const struct gateway_link *link);
/* Name the failure of a handshake in link->now. */
void link_tls_failed(struct gateway_link *link);
/* The handshake is over: facts to link->now. False when the host name does not suit. */
bool link_tls_secured(struct gateway_link *link);
/* An alert came on a secured connection: name it. */
enum gateway_break link_tls_alert(struct gateway_link *link, bool in_use);
/* Ask the server once more, on a connection of its own, with a ClientHello that holds what the TLS
 * library cannot offer (vpclink/ask_server.c). True, and link->now->why says so, when it answers.
 */
struct tls_full_offer;
bool link_server_would_answer(struct gateway_link *link, const struct tls_full_offer *offer);
/* Copy what is known of the TLS hop to link->now. */
void link_tls_note(struct gateway_link *link);

#endif
