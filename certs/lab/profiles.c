/* SPDX-License-Identifier: Apache-2.0
 * The tables of the certificate lab, and how to find things in them. */
#include "certs/lab/profiles.h"

#include <ctype.h>
#include <mbedtls/x509.h>
#include <stdio.h>
#include <string.h>

#include "core/suggest.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const struct lab_authority lab_authorities[] = {
#define AUTHORITY(...) { __VA_ARGS__ },
#include "certs/lab/authorities.def"
#undef AUTHORITY
};
const size_t lab_n_authorities = COUNT(lab_authorities);

const struct lab_profile lab_profiles[] = {
#define PROFILE(...) { __VA_ARGS__ },
#include "certs/lab/profiles.def"
#undef PROFILE
};
const size_t lab_n_profiles = COUNT(lab_profiles);

const struct lab_store lab_stores[] = {
#define STORE(...) { __VA_ARGS__ },
#include "certs/lab/stores.def"
#undef STORE
};
const size_t lab_n_stores = COUNT(lab_stores);

const struct lab_authority *lab_authority_find(const char *name)
{
    for (size_t i = 0; i < lab_n_authorities; i++) {
        if (strcmp(lab_authorities[i].name, name) == 0)
            return &lab_authorities[i];
    }
    return NULL;
}

const struct lab_profile *lab_profile_find(const char *name, struct err *err)
{
    struct suggest s = suggest_for(name);
    char hint[96];

    for (size_t i = 0; i < lab_n_profiles; i++) {
        if (strcmp(lab_profiles[i].name, name) == 0)
            return &lab_profiles[i];
        suggest_try(&s, lab_profiles[i].name);
    }
    err_set(err, ERR_CONFIG, "no lab profile '%.60s'%s ('nlbsim lab --list' shows all)", name,
            suggest_text(&s, hint, sizeof hint));
    return NULL;
}

const struct lab_store *lab_store_find(const char *name, struct err *err)
{
    struct suggest s = suggest_for(name);
    char hint[96];

    for (size_t i = 0; i < lab_n_stores; i++) {
        if (strcmp(lab_stores[i].name, name) == 0)
            return &lab_stores[i];
        suggest_try(&s, lab_stores[i].name);
    }
    err_set(err, ERR_CONFIG, "no lab trust store '%.60s'%s ('nlbsim lab --list' shows all)", name,
            suggest_text(&s, hint, sizeof hint));
    return NULL;
}

const char *lab_profile_issuer(const struct lab_profile *p)
{
    return p->issuer != NULL ? p->issuer : "issuing";
}

size_t lab_words(const char *text, char *buf, size_t size, const char *words[LAB_WORDS_MAX])
{
    char *save = NULL;
    size_t n = 0;

    snprintf(buf, size, "%s", text);
    for (char *w = strtok_r(buf, " ", &save); w != NULL && n < LAB_WORDS_MAX;
         w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    return n;
}

size_t lab_profile_chain(const struct lab_profile *p, char *buf, size_t size,
                         const char *words[LAB_WORDS_MAX])
{
    const char *issuer = lab_profile_issuer(p);

    if (p->chain != NULL)
        return lab_words(p->chain, buf, size, words);
    words[0] = "leaf";
    if (strcmp(issuer, "leaf") == 0)
        return 1;
    words[1] = issuer;
    return 2;
}

int lab_host_check(const char *host, struct err *err)
{
    size_t len = strlen(host);

    if (len == 0 || len > LAB_HOST_MAX) {
        err_set(err, ERR_CONFIG, "host name of %zu characters; 1 to %d are possible", len,
                LAB_HOST_MAX);
        return -1;
    }
    if (strchr(host, ',') != NULL) {
        err_set(err, ERR_CONFIG, "'%.253s' is no host name: one certificate a line, of one host",
                host);
        return -1;
    }
    for (const char *p = host; *p != '\0'; p++) {
        if (!isascii((unsigned char)*p) ||
            (!isalnum((unsigned char)*p) && strchr("-._:*", *p) == NULL)) {
            err_set(err, ERR_CONFIG,
                    "'%.253s' is not a host name: letters, digits, '-', '.', '_', a leading '*', "
                    "or an address (other scripts in their xn-- form)",
                    host);
            return -1;
        }
    }
    return 0;
}
