/* SPDX-License-Identifier: Apache-2.0
 * What a validating client, an NLB or a compliance rule would mind about a certificate and its
 * chain. Dates, order, names, sizes and files are looked at here; whether a chain is trusted is
 * asked of certs/judge/trust.c, the only judge. */
#ifndef CERTS_AUDIT_AUDIT_H
#define CERTS_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/parse.h"
#include "core/err.h"

enum audit_code {
#define FINDING(id, code, severity, effect, remedy, source) AUDIT_##id,
#include "certs/audit/findings.def"
#undef FINDING
    AUDIT_N
};

enum audit_severity { AUDIT_ERROR, AUDIT_WARNING, AUDIT_NOTE };

struct audit_rule {
    const char *code; /* "expires-soon" */
    enum audit_severity severity;
    const char *effect; /* what will happen */
    const char *remedy;
    const char *source;
};
extern const struct audit_rule audit_rules[AUDIT_N];
const char *
audit_severity_name(enum audit_severity severity); /* as SARIF: "error", "warning", "note" */

/* Where the certificate is presented, which decides who minds. */
enum audit_role {
    AUDIT_ROLE_UNKNOWN,          /* a file: whoever presents it */
    AUDIT_ROLE_TLS_LISTENER,     /* API Gateway validates it, the NLB has to take its key */
    AUDIT_ROLE_TARGET_VALIDATED, /* behind a TCP listener: API Gateway validates it */
    AUDIT_ROLE_TARGET_IGNORED,   /* behind TLS listeners only: nobody validates it */
    AUDIT_ROLE_CLIENT,           /* a client certificate */
    AUDIT_ROLE_STORE,            /* an anchor: only dates count */
};

struct trust_anchors; /* certs/judge/trust.h */

/* A trust store, made ready once for any number of chains. All of it is borrowed. */
struct audit_store {
    const char *name;
    const struct cert_list *list;
    const struct trust_anchors *anchors; /* of the same list */
};

struct audit_subject {
    const char *file;  /* or the specification in an INI file */
    int line;          /* of an INI file; 0: none */
    const char *where; /* "listener https"; NULL: a file by itself */
    enum audit_role role;
    const struct cert_list *chain;
    const struct audit_store *store;     /* what to judge with; NULL: trust is not judged */
    bool insecure_skip;                  /* tlsConfig.insecureSkipVerification of the integration */
    bool skip_refuses_plain_self_signed; /* certs/judge/trust.h */
    const char *host;                    /* to be matched; NULL: none is known */
};

struct audit_finding {
    enum audit_code code;
    enum audit_severity severity; /* the rule's, or less where nobody validates */
    char *file;
    char *where;   /* NULL: none */
    int line;      /* 0: none */
    char *subject; /* short name of the certificate; NULL: the chain as a whole */
    char *message;
    const char *effect, *remedy; /* static */
};

struct audit_report {
    struct audit_finding *at;
    size_t n;
};

struct audit_options {
    int64_t now_s;
    unsigned days; /* rotation threshold */
    /* Of a custom domain with mutual TLS: files are clients' certificates, and its door judges.
     * NULL: they are not. Borrowed. */
    const struct cert_list *truststore;
};

/* Look at one chain; 0, or -1 without memory. */
int audit_chain(struct audit_report *report, const struct audit_options *o,
                const struct audit_subject *subject, struct err *err);
/* Look at the content of a PEM or DER file: its chain, and its key where there is one, in it or
 * beside it. `store` and `host` as above. 1: no certificate in it, so nothing was looked at; -1
 * without memory. `text` has a NUL behind its `len` octets. */
int audit_file(struct audit_report *report, const struct audit_options *o, const char *path,
               const char *text, size_t len, const struct audit_store *store, const char *host,
               struct err *err);
/* Look at the truststore itself: `bytes` long, read from `path`. 0, or -1 without memory. */
int audit_truststore(struct audit_report *report, const struct audit_options *o, const char *path,
                     const struct cert_list *list, size_t bytes, struct err *err);
void audit_report_clear(struct audit_report *report);

#endif
