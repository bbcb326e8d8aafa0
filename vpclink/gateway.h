/* SPDX-License-Identifier: Apache-2.0
 * API Gateway's side of a VPC link: what it is told to do, and everything that is known of one
 * call. client.h makes the call, link.h waits for it, texts.h words it, execlog.h logs it,
 * verdict.h explains it. */
#ifndef VPCLINK_GATEWAY_H
#define VPCLINK_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/judge/trust.h"
#include "certs/x509/parse.h"
#include "core/addr.h"
#include "core/http.h"
#include "core/protocol.h"
#include "tls/hop_tls.h"
#include "vpclink/integration_cfg.h"
#include "vpclink/uri.h"

struct identity;

enum gateway_break {
#define BREAK(id, class, config, network, evidence, source) BREAK_##id,
#include "vpclink/gateway_texts.def"
#undef BREAK
    BREAK_N
};

/* How far the call came. */
enum gateway_stage {
    GATEWAY_RESOLVE,
    GATEWAY_CONNECT,
    GATEWAY_HANDSHAKE,
    GATEWAY_REQUEST, /* the connection is usable; the request is on its way */
    GATEWAY_ANSWER,  /* the first byte of the answer has come */
    GATEWAY_DONE,
};

struct gateway_header {
    const char *name, *value; /* borrowed */
};

/* What the TLS client offers; an empty list means the JDK's (vpclink/offer.def). Version: "API
 * Gateway only supports TLS 1.2 on egress"; the page is about REST APIs, for HTTP APIs it is
 * inferred. Source:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
 */
struct gateway_offer {
    uint16_t min_version, max_version; /* 0: TLS 1.2, and nothing above the minimum */
    const uint16_t *suites;
    size_t n_suites;
    const uint16_t *groups;
    size_t n_groups;
};

/* What to do. Everything is borrowed and may serve any number of links and threads. */
struct gateway_task {
    struct gateway_uri uri;
    const struct addr *connect; /* where the link leads to; NULL: resolve the URI's host, as a
                                   public HTTP integration does */
    const struct trust_anchors *anchors; /* https only */
    bool insecure_skip;
    bool skip_allows_plain_self_signed;
    const char *verify_name; /* serverNameToVerify: SNI and name to verify; NULL: the URI's host */
    const struct identity *client_certificate; /* NULL: none */
    const int64_t *at_utc;                     /* the moment to judge at; NULL: now */
    uint64_t timeout_ms;                       /* of the whole integration */
    uint64_t keep_idle_ms; /* a kept connection is closed after so long; 0: never */
    struct gateway_offer offer;
    const char *api_id; /* for the headers that API Gateway adds */
    const char *method;
    const struct gateway_header *headers;
    size_t n_headers;
    const char *data; /* request body; NULL: none */
    size_t n_data;
    bool host_port; /* the Host header keeps the URI's port; unknown at AWS */
};

#define GATEWAY_ALERT_TEXT 64

/* All that is known of one call. Zero-initialise before the first use; gateway_result_clear(). */
struct gateway_result {
    enum gateway_break broke;
    enum gateway_stage stage;
    unsigned connection; /* number of the link's connection, from 1; 0: none was made */
    bool reused;         /* the connection had served a request before */
    struct addr local, peer;
    int64_t started_wall_us;
    uint64_t started_us, connected_us, secured_us, sent_us, answered_us, ended_us; /* 0: not */
    char why[320]; /* the socket's, the resolver's or a library's own word; may be empty */

    char sni[GATEWAY_HOST_MAX];     /* empty: none was sent */
    struct tls_facts tls;           /* `offer` and `peer_chain` are not kept here */
    char alert[GATEWAY_ALERT_TEXT]; /* name or number for {text}; empty: none */
    const char *accepts;   /* the versions that were offered, as a JDK lists them; static */
    bool client_cert_sent; /* ours was asked for and sent */

    bool judged;
    struct verdict verdict; /* valid when `judged` */
    struct cert_list chain; /* as presented */

    unsigned status; /* of the target's answer; 0: none */
    char *reason;    /* owned */
    struct gateway_answer_header {
        char *name, *value;
    } * headers; /* owned */
    size_t n_headers;
    uint8_t *body; /* owned */
    size_t n_body;
};
void gateway_result_clear(struct gateway_result *r);

#endif
