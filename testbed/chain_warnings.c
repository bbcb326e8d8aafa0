/* SPDX-License-Identifier: Apache-2.0
 * What API Gateway will say of the certificates of a configuration. */
#include "testbed/chain_warnings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "core/clock.h"
#include "diagnose/diagnose.h"
#include "diagnose/judged.h"
#include "listeners/sni.h"
#include "testbed/sections.h"
#include "vpclink/uri.h"

struct chain_warner {
    const struct nlb_config *config;
    chain_warning_cb *say;
    void *user;
};

/* Where a certificate stands. */
struct place {
    const struct identity_cfg *certificate;
    const char *validated, *kind, *name; /* "listener", "listener", "https" */
};

static void say_diagnosis(const struct chain_warner *w, const struct place *p, struct facts *f,
                          const char *integration)
{
    struct diagnosis d = { NULL, 0 };
    char *text = f != NULL && diagnose(f, &d) == 0 && d.n > 0 ? diagnosis_text(&d) : NULL;
    char *whole = NULL;

    if (text != NULL && integration != NULL &&
        asprintf(&whole, "integration '%s' will fail: %s", integration, text) < 0)
        whole = NULL;
    if (text != NULL)
        w->say(w->user, p->certificate->line, whole != NULL ? whole : text);
    free(whole);
    free(text);
    diagnosis_clear(&d);
}

/* The name that an integration verifies; false when it validates nothing. */
static bool verified_host(const struct integration_cfg *g, char *out, size_t size)
{
    struct gateway_uri uri;

    if (gateway_uri_parse(&uri, g->uri, NULL) != 0 || !uri.valid)
        return false;
    if (g->server_name_to_verify == NULL && !uri.tls)
        return false;
    snprintf(out, size, "%s",
             g->server_name_to_verify != NULL ? g->server_name_to_verify : uri.host);
    return true;
}

static bool expected(const struct integration_cfg *g, const struct verdict *v)
{
    return (g->expect != NULL && strcmp(g->expect, "ok") != 0) ||
           (g->also_expect != NULL && strstr(v->error, g->also_expect) != NULL);
}

static void judge_place(const struct chain_warner *w, const struct place *p,
                        const struct integration_cfg *g, const char *host)
{
    struct err err;
    const struct cert_list *chain = &p->certificate->identity->chain;
    struct trust_store *store =
        trust_store_load(g->trust_store, w->config->dir, w->config->lab, &err);
    struct trust_anchors *anchors = store == NULL ? NULL : trust_anchors_of(store, false);
    struct trust_request req = {
        .chain = chain->at,
        .chain_len = chain->n,
        .anchors = anchors,
        .host = host,
        .at_utc = clock_wall_s(),
        .client = TRUST_APACHE,
        .tls12 = true,
        .insecure_skip = g->insecure_skip_verification && g->api_type == API_REST,
        .skip_refuses_plain_self_signed = !g->skip_allows_plain_self_signed,
    };
    char section[160], integration[160];
    struct verdict v;
    struct facts *f;

    if (g->at != NULL)
        (void)clock_parse_utc(g->at, req.at_utc, &req.at_utc);
    if (anchors != NULL) {
        trust_judge(&req, &v);
        snprintf(section, sizeof section, "[%s %s]", p->kind, p->name);
        snprintf(integration, sizeof integration, "[integration %s]", g->obj.name);
        f = v.ok || verdict_unknown(v.code) || expected(g, &v)
                ? NULL
                : judged_facts(&(struct judged_chain){ .verdict = &v,
                                                       .request = &req,
                                                       .anchors = &store->list,
                                                       .store = g->trust_store,
                                                       .validated = p->validated,
                                                       .section = section,
                                                       .file = p->certificate->spec,
                                                       .integration = integration,
                                                       .no_flag = g->api_type == API_HTTP });
        say_diagnosis(w, p, f, g->obj.name);
        facts_free(f);
    }
    trust_anchors_free(anchors);
    trust_store_unref(store);
}

/* What no trust store could cure. */
static void look_at_place(const struct chain_warner *w, const struct place *p)
{
    const struct cert_list *list = &p->certificate->identity->chain;
    struct chain *chain = chain_of_list(list, NULL, NULL, clock_wall_s());
    struct facts *f = chain == NULL ? NULL : facts_new();

    if (f != NULL) {
        facts_set(f, "view", "shape");
        facts_set(f, "validated", p->validated);
        facts_setf(f, "validated.section", "[%s %s]", p->kind, p->name);
        facts_set(f, "validated.file", p->certificate->spec);
        facts_setf(f, "judged", "the certificate of [%s %s]", p->kind, p->name);
        chain_facts(chain, f);
        say_diagnosis(w, p, f, NULL);
    }
    facts_free(f);
    chain_free(chain);
}

/* --- places --- */
static size_t served_position(const struct listener_cfg *l, const char *host)
{
    struct err err;
    const struct identity **certs = calloc(l->n_certificates, sizeof *certs);
    struct sni_index *index = NULL;
    size_t at = 0;

    for (size_t i = 0; certs != NULL && i < l->n_certificates; i++)
        certs[i] = l->certificates[i].identity;
    if (certs != NULL)
        index = sni_index_new(certs, l->n_certificates, SNI_LATEST_END, &err);
    if (index != NULL && gateway_sni_refusal(host) == NULL)
        at = sni_pick(index, host, NULL, NULL, NULL, NULL)->position;
    sni_index_free(index);
    free(certs);
    return at;
}

static void warn_tls_listener(const struct chain_warner *w, const struct listener_cfg *l)
{
    size_t n;
    const struct integration_cfg *all = lab_config_integrations(w->config, &n);
    struct place p = { .validated = "listener", .kind = "listener", .name = l->obj.name };
    bool judged = false;
    char host[256];

    for (size_t i = 0; i < n; i++) {
        if (all[i].listener == NULL || strcmp(all[i].listener, l->obj.name) != 0)
            continue;
        judged = true;
        if (!verified_host(&all[i], host, sizeof host))
            continue;
        p.certificate = &l->certificates[served_position(l, host)];
        judge_place(w, &p, &all[i], host);
    }
    for (size_t i = 0; i < l->n_certificates && !judged; i++) {
        p.certificate = &l->certificates[i];
        look_at_place(w, &p);
    }
}

static bool has_target(const struct listener_cfg *l, const char *lab)
{
    for (size_t i = 0; i < l->n_forwards; i++) {
        const struct target_group_cfg *g = l->forwards[i].group;

        for (size_t k = 0; k < g->n_targets; k++) {
            if (g->targets[k].lab != NULL && strcmp(g->targets[k].lab, lab) == 0)
                return true;
        }
    }
    return false;
}

/* Behind a TCP listener the target's certificate is the one that is validated. */
static void warn_target(const struct chain_warner *w, const struct lab_target_cfg *t)
{
    size_t n;
    const struct integration_cfg *all = lab_config_integrations(w->config, &n);
    const struct place p = { &t->certificate, "target", "lab_target", t->obj.name };
    char host[256];

    for (size_t i = 0; i < n; i++) {
        const struct listener_cfg *l =
            all[i].listener == NULL ? NULL : nlb_config_listener(w->config, all[i].listener);

        if (l != NULL && l->protocol == PROTOCOL_TCP && has_target(l, t->obj.name) &&
            verified_host(&all[i], host, sizeof host))
            judge_place(w, &p, &all[i], host);
    }
}

static void warn_client(const struct chain_warner *w, const struct integration_cfg *g)
{
    struct err err;
    struct identity *loaded =
        identity_load(g->client_certificate, w->config->dir, w->config->lab, &err);
    const struct identity_cfg c = { .spec = g->client_certificate,
                                    .line = cfg_line(&g->obj, "client_certificate"),
                                    .identity = loaded };
    const struct place p = { &c, "client", "integration", g->obj.name };

    if (loaded != NULL && (g->expect == NULL || strcmp(g->expect, "ok") == 0))
        look_at_place(w, &p);
    identity_unref(loaded);
}

void lab_config_chain_warnings(const struct nlb_config *c, chain_warning_cb *say, void *user)
{
    const struct chain_warner w = { c, say, user };
    size_t n_targets, n;
    const struct lab_target_cfg *targets = lab_config_targets(c, &n_targets);
    const struct integration_cfg *integrations = lab_config_integrations(c, &n);

    for (size_t i = 0; i < c->n_listeners; i++) {
        if (c->listeners[i].n_certificates > 0 && c->listeners[i].certificates[0].identity != NULL)
            warn_tls_listener(&w, &c->listeners[i]);
    }
    for (size_t i = 0; i < n_targets; i++) {
        if (targets[i].certificate.identity != NULL)
            warn_target(&w, &targets[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (integrations[i].client_certificate != NULL && c->lab != NULL)
            warn_client(&w, &integrations[i]);
    }
}
