/* SPDX-License-Identifier: Apache-2.0
 * The keys of [lab_target NAME]. */
#include "labtarget/target_cfg.h"

#include <string.h>

#include "core/suggest.h"
#include "labtarget/fault_parse.h"
#include "tls/tls_can.h"
#include "tls/tls_params.h"

#define OURS "a setting of nlbsim"

#define OLD_TLS "not simulated: the TLS library (mbedTLS 3.6) speaks TLS 1.2 and 1.3 only"

static const struct cfg_choice protocols[] = {
    { "HTTPS", LAB_HTTPS, NULL },
    { "HTTP", LAB_HTTP, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice client_auths[] = {
    { "none", CLIENT_AUTH_NONE, NULL },
    { "request", CLIENT_AUTH_REQUEST, NULL },
    { "require", CLIENT_AUTH_REQUIRE, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice versions[] = {
    { "1.2", LAB_TLS_1_2, NULL },
    { "1.3", LAB_TLS_1_3, NULL },
    { "1.0", -1, OLD_TLS },
    { "1.1", -1, OLD_TLS },
    { NULL, 0, NULL },
};

static int parse_certificate(void *object, const struct cfg_value *value)
{
    struct lab_target_cfg *t = object;

    t->certificate.spec = arena_strdup(value->arena, value->text);
    t->certificate.line = value->line;
    if (t->certificate.spec == NULL)
        value->problems->environment = true;
    return t->certificate.spec == NULL ? -1 : 0;
}

/* Append each word of the text. */
static int parse_words(const char ***words, size_t *n, const char *separators,
                       const struct cfg_value *value)
{
    const char *at = value->text;

    while (*(at += strspn(at, separators)) != '\0') {
        size_t word = strcspn(at, separators);
        const char *copy = arena_strndup(value->arena, at, word);
        const char **slot =
            copy == NULL ? NULL : arena_append(value->arena, words, n, sizeof *slot);

        if (slot == NULL) {
            value->problems->environment = true;
            return -1;
        }
        *slot = copy;
        at += word;
    }
    return 0;
}

static int refuse_cipher(const char *name, const struct cfg_value *value)
{
    struct suggest s = suggest_for(name);
    char hint[96];
    size_t n;
    const struct tls_suite *row = tls_suite_all(&n);

    for (size_t i = 0; i < n; i++) {
        if (!tls_can_suite(TLS_LIBRARY_MBEDTLS, row[i].code))
            continue;
        suggest_try(&s, row[i].iana);
        suggest_try(&s, row[i].openssl);
    }
    problems_add(value->problems, value->line,
                 "ciphers: '%s' is no cipher suite that the TLS library has%s", name,
                 suggest_text(&s, hint, sizeof hint));
    return -1;
}

static int parse_ciphers(void *object, const struct cfg_value *value)
{
    struct lab_target_cfg *t = object;
    size_t known = t->n_ciphers;
    int rc = parse_words(&t->ciphers, &t->n_ciphers, " \t,:", value);

    for (size_t i = known; i < t->n_ciphers; i++) {
        const struct tls_suite *row = tls_suite_by_name(t->ciphers[i]);
        uint16_t *slot = arena_append(value->arena, &t->suites, &known, sizeof *slot);

        if (slot == NULL) {
            value->problems->environment = true;
            return -1;
        }
        if (row == NULL || !tls_can_suite(TLS_LIBRARY_MBEDTLS, row->code))
            rc = refuse_cipher(t->ciphers[i], value);
        else
            *slot = row->code;
    }
    return rc;
}

static int parse_alpn(void *object, const struct cfg_value *value)
{
    struct lab_target_cfg *t = object;

    if (parse_words(&t->alpn, &t->n_alpn, " \t,", value) != 0)
        return -1;
    for (size_t i = 0; i < t->n_alpn; i++) {
        if (strlen(t->alpn[i]) > 255) {
            problems_add(value->problems, value->line,
                         "alpn: a protocol name has at most 255 characters");
            return -1;
        }
    }
    return 0;
}

static int check_fault(void *object, const struct cfg_value *value)
{
    struct fault fault;
    struct err err;

    (void)object;
    if (fault_parse(value->text, &fault, &err) == 0)
        return 0;
    problems_add(value->problems, value->line, "%s", err.text);
    return -1;
}

#define AT(field) offsetof(struct lab_target_cfg, field)

/* clang-format off */
const struct cfg_key lab_target_keys[] = {
    { .name = "protocol", .kind = CFG_ENUM, .offset = AT(protocol), .choices = protocols, .def = "HTTPS",
      .help = "what the target speaks", .source = OURS },
    { .name = "listen", .kind = CFG_ADDR, .offset = AT(listen), .def = "127.0.0.1:0", .mistaken = "port address bind",
      .help = "where it listens; port 0 picks a free one", .source = OURS },
    { .name = "certificate", .kind = CFG_CUSTOM, .file = CFG_FILE_READ, .parse_cb = parse_certificate, .values = "a PEM file, two (CERT.pem KEY.pem), lab:PROFILE/HOST",
      .with = "HTTPS", .help = "what it presents; any key type; required", .source = OURS },
    { .name = "client_auth", .kind = CFG_ENUM, .offset = AT(client_auth), .choices = client_auths, .def = "none",
      .with = "HTTPS", .help = "ask for a client certificate, or insist on one", .source = OURS },
    { .name = "client_ca", .kind = CFG_TEXT, .file = CFG_FILE_READ, .offset = AT(client_ca), .values = "a PEM file, lab:client, lab:public, lab:private, lab:all, system",
      .with = "HTTPS", .help = "whom client certificates must come from; needed with client_auth = require", .source = OURS },
    { .name = "client_crl", .kind = CFG_TEXT, .file = CFG_FILE_READ, .offset = AT(client_crl), .values = "a PEM file, lab:PROFILE/HOST (the list of its issuer)",
      .with = "HTTPS", .help = "list of revoked client certificates; without it revocation is not looked at", .source = OURS },
    { .name = "tls_min", .kind = CFG_ENUM, .offset = AT(tls_min), .choices = versions, .def = "1.2",
      .with = "HTTPS", .help = "the lowest TLS version", .source = OURS },
    { .name = "tls_max", .kind = CFG_ENUM, .offset = AT(tls_max), .choices = versions, .def = "1.3",
      .with = "HTTPS", .help = "the highest TLS version", .source = OURS },
    { .name = "ciphers", .kind = CFG_CUSTOM, .repeated = true, .parse_cb = parse_ciphers,
      .values = "cipher suites, OpenSSL's or IANA's names", .with = "HTTPS", .help = "in order of preference; without the key the library's list", .source = OURS },
    { .name = "alpn", .kind = CFG_CUSTOM, .repeated = true, .parse_cb = parse_alpn, .values = "protocols, such as h2 http/1.1",
      .with = "HTTPS", .help = "ALPN protocols in order of preference; without the key ALPN is off", .source = OURS },
    { .name = "fault", .kind = CFG_TEXT, .offset = AT(fault), .parse_cb = check_fault, .def = "none", .values = "none, or NAME[:ARGUMENT] of docs/lab-target.md",
      .help = "how the target misbehaves", .source = OURS },
    { .name = NULL },
};
/* clang-format on */
