/* SPDX-License-Identifier: Apache-2.0
 * From a loaded certificate to what the choice by name looks at, and the key types of an NLB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/store/identity.h"
#include "certs/x509/parse.h"
#include "listeners/sni.h"

static enum tls_key key_of(enum cert_key_kind kind)
{
    switch (kind) {
    case CERT_KEY_RSA:
        return TLS_KEY_RSA;
    case CERT_KEY_RSA_PSS:
        return TLS_KEY_RSA_PSS;
    case CERT_KEY_EC:
        return TLS_KEY_ECDSA;
    case CERT_KEY_ED25519:
        return TLS_KEY_ED25519;
    case CERT_KEY_ED448:
        return TLS_KEY_ED448;
    case CERT_KEY_UNKNOWN:
    case CERT_KEY_DSA:
    case CERT_KEY_DH:
    case CERT_KEY_X25519:
    case CERT_KEY_X448:
        return TLS_KEY_OTHER;
    }
    return TLS_KEY_OTHER;
}

/* From the JDK's name of the algorithm: "SHA256withRSA". */
static enum tls_hash cert_hash_of(const char *algorithm)
{
    static const struct {
        const char *start;
        enum tls_hash hash;
    } names[] = {
        { "MD5with", TLS_HASH_MD5 },       { "SHA1with", TLS_HASH_SHA1 },
        { "SHA224with", TLS_HASH_SHA224 }, { "SHA256with", TLS_HASH_SHA256 },
        { "SHA384with", TLS_HASH_SHA384 }, { "SHA512with", TLS_HASH_SHA512 },
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(algorithm, names[i].start, strlen(names[i].start)) == 0)
            return names[i].hash;
    }
    return TLS_HASH_NONE;
}

void sni_cert_of(struct sni_cert *out, const struct identity *cert, size_t position)
{
    const struct cert_facts *leaf = cert->leaf;
    const struct tls_group *group = leaf->curve == NULL ? NULL : tls_group_by_name(leaf->curve);

    *out = (struct sni_cert){ .identity = cert,
                              .key = key_of(leaf->key),
                              .bits = leaf->key_bits,
                              .group = group == NULL ? 0 : group->code,
                              .hash = cert_hash_of(leaf->sig_algorithm),
                              .not_before_utc = leaf->not_before_utc,
                              .not_after_utc = leaf->not_after_utc,
                              .position = position };
    for (size_t i = 0; i < cert->chain.n; i++)
        out->chain_bytes += cert->chain.at[i]->der.len + 5; /* and what stands around it */
}

/* Add one certificate under its SAN DNS names, or under its CNs when it has no SAN. */
static int add_cert(struct sni_index *x, const struct identity *cert, size_t position)
{
    const struct cert_facts *leaf = cert->leaf;
    struct sni_cert facts;
    size_t room = leaf->n_sans + 8, n = 0;
    char(*texts)[256] = calloc(room, sizeof *texts);
    const char **names = calloc(room, sizeof *names);
    int rc = -1;

    if (texts == NULL || names == NULL)
        goto out;
    sni_cert_of(&facts, cert, position);
    for (size_t i = 0; leaf->has_san && i < leaf->n_sans; i++) {
        const struct der_span value = leaf->sans[i].value;

        if (leaf->sans[i].kind != CERT_NAME_DNS || value.len >= sizeof texts[0] ||
            memchr(value.at, 0, value.len) != NULL)
            continue;
        memcpy(texts[n], value.at, value.len);
        names[n] = texts[n];
        n++;
    }
    while (!leaf->has_san && n < room &&
           cert_name_cn(leaf->subject, n, texts[n], sizeof texts[n])) {
        names[n] = texts[n];
        n++;
    }
    rc = sni_index_add(x, &facts, names, n);
out:
    free(texts);
    free(names);
    return rc;
}

struct sni_index *sni_index_new(const struct identity *const *certs, size_t n,
                                enum sni_validity validity, struct err *err)
{
    struct sni_index *x = sni_index_empty(validity);

    for (size_t i = 0; x != NULL && i < n; i++) {
        if (add_cert(x, certs[i], i) != 0) {
            sni_index_free(x);
            x = NULL;
        }
    }
    if (x != NULL && sni_index_ready(x) != 0) {
        sni_index_free(x);
        x = NULL;
    }
    if (x == NULL)
        err_set(err, ERR_NOMEM, "index of %zu certificates", n);
    return x;
}
