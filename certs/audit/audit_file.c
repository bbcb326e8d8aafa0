/* SPDX-License-Identifier: Apache-2.0
 * Audit of one file: what kind of file it is, its chain, its private key. */
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/audit/audit_impl.h"
#include "certs/store/identity.h"

#define PATH_LEN 4096

/* Where the private key of a file is: in it, or beside it; false when there is none. */
static bool find_key(const char *path, const char *text, char out[PATH_LEN])
{
    size_t n = strlen(path);

    if (strstr(text, "PRIVATE KEY-----") != NULL) {
        snprintf(out, PATH_LEN, "%s", path);
        return true;
    }
    if (n > 4 && (strcmp(path + n - 4, ".pem") == 0 || strcmp(path + n - 4, ".crt") == 0))
        n -= 4;
    snprintf(out, PATH_LEN, "%.*s.key", (int)n, path);
    return access(out, F_OK) == 0;
}

/* A trust store, or an authority's own file: several roots (a chain has one at most), or
 * authorities only, none of which names a host. */
static bool is_store(const struct cert_list *list)
{
    bool roots = list->n > 1, authorities = true;

    for (size_t i = 0; i < list->n; i++) {
        const struct cert_facts *f = list->at[i];
        bool readable = f->refusal[0] == '\0';

        roots &= !readable || f->self_issued;
        authorities &= readable && f->has_basic_constraints && f->ca && !f->has_san;
    }
    return roots || authorities;
}

static int check_key_file(struct audit_report *report, const struct audit_subject *s,
                          const char *key, const char *text, size_t len)
{
    struct err why = { 0 };
    struct identity *cert;
    struct stat st;
    int rc = 0;

    if (stat(key, &st) == 0 && (st.st_mode & 077) != 0)
        rc = audit_note(report, s, AUDIT_KEY_EXPOSED, NULL, "%s has mode %03o", key,
                        (unsigned)st.st_mode & 0777);
    cert = identity_load_text(s->file, text, len, &why);
    if (rc == 0 && cert == NULL && strstr(why.text, "does not belong") != NULL)
        rc = audit_note(report, s, AUDIT_KEY_MISMATCH, s->chain->at[0], "%s", why.text);
    else if (rc == 0 && cert == NULL && strstr(why.text, "private key") != NULL)
        rc = audit_note(report, s, AUDIT_KEY_UNUSABLE, s->chain->at[0], "%s", why.text);
    identity_unref(cert);
    return rc;
}

/* A client certificate by its purposes, or by being API Gateway's own; not when a host is given,
 * for then it is meant to be a server's. */
static enum audit_role role_of(const struct cert_list *list, const char *host)
{
    const struct cert_facts *leaf = list->at[0];
    bool server = false;
    char cn[64];

    if (is_store(list))
        return AUDIT_ROLE_STORE;
    if (host != NULL)
        return AUDIT_ROLE_UNKNOWN;
    if (!leaf->has_eku)
        return cert_name_cn(leaf->subject, 0, cn, sizeof cn) && strcmp(cn, "ApiGateway") == 0
                   ? AUDIT_ROLE_CLIENT
                   : AUDIT_ROLE_UNKNOWN;
    for (size_t i = 0; i < leaf->n_eku; i++)
        server |= der_oid_is(leaf->eku[i], "1.3.6.1.5.5.7.3.1");
    return server ? AUDIT_ROLE_UNKNOWN : AUDIT_ROLE_CLIENT;
}

int audit_file(struct audit_report *report, const struct audit_options *o, const char *path,
               const char *text, size_t len, const struct audit_store *store, const char *host,
               struct err *err)
{
    struct cert_list list = { 0 };
    struct err none = { 0 };
    struct audit_subject s = { .file = path, .chain = &list, .store = store, .host = host };
    char key[PATH_LEN];
    bool has_key = find_key(path, text, key);
    int rc = 1;

    if (cert_list_read(&list, text, len, path, &none) == 0) {
        s.role = role_of(&list, host);
        rc = o->truststore != NULL && s.role != AUDIT_ROLE_STORE ? audit_client(report, o, &s, err)
                                                                 : audit_chain(report, o, &s, err);
        if (rc == 0 && has_key && check_key_file(report, &s, key, text, len) != 0) {
            err_set(err, ERR_NOMEM, "%s", path);
            rc = -1;
        }
    } else if (strstr(text, "-----BEGIN CERTIFICATE-----") != NULL) {
        rc = audit_note(report, &s, AUDIT_FILE_REFUSED, NULL, "%s", none.text);
    } else {
        *err = none;
    }
    cert_list_clear(&list);
    return rc;
}
