/* SPDX-License-Identifier: Apache-2.0
 * The sections beside the load balancer's own, and the rules that need the whole file. */
#include "testbed/sections.h"

#include <string.h>

#include "certs/store/identity.h"
#include "certs/store/revocation_list.h"
#include "certs/store/trust_store.h"
#include "core/suggest.h"
#include "labtarget/fault_parse.h"
#include "tls/tls_can.h"
#include "tls/tls_params.h"

/* Suites that can be acted out, at least one of them for a version that is on. */
static void check_ciphers(const struct lab_target_cfg *t, struct problems *problems)
{
    int line = cfg_line(&t->obj, "ciphers");
    bool any = t->n_ciphers == 0;

    for (size_t i = 0; i < t->n_ciphers; i++) {
        const struct tls_suite *suite = tls_suite_by_name(t->ciphers[i]);

        if (suite == NULL)
            continue;
        if (!tls_can_suite(TLS_LIBRARY_MBEDTLS, suite->code))
            problems_add(problems, line, "ciphers: the TLS library does not have %s",
                         t->ciphers[i]);
        else if ((t->tls_min == LAB_TLS_1_2 && tls_suite_fits_version(suite, TLS_1_2)) ||
                 (t->tls_max == LAB_TLS_1_3 && tls_suite_fits_version(suite, TLS_1_3)))
            any = true;
    }
    if (!any)
        problems_add(problems, line,
                     "ciphers: none of them goes with tls_min and tls_max of this target");
}

/* The fault must mean something for the protocol, and the keys that it goes by. */
static void check_fault_protocol(const struct lab_target_cfg *t, struct problems *problems)
{
    struct fault fault;
    int line = cfg_line(&t->obj, "fault");

    if (t->fault == NULL || fault_parse(t->fault, &fault, NULL) != 0 || fault.row == NULL)
        return;
    if (fault.row->https_only && t->protocol != LAB_HTTPS)
        problems_add(problems, line, "fault %s is for protocol = HTTPS", fault.row->name);
    if (fault.row->arg == FAULT_ARG_NAME && fault.text[0] == '\0' && t->protocol != LAB_HTTPS)
        problems_add(problems, line,
                     "fault %s needs a name here, as there is no certificate that holds one: "
                     "fault = %s:HOST",
                     fault.row->name, fault.row->name);
    if (fault.row->client_auth && t->client_auth == CLIENT_AUTH_NONE)
        problems_add(problems, line, "fault %s needs client_auth = request or require",
                     fault.row->name);
}

static void check_https(const struct lab_target_cfg *t, struct problems *problems)
{
    if (t->certificate.spec == NULL)
        problems_add(problems, t->obj.line,
                     "HTTPS lab target '%s' has no certificate: certificate = FILE.pem or "
                     "certificate = lab:self-signed/HOST",
                     t->obj.name);
    if (t->tls_min > t->tls_max)
        problems_add(problems, cfg_line(&t->obj, "tls_max"),
                     "tls_max = 1.2 is below tls_min = 1.3");
    else
        check_ciphers(t, problems);
    if (t->client_auth == CLIENT_AUTH_REQUIRE && t->client_ca == NULL)
        problems_add(problems, cfg_line(&t->obj, "client_auth"),
                     "client_auth = require needs client_ca: whom must the certificates come from "
                     "(client_ca = FILE.pem or client_ca = lab:client)");
    if (t->client_auth == CLIENT_AUTH_NONE && t->client_ca != NULL)
        problems_add(problems, cfg_line(&t->obj, "client_ca"),
                     "client_ca without client_auth = request or require is never used");
    if (t->client_crl != NULL && t->client_ca == NULL)
        problems_add(problems, cfg_line(&t->obj, "client_crl"),
                     "client_crl without client_ca is never used");
}

/* Nobody else of the file may listen there. */
static void check_listen(const struct nlb_config *c, const struct lab_target_cfg *t,
                         struct problems *problems)
{
    char text[ADDR_TEXT_MAX];
    size_t n;
    const struct lab_target_cfg *all = lab_config_targets(c, &n);

    if (addr_port(&t->listen) == 0)
        return;
    addr_format(&t->listen, text);
    for (size_t i = 0; i < c->n_listeners; i++) {
        if (addr_equal(&t->listen, &c->listeners[i].listen))
            problems_add(problems, cfg_line(&t->obj, "listen"),
                         "listen = %s is taken by listener '%s'; use another port", text,
                         c->listeners[i].obj.name);
    }
    for (size_t i = 0; i < n && all[i].obj.line < t->obj.line; i++) {
        if (addr_equal(&t->listen, &all[i].listen))
            problems_add(problems, cfg_line(&t->obj, "listen"),
                         "listen = %s is taken by lab target '%s'; use another port", text,
                         all[i].obj.name);
    }
}

/* "lab:PROFILE/HOST" can be judged without loading. */
static void check_spec(const char *key, const char *spec, int line, struct problems *problems)
{
    struct err err;

    if (spec != NULL && cert_spec_is_lab(spec) && cert_spec_check(spec, &err) != 0)
        problems_add(problems, line, "%s = %s: %s", key, spec, err.text);
}

/* The certificate to present and the authorities of client certificates. */
static void load_target(const struct nlb_config *c, struct lab_target_cfg *t,
                        struct problems *problems)
{
    struct err err = { .code = ERR_NONE };

    if (t->protocol != LAB_HTTPS)
        return;
    if (t->certificate.spec != NULL) {
        t->certificate.identity = identity_load(t->certificate.spec, c->dir, c->lab, &err);
        if (t->certificate.identity == NULL)
            problems_add(problems, t->certificate.line, "certificate = %s: %s", t->certificate.spec,
                         err.text);
    }
    if (t->client_ca != NULL) {
        t->client_ca_store = trust_store_load(t->client_ca, c->dir, c->lab, &err);
        if (t->client_ca_store == NULL)
            problems_add(problems, cfg_line(&t->obj, "client_ca"), "client_ca = %s: %s",
                         t->client_ca, err.text);
    }
    if (t->client_crl != NULL) {
        t->client_revocation_list = revocation_list_load(t->client_crl, c->dir, c->lab, &err);
        if (t->client_revocation_list == NULL)
            problems_add(problems, cfg_line(&t->obj, "client_crl"), "client_crl = %s: %s",
                         t->client_crl, err.text);
    }
}

static void clear_target(void *object)
{
    struct lab_target_cfg *t = object;

    identity_unref(t->certificate.identity);
    trust_store_unref(t->client_ca_store);
    revocation_list_free(t->client_revocation_list);
}

static void check_target(struct nlb_config *c, void *object, bool load, struct problems *problems)
{
    struct lab_target_cfg *t = object;

    if (t->fault != NULL && strcmp(t->fault, "none") == 0)
        t->fault = NULL;
    if (t->protocol == LAB_HTTPS)
        check_https(t, problems);
    check_fault_protocol(t, problems);
    check_listen(c, t, problems);
    if (load) {
        load_target(c, t, problems);
    } else {
        check_spec("certificate", t->certificate.spec, t->certificate.line, problems);
        check_spec("client_crl", t->client_crl, cfg_line(&t->obj, "client_crl"), problems);
    }
}

/* Can the files and lab names of an integration be loaded? Who runs it loads them anew; nothing of
 * the lab is issued for it now. */
static void try_loading(const struct nlb_config *c, const struct integration_cfg *g,
                        struct problems *problems)
{
    struct err err = { .code = ERR_NONE };
    int line = cfg_line(&g->obj, "trust_store");
    struct trust_store *store =
        line == 0 ? NULL : trust_store_load(g->trust_store, c->dir, c->lab, &err);
    struct identity *cert = NULL;

    if (line != 0 && store == NULL)
        problems_add(problems, line, "trust_store = %s: %s", g->trust_store, err.text);
    trust_store_unref(store);
    if (g->client_certificate == NULL || cert_spec_is_lab(g->client_certificate))
        return;
    cert = identity_load(g->client_certificate, c->dir, c->lab, &err);
    if (cert == NULL)
        problems_add(problems, cfg_line(&g->obj, "client_certificate"),
                     "client_certificate = %s: %s", g->client_certificate, err.text);
    identity_unref(cert);
}

static void check_timeout(const struct integration_cfg *g, struct problems *problems)
{
    int line = cfg_line(&g->obj, "timeout_in_millis");

    if (g->api_type == API_HTTP && g->timeout_ms > HTTP_API_TIMEOUT_MAX_MS)
        problems_add(
            problems, line,
            "timeout_in_millis = %u: an HTTP API's integration takes at most 30000 ms, and "
            "this quota cannot be raised "
            "(https://docs.aws.amazon.com/apigateway/latest/developerguide/"
            "http-api-quotas.html)",
            (unsigned)g->timeout_ms);
    if (g->api_type == API_REST && g->timeout_ms > g->timeout_quota_ms)
        problems_add(problems, line,
                     "timeout_in_millis = %u is above the quota of %u ms; where it was raised "
                     "(Regional and private REST APIs only), write timeout_quota_in_millis = %u "
                     "(https://docs.aws.amazon.com/apigateway/latest/developerguide/"
                     "api-gateway-execution-service-limits-table.html)",
                     (unsigned)g->timeout_ms, (unsigned)g->timeout_quota_ms,
                     (unsigned)g->timeout_ms);
}

static void check_integration(struct nlb_config *c, void *object, bool load,
                              struct problems *problems)
{
    struct integration_cfg *g = object;
    struct suggest s;
    char hint[96];

    if (g->client_certificate != NULL && strcmp(g->client_certificate, "none") == 0)
        g->client_certificate = NULL;
    check_spec("client_certificate", g->client_certificate, cfg_line(&g->obj, "client_certificate"),
               problems);
    check_timeout(g, problems);
    if (load)
        try_loading(c, g, problems);
    if (g->listener == NULL) {
        if (g->not_acted == NULL && g->connection_type == CONNECTION_VPC_LINK)
            problems_add(problems, g->obj.line, "[integration %s] needs listener = NAME",
                         g->obj.name);
        return;
    }
    for (size_t i = 0; i < c->n_listeners; i++) {
        if (strcmp(c->listeners[i].obj.name, g->listener) != 0)
            continue;
        /* The first integration on a listener says who would validate what its targets present. */
        if (c->listeners[i].judge_store == NULL)
            c->listeners[i].judge_store = g->trust_store;
        return;
    }
    s = suggest_for(g->listener);
    for (size_t i = 0; i < c->n_listeners; i++)
        suggest_try(&s, c->listeners[i].obj.name);
    problems_add(problems, cfg_line(&g->obj, "listener"), "there is no [listener %s]%s",
                 g->listener, suggest_text(&s, hint, sizeof hint));
}

static const struct section_kind kind_target = {
    .name = "lab_target",
    .named = true,
    .stands_alone = true,
    .size = sizeof(struct lab_target_cfg),
    .keys = lab_target_keys,
    .check_cb = check_target,
    .clear_cb = clear_target,
};
static const struct section_kind kind_integration = {
    .name = "integration",
    .named = true,
    .size = sizeof(struct integration_cfg),
    .keys = integration_keys,
    .check_cb = check_integration,
};

const struct section_kind *const lab_section_kinds[] = { &kind_target, &kind_integration };
const size_t lab_n_section_kinds = sizeof lab_section_kinds / sizeof lab_section_kinds[0];

static const void *items(const struct nlb_config *config, const char *kind, size_t *n)
{
    const struct config_list *list = nlb_config_list(config, kind);

    *n = list == NULL ? 0 : list->n;
    return list == NULL ? NULL : list->items;
}

const struct lab_target_cfg *lab_config_targets(const struct nlb_config *config, size_t *n)
{
    return items(config, kind_target.name, n);
}

const struct integration_cfg *lab_config_integrations(const struct nlb_config *config, size_t *n)
{
    return items(config, kind_integration.name, n);
}
