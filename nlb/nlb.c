/* SPDX-License-Identifier: Apache-2.0
 * The load balancer: start, take over a new configuration, drain, stop. */
#include "nlb/nlb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/turn.h"
#include "listeners/listener.h"
#include "nlb/admin.h"
#include "nlb/admin_pages.h"
#include "nlb/nlb_impl.h"
#include "nlb/signpost.h"

/* --- listening sockets --- */
/* Sockets of a change before it is committed. */
struct opened {
    struct socket_slot slots[WORKER_SLOTS];
    size_t slot_of[WORKER_SLOTS];
    bool fresh[WORKER_SLOTS];
    int (*fds)[WORKER_SLOTS]; /* per worker */
};

static size_t find_slot(const struct nlb *nlb, const struct opened *o,
                        const struct listener_cfg *cfg)
{
    for (size_t i = 0; i < WORKER_SLOTS; i++) {
        const struct socket_slot *s = &nlb->slots[i];

        if (s->used && !o->slots[i].used && addr_equal(&s->requested, &cfg->listen) &&
            (addr_port(&cfg->listen) != 0 || strcmp(s->name, cfg->obj.name) == 0))
            return i;
    }
    return WORKER_SLOTS;
}

static int open_slot(const struct nlb *nlb, struct opened *o, size_t i,
                     const struct listener_cfg *cfg, struct err *err)
{
    struct socket_slot *s = &o->slots[i];

    s->used = true;
    s->requested = s->bound = cfg->listen;
    s->lock_fd = -1;
    strncpy(s->name, cfg->obj.name, sizeof s->name - 1);
    o->fresh[i] = true;
    if (addr_port(&cfg->listen) != 0 && (s->lock_fd = listener_lock(&cfg->listen, err)) < 0)
        return -1;
    for (size_t w = 0; w < nlb->n_workers; w++) {
        o->fds[w][i] = listener_open(&s->bound, err);
        if (o->fds[w][i] < 0)
            return -1;
    }
    if (s->lock_fd < 0)
        s->lock_fd = listener_lock(&s->bound, NULL);
    return 0;
}

static int open_all(const struct nlb *nlb, struct opened *o, const struct nlb_config *config,
                    struct err *err)
{
    for (size_t l = 0; l < config->n_listeners; l++) {
        const struct listener_cfg *cfg = &config->listeners[l];
        size_t i = find_slot(nlb, o, cfg);

        if (i < WORKER_SLOTS) {
            o->slots[i] = nlb->slots[i];
        } else {
            for (i = 0; i < WORKER_SLOTS && (nlb->slots[i].used || o->slots[i].used); i++)
                ;
            if (i == WORKER_SLOTS) {
                err_set(err, ERR_CONFIG, "more than %d listeners", WORKER_SLOTS);
                return -1;
            }
            if (open_slot(nlb, o, i, cfg, err) != 0) {
                err_prefix(err, "%s:%d: listener %s", config->path, cfg->obj.line, cfg->obj.name);
                return -1;
            }
        }
        o->slot_of[l] = i;
    }
    return 0;
}

static void close_opened(const struct nlb *nlb, struct opened *o)
{
    for (size_t i = 0; i < WORKER_SLOTS; i++) {
        if (!o->fresh[i])
            continue;
        for (size_t w = 0; w < nlb->n_workers; w++) {
            if (o->fds[w][i] >= 0)
                close(o->fds[w][i]);
        }
        if (o->slots[i].lock_fd >= 0)
            close(o->slots[i].lock_fd);
    }
}

/* --- taking over --- */
static void commit(struct nlb *nlb, struct generation *g, struct opened *o)
{
    struct generation *old;

    for (size_t w = 0; w < nlb->n_workers; w++) {
        struct worker_change change = { .generation = g, .checker = w == 0 ? nlb->checker : NULL };

        for (size_t i = 0; i < WORKER_SLOTS; i++)
            change.slots[i].fd = -1;
        for (size_t l = 0; l < g->config->n_listeners; l++) {
            change.slots[o->slot_of[l]].front = g->fronts[l];
            change.slots[o->slot_of[l]].fd = o->fds[w][o->slot_of[l]];
        }
        generation_ref(g);
        turn_state("a worker that takes it over");
        worker_apply(nlb->workers[w], &change);
    }
    for (size_t i = 0; i < WORKER_SLOTS; i++) {
        if (nlb->slots[i].used && !o->slots[i].used && nlb->slots[i].lock_fd >= 0)
            close(nlb->slots[i].lock_fd);
    }
    memcpy(nlb->slots, o->slots, sizeof nlb->slots);
    memcpy(nlb->slot_of, o->slot_of, sizeof nlb->slot_of);
    pthread_mutex_lock(&nlb->lock);
    old = nlb->generation;
    nlb->generation = g;
    pthread_mutex_unlock(&nlb->lock);
    generation_unref(old);
}

static void put_up_signposts(struct nlb *nlb)
{
    struct signpost posts[WORKER_SLOTS];
    size_t n = nlb_listener_count(nlb);
    struct err err = { 0 };

    if (nlb->signposts == NULL)
        nlb->signposts =
            signposts_start(event_sink_path(nlb->outputs.events), nlb->outputs.watch, &err);
    if (nlb->signposts == NULL) {
        log_err("signpost", "%s", err.text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct nlb_listener_info l = nlb_listener_at(nlb, i);

        posts[i] = (struct signpost){ l.name, l.protocol, l.address };
    }
    if (signposts_set(nlb->signposts, posts, n, nlb->generation->config, &err) != 0)
        log_err("signpost", "%s", err.text);
}

static struct addr bound_at(const void *arg, size_t i)
{
    const struct opened *o = arg;

    return o->slots[o->slot_of[i]].bound;
}

static void lost_cb(void *arg)
{
    struct nlb *nlb = arg;

    for (size_t i = 0; i < nlb->n_workers; i++)
        worker_sweep(nlb->workers[i]);
}

static void starved_cb(void *arg)
{
    struct nlb *nlb = arg;

    for (size_t i = 0; i < nlb->n_workers; i++)
        worker_give_up(nlb->workers[i]);
}

static void admin_starved_cb(void *arg)
{
    (void)crowd_starved(((struct nlb *)arg)->crowd);
}

static void warn_of_restart(const struct nlb *nlb, const struct nlb_config *config)
{
    const struct nlb_cfg *was = &nlb->started->nlb, *now = &config->nlb;

    for (const struct cfg_key *key = was->obj.keys; key->name != NULL; key++) {
        const char *old = cfg_text(&was->obj, key->name), *new = cfg_text(&now->obj, key->name);

        if (key->restart && !cfg_same(key, was, now))
            log_warn("reload", "key=%s stays as it was (%s, not %s): it needs a restart", key->name,
                     old != NULL ? old : "not given", new != NULL ? new : "not given");
    }
}

int nlb_reload(struct nlb *nlb, const struct nlb_config *config, struct err *err)
{
    struct generation *g = generation_new(config, nlb_process(nlb), nlb->registry, err);
    struct opened *o = calloc(1, sizeof *o);
    int rc = -1;

    if (o != NULL)
        o->fds = calloc(nlb->n_workers, sizeof *o->fds);
    if (g == NULL)
        goto out;
    if (o == NULL || o->fds == NULL) {
        err_set(err, ERR_NOMEM, "listening sockets");
        goto out;
    }
    for (size_t w = 0; w < nlb->n_workers; w++) {
        for (size_t i = 0; i < WORKER_SLOTS; i++)
            o->fds[w][i] = -1;
    }
    if (open_all(nlb, o, config, err) != 0 || generation_plan_checks(g, bound_at, o, err) != 0) {
        close_opened(nlb, o);
        goto out;
    }
    commit(nlb, g, o);
    g = NULL;
    warn_of_restart(nlb, config);
    put_up_signposts(nlb);
    rc = 0;
out:
    generation_unref(g);
    if (o != NULL)
        free(o->fds);
    free(o);
    return rc;
}

/* --- life --- */
static int open_events(struct nlb *nlb, struct err *err)
{
    char path[4096];

    if (nlb_process(nlb)->events == NULL)
        return 0;
    if (nlb_config_path(nlb->started, nlb_process(nlb)->events, path, sizeof path) != 0) {
        err_set(err, ERR_CONFIG, "events: the path is too long");
        return -1;
    }
    nlb->outputs.events = event_sink_open(path, nlb_process(nlb)->output_queue_bytes, err);
    return nlb->outputs.events == NULL ? -1 : 0;
}

/* AWS delivers a file every five minutes (NLB guide, "Access log files"). */
#define ACCESS_PERIOD_US 300e6

static int open_access_log(struct nlb *nlb, struct err *err)
{
    char path[4096];
    const struct process_cfg *process = nlb_process(nlb);
    const struct access_log_params params = {
        .path = path,
        .who = nlb_identity(process),
        .period_us = (uint64_t)(ACCESS_PERIOD_US / process->time_scale),
        .queue_bytes = process->output_queue_bytes,
    };

    if (process->access_log == NULL)
        return 0;
    if (nlb_config_path(nlb->started, process->access_log, path, sizeof path) != 0) {
        err_set(err, ERR_CONFIG, "access_log: the path is too long");
        return -1;
    }
    nlb->outputs.access_log = access_log_open(&params, err);
    return nlb->outputs.access_log == NULL ? -1 : 0;
}

static int start_workers(struct nlb *nlb, struct err *err)
{
    size_t n = nlb_process(nlb)->workers;

    nlb->workers = calloc(n, sizeof(struct worker *));
    if (nlb->workers == NULL) {
        err_set(err, ERR_NOMEM, "workers");
        return -1;
    }
    atomic_init(&nlb->drain.left, n);
    for (; nlb->n_workers < n; nlb->n_workers++) {
        struct worker *w = worker_start((unsigned)nlb->n_workers, (unsigned)n, &nlb->outputs,
                                        &nlb->drain, nlb->crowd, err);

        if (w == NULL)
            return -1;
        nlb->workers[nlb->n_workers] = w;
    }
    return 0;
}

static int start(struct nlb *nlb, const struct nlb_config *config, struct err *err)
{
    const struct process_cfg *process = nlb_process(nlb);
    struct admin_calls calls = {
        .page = admin_page_cb,
        .starved = admin_starved_cb,
        .arg = nlb,
        .connections = process->max_metrics_connections,
        .bytes = process->max_metrics_bytes,
    };

    nlb->drain.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (nlb->drain.fd < 0) {
        err_set(err, ERR_ENVIRONMENT, "eventfd: %s", err_why(errno));
        return -1;
    }
    nlb->crowd = crowd_new(starved_cb, nlb);
    calls.ceilings = crowd_ceilings(nlb->crowd);
    if (nlb->crowd != NULL && process->metrics.len != 0)
        nlb->outputs.recent = recent_events_new(process->max_recent_bytes, calls.ceilings);
    if (nlb->crowd == NULL || (process->metrics.len != 0 && nlb->outputs.recent == NULL)) {
        err_set(err, ERR_NOMEM, "load balancer");
        return -1;
    }
    nlb->outputs.watch = event_watch_new();
    if (nlb->outputs.watch == NULL) {
        err_set(err, ERR_NOMEM, "events");
        return -1;
    }
    if (open_events(nlb, err) != 0 || open_access_log(nlb, err) != 0)
        return -1;
    nlb->registry = registry_new();
    if (nlb->registry == NULL) {
        err_set(err, ERR_NOMEM, "targets");
        return -1;
    }
    nlb->checker = checker_new(lost_cb, nlb, process->tls_use, err);
    if (nlb->checker == NULL || start_workers(nlb, err) != 0 || nlb_reload(nlb, config, err) != 0)
        return -1;
    if (process->metrics.len != 0)
        nlb->admin = admin_start(&calls, &process->metrics, err);
    return process->metrics.len != 0 && nlb->admin == NULL ? -1 : 0;
}

struct nlb *nlb_start(const struct nlb_config *config, struct err *err)
{
    struct nlb *nlb = calloc(1, sizeof *nlb);

    if (nlb == NULL) {
        err_set(err, ERR_NOMEM, "load balancer");
        return NULL;
    }
    nlb->drain.fd = -1;
    nlb->started = nlb_config_keep(config);
    pthread_mutex_init(&nlb->lock, NULL);
    if (start(nlb, config, err) != 0) {
        nlb_stop(nlb);
        return NULL;
    }
    return nlb;
}

void nlb_drain(struct nlb *nlb)
{
    atomic_store(&nlb->draining, true);
    for (size_t i = 0; i < nlb->n_workers; i++)
        worker_drain(nlb->workers[i]);
}

int nlb_drained_fd(const struct nlb *nlb)
{
    return nlb->drain.fd;
}

const struct process_cfg *nlb_process(const struct nlb *nlb)
{
    return &nlb->started->nlb.process;
}

void nlb_stop(struct nlb *nlb)
{
    if (nlb == NULL)
        return;
    turn_state("the pages and the signposts");
    admin_stop(nlb->admin);
    signposts_stop(nlb->signposts);
    crowd_ask_nobody(nlb->crowd);
    turn_state("the workers");
    for (size_t i = 0; i < nlb->n_workers; i++)
        worker_stop(nlb->workers[i]);
    for (size_t i = 0; i < WORKER_SLOTS; i++) {
        if (nlb->slots[i].used && nlb->slots[i].lock_fd >= 0)
            close(nlb->slots[i].lock_fd);
    }
    if (nlb->drain.fd >= 0)
        close(nlb->drain.fd);
    generation_unref(nlb->generation);
    checker_free(nlb->checker);
    registry_free(nlb->registry);
    crowd_free(nlb->crowd);
    turn_state("events and access_log");
    event_sink_finish(nlb->outputs.events);
    access_log_finish(nlb->outputs.access_log);
    event_sink_close(nlb->outputs.events);
    access_log_close(nlb->outputs.access_log);
    recent_events_free(nlb->outputs.recent);
    event_watch_free(nlb->outputs.watch);
    pthread_mutex_destroy(&nlb->lock);
    free(nlb->workers);
    nlb_config_forget(nlb->started);
    free(nlb);
}

int nlb_reopen_logs(struct nlb *nlb, struct err *err)
{
    struct event_sink *events = nlb->outputs.events;
    struct access_log *access = nlb->outputs.access_log;
    int rc = events == NULL ? 0 : event_sink_reopen(events, err);

    if (access != NULL && access_log_reopen(access, err) != 0)
        rc = -1;
    return rc;
}
