/* SPDX-License-Identifier: Apache-2.0
 * TLS of an HTTPS target: prepared configurations, the choice by ClientHello, client certificates.
 */
#include <stdlib.h>
#include <string.h>

#include "certs/store/identity.h"
#include "certs/store/revocation_list.h"
#include "certs/store/trust_store.h"
#include "labtarget/target_impl.h"
#include "tls/tls_conf.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

/* The configured suites that go with a version; all of the library's when none is configured. */
static size_t suites_of(const struct lab_target_cfg *cfg, uint16_t version, uint16_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < cfg->n_ciphers; i++) {
        const struct tls_suite *suite = tls_suite_by_name(cfg->ciphers[i]);

        if (suite != NULL && tls_suite_fits_version(suite, version))
            out[n++] = suite->code;
    }
    return n;
}

/* One configuration per version, because the version has to be known before mbedTLS sees the
 * hello: it takes no hello without extensions when TLS 1.3 is on (docs/libraries.md).
 *
 * A required client certificate: TLS 1.2 refuses inside the handshake, which is where the library
 * judges it. In TLS 1.3 the client has finished by then; the library would send its alert under
 * handshake keys, which such a client cannot read any more, so there it only asks and
 * target_tls_refusal() judges. */
static int prepare(const struct lab_target *t, uint16_t version, struct tls_conf **out,
                   struct err *err)
{
    const struct lab_target_cfg *cfg = t->cfg;
    const char **alpn = calloc(cfg->n_alpn + 1, sizeof *alpn);
    uint16_t *suites = calloc(cfg->n_ciphers + 1, sizeof *suites);
    struct tls_conf_params params = { .server = true,
                                      .min_version = version,
                                      .max_version = version };
    int rc = -1;

    if (alpn == NULL || suites == NULL) {
        err_set(err, ERR_NOMEM, "lab target '%s'", t->info.name);
        goto out;
    }
    params.n_suites = suites_of(cfg, version, suites);
    params.suites = suites;
    if (cfg->n_ciphers > 0 && params.n_suites == 0) {
        rc = 0; /* none of the suites is for this version: it is off */
        goto out;
    }
    if (cfg->n_alpn > 0)
        memcpy(alpn, cfg->alpn, cfg->n_alpn * sizeof *alpn);
    params.alpn = cfg->n_alpn > 0 ? alpn : NULL;
    if (cfg->client_auth != CLIENT_AUTH_NONE)
        params.client_auth = cfg->client_auth == CLIENT_AUTH_REQUIRE && version == TLS_1_2
                                 ? TLS_CLIENT_AUTH_REQUIRE
                                 : TLS_CLIENT_AUTH_REQUEST;
    params.client_ca = cfg->client_ca_store == NULL ? NULL : cfg->client_ca_store->crt;
    params.client_crl = revocation_list_mbedtls(cfg->client_revocation_list);
    *out = tls_conf_new(&params, err);
    if (*out != NULL)
        rc = 0;
    else
        err_prefix(err, "lab target '%s'", t->info.name);
out:
    free(alpn);
    free(suites);
    return rc;
}

int lab_target_tls_prepare(struct lab_target *t, struct err *err)
{
    const struct lab_target_cfg *cfg = t->cfg;

    if (cfg->certificate.identity == NULL) {
        err_set(err, ERR_CONFIG, "lab target '%s' has no certificate", t->info.name);
        return -1;
    }
    if (cfg->tls_min == LAB_TLS_1_2 && prepare(t, TLS_1_2, &t->conf_12, err) != 0)
        return -1;
    if (cfg->tls_max == LAB_TLS_1_3 && prepare(t, TLS_1_3, &t->conf_13, err) != 0)
        return -1;
    if (t->conf_12 != NULL || t->conf_13 != NULL)
        return 0;
    err_set(err, ERR_CONFIG, "lab target '%s': none of its ciphers goes with its TLS versions",
            t->info.name);
    return -1;
}

void lab_target_tls_clear(struct lab_target *t)
{
    tls_conf_free(t->conf_12);
    tls_conf_free(t->conf_13);
    t->conf_12 = t->conf_13 = NULL;
}

static const struct tls_conf *conf_for(const struct lab_target *t, const struct tls_offer *offer)
{
    bool old_style = offer->versions.count == 0;

    if (t->conf_13 != NULL && tls_offer_has_version(offer, TLS_1_3))
        return t->conf_13;
    if (old_style ? offer->legacy_version >= TLS_1_2 : tls_offer_has_version(offer, TLS_1_2))
        return t->conf_12;
    return NULL;
}

void lab_target_tls_hello_cb(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    struct conn *c = arg;
    const struct identity *cert = c->target->cfg->certificate.identity;

    out->alert_level = 2;
    if (offer->malformed != NULL) {
        out->alert_number = TLS_ALERT_decode_error;
        return;
    }
    fault_act_at(c, FAULT_HELLO, offer);
    if (c->fault.alerts || c->fault.refuse) {
        out->alert_number = c->fault.alert;
        out->alert_level = !c->fault.alerts ? 0 : c->fault.alert == TLS_ALERT_close_notify ? 1 : 2;
        return;
    }
    out->conf = conf_for(c->target, offer);
    if (out->conf == NULL)
        out->alert_number = TLS_ALERT_protocol_version;
    out->hold = c->fault.hold;
    out->identity = identity_to_present(cert);
}

uint8_t target_tls_refusal(const struct conn *c)
{
    const struct lab_target_cfg *cfg = c->target->cfg;
    const struct tls_facts *facts = hop_tls_facts(c->hop);

    if (facts == NULL || cfg->client_auth != CLIENT_AUTH_REQUIRE)
        return 0;
    if (facts->peer_chain.presented == 0)
        return facts->version == TLS_1_3 ? TLS_ALERT_certificate_required
                                         : TLS_ALERT_handshake_failure;
    return facts->verify_flags == 0 ? 0 : tls_verify_alert(facts->verify_flags);
}
