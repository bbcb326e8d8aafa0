/* SPDX-License-Identifier: Apache-2.0
 * What is known of one flow: filled while it lives, handed to observe/ when it ends. */
#ifndef OBSERVE_RECORD_H
#define OBSERVE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/ends.h"
#include "core/first_bytes.h"
#include "core/protocol.h"
#include "observe/ids.h"
#include "observe/metrics.h"
#include "tls/hop.h"
#include "tls/hop_tls.h"

enum flow_close { CLOSE_FIN, CLOSE_RST, CLOSE_DRAIN };
struct flow_end_row {
    const char *code, *party, *where, *text;
    enum metric metric;
    enum flow_close front, back;
};
const struct flow_end_row *flow_end_row(enum flow_end end);

/* One certificate of a chain, as plain text and numbers. */
struct record_cert {
    char *subject, *issuer; /* owned, Java's X500Principal form */
    char *names;            /* owned: DNS and IP names, comma separated; NULL when there are none */
    char *key;              /* owned: "EC 256", "RSA 2048" */
    char *refusal;          /* owned: what is wrong with its encoding; NULL when it reads well */
    char *key_id;           /* owned: subject key identifier, hexadecimal; NULL: none */
    char *issuer_key_id;    /* owned: that of its issuer, by its own word; NULL: none */
    int64_t not_before_utc, not_after_utc;
    bool self_issued;
};
/* The chain that was presented: at most RECORD_CERTS of it are kept. */
#define RECORD_CERTS 4
struct record_chain {
    size_t n, presented;
    struct record_cert at[RECORD_CERTS];
};
void record_chain_clear(struct record_chain *c);

/* What a validating client would have said about that chain (inferred: nobody does behind a TLS
 * listener). */
struct record_opinion {
    bool judged, ok;
    bool name_checked;       /* the client sent SNI, so the name was judged too */
    const char *trust_store; /* as configured; lives in the generation */
    char *error;             /* owned: API Gateway's error text; NULL when ok */
};

/* The targets of a group that fails open, when the flow ended. */
#define RECORD_TARGETS 8
struct record_health {
    size_t n; /* at most RECORD_TARGETS of them are kept */
    struct record_target {
        struct addr addr;
        const char *state; /* AWS's word; static */
        char seen[160];    /* by the last check; empty: it passed, or none was made */
    } at[RECORD_TARGETS];
};

/* What the listener decided after reading the ClientHello; texts are static or live as long as the
 * configuration generation. NULL: not decided. */
struct cert_list;
struct record_choice {
    const char *policy;       /* security policy of the listener */
    const char *cert_spec;    /* certificate as the user wrote it */
    const char *cert_id;      /* its id, the tail of an ARN; also set, while cert_spec is not, when
                                 the handshake ended before a certificate was served: the one that
                                 would have been */
    const char *cert_subject; /* subject of the leaf, X500Principal form; lives in the generation */
    const char *cert_rule;    /* why this one: "exact name", "default: no server name" */
    const char *cert_decider; /* what decided among several */
    const struct cert_list *cert_chain; /* what is presented; lives in the generation; NULL: none */
    const char *result;                 /* NULL when the handshake may go on; else why not */
    const char *lacking; /* what this build would need to act as AWS; NULL: nothing */
};

/* What a TLS session that passed through a TCP listener showed of itself. */
struct record_observed {
    struct tls_offer offer;         /* of the ClientHello; owned */
    uint16_t version, suite, group; /* of the ServerHello; 0: none was seen */
    char alpn[32];                  /* TLS 1.2; empty: none, or encrypted */
    bool resumed, certificate_requested;
    bool alert_by_size; /* TLS 1.3: the client's first encrypted record can only be an alert */
    bool unfinished; /* the client closed after the server's flight, where its Finished was due */
    bool silent_client; /* it sent nothing after the handshake but, perhaps, close_notify */
    struct tls_alert from_client, from_target; /* those in clear */
    struct record_chain chain;                 /* TLS 1.2: what the target presented */
    struct record_opinion judgement;
};

struct tls_full_offer;
struct flow_record {
    uint64_t id;
    enum protocol protocol; /* of the listener */
    enum protocol back_protocol;
    const char *listener;               /* name */
    const struct record_origin *origin; /* the listener in AWS's words */
    const char *target_group;           /* name; NULL before one was picked */
    const char *backend_policy;
    struct addr client, local, target, source; /* `source`: our end toward the target */
    int64_t start_wall_us, end_wall_us;
    uint64_t start_us, secured_us, connect_us, connected_us, back_secured_us, end_us;
    uint64_t received_bytes; /* from the client, after decryption */
    uint64_t sent_bytes;     /* to the client, before encryption */
    enum flow_end end;
    struct hop_failure failure; /* the hop failure that ended it, if one did */
    const char *closed_first;   /* "client" or "target": whose stream ended first; NULL: neither */
    bool spliced;               /* bytes went through the kernel */
    struct first_bytes first_client, first_target; /* in clear: behind TLS, or as they pass */
    size_t registered, healthy;                    /* targets of the group, when one was picked */
    bool fails_open;                               /* and so every one of them got flows */
    bool proxy_header;                             /* the group sends one */
    struct record_health *health;                  /* owned; NULL: nothing to tell */
    const struct tls_full_offer *back_offer; /* all that AWS offers; lives in the generation */
    struct record_choice choice;
    struct record_chain front_chain;  /* what was presented to the client, when that matters */
    struct tls_facts *front, *back;   /* owned; NULL where there is no TLS */
    struct record_observed *observed; /* owned; NULL: not looked at, or no TLS */
    struct record_opinion validating_client_opinion;
    struct record_chain back_chain; /* what the target presented */
    char back_lacking[96]; /* what this build would need to reach it as AWS; may be empty */
};
/* Free what the record owns (not the record itself). */
void flow_record_clear(struct flow_record *r);

#endif
