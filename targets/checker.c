/* SPDX-License-Identifier: Apache-2.0
 * Runs the health checks of every registered target on the loop of one thread. */
#include "targets/checker.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/turn.h"
#include "targets/check.h"
#include "targets/proxy_v2.h"

/* Simulated time runs faster, a network does not: a check gets at least this long. */
#define TIMEOUT_MIN_US 500000

/* One registered target, or one that drains. */
/* Where a thread is that works here (core/turn.h). */
#define AT_CHECKS "the health checks"

struct watched {
    LIST_ENTRY(watched) all;
    struct checker *checker;
    struct registration *reg; /* one reference */
    struct health health;
    struct health_rules rules;
    bool deregistration_terminates;
    const struct checker_group *group; /* NULL: no longer registered */
    const struct target_cfg *cfg;      /* as long as `group` */
    bool seen;                         /* by the plan being applied */
    bool running;                      /* the cycle of checks */
    struct check *check;
    struct check *test;     /* a connectivity test; what comes of it is nobody's business */
    struct event next, due; /* the next check; the end of a state */
    struct event hear;      /* the data plane hears of the state */
    bool hearing;
    uint64_t begun_us;
    uint64_t checks;
    int64_t since_utc_us, checked_utc_us;
    char zone[64], detail[160];
};

struct checker {
    void (*lost_cb)(void *arg);
    void *arg;
    struct tls_conf *tls;
    struct event_base *base;
    const struct checker_plan *plan;
    uint8_t preface[PROXY_V2_MAX];
    size_t n_preface;
    pthread_mutex_t lock; /* guards the list and what a snapshot shows of its members */
    LIST_HEAD(, watched) all;
};

static void check_next(struct watched *w);

/* --- what follows from a change --- */
static void tell(const struct watched *w, enum health_state was)
{
    char text[ADDR_TEXT_MAX];
    const char *code = health_reason_code(w->health.reason);

    if (was == w->health.state)
        return;
    log_info("health", "group=%s target=%s state=%s was=%s reason=%s detail=\"%s\"", w->reg->group,
             addr_format(&w->reg->addr, text), health_state_name(w->health.state),
             health_state_name(was), code == NULL ? "-" : code, w->detail);
}

static enum target_flows flows_of(const struct watched *w)
{
    const struct target_group *g = w->group == NULL ? NULL : w->group->group;

    if (w->health.reason == HEALTH_REASON_NOT_REGISTERED)
        return w->deregistration_terminates ? TARGET_FLOWS_END : TARGET_FLOWS_LIVE;
    if (g == NULL || !w->rules.unhealthy_terminates ||
        !health_is_unhealthy(registration_state(w->reg)))
        return TARGET_FLOWS_LIVE;
    /* Not while NLB fails open (NLB guide, "Edit target group attributes"). */
    return group_fails_open(g->cfg, group_count(g, group_zone(g, w->cfg->zone)))
               ? TARGET_FLOWS_LIVE
               : TARGET_FLOWS_LOST;
}

/* The health of one target decides about the flows of its siblings too, by way of failing open. */
static void judge_flows(struct checker *c, const char *group)
{
    struct watched *w;
    bool lost = false;

    LIST_FOREACH(w, &c->all, all)
    {
        enum target_flows now, was;

        if (strcmp(w->reg->group, group) != 0)
            continue;
        now = flows_of(w);
        was = atomic_exchange_explicit(&w->reg->flows, now, memory_order_acq_rel);
        lost = lost || (now != was && now != TARGET_FLOWS_LIVE);
    }
    if (lost)
        c->lost_cb(c->arg);
}

static void arm(struct event *timer, uint64_t us)
{
    const struct timeval tv = clock_timeval(us);

    evtimer_add(timer, &tv);
}

static void arm_due(struct watched *w)
{
    uint64_t now = clock_mono_us();

    evtimer_del(&w->due);
    if (w->health.until_us > 0)
        arm(&w->due, w->health.until_us > now ? w->health.until_us - now : 0);
}

static uint64_t scaled(const struct checker *c, uint64_t ms)
{
    return (uint64_t)((double)ms * 1000 / c->plan->time_scale);
}

/* How long the data plane does not hear of the state: only bad news of a target that gets flows
 * lags. */
static uint64_t lag_us(const struct watched *w)
{
    const struct checker_plan *p = w->checker->plan;

    if (!health_is_healthy(registration_state(w->reg)))
        return 0;
    if (w->group == NULL)
        return scaled(w->checker, p->deregistration_lag_ms);
    return health_is_unhealthy(w->health.state) ? scaled(w->checker, p->health_lag_ms) : 0;
}

static void hear(struct watched *w)
{
    evtimer_del(&w->hear);
    w->hearing = false;
    atomic_store_explicit(&w->reg->state, w->health.state, memory_order_release);
}

/* After `health` has moved: the flows, the log, the clock. */
static void changed(struct watched *w, enum health_state was)
{
    uint64_t lag = lag_us(w);

    if (lag == 0) {
        hear(w);
    } else if (!w->hearing || (w->group == NULL && health_is_registered(was))) {
        w->hearing = true;
        arm(&w->hear, lag);
    }
    if (was != w->health.state)
        w->since_utc_us = clock_wall_us();
    tell(w, was);
    judge_flows(w->checker, w->reg->group);
    arm_due(w);
}

static void forget(struct watched *w)
{
    check_cancel(w->check);
    check_cancel(w->test);
    evtimer_del(&w->next);
    evtimer_del(&w->due);
    evtimer_del(&w->hear);
    LIST_REMOVE(w, all);
    registration_unref(w->reg);
    free(w);
}

static void forget_if_over(struct watched *w)
{
    if (w->group == NULL && w->health.state == HEALTH_UNUSED && !w->hearing)
        forget(w);
}

/* Called with the lock held. */
static void due(struct watched *w)
{
    enum health_state was = w->health.state;

    if (health_tick(&w->health, clock_mono_us()))
        changed(w, was);
    else
        arm_due(w); /* the loop's clock is a little ahead of ours */
    forget_if_over(w);
}

static void hear_cb(evutil_socket_t fd, short what, void *arg)
{
    struct watched *w = arg;
    struct checker *c = w->checker;

    (void)fd, (void)what;
    turn_at(AT_CHECKS);
    pthread_mutex_lock(&c->lock);
    hear(w);
    judge_flows(c, w->reg->group);
    forget_if_over(w);
    pthread_mutex_unlock(&c->lock);
    turn_end();
}

static void due_cb(evutil_socket_t fd, short what, void *arg)
{
    struct watched *w = arg;
    struct checker *c = w->checker;

    (void)fd, (void)what;
    turn_at(AT_CHECKS);
    pthread_mutex_lock(&c->lock);
    due(w);
    pthread_mutex_unlock(&c->lock);
    turn_end();
}

/* --- the cycle of checks --- */
static void wait_for_next(struct watched *w)
{
    const struct health_cfg *h = &w->group->group->cfg->health;
    uint64_t interval = scaled(w->checker, h->interval_ms);
    uint64_t spent = clock_mono_us() - w->begun_us;

    arm(&w->next, spent < interval ? interval - spent : 0);
}

static void done_cb(void *arg, enum check_result result, const char *detail)
{
    struct watched *w = arg;
    struct checker *c = w->checker;
    enum health_state was = w->health.state;

    pthread_mutex_lock(&c->lock);
    w->check = NULL;
    w->checks++;
    w->checked_utc_us = clock_wall_us();
    snprintf(w->detail, sizeof w->detail, "%s", detail);
    registration_note_seen(w->reg, w->detail);
    if (health_checked(&w->health, &w->rules, result, clock_mono_us()))
        changed(w, was);
    pthread_mutex_unlock(&c->lock);
    wait_for_next(w);
}

static void tested_cb(void *arg, enum check_result result, const char *detail)
{
    struct watched *w = arg;

    (void)result, (void)detail;
    w->test = NULL;
}

/* "TCP connections ... do not contain data packets". Source: NLB guide, "Health checks" (the
 * connectivity test of a TLS listener; how often it is made is unknown). */
static void test_connectivity(struct watched *w, const struct check_params *of)
{
    struct check_params p = { .base = of->base, .to = w->reg->addr, .timeout_us = of->timeout_us };

    if (w->group->tests && w->test == NULL)
        w->test = check_tcp_start(&p, tested_cb, w);
}

static void check_next(struct watched *w)
{
    struct checker *c = w->checker;
    const struct target_group_cfg *cfg = w->group->group->cfg;
    uint64_t real = cfg->health.timeout_ms * 1000, timeout = scaled(c, cfg->health.timeout_ms);
    struct check_params p = {
        .base = c->base,
        .to = w->reg->addr,
        .timeout_us = timeout >= TIMEOUT_MIN_US ? timeout
                      : real < TIMEOUT_MIN_US   ? real
                                                : TIMEOUT_MIN_US,
        .preface = cfg->proxy_protocol_v2 ? c->preface : NULL,
        .n_preface = c->n_preface,
        .tls = cfg->health.protocol == HEALTH_PROTOCOL_HTTPS ? c->tls : NULL,
        .node = w->group->node,
        .path = cfg->health.path,
        .matcher = cfg->health.matcher,
    };

    test_connectivity(w, &p);
    if (cfg->health.port != 0)
        addr_set_port(&p.to, (uint16_t)cfg->health.port);
    w->begun_us = clock_mono_us();
    w->check = cfg->health.protocol == HEALTH_PROTOCOL_TCP ? check_tcp_start(&p, done_cb, w)
                                                           : check_http_start(&p, done_cb, w);
    if (w->check == NULL)
        done_cb(w, CHECK_BROKEN, "out of memory");
}

static void next_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    turn_at(AT_CHECKS);
    check_next(arg);
    turn_end();
}

/* --- taking over a plan --- */
static bool zone_enabled(const struct checker_plan *plan, const char *zone)
{
    for (size_t i = 0; zone != NULL && i < plan->n_zones; i++) {
        if (strcmp(plan->zones[i], zone) == 0)
            return true;
    }
    return zone == NULL || plan->n_zones == 0;
}

static struct watched *find_check(struct checker *c, const struct registration *reg)
{
    struct watched *w;

    LIST_FOREACH(w, &c->all, all)
    {
        if (w->reg == reg)
            return w;
    }
    return NULL;
}

static struct watched *watch(struct checker *c, struct registration *reg)
{
    struct watched *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->checker = c;
    w->reg = registration_ref(reg);
    w->since_utc_us = clock_wall_us();
    evtimer_assign(&w->next, c->base, next_cb, w);
    evtimer_assign(&w->due, c->base, due_cb, w);
    evtimer_assign(&w->hear, c->base, hear_cb, w);
    LIST_INSERT_HEAD(&c->all, w, all);
    return w;
}

static void set_rules(struct watched *w, const struct target_group_cfg *cfg)
{
    w->deregistration_terminates = cfg->deregistration_terminates;
    w->rules = (struct health_rules){
        .healthy_threshold = cfg->health.healthy_threshold,
        .unhealthy_threshold = cfg->health.unhealthy_threshold,
        .unhealthy_terminates = cfg->unhealthy_terminates,
        .unhealthy_draining_us = scaled(w->checker, cfg->unhealthy_draining_ms),
        .deregistration_us = scaled(w->checker, cfg->deregistration_delay_ms),
    };
}

static void stop_checks(struct watched *w)
{
    check_cancel(w->check);
    check_cancel(w->test);
    w->check = w->test = NULL;
    evtimer_del(&w->next);
    w->running = false;
}

static void take(struct checker *c, const struct checker_group *g, const struct target *t)
{
    struct watched *w = find_check(c, t->reg);
    enum health_state was;
    bool moved;

    if (w == NULL)
        w = watch(c, t->reg);
    if (w == NULL) {
        log_err("health", "group=%s out of memory: a target is not checked", t->reg->group);
        return;
    }
    was = w->health.state;
    w->seen = true;
    w->group = g;
    w->cfg = t->cfg;
    snprintf(w->zone, sizeof w->zone, "%s", t->cfg->zone == NULL ? "" : t->cfg->zone);
    set_rules(w, g->group->cfg);
    if (!g->in_use || !zone_enabled(c->plan, t->cfg->zone)) {
        stop_checks(w);
        if (health_not_in_use(&w->health))
            changed(w, was);
        return;
    }
    moved = health_register(&w->health);
    if (moved)
        w->detail[0] = '\0';
    if (health_checking(&w->health) || moved)
        changed(w, was);
    if (!w->running) {
        w->running = true;
        arm(&w->next, 0);
    }
}

static void drop_unseen(struct checker *c)
{
    struct watched *next;

    for (struct watched *w = LIST_FIRST(&c->all); w != NULL; w = next) {
        enum health_state was = w->health.state;

        next = LIST_NEXT(w, all);
        if (w->seen || w->group == NULL)
            continue;
        stop_checks(w);
        w->group = NULL;
        w->cfg = NULL;
        if (health_deregister(&w->health, &w->rules, clock_mono_us()))
            changed(w, was);
        forget_if_over(w);
    }
}

void checker_apply(struct checker *c, struct event_base *base, const struct checker_plan *plan)
{
    struct watched *w;

    pthread_mutex_lock(&c->lock);
    c->base = base;
    c->plan = plan;
    LIST_FOREACH(w, &c->all, all)
    w->seen = false;
    for (size_t i = 0; i < plan->n_groups; i++) {
        const struct target_group *g = plan->groups[i].group;

        for (size_t j = 0; j < g->n_targets; j++)
            take(c, &plan->groups[i], &g->targets[j]);
    }
    drop_unseen(c);
    for (size_t i = 0; i < plan->n_groups; i++)
        judge_flows(c, plan->groups[i].group->cfg->obj.name);
    pthread_mutex_unlock(&c->lock);
}

/* --- life --- */
struct checker *checker_new(void (*lost_cb)(void *arg), void *arg, enum tls_use tls_use,
                            struct err *err)
{
    struct checker *c = calloc(1, sizeof *c);

    if (c == NULL) {
        err_set(err, ERR_NOMEM, "health checks");
        return NULL;
    }
    c->tls = check_tls_conf(tls_use, err);
    if (c->tls == NULL) {
        free(c);
        return NULL;
    }
    c->lost_cb = lost_cb;
    c->arg = arg;
    c->n_preface = proxy_v2_write_local(c->preface);
    LIST_INIT(&c->all);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void checker_halt(struct checker *c)
{
    pthread_mutex_lock(&c->lock);
    while (!LIST_EMPTY(&c->all))
        forget(LIST_FIRST(&c->all));
    c->plan = NULL;
    pthread_mutex_unlock(&c->lock);
}

void checker_free(struct checker *c)
{
    if (c == NULL)
        return;
    tls_conf_free(c->tls);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void fill(struct health_row *row, const struct watched *w)
{
    *row = (struct health_row){
        .addr = w->reg->addr,
        .state = w->health.state,
        .reason = w->health.reason,
        .since_utc_us = w->since_utc_us,
        .checked_utc_us = w->checked_utc_us,
        .checks = w->checks,
    };
    memcpy(row->group, w->reg->group, sizeof row->group);
    memcpy(row->zone, w->zone, sizeof row->zone);
    memcpy(row->detail, w->detail, sizeof row->detail);
}

size_t checker_snapshot(struct checker *c, struct health_row **rows)
{
    const struct watched *w;
    size_t n = 0, i = 0;

    *rows = NULL;
    pthread_mutex_lock(&c->lock);
    LIST_FOREACH(w, &c->all, all)
    n++;
    if (n > 0)
        *rows = malloc(n * sizeof **rows);
    if (*rows != NULL) {
        LIST_FOREACH(w, &c->all, all)
        fill(&(*rows)[i++], w);
    }
    pthread_mutex_unlock(&c->lock);
    return i;
}
