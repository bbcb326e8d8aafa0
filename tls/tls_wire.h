/* SPDX-License-Identifier: Apache-2.0
 * TLS as it passes: records, hellos, certificates and alerts read from bytes, no socket, no key.
 * Three readers: struct tls_offer (one ClientHello as plain facts), struct tls_hello_reader (first
 * bytes of a connection until the ClientHello is whole, or what else it was) and struct tls_sniffer
 * (one direction of a connection, every byte of it). Foreign bytes can make any of them say
 * "malformed"; nothing here fails otherwise, and all memory is bounded. */
#ifndef TLS_TLS_WIRE_H
#define TLS_TLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls_params.h"

/* --- (a) what a ClientHello offered --- */

#define TLS_OFFER_LIST_MAX 512  /* entries kept per list; `truncated` says that there were more */
#define TLS_OFFER_SNI_MAX  255  /* bytes of a host name kept */
#define TLS_OFFER_ALPN_MAX 1024 /* bytes of the ALPN list kept */

enum tls_sni_state {
    TLS_SNI_NONE,      /* extension absent */
    TLS_SNI_NAME,      /* `sni` holds the name exactly as sent (case kept, bytes not checked) */
    TLS_SNI_MALFORMED, /* extension present but unreadable, empty, or with a NUL byte in the name */
    TLS_SNI_TOO_LONG   /* longer than 255 bytes; `sni` holds the first 255 */
};

/* One ClientHello. Lists keep order, duplicates and GREASE values. All pointers go into `block`. */
struct tls_offer {
    void *block;                /* owned: one allocation for all lists and texts */
    struct tls_list versions;   /* supported_versions; empty when the extension is absent */
    struct tls_list suites;     /* with signalling values */
    struct tls_list groups;     /* supported_groups */
    struct tls_list key_shares; /* groups for which a key share was sent */
    struct tls_list sigs;       /* signature_algorithms */
    struct tls_list sigs_cert;  /* signature_algorithms_cert */
    struct tls_list extensions; /* types in the order sent */
    const char *sni;            /* NUL-terminated; NULL when there is none */
    const uint8_t *alpn;        /* the list as on the wire (one length byte, then the name); walk it
                                   with tls_offer_alpn_next() */
    uint16_t alpn_bytes;
    uint8_t alpn_count;     /* names (at most 255 counted) */
    uint8_t session_id_len; /* as in the hello */
    uint16_t legacy_version;
    uint32_t size;         /* bytes of the handshake body */
    const char *malformed; /* static text, what could not be read; NULL when all was fine */
    enum tls_sni_state sni_state;
    bool has_extensions : 1; /* false: the hello ended after the compression methods */
    bool has_alpn : 1;
    bool session_ticket : 1;      /* extension present (TLS 1.2 tickets understood) */
    bool session_ticket_data : 1; /* ... with a ticket in it: wants to resume */
    bool psk : 1;                 /* pre_shared_key: wants to resume in TLS 1.3 */
    bool early_data : 1;
    bool extended_master_secret : 1;
    bool secure_renegotiation : 1; /* renegotiation_info or the SCSV */
    bool fallback_scsv : 1;
    bool cookie : 1; /* second hello after a HelloRetryRequest (with cookie) */
    bool ocsp : 1;   /* status_request */
    bool post_handshake_auth : 1;
    bool encrypted_client_hello : 1;
    bool truncated : 1; /* a list had more than TLS_OFFER_LIST_MAX entries */
};

/* Read a ClientHello body (after the four bytes of handshake header).
 * Returns 0; -1 when it is malformed (or memory is short): then `malformed` says where, and what
 * was readable before that is still there. `o` need not be initialised; clear it in either case. */
int tls_offer_parse(struct tls_offer *o, const uint8_t *body, size_t n);
void tls_offer_clear(struct tls_offer *o);
/* Walk the ALPN names: start with *at = 0; false at the end. Name is not NUL-terminated. */
bool tls_offer_alpn_next(const struct tls_offer *o, size_t *at, const uint8_t **name, size_t *len);
bool tls_offer_has_alpn(const struct tls_offer *o, const char *name);
/* The highest version offered that is not GREASE: from `versions`, else legacy_version. */
uint16_t tls_offer_max_version(const struct tls_offer *o);
bool tls_offer_has_version(const struct tls_offer *o, uint16_t version);

/* --- (b) the first bytes of a connection --- */

/* Largest ClientHello body: what s2n-tls takes as a handshake message
 * (s2n-tls, S2N_MAXIMUM_HANDSHAKE_MESSAGE_LENGTH). */
#define TLS_HELLO_MAX 65536

enum tls_first {
    TLS_FIRST_MORE,     /* nothing can be said yet */
    TLS_FIRST_HELLO,    /* a whole ClientHello: `body`, `body_len` */
    TLS_FIRST_HTTP,     /* a plain HTTP request (or an HTTP/2 preface) */
    TLS_FIRST_SSLV2,    /* an SSLv2-format ClientHello */
    TLS_FIRST_PROXY_V1, /* a PROXY protocol header */
    TLS_FIRST_PROXY_V2,
    TLS_FIRST_ALERT,     /* a TLS alert instead of a hello: alert_level, alert_number */
    TLS_FIRST_NOT_TLS,   /* none of these */
    TLS_FIRST_MALFORMED, /* TLS records, but no ClientHello can come of them; see `why` */
    TLS_FIRST_TOO_LARGE  /* announces more than `max` */
};

/* Fed with the bytes of a new connection in any chunking. Costs no allocation when the whole hello
 * stands in one record of one chunk. */
struct tls_hello_reader {
    enum tls_first verdict;
    const uint8_t *body; /* after TLS_FIRST_HELLO; borrowed: from the last chunk or from `heap` */
    size_t body_len;
    const uint8_t *rest; /* after TLS_FIRST_HELLO: what the last chunk holds beyond it; borrowed */
    size_t rest_len;
    size_t in_record;        /* how many bytes of the hello's last record follow it, come or not */
    const char *why;         /* static text for MALFORMED; NULL otherwise */
    uint16_t record_version; /* of the first record, as sent (0x0301 is usual) */
    uint16_t records;        /* records that the hello was spread over */
    uint8_t alert_level, alert_number;
    size_t max; /* bytes of the body; tls_hello_reader_init() sets TLS_HELLO_MAX */
    /* private */
    uint8_t prefix[24]; /* first bytes, until the kind is known; then record and message headers */
    uint8_t prefix_len;
    uint8_t header[5];
    uint8_t header_len;
    uint8_t msg_header[4];
    uint8_t msg_header_len;
    uint16_t record_left;
    bool is_tls;
    uint8_t *heap;
    size_t heap_len, heap_cap;
};

void tls_hello_reader_init(struct tls_hello_reader *r);
/* Returns the verdict; every call after a final one returns it again and reads nothing. */
enum tls_first tls_hello_reader_feed(struct tls_hello_reader *r, const void *data, size_t n);
void tls_hello_reader_clear(struct tls_hello_reader *r);
/* "plain HTTP request", ... for logs and events; never NULL. */
const char *tls_first_text(enum tls_first verdict);

/* --- (c) one direction of a TLS connection --- */

#define TLS_SNIFF_CHAIN_MAX 65536 /* bytes of a Certificate or CertificateRequest message kept */
#define TLS_SNIFF_HELLO_MAX 16384 /* bytes of a ServerHello kept (cookies can be large) */

/* What a call of tls_sniffer_feed() has learnt (bit set), and, in `seen`, all calls so far. */
enum tls_saw {
    TLS_SAW_CLIENT_HELLO = 1 << 0,
    TLS_SAW_SERVER_HELLO = 1 << 1, /* version, suite, group, alpn are set */
    TLS_SAW_RETRY = 1 << 2,        /* HelloRetryRequest; retry_group is set */
    TLS_SAW_CERTIFICATE = 1 << 3,  /* TLS 1.2, in the clear: tls_sniffer_cert() */
    TLS_SAW_CERT_REQUEST = 1 << 4, /* TLS 1.2 */
    TLS_SAW_KEY_EXCHANGE = 1 << 5, /* TLS 1.2 ServerKeyExchange: group is set */
    TLS_SAW_HELLO_DONE = 1 << 6,
    TLS_SAW_CERT_VERIFY = 1 << 7,      /* TLS 1.2: the client proved a certificate */
    TLS_SAW_TICKET = 1 << 8,           /* TLS 1.2 NewSessionTicket */
    TLS_SAW_CCS = 1 << 9,              /* ChangeCipherSpec */
    TLS_SAW_ENCRYPTED = 1 << 10,       /* first encrypted record (handshake or data) */
    TLS_SAW_APP_DATA = 1 << 11,        /* first record of outer type application_data */
    TLS_SAW_ALERT = 1 << 12,           /* plaintext alert: alert_level, alert_number */
    TLS_SAW_ENCRYPTED_ALERT = 1 << 13, /* outer type alert, encrypted (TLS 1.2 and older) */
    TLS_SAW_NOT_TLS = 1 << 14,         /* record layer lost: nothing more is read */
    TLS_SAW_MALFORMED = 1 << 15,       /* a plaintext handshake message that could not be read */
    TLS_SAW_OTHER_HANDSHAKE = 1 << 16
};

struct tls_sniffer {
    unsigned seen; /* enum tls_saw, all so far */
    /* ServerHello */
    uint16_t version; /* chosen; also told to the peer sniffer */
    uint16_t suite;
    uint16_t group;            /* TLS 1.3 key_share, or TLS 1.2 ServerKeyExchange; 0: none */
    uint16_t retry_group;      /* HelloRetryRequest; 0: asked for something else */
    bool psk_accepted;         /* TLS 1.3: pre_shared_key in the ServerHello */
    bool session_resumed_hint; /* TLS 1.2: CCS came without a Certificate before it */
    bool extended_master_secret;
    bool secure_renegotiation;
    bool downgrade_sentinel; /* RFC 8446 4.1.3: the server could do more than was negotiated */
    uint8_t alpn_len;
    char alpn[32]; /* TLS 1.2; NUL-terminated, cut at 31 bytes */
    /* first and last plaintext alert */
    uint8_t alert_level, alert_number;
    uint8_t last_alert_level, last_alert_number;
    uint16_t alerts, encrypted_alerts;
    uint16_t first_encrypted_len; /* body of the first encrypted record; 0: none came */
    uint64_t first_encrypted_end; /* bytes of this direction up to its end */
    uint64_t handshake_bytes;     /* bytes of records of type handshake */
    uint64_t records;
    /* private */
    uint64_t octets; /* taken */
    struct tls_sniffer *peer;
    uint8_t header[5];
    uint8_t header_len;
    uint8_t type;
    uint16_t record_left;
    uint16_t record_len;
    bool encrypted; /* ChangeCipherSpec has passed */
    bool plain;     /* the current record */
    uint8_t msg_header[4];
    uint8_t msg_header_len;
    uint8_t alert_buf[2];
    uint8_t alert_len;
    uint32_t msg_left; /* bytes of the current message still to come */
    uint32_t msg_len;
    uint8_t *msg; /* heap, only while a message worth reading is split over chunks */
    uint32_t msg_got, msg_cap;
    uint8_t *chain; /* heap: body of the Certificate message */
    uint32_t chain_len;
};

/* One direction. Two sniffers of one connection should be paired: then each learns the version
 * that the ServerHello chose (a client's records after ChangeCipherSpec read differently in 1.3).
 */
void tls_sniffer_init(struct tls_sniffer *s);
void tls_sniffer_pair(struct tls_sniffer *a, struct tls_sniffer *b);
/* Take every byte of the direction, in any chunking. Returns what this call learnt. Cheap: record
 * bodies that tell nothing are skipped without being touched. */
unsigned tls_sniffer_feed(struct tls_sniffer *s, const void *data, size_t n);
/* Frees what it holds and breaks the pair. */
void tls_sniffer_clear(struct tls_sniffer *s);
/* Certificate `i` of the chain as sent (0 the leaf), borrowed DER; NULL after the last. */
const uint8_t *tls_sniffer_cert(const struct tls_sniffer *s, size_t i, size_t *len);

#endif
