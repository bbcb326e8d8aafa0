/* SPDX-License-Identifier: Apache-2.0
 * The embedded targets of a configuration: one thread, its event loop, and how a reload changes
 * them: all is prepared first, then all of it takes effect, or nothing. */
#include "labtarget/lab_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/thread.h"
#include "labtarget/target_impl.h"
#include "tls/tls_random.h"

/* A configuration's targets, each with the socket that it will have. */
struct lab_targets_change {
    struct lab_targets *set;
    struct change_row {
        struct lab_target *target;
        struct target_socket *socket;
        bool fresh; /* the socket is the change's own */
    } * rows;
    size_t n;
    struct target_socket **at; /* room for the set's list */
};

/* --- the thread --- */
static bool has_socket(const struct lab_targets_change *c, const struct target_socket *s)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->rows[i].socket == s)
            return true;
    }
    return false;
}

static void apply(struct lab_targets *set, struct lab_targets_change *c)
{
    struct target_socket **old = set->at;

    for (size_t i = 0; i < set->n; i++) {
        if (!has_socket(c, old[i]))
            target_socket_close(old[i]);
    }
    for (size_t i = 0; i < c->n; i++) {
        target_socket_adopt(c->rows[i].socket, c->rows[i].target);
        c->at[i] = c->rows[i].socket;
    }
    set->at = c->at;
    set->n = c->n;
    c->at = old;
    c->n = 0; /* nothing is the change's own any more */
}

static void wake_cb(evutil_socket_t fd, short what, void *arg)
{
    struct lab_targets *set = arg;
    uint64_t wakes;

    (void)what;
    if (read(fd, &wakes, sizeof wakes) < 0)
        return;
    pthread_mutex_lock(&set->lock);
    if (set->wanted != NULL) {
        apply(set, set->wanted);
        set->wanted = NULL;
        pthread_cond_broadcast(&set->taken);
    }
    if (set->stop)
        event_base_loopbreak(set->base);
    pthread_mutex_unlock(&set->lock);
}

static void *run(void *arg)
{
    struct lab_targets *set = arg;

    watch_begin(&set->watch, set->base, "the thread of the lab targets");
    event_base_dispatch(set->base);
    watch_end(&set->watch);
    while (!LIST_EMPTY(&set->conns))
        conn_free(LIST_FIRST(&set->conns), false);
    tls_thread_done();
    return NULL;
}

static int start_loop(struct lab_targets *set, struct err *err)
{
    if (set->wake_fd < 0 && (set->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
        err_set(err, ERR_ENVIRONMENT, "eventfd: %s", err_why(errno));
    if (set->wake_fd < 0 || (set->base == NULL && (set->base = loop_new(err)) == NULL)) {
        err_prefix(err, "lab targets");
        return -1;
    }
    event_assign(&set->wake, set->base, set->wake_fd, EV_READ | EV_PERSIST, wake_cb, set);
    set->running = event_add(&set->wake, NULL) == 0 &&
                   thread_start(&set->thread, "lab targets", run, set) == 0;
    if (set->running)
        return 0;
    event_del(&set->wake);
    err_set(err, ERR_ENVIRONMENT, "cannot start the thread of the lab targets");
    return -1;
}

static void wake_thread(const struct lab_targets *set)
{
    const uint64_t one = 1;

    if (write(set->wake_fd, &one, sizeof one) < 0)
        return; /* it is full: the thread wakes anyhow */
}

/* --- a change --- */
/* The socket that is there already: by its address, or by the target's name where any port does. */
static struct target_socket *find_socket(const struct lab_targets_change *c,
                                         const struct lab_target_cfg *cfg)
{
    const struct lab_targets *set = c->set;

    for (size_t i = 0; i < set->n; i++) {
        struct target_socket *s = set->at[i];

        if (has_socket(c, s))
            continue;
        if (addr_port(&cfg->listen) != 0 ? addr_equal(&s->bound, &cfg->listen)
                                         : addr_equal(&s->requested, &cfg->listen) &&
                                               strcmp(s->target->info.name, cfg->obj.name) == 0)
            return s;
    }
    return NULL;
}

static int prepare_row(struct lab_targets_change *c, const struct lab_target_source *source,
                       const struct lab_target_cfg *cfg, struct err *err)
{
    struct change_row row = { .target = lab_target_new(source, cfg, err) };
    struct addr at;

    if (row.target == NULL)
        return -1;
    row.socket = find_socket(c, cfg);
    row.fresh = row.socket == NULL;
    if (row.fresh)
        row.socket = target_socket_open(c->set, cfg, lab_target_is_deaf(row.target), err);
    if (row.socket == NULL) {
        lab_target_unref(row.target);
        return -1;
    }
    row.target->info.addr = row.socket->bound;
    at = target_socket_reachable(row.socket);
    source->bound_cb(source->owner, cfg->obj.name, &at);
    c->rows[c->n++] = row;
    return 0;
}

struct lab_targets_change *lab_targets_prepare(struct lab_targets *set,
                                               const struct lab_target_source *source,
                                               struct err *err)
{
    size_t n = source->n;
    struct lab_targets_change *c;

    if (n > 0 && !set->running && start_loop(set, err) != 0)
        return NULL;
    c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->set = set;
        c->rows = calloc(n + 1, sizeof *c->rows);
        c->at = calloc(n + 1, sizeof(struct target_socket *));
    }
    if (c == NULL || c->rows == NULL || c->at == NULL) {
        err_set(err, ERR_NOMEM, "lab targets");
        lab_targets_drop(c);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (prepare_row(c, source, &source->cfgs[i], err) != 0) {
            lab_targets_drop(c);
            return NULL;
        }
    }
    return c;
}

void lab_targets_commit(struct lab_targets_change *c)
{
    struct lab_targets *set = c->set;

    pthread_mutex_lock(&set->lock);
    if (set->running) {
        set->wanted = c;
        wake_thread(set);
        while (set->wanted != NULL)
            pthread_cond_wait(&set->taken, &set->lock);
    }
    pthread_mutex_unlock(&set->lock);
    lab_targets_drop(c);
}

void lab_targets_drop(struct lab_targets_change *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n; i++) {
        if (c->rows[i].fresh)
            target_socket_close(c->rows[i].socket);
        lab_target_unref(c->rows[i].target);
    }
    free(c->rows);
    free(c->at);
    free(c);
}

/* --- life --- */
struct lab_targets *lab_targets_start(const struct lab_target_source *source, struct err *err)
{
    struct lab_targets *set = calloc(1, sizeof *set);
    struct lab_targets_change *all;

    if (set == NULL) {
        err_set(err, ERR_NOMEM, "lab targets");
        return NULL;
    }
    set->wake_fd = -1;
    LIST_INIT(&set->conns);
    pthread_mutex_init(&set->lock, NULL);
    pthread_cond_init(&set->taken, NULL);
    all = lab_targets_prepare(set, source, err);
    if (all == NULL) {
        lab_targets_stop(set);
        return NULL;
    }
    lab_targets_commit(all);
    return set;
}

void lab_targets_stop(struct lab_targets *set)
{
    if (set == NULL)
        return;
    pthread_mutex_lock(&set->lock);
    set->stop = true;
    pthread_mutex_unlock(&set->lock);
    if (set->running) {
        wake_thread(set);
        pthread_join(set->thread, NULL);
    }
    for (size_t i = 0; i < set->n; i++)
        target_socket_close(set->at[i]);
    if (set->base != NULL)
        event_base_free(set->base);
    if (set->wake_fd >= 0)
        close(set->wake_fd);
    pthread_mutex_destroy(&set->lock);
    pthread_cond_destroy(&set->taken);
    free(set->at);
    free(set);
}

size_t lab_targets_count(const struct lab_targets *set)
{
    return set == NULL ? 0 : set->n;
}

const struct lab_target_info *lab_targets_at(const struct lab_targets *set, size_t i)
{
    return &set->at[i]->target->info;
}
