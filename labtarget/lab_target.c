/* SPDX-License-Identifier: Apache-2.0
 * The embedded targets of a configuration: sockets, one thread, its event loop. */
#include "labtarget/lab_target.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "labtarget/target_impl.h"
#include "tls/tls_conf.h"

#define BACKLOG      1024
#define TURN_ACCEPTS 64 /* connections taken per turn, so that running ones get theirs */
#define RETRY_MS     100

/* --- accept --- */
static bool out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_cb(evutil_socket_t fd, short what, void *arg)
{
    struct lab_target *t = arg;

    (void)what;
    for (int i = 0; i < TURN_ACCEPTS; i++) {
        struct addr peer = { .len = sizeof peer.u };
        int conn = accept4(fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (conn < 0) {
            const struct timeval retry = { .tv_usec = RETRY_MS * 1000 };

            if (!out_of_resources(errno))
                return; /* nothing left, or that one connection is gone */
            log_warn("target_accept", "target=%s error=\"%s\" new connections wait", t->info.name,
                     err_why(errno));
            event_del(&t->accept_event);
            evtimer_add(&t->retry_event, &retry);
            return;
        }
        conn_start(t, conn, &peer);
    }
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
    struct lab_target *t = arg;

    (void)fd, (void)what;
    event_add(&t->accept_event, NULL);
}

/* --- sockets --- */
static bool is_any(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
    return a->u.in4.sin_addr.s_addr == INADDR_ANY;
}

/* Where the load balancer finds a target that listens everywhere: the loopback address. */
static struct addr reachable(const struct addr *listening)
{
    struct addr a = *listening;

    if (!is_any(&a))
        return a;
    if (a.u.sa.sa_family == AF_INET6)
        a.u.in6.sin6_addr = in6addr_loopback;
    else
        a.u.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static int target_open(struct lab_target *t, struct err *err)
{
    const struct addr *a = &t->cfg->listen;
    bool deaf = t->fault.row != NULL && t->fault.row->point == FAULT_LISTEN;
    char text[ADDR_TEXT_MAX];
    int on = 1;

    t->fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->fd < 0) {
        err_set(err, ERR_ENVIRONMENT, "lab target '%s': socket: %s", t->info.name, err_why(errno));
        return -1;
    }
    setsockopt(t->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    if (a->u.sa.sa_family == AF_INET6)
        setsockopt(t->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(t->fd, &a->u.sa, a->len) != 0 || (!deaf && listen(t->fd, BACKLOG) != 0)) {
        err_set(err, ERR_ENVIRONMENT, "lab target '%s': cannot listen on %s: %s", t->info.name,
                addr_format(a, text), err_why(errno));
        return -1;
    }
    t->info.addr = addr_local(t->fd);
    return 0;
}

static int target_prepare(struct lab_targets *set, struct lab_target *t,
                          const struct lab_target_cfg *cfg, struct err *err)
{
    struct addr at;

    t->set = set;
    t->cfg = cfg;
    t->fd = -1;
    t->info.name = cfg->obj.name;
    t->info.protocol = cfg->protocol == LAB_HTTPS ? "HTTPS" : "HTTP";
    if (cfg->fault != NULL && fault_parse(cfg->fault, &t->fault, err) != 0)
        return -1;
    if (cfg->protocol == LAB_HTTPS && lab_target_tls_prepare(t, err) != 0)
        return -1;
    if (target_open(t, err) != 0)
        return -1;
    at = reachable(&t->info.addr);
    (void)nlb_config_bind_lab(set->config, t->info.name, &at);
    return 0;
}

/* --- the thread --- */
static void wake_cb(evutil_socket_t fd, short what, void *arg)
{
    struct lab_targets *set = arg;

    (void)fd, (void)what;
    event_base_loopbreak(set->base);
}

static void *run(void *arg)
{
    struct lab_targets *set = arg;

    event_base_dispatch(set->base);
    while (!LIST_EMPTY(&set->conns))
        conn_free(LIST_FIRST(&set->conns), false);
    tls_thread_done();
    return NULL;
}

/* Signals are the business of the thread that started us. */
static int start_thread(struct lab_targets *set)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&set->thread, NULL, run, set);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    set->running = rc == 0;
    return rc == 0 ? 0 : -1;
}

static int start_loop(struct lab_targets *set, struct err *err)
{
    set->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (set->wake_fd < 0)
        err_set(err, ERR_ENVIRONMENT, "eventfd: %s", err_why(errno));
    if (set->wake_fd < 0 || (set->base = loop_new(err)) == NULL) {
        err_prefix(err, "lab targets");
        return -1;
    }
    event_assign(&set->wake, set->base, set->wake_fd, EV_READ | EV_PERSIST, wake_cb, set);
    if (event_add(&set->wake, NULL) != 0)
        goto fail;
    for (size_t i = 0; i < set->n; i++) {
        struct lab_target *t = &set->at[i];

        event_assign(&t->accept_event, set->base, t->fd, EV_READ | EV_PERSIST, accept_cb, t);
        evtimer_assign(&t->retry_event, set->base, retry_cb, t);
        if (t->fault.row != NULL && t->fault.row->point == FAULT_LISTEN)
            continue;
        if (event_add(&t->accept_event, NULL) != 0)
            goto fail;
    }
    if (start_thread(set) == 0)
        return 0;
fail:
    err_set(err, ERR_ENVIRONMENT, "cannot start the thread of the lab targets");
    return -1;
}

struct lab_targets *lab_targets_start(struct nlb_config *config, struct err *err)
{
    struct lab_targets *set = calloc(1, sizeof *set);
    size_t n;
    const struct lab_target_cfg *cfgs = lab_config_targets(config, &n);

    if (set == NULL) {
        err_set(err, ERR_NOMEM, "lab targets");
        return NULL;
    }
    set->wake_fd = -1;
    set->config = nlb_config_ref(config);
    LIST_INIT(&set->conns);
    if (n == 0)
        return set;
    set->at = calloc(n, sizeof *set->at);
    if (set->at == NULL) {
        err_set(err, ERR_NOMEM, "lab targets");
        goto fail;
    }
    for (size_t i = 0; i < n; i++) {
        set->n++;
        if (target_prepare(set, &set->at[i], &cfgs[i], err) != 0)
            goto fail;
    }
    if (start_loop(set, err) == 0)
        return set;
fail:
    lab_targets_stop(set);
    return NULL;
}

void lab_targets_stop(struct lab_targets *set)
{
    const uint64_t one = 1;

    if (set == NULL)
        return;
    if (set->running && write(set->wake_fd, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(set->thread, NULL);
    for (size_t i = 0; i < set->n; i++) {
        if (set->at[i].fd >= 0)
            close(set->at[i].fd);
        lab_target_tls_clear(&set->at[i]);
    }
    if (set->base != NULL)
        event_base_free(set->base);
    if (set->wake_fd >= 0)
        close(set->wake_fd);
    free(set->at);
    nlb_config_unref(set->config);
    free(set);
}

/* The same keys with the same values, in the same order? */
static bool same_keys(const struct cfg_object *a, const struct cfg_object *b)
{
    if (a->n_given != b->n_given)
        return false;
    for (size_t i = 0; i < a->n_given; i++) {
        if (strcmp(a->given[i].key->name, b->given[i].key->name) != 0 ||
            strcmp(a->given[i].text, b->given[i].text) != 0)
            return false;
    }
    return true;
}

int lab_targets_rebind(const struct lab_targets *set, struct nlb_config *config, struct err *err)
{
    size_t n;
    const struct lab_target_cfg *cfgs = lab_config_targets(config, &n);

    for (size_t i = 0; i < n; i++) {
        const struct lab_target *t = NULL;
        struct addr at;

        for (size_t k = 0; k < set->n && t == NULL; k++) {
            if (strcmp(set->at[k].info.name, cfgs[i].obj.name) == 0)
                t = &set->at[k];
        }
        if (t == NULL || !same_keys(&t->cfg->obj, &cfgs[i].obj)) {
            err_set(err, ERR_CONFIG,
                    "lab target '%s' %s: lab targets are fixed at start, restart nlbsim",
                    cfgs[i].obj.name, t == NULL ? "is new" : "has other settings now");
            return -1;
        }
        at = reachable(&t->info.addr);
        (void)nlb_config_bind_lab(config, cfgs[i].obj.name, &at);
    }
    return 0;
}

size_t lab_targets_count(const struct lab_targets *set)
{
    return set == NULL ? 0 : set->n;
}

const struct lab_target_info *lab_targets_at(const struct lab_targets *set, size_t i)
{
    return &set->at[i].info;
}
