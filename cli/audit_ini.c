/* SPDX-License-Identifier: Apache-2.0
 * Audit of an INI file: the certificates of listeners and lab targets, each judged as its
 * integrations would judge it; client certificates and trust stores for their dates. */
#include "cli/audit_ini.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "core/foreign.h"
#include "listeners/sni.h"
#include "nlb/config.h"
#include "testbed/sections.h"
#include "vpclink/uri.h"

struct ini {
    struct audit_report *report;
    const struct audit_options *o;
    const struct nlb_config *config;
    const char *path;
    size_t *looked_at;
    struct err err;
};

/* --- trust stores --- */

struct judge {
    struct trust_store *trusted;
    struct trust_anchors *anchors;
    struct audit_store store;
};

static int open_judge(struct ini *ini, const char *spec, struct judge *j)
{
    memset(j, 0, sizeof *j);
    j->trusted = trust_store_load(spec, ini->config->dir, ini->config->lab, &ini->err);
    if (j->trusted == NULL)
        return -1;
    j->anchors = trust_anchors_of(j->trusted, strcmp(spec, "system") == 0);
    if (j->anchors == NULL) {
        trust_store_unref(j->trusted);
        err_set(&ini->err, ERR_NOMEM, "%s", spec);
        return -1;
    }
    j->store =
        (struct audit_store){ .name = spec, .list = &j->trusted->list, .anchors = j->anchors };
    return 0;
}

static void close_judge(struct judge *j)
{
    trust_anchors_free(j->anchors);
    trust_store_unref(j->trusted);
}

/* --- who leads where --- */

/* The name that an integration verifies into `out`: an HTTP API's server_name_to_verify, else the
 * URI's host. False when nothing is validated: plain http. */
static bool host_of(const struct integration_cfg *i, char *out, size_t size)
{
    struct gateway_uri uri;

    if (i->server_name_to_verify != NULL) {
        snprintf(out, size, "%s", i->server_name_to_verify);
        return true;
    }
    if (i->uri == NULL || i->api_type == API_HTTP || /* without a name it speaks plain HTTP */
        gateway_uri_parse(&uri, i->uri, NULL) != 0 || !uri.valid || !uri.tls)
        return false;
    snprintf(out, size, "%s", uri.host);
    return true;
}

/* An integration that is not acted out names no listener. */
static bool enters(const struct integration_cfg *i, const struct listener_cfg *l)
{
    return i->listener != NULL && strcmp(i->listener, l->obj.name) == 0;
}

static bool leads_to(const struct listener_cfg *l, const struct lab_target_cfg *t)
{
    for (size_t i = 0; i < l->n_forwards; i++) {
        const struct target_group_cfg *g = l->forwards[i].group;

        for (size_t k = 0; k < g->n_targets; k++) {
            if (g->targets[k].lab != NULL && strcmp(g->targets[k].lab, t->obj.name) == 0)
                return true;
        }
    }
    return false;
}

/* --- one chain --- */

static int look(struct ini *ini, const struct identity_cfg *c, const struct audit_subject *how)
{
    struct audit_subject s = *how;

    s.file = ini->path;
    s.line = c->line;
    s.chain = &c->identity->chain;
    ++*ini->looked_at;
    return audit_chain(ini->report, ini->o, &s, &ini->err);
}

/* Judge a certificate as one integration would: with its store, its host, its flag. NULL: by the
 * facts alone. */
static int look_for(struct ini *ini, const struct identity_cfg *c, const char *where,
                    enum audit_role role, const struct integration_cfg *i)
{
    struct audit_subject s = { .where = where, .role = role };
    struct judge judge;
    char host[256];
    int rc;

    if (i == NULL || !host_of(i, host, sizeof host))
        return look(ini, c, &s);
    if (open_judge(ini, i->trust_store, &judge) != 0)
        return -1;
    s.store = &judge.store;
    s.host = host;
    s.insecure_skip = i->insecure_skip_verification;
    s.skip_refuses_plain_self_signed = !i->skip_allows_plain_self_signed;
    rc = look(ini, c, &s);
    close_judge(&judge);
    return rc;
}

/* --- listeners and targets --- */

static struct sni_index *index_of(const struct listener_cfg *l, struct err *err)
{
    const struct identity **certs = calloc(l->n_certificates, sizeof *certs);
    struct sni_index *index = NULL;

    if (certs == NULL) {
        err_set(err, ERR_NOMEM, "listener %s", l->obj.name);
        return NULL;
    }
    for (size_t i = 0; i < l->n_certificates; i++)
        certs[i] = l->certificates[i].identity;
    index = sni_index_new(certs, l->n_certificates, SNI_LATEST_END, err);
    free(certs);
    return index;
}

static int audit_tls_listener(struct ini *ini, const struct listener_cfg *l)
{
    size_t n;
    const struct integration_cfg *all = lab_config_integrations(ini->config, &n);
    struct sni_index *index = index_of(l, &ini->err);
    bool *seen = calloc(l->n_certificates, sizeof *seen);
    char where[128], host[256];
    int rc = index != NULL && seen != NULL ? 0 : -1;

    snprintf(where, sizeof where, "listener %s", l->obj.name);
    for (size_t i = 0; i < n && rc == 0; i++) {
        size_t at = 0;

        if (!enters(&all[i], l))
            continue;
        if (host_of(&all[i], host, sizeof host))
            at = sni_pick(index, host, NULL, NULL, NULL, NULL)->position;
        seen[at] = true;
        rc = look_for(ini, &l->certificates[at], where, AUDIT_ROLE_TLS_LISTENER, &all[i]);
    }
    for (size_t i = 0; i < l->n_certificates && rc == 0; i++) {
        if (!seen[i])
            rc = look_for(ini, &l->certificates[i], where, AUDIT_ROLE_TLS_LISTENER, NULL);
    }
    free(seen);
    sni_index_free(index);
    return rc;
}

/* A target is validated when an integration reaches it through a TCP listener. */
static int audit_target(struct ini *ini, const struct lab_target_cfg *t)
{
    enum audit_role role = AUDIT_ROLE_TARGET_IGNORED;
    size_t n, judged = 0;
    const struct integration_cfg *all = lab_config_integrations(ini->config, &n);
    char where[128];
    int rc = 0;

    snprintf(where, sizeof where, "lab_target %s", t->obj.name);
    for (size_t i = 0; i < ini->config->n_listeners && rc == 0; i++) {
        const struct listener_cfg *l = &ini->config->listeners[i];

        if (l->protocol != PROTOCOL_TCP || !leads_to(l, t))
            continue;
        role = AUDIT_ROLE_TARGET_VALIDATED;
        for (size_t k = 0; k < n && rc == 0; k++) {
            if (!enters(&all[k], l))
                continue;
            judged++;
            rc = look_for(ini, &t->certificate, where, role, &all[k]);
        }
    }
    return rc == 0 && judged == 0 ? look_for(ini, &t->certificate, where, role, NULL) : rc;
}

/* What an integration brings along: its client certificate, for the dates. */
static int audit_client(struct ini *ini, const struct integration_cfg *i)
{
    struct identity_cfg c = { .spec = i->client_certificate,
                              .line = cfg_line(&i->obj, "client_certificate") };
    char where[128];
    int rc;

    c.identity = identity_load(c.spec, ini->config->dir, ini->config->lab, &ini->err);
    if (c.identity == NULL)
        return -1;
    snprintf(where, sizeof where, "integration %s", i->obj.name);
    rc = look_for(ini, &c, where, AUDIT_ROLE_CLIENT, NULL);
    identity_unref(c.identity);
    return rc;
}

static int audit_config(struct ini *ini)
{
    size_t n_targets, n;
    const struct lab_target_cfg *targets = lab_config_targets(ini->config, &n_targets);
    const struct integration_cfg *integrations = lab_config_integrations(ini->config, &n);
    int rc = 0;

    for (size_t i = 0; i < ini->config->n_listeners && rc == 0; i++) {
        if (ini->config->listeners[i].n_certificates > 0)
            rc = audit_tls_listener(ini, &ini->config->listeners[i]);
    }
    for (size_t i = 0; i < n_targets && rc == 0; i++) {
        if (targets[i].certificate.identity != NULL)
            rc = audit_target(ini, &targets[i]);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (integrations[i].client_certificate != NULL)
            rc = audit_client(ini, &integrations[i]);
    }
    return rc;
}

bool audit_is_ini(const char *text, size_t n)
{
    const char *end = text + n, *eol;

    for (const char *at = text; at < end; at = eol + 1) {
        eol = memchr(at, '\n', (size_t)(end - at));
        if (eol == NULL)
            eol = end;
        while (at < eol && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        if (at < eol && *at != '#' && *at != ';') /* JSON may begin with '[', too, but not so */
            return *at == '[' && at + 1 < eol && at[1] >= 'a' && at[1] <= 'z' &&
                   memchr(at, ']', (size_t)(eol - at)) != NULL;
    }
    return false;
}

int audit_ini(struct audit_report *report, const struct audit_options *o, const char *path,
              const char *text, size_t n, size_t *looked_at)
{
    struct problems problems = { .path = path };
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX];
    struct ini ini = { .report = report, .o = o, .path = path, .looked_at = looked_at };
    int status;

    snprintf(dir, sizeof dir, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    ini.config = nlb_config_parse(text, n, path, dir, lab_section_kinds, lab_n_section_kinds, true,
                                  &problems);
    status = problems_exit_status(&problems);
    if (ini.config == NULL)
        problems_print(&problems, stderr);
    else if (audit_config(&ini) != 0) {
        foreign_printf(stderr, "nlbsim cert audit: %s: %s\n", path, ini.err.text);
        status = err_exit_status(&ini.err);
    }
    nlb_config_unref(ini.config);
    problems_clear(&problems);
    return status;
}
