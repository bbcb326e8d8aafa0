/* SPDX-License-Identifier: Apache-2.0
 * The tables of the certificate lab: authorities, profiles (each with its flaw) and stores. */
#ifndef CERTS_LAB_PROFILES_H
#define CERTS_LAB_PROFILES_H

#include <mbedtls/md.h>
#include <stdbool.h>
#include <stddef.h>

#include "certs/lab/issue_cert.h"
#include "certs/lab/issue_key.h"
#include "core/err.h"

/* In every row zero means "as usual", so that a row says only what is odd about it. */
enum lab_basic { LAB_BASIC_USUAL, LAB_BASIC_NONE, LAB_BASIC_NOT_CA, LAB_BASIC_CA };

#define LAB_USAGE_NONE   0x10000u  /* no keyUsage at all */
#define LAB_PATH_LEN(n)  ((n) + 1) /* 0 stays "no limit" */
#define LAB_WORDS_MAX    12        /* of a chain or a store */
#define LAB_HOST_MAX     253       /* octets of a host name */
#define LAB_OTHER_HOST   "other.example.net"
#define LAB_SUBJECT_BASE "C=US,O=nlbsim lab"

/* An authority of the lab. */
struct lab_authority {
    const char *name;   /* how profiles and files call it */
    const char *cn;     /* its common name; two authorities may share one */
    const char *issuer; /* another authority; NULL: self-signed */
    const char *what;   /* one line for people */
    enum issue_key_kind key;
    mbedtls_md_type_t md;   /* MBEDTLS_MD_NONE: SHA-256 */
    int from_days, to_days; /* both 0: five years either way (root), one back and two ahead */
    enum lab_basic basic;   /* usual: CA:TRUE */
    int path_len;           /* LAB_PATH_LEN(n); 0: no limit */
    unsigned usage;         /* usual: keyCertSign, cRLSign, digitalSignature */
    const char *nc_permitted;
    bool nc_excludes_host; /* name constraints exclude the host of the leaf: one authority per host
                            */
    bool nc_critical;
    bool unknown_critical, bad_signature;
    bool crl; /* a lab directory gets its list of revoked certificates */
};

enum lab_subject {
    LAB_SUBJECT_HOST,  /* C, O, CN=host */
    LAB_SUBJECT_OTHER, /* C, O, CN=LAB_OTHER_HOST */
    LAB_SUBJECT_NO_CN, /* C, O */
    LAB_SUBJECT_NONE,  /* empty */
    LAB_SUBJECT_STAGE, /* C=US, L=Seattle, CN=ApiGateway */
};

enum lab_names {
    LAB_NAMES_HOST, /* one entry: the host */
    LAB_NAMES_NONE, /* no subjectAltName */
    LAB_NAMES_OTHER,
    LAB_NAMES_WILDCARD,      /* "*" for the host's first label */
    LAB_NAMES_WILDCARD_DEEP, /* "*" for the host's first two labels */
    LAB_NAMES_ADDRESS,       /* addresses only: the host if it is one, 127.0.0.1 and ::1 */
    LAB_NAMES_1000,          /* the host and 999 more */
    LAB_NAMES_10000,
};

enum lab_side { LAB_SERVER, LAB_CLIENT };

/* A kind of certificate to present. */
struct lab_profile {
    const char *name;
    enum lab_side side;
    const char *wrong;  /* what is wrong with it, for people */
    const char *hop;    /* the hop it is meant for */
    const char *store;  /* judged with this store, it shows what `says` says */
    const char *says;   /* part of what API Gateway says; NULL: accepted */
    const char *badssl; /* counterparts at badssl.com; NULL: none */
    const char *source; /* where the expectation comes from: a row of the scenario catalogue, a rule
                           of the Java measurements, or a document */

    const char *issuer; /* NULL: "issuing"; "leaf": self-signed */
    const char *chain;  /* words: "leaf" or an authority; NULL: "leaf ISSUER", or "leaf" */
    enum issue_key_kind key;
    const char *key_of; /* shares the key of this profile; NULL: has its own */
    mbedtls_md_type_t md;
    int from_days, to_days; /* both 0: from yesterday for 198 days */
    enum lab_subject subject;
    enum lab_names names;
    enum lab_basic basic; /* usual: CA:FALSE */
    unsigned usage;       /* usual: digitalSignature, and keyEncipherment with RSA */
    enum issue_eku eku;   /* ISSUE_EKU_NONE: server or client authentication, by side */
    bool bare, v1, unknown_critical, bad_signature, ev_policy, short_serial;
    bool revoked; /* its issuer's list of revoked certificates names it */
};

struct lab_store {
    const char *name;
    const char *members; /* words: authorities */
    const char *what;
};

extern const struct lab_authority lab_authorities[];
extern const size_t lab_n_authorities;
extern const struct lab_profile lab_profiles[];
extern const size_t lab_n_profiles;
extern const struct lab_store lab_stores[];
extern const size_t lab_n_stores;

/* NULL when there is none of that name. */
const struct lab_authority *lab_authority_find(const char *name);
/* NULL with the nearest name in `err`. */
const struct lab_profile *lab_profile_find(const char *name, struct err *err);
const struct lab_store *lab_store_find(const char *name, struct err *err);

/* The issuer of a profile ("leaf" when self-signed) and its chain, with the defaults filled in. */
const char *lab_profile_issuer(const struct lab_profile *p);
/* Split a list of words; returns how many, at most LAB_WORDS_MAX. `buf` keeps them. */
size_t lab_words(const char *text, char *buf, size_t size, const char *words[LAB_WORDS_MAX]);
size_t lab_profile_chain(const struct lab_profile *p, char *buf, size_t size,
                         const char *words[LAB_WORDS_MAX]);

/* Is this a host that a certificate can be issued for? A DNS name (a wildcard too) or an address.
 */
int lab_host_check(const char *host, struct err *err);

#endif
