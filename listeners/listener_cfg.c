/* SPDX-License-Identifier: Apache-2.0
 * The keys of [listener NAME]. */
#include "listeners/listener_cfg.h"

#include <string.h>

#define GUIDE        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"
#define LISTENERS    GUIDE "load-balancer-listeners.html"
#define CERTIFICATES GUIDE "tls-listener-certificates.html"
#define POLICIES     GUIDE "describe-ssl-policies.html"
#define OURS         "a setting of nlbsim"
#define UNKNOWN      "unknown at AWS, hence a setting of nlbsim"

#define NOT_SIMULATED "not simulated: this is a TCP and TLS load balancer (allowed: TCP, TLS)"
#define ALB_ONLY      "a protocol of Application Load Balancers; an NLB listener is TCP or TLS"

static const struct cfg_choice protocols[] = {
    { "TCP", PROTOCOL_TCP, NULL },
    { "TLS", PROTOCOL_TLS, NULL },
    { "UDP", -1, NOT_SIMULATED },
    { "TCP_UDP", -1, NOT_SIMULATED },
    { "QUIC", -1, NOT_SIMULATED },
    { "TCP_QUIC", -1, NOT_SIMULATED },
    { "HTTP", -1, ALB_ONLY },
    { "HTTPS", -1, ALB_ONLY },
    { NULL, 0, NULL },
};

static const struct cfg_choice tls_errors[] = {
    { "close_notify", TLS_ERROR_CLOSE_NOTIFY, NULL },
    { "alert", TLS_ERROR_ALERT, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice half_closes[] = {
    { "relay", TLS_HALF_CLOSE_RELAY, NULL },
    { "close", TLS_HALF_CLOSE_CLOSE, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice validities[] = {
    { "latest_end", VALIDITY_LATEST_END, NULL },
    { "longest_period", VALIDITY_LONGEST_PERIOD, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice alpn_offers[] = {
    { "chosen", ALPN_OFFER_CHOSEN, NULL },
    { "policy", ALPN_OFFER_POLICY, NULL },
    { NULL, 0, NULL },
};

static int parse_certificate(void *object, const struct cfg_value *value)
{
    struct listener_cfg *l = object;
    struct identity_cfg *c;
    const char *spec;

    for (size_t i = 0; i < l->n_certificates; i++) {
        if (strcmp(l->certificates[i].spec, value->text) == 0) {
            problems_add(value->problems, value->line,
                         "certificate '%s' is given twice (first on line %d)", value->text,
                         l->certificates[i].line);
            return -1;
        }
    }
    spec = arena_strdup(value->arena, value->text);
    c = spec == NULL ? NULL
                     : arena_append(value->arena, &l->certificates, &l->n_certificates, sizeof *c);
    if (c == NULL) {
        value->problems->environment = true;
        return -1;
    }
    *c = (struct identity_cfg){ .spec = spec, .line = value->line };
    return 0;
}

/* One word of `target_group`: "blue" or "blue:90". */
static int parse_forward(struct listener_cfg *l, const char *word, size_t n,
                         const struct cfg_value *value)
{
    const char *colon = memchr(word, ':', n);
    size_t length = colon == NULL ? n : (size_t)(colon - word);
    char *weight = colon == NULL ? "1" : arena_strndup(value->arena, colon + 1, n - length - 1);
    char *name = arena_strndup(value->arena, word, length);
    struct forward_cfg *f = NULL;
    uint64_t number;

    if (weight != NULL && name != NULL)
        f = arena_append(value->arena, &l->forwards, &l->n_forwards, sizeof *f);
    if (f == NULL) {
        value->problems->environment = true;
        return -1;
    }
    *f = (struct forward_cfg){ .name = name, .line = value->line, .weighted = colon != NULL };
    if (cfg_parse_uint(weight, 0, 999, &number) != 0) {
        problems_add(value->problems, value->line,
                     "target_group '%.*s': bad weight '%s' (allowed: 0-999; %s)", (int)n, word,
                     weight, LISTENERS);
        return -1;
    }
    f->weight = (unsigned)number;
    for (size_t i = 0; i + 1 < l->n_forwards; i++) {
        if (strcmp(l->forwards[i].name, f->name) == 0) {
            problems_add(value->problems, value->line, "target_group '%s' is named twice", f->name);
            return -1;
        }
    }
    return 0;
}

static int parse_forwards(void *object, const struct cfg_value *value)
{
    const char *at = value->text;
    int rc = 0;

    while (*(at += strspn(at, " \t,")) != '\0') {
        size_t n = strcspn(at, " \t,");

        if (parse_forward(object, at, n, value) != 0)
            rc = -1;
        at += n;
    }
    return rc;
}

#define AT(field) offsetof(struct listener_cfg, field)

/* clang-format off */
const struct cfg_key listener_keys[] = {
    { .name = "protocol", .kind = CFG_ENUM, .offset = AT(protocol), .required = true, .choices = protocols,
      .help = "TLS ends the client's session here; TCP passes its bytes to the target as they are", .source = LISTENERS },
    { .name = "listen", .kind = CFG_ADDR, .offset = AT(listen), .required = true, .values = "ADDRESS:PORT", .mistaken = "port address bind",
      .help = "where clients connect to; port 0 picks a free one and reports it", .source = OURS },
    { .name = "target_group", .kind = CFG_CUSTOM, .required = true, .repeated = true, .parse_cb = parse_forwards,
      .values = "NAME, or NAME:WEIGHT ... with weights 0-999",
      .help = "where flows go to; with several groups in proportion to the weights", .source = LISTENERS },
    { .name = "tcp.idle_timeout.seconds", .kind = CFG_SECONDS, .offset = AT(idle_ms), .min = 60, .max = 6000, .def = "350",
      .with = "TCP",
      .why = "the idle timeout of a TLS listener is 350 seconds and cannot be changed (" GUIDE "update-idle-timeout.html)",
      .help = "after this long without data the flow is forgotten; 350 s, fixed, for TLS listeners", .source = GUIDE "update-idle-timeout.html" },
    { .name = "certificate", .kind = CFG_CUSTOM, .file = CFG_FILE_READ, .repeated = true, .parse_cb = parse_certificate,
      .values = "a PEM file, two (CERT.pem KEY.pem), lab:PROFILE/HOST",
      .with = "TLS",
      .why = "a TCP listener passes encrypted bytes on and never presents a certificate (" LISTENERS ")",
      .help = "the first is the default certificate, the others are chosen by SNI; chain and key in one file, or the key in NAME.key beside NAME.pem",
      .source = CERTIFICATES },
    { .name = "ssl_policy", .kind = CFG_TEXT, .offset = AT(ssl_policy), .def = "ELBSecurityPolicy-2016-08",
      .values = "a security policy (`nlbsim policies`)",
      .with = "TLS",
      .why = "the client of a TCP listener makes TLS with the target (" LISTENERS ")",
      .help = "protocols and ciphers toward clients; the default is the API's, the console proposes another", .source = POLICIES },
    { .name = "alpn_policy", .kind = CFG_TEXT, .offset = AT(alpn_policy), .def = "None",
      .values = "None, HTTP1Only, HTTP2Only, HTTP2Optional, HTTP2Preferred",
      .with = "TLS",
      .why = "the client of a TCP listener negotiates ALPN with the target (" LISTENERS ")",
      .help = "which ALPN protocols are negotiated, in the server's order", .source = LISTENERS },
    { .name = "alpn_target_offer", .kind = CFG_ENUM, .offset = AT(alpn_target_offer), .choices = alpn_offers, .def = "chosen",
      .with = "TLS", .help = "what a TLS target is offered: only what was chosen with the client, or the whole policy",
      .source = UNKNOWN " (HTTP/1.1 works beside HTTP/2: https://github.com/nginx/nginx-gateway-fabric/issues/5224)" },
    { .name = "tls_error", .kind = CFG_ENUM, .offset = AT(tls_error), .choices = tls_errors, .def = "close_notify",
      .with = "TLS", .help = "how a failed handshake is ended: close_notify as s2n does, or the alert of the RFC",
      .source = UNKNOWN " (s2n: https://github.com/aws/s2n-tls/blob/main/tls/s2n_alerts.c)" },
    { .name = "tls_half_close", .kind = CFG_ENUM, .offset = AT(tls_half_close), .choices = half_closes, .def = "relay",
      .with = "TLS", .help = "when client or target ends its direction: the other goes on, or both are closed",
      .source = UNKNOWN " (s2n: https://github.com/aws/s2n-tls/issues/598)" },
    { .name = "certificate_validity", .kind = CFG_ENUM, .offset = AT(certificate_validity), .choices = validities, .def = "latest_end",
      .with = "TLS", .help = "what the criterion \"validity\" prefers among certificates that are equal otherwise",
      .source = UNKNOWN " (" CERTIFICATES ")" },
    { .name = "allow_unsupported_keys", .kind = CFG_BOOL, .offset = AT(allow_unsupported_keys), .def = "false",
      .with = "TLS", .help = "serve certificates whose key NLB refuses, such as RSA 4096", .source = CERTIFICATES },
    { .name = "observe_tls", .kind = CFG_BOOL, .offset = AT(observe_tls), .def = "true",
      .with = "TCP", .help = "read the ClientHello and what else passes in clear, for the events", .source = OURS },
    { .name = "zone", .kind = CFG_TEXT, .offset = AT(zone), .values = "a zone's name",
      .help = "the Availability Zone of this listener's address; none: a node that sees all zones", .source = LISTENERS },
    { .name = NULL },
};
/* clang-format on */
