/* SPDX-License-Identifier: Apache-2.0
 * One scenario: start, call, compare, tear down. */
#include "matrix/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "core/clock.h"
#include "diagnose/diagnose.h"
#include "listeners/policies.h"
#include "testbed/testbed.h"
#include "vpclink/call_facts.h"
#include "vpclink/link.h"

/* How long the load balancer may take to write down a flow that has ended. */
#define JOIN_MS 1000

/* Everything that one run owns. */
struct run {
    const struct scenario_file *file;
    const struct integration_cfg *integration; /* of the file; lives longer than the run */
    struct nlb_config *config;                 /* of the excerpt; the testbed's once it runs */
    struct testbed bed;
    bool running;
    int events_fd;
    char events_path[64];
    struct addr address; /* of the listener */
    struct trust_store *store;
    struct trust_anchors *anchors;
    struct identity *client_certificate;
    int64_t at_utc;
    struct gateway_task task;
    struct gateway_wording wording;
    struct gateway_link *link;
    bool saw_expected, saw_other;
    struct scenario_result *out;
};

static void miss(struct scenario_result *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void miss(struct scenario_result *out, const char *fmt, ...)
{
    va_list ap;

    if (out->missed != NULL)
        return;
    va_start(ap, fmt);
    if (vasprintf(&out->missed, fmt, ap) < 0)
        out->missed = NULL;
    va_end(ap);
    out->passed = false;
}

void scenario_result_clear(struct scenario_result *r)
{
    free(r->error);
    free(r->verdict);
    free(r->missed);
    memset(r, 0, sizeof *r);
}

/* --- what the hops present --- */
static void describe_hops(const struct scenario_file *f, const struct integration_cfg *g,
                          struct scenario_hops *out)
{
    const struct listener_cfg *l =
        g->listener == NULL ? NULL : nlb_config_listener(f->config, g->listener);
    const struct lab_target_cfg *targets;
    size_t n;

    *out = (struct scenario_hops){ "-", "-", "-", "-" };
    if (l == NULL)
        return;
    out->listener_protocol = protocol_name(l->protocol);
    if (l->n_certificates > 0)
        out->listener_presents = l->certificates[0].spec;
    if (l->forwards[0].group->n_targets == 0 || l->forwards[0].group->targets[0].lab == NULL)
        return;
    targets = lab_config_targets(f->config, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(targets[i].obj.name, l->forwards[0].group->targets[0].lab) != 0)
            continue;
        out->target_protocol = targets[i].protocol == LAB_HTTPS ? "HTTPS" : "HTTP";
        if (targets[i].certificate.spec != NULL)
            out->target_presents = targets[i].certificate.spec;
    }
}

/* --- start --- */
static int start_testbed(struct run *r, struct err *err)
{
    struct problems problems = { .path = r->file->path };
    char *excerpt = scenario_excerpt(r->file, r->integration);

    if (excerpt == NULL) {
        err_set(err, ERR_NOMEM, "scenario");
        return -1;
    }
    r->config = nlb_config_parse(excerpt, strlen(excerpt), r->file->path, r->file->dir,
                                 lab_section_kinds, lab_n_section_kinds, true, &problems);
    if (r->config == NULL)
        err_set(err, ERR_CONFIG, "line %d: %s", problems.n > 0 ? problems.v[0].line : 0,
                problems.n > 0 ? problems.v[0].text : "cannot be read");
    problems_clear(&problems);
    free(excerpt);
    if (r->config == NULL)
        return -1;
    /* The events go into memory that nobody else sees; one worker is enough for one caller. */
    r->events_fd = memfd_create("nlbsim-events", MFD_CLOEXEC);
    if (r->events_fd < 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot make a file in memory");
        return -1;
    }
    snprintf(r->events_path, sizeof r->events_path, "/proc/self/fd/%d", r->events_fd);
    r->config->nlb.process.workers = 1;
    r->config->nlb.process.events = r->events_path;
    r->config->nlb.process.access_log = NULL;
    if (testbed_start(&r->bed, r->config, err) != 0)
        return -1;
    r->running = true;
    r->address = nlb_listener_at(r->bed.nlb, 0).address;
    return 0;
}

static int load_credentials(struct run *r, struct err *err)
{
    const struct integration_cfg *g = r->integration;
    struct cert_lab *lab = r->config->lab;

    if (r->task.uri.tls) {
        r->store = trust_store_load(g->trust_store, r->file->dir, lab, err);
        if (r->store == NULL)
            return -1;
        r->anchors = trust_anchors_of(r->store, false);
        if (r->anchors == NULL) {
            err_set(err, ERR_NOMEM, "trust store");
            return -1;
        }
    }
    if (g->client_certificate != NULL && g->api_type == API_REST) {
        r->client_certificate = identity_load(g->client_certificate, r->file->dir, lab, err);
        if (r->client_certificate == NULL)
            return -1;
    }
    return 0;
}

static int make_task(struct run *r, struct err *err)
{
    const struct integration_cfg *g = r->integration;
    struct gateway_task *t = &r->task;

    if (gateway_uri_parse(&t->uri, g->uri, err) != 0 || load_credentials(r, err) != 0)
        return -1;
    t->connect = g->connection_type == CONNECTION_VPC_LINK ? &r->address : NULL;
    t->anchors = r->anchors;
    t->insecure_skip = g->insecure_skip_verification && g->api_type == API_REST;
    t->skip_allows_plain_self_signed = g->skip_allows_plain_self_signed;
    t->verify_name = g->server_name_to_verify;
    t->client_certificate = r->client_certificate;
    if (g->at != NULL && clock_parse_utc(g->at, clock_wall_s(), &r->at_utc) == 0)
        t->at_utc = &r->at_utc;
    t->timeout_ms = g->timeout_ms;
    t->keep_idle_ms = g->keep_idle_ms;
    t->api_id = "nlbsimmatrix";
    t->method = "GET";
    r->wording =
        (struct gateway_wording){ g->wording, g->handshake_break, g->api_type == API_HTTP };
    return 0;
}

/* --- call and compare --- */
static bool matches(const struct gateway_outcome *o, const char *expect)
{
    return strcmp(expect, "ok") == 0 ? o->ok : !o->ok && strstr(o->error, expect) != NULL;
}

static void keep(struct scenario_result *out, const struct gateway_outcome *o, const char *hop,
                 char *verdict)
{
    free(out->error);
    free(out->verdict);
    out->ok = o->ok;
    out->status = o->status;
    out->error = o->ok ? NULL : strdup(o->error);
    out->hop = hop;
    out->verdict = verdict;
    out->evidence = o->evidence;
}

static void compare(struct run *r, const struct gateway_outcome *o, const char *hop,
                    unsigned number)
{
    static const char *const hops[] = {
        [EXPECT_HOP_ANY] = NULL,
        [EXPECT_HOP_CALLER] = "caller",
        [EXPECT_HOP_LISTENER] = "listener",
        [EXPECT_HOP_TARGET] = "target",
        [EXPECT_HOP_NETWORK] = "network",
        [EXPECT_HOP_GATEWAY] = "gateway",
        [EXPECT_HOP_NONE] = "none",
    };
    const struct integration_cfg *g = r->integration;
    const char *want_hop = hops[g->expect_hop];
    bool expected = g->expect == NULL || matches(o, g->expect);
    bool other = g->also_expect != NULL && matches(o, g->also_expect);

    if (!o->simulated) {
        r->out->limit = true;
        miss(r->out, "request %u: %s", number, o->error);
        return;
    }
    r->saw_expected |= expected;
    r->saw_other |= other;
    if (!expected && !other)
        miss(r->out, "request %u: expected %s, got %s", number, g->expect, o->ok ? "ok" : o->error);
    if (g->expect_status != 0 && o->status != g->expect_status)
        miss(r->out, "request %u: expected status %u, got %u", number, (unsigned)g->expect_status,
             o->status);
    if (want_hop != NULL && (hop == NULL || strcmp(hop, want_hop) != 0))
        miss(r->out, "request %u: expected the %s to decide, it was %s", number, want_hop,
             hop == NULL ? "nobody known" : hop);
}

/* What stands between link and listener: nothing is sent. */
static const struct block {
    const char *what, *remedy;
} blocks[] = {
#define BLOCKED(id, name, text, remedy, source) [BLOCKED_##id] = { text, remedy },
#include "vpclink/blocked.def"
#undef BLOCKED
};

static void call_blocked(struct gateway_result *result, enum blocked_by by)
{
    gateway_result_clear(result);
    result->broke = by == BLOCKED_LINK_ERROR ? BREAK_LINK_ERROR : BREAK_UNREACHABLE;
    result->stage = GATEWAY_CONNECT;
    result->started_wall_us = clock_wall_us();
    result->started_us = result->ended_us = clock_mono_us();
    snprintf(result->why, sizeof result->why, "%s", blocks[by].what);
}

static void tell_blocked(struct facts *f, enum blocked_by by)
{
    if (by == BLOCKED_LINK_ERROR)
        return; /* a row of its own */
    facts_set(f, "blocked", blocks[by].what);
    facts_set(f, "blocked.change", blocks[by].remedy);
}

/* What a lab target of the file is called there, where the group has no other. */
static const char *lab_section(const struct listener_cfg *l, char *out, size_t size)
{
    const struct target_group_cfg *g = l == NULL ? NULL : l->forwards[0].group;

    if (g == NULL || l->n_forwards != 1 || g->n_targets != 1 || g->targets[0].lab == NULL)
        return NULL;
    snprintf(out, size, "lab_target %s", g->targets[0].lab);
    return out;
}

/* The verdict (allocated) and the hop. */
static char *diagnose_call(struct run *r, const struct gateway_result *result,
                           const struct far_side *far, const struct listener_cfg *l,
                           const char **hop)
{
    char section[96];
    const struct call_context context = {
        .policy = policy_list_text,
        .anchors = r->store == NULL ? NULL : &r->store->list,
        .store = r->integration->trust_store,
        .integration = r->integration->obj.name,
        .target_name = lab_section(l, section, sizeof section),
    };
    struct facts *f = call_facts(&r->task, result, &r->wording, far, &context);
    struct diagnosis d = { NULL, 0 };
    char *text = NULL;

    if (f != NULL && r->integration->blocked_by != BLOCKED_NONE)
        tell_blocked(f, r->integration->blocked_by);
    if (f != NULL && diagnose(f, &d) == 0)
        text = diagnosis_text(&d);
    *hop = d.n > 0 ? d.at[0].hop : NULL;
    diagnosis_clear(&d);
    facts_free(f);
    return text;
}

static void one_call(struct run *r, unsigned number)
{
    const struct listener_cfg *l = nlb_config_listener(r->config, r->integration->listener);
    struct gateway_result result = { 0 };
    struct gateway_outcome outcome;
    struct far_side far = { .ours = true };
    const struct far_events events = { .post = -1, .fd = r->events_fd };
    const char *hop;
    char *verdict;

    if (l != NULL && r->task.connect != NULL) {
        far.protocol = l->protocol;
        snprintf(far.listener, sizeof far.listener, "%s", l->obj.name);
    }
    if (r->integration->blocked_by != BLOCKED_NONE)
        call_blocked(&result, r->integration->blocked_by);
    else
        gateway_link_call(r->link, &result);
    /* Only a failed call has an event to wait for: one that went well keeps its connection. */
    if (result.broke != BREAK_NONE && result.local.len != 0)
        (void)far_side_join(&events, &result.local, JOIN_MS, &far);
    gateway_join(&result, &far);
    gateway_word(&result, &r->wording, &outcome);
    verdict = diagnose_call(r, &result, &far, l, &hop);
    far_side_clear(&far);
    compare(r, &outcome, hop, number);
    if (number == 1 || r->out->passed || !outcome.ok)
        keep(r->out, &outcome, hop, verdict);
    else
        free(verdict);
    gateway_result_clear(&result);
}

static void call_all(struct run *r)
{
    const struct integration_cfg *g = r->integration;
    const struct timespec pause = { .tv_sec = (time_t)(g->pause_ms / 1000),
                                    .tv_nsec = (long)(g->pause_ms % 1000) * 1000000 };

    for (unsigned i = 1; i <= g->requests && r->out->missed == NULL; i++) {
        if (i > 1 && g->pause_ms > 0)
            nanosleep(&pause, NULL);
        one_call(r, i);
        if (!g->reuse_connections)
            gateway_link_close(r->link);
    }
    if (g->also_expect != NULL && r->out->missed == NULL && !r->saw_expected)
        miss(r->out, "expected %s at least once in %u requests", g->expect, (unsigned)g->requests);
    if (g->also_expect != NULL && r->out->missed == NULL && !r->saw_other)
        miss(r->out, "expected %s at least once in %u requests", g->also_expect,
             (unsigned)g->requests);
}

static void tear_down(struct run *r)
{
    gateway_link_free(r->link);
    if (r->running)
        testbed_stop(&r->bed);
    else
        nlb_config_unref(r->config);
    if (r->events_fd >= 0)
        close(r->events_fd);
    trust_anchors_free(r->anchors);
    trust_store_unref(r->store);
    identity_unref(r->client_certificate);
}

void scenario_run(const struct scenario_file *f, const struct integration_cfg *integration,
                  struct scenario_result *out)
{
    struct run r = { .file = f, .integration = integration, .out = out, .events_fd = -1 };
    uint64_t begin = clock_mono_us();
    struct err err = { 0 };

    memset(out, 0, sizeof *out);
    out->file = f;
    out->integration = integration;
    out->passed = true;
    describe_hops(f, integration, &out->hops);
    if (integration->not_acted != NULL)
        return;
    out->acted = true;
    if (start_testbed(&r, &err) != 0 || make_task(&r, &err) != 0 ||
        (r.link = gateway_link_new(&r.task, &err)) == NULL)
        miss(out, "cannot be acted out: %s", err.text);
    else
        call_all(&r);
    tear_down(&r);
    out->ms = (double)(clock_mono_us() - begin) / 1000.0;
}
