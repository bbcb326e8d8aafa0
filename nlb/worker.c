/* SPDX-License-Identifier: Apache-2.0
 * One worker: a thread with its own event base, its own listening sockets and its own flows. */
#include "nlb/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/thread.h"
#include "core/turn.h"
#include "core/watch.h"
#include "listeners/listener.h"
#include "tls/tls_random.h"

/* A line of the access log waits this long for others to be written with. */
#define ACCESS_FLUSH_US 5000
/* How long somebody who looks waits for a busy worker. */
#define LOOK_S 1
/* How often a draining worker looks whether it is done. */
#define DRAIN_LOOK_US 20000

struct worker {
    pthread_t thread;
    unsigned number, of; /* from 1 */
    struct watch watch;
    struct event_base *base;
    struct flow_env env;
    struct worker_outputs outputs;
    struct access_buf access;
    struct event wake, drain_look, access_flush;
    int wake_fd;
    struct worker_drain *drain_count;
    struct listener listeners[WORKER_SLOTS];
    bool used[WORKER_SLOTS];
    struct generation *generation; /* what new flows get */
    struct checker *checker;       /* borrowed; NULL: this worker runs no health checks */
    atomic_bool sweep, give_up;

    pthread_mutex_t lock; /* guards what follows: the mail box */
    pthread_cond_t taken;
    const struct worker_change *change;
    struct look *look;
    bool drain, stop;
};

/* Somebody wants to see the live flows. */
struct look {
    struct flow_view *out;
    size_t max, n;
};

static void write_event(struct worker *w, const struct flow_record *record)
{
    uint64_t most = w->generation->config->nlb.max_event_bytes;
    bool cut;
    char *line = event_format(record, most, &cut);

    if (cut)
        ceiling_reached(crowd_ceilings(w->env.crowd), CEILING_EVENT, most, "");
    if (line == NULL) {
        log_err("events", "flow=%llu lost: no memory", (unsigned long long)record->id);
        return;
    }
    if (w->outputs.events != NULL)
        event_sink_write(w->outputs.events, line);
    if (event_watched(w->outputs.watch))
        event_watch_add(w->outputs.watch, line);
    if (w->outputs.recent != NULL && record_is_trouble(record))
        recent_events_add(w->outputs.recent, line);
    else
        free(line);
}

static void ended_cb(void *arg, const struct flow_record *record)
{
    struct worker *w = arg;
    const struct timeval soon = { .tv_usec = ACCESS_FLUSH_US };

    if (w->outputs.events != NULL || event_watched(w->outputs.watch) ||
        (w->outputs.recent != NULL && record_is_trouble(record)))
        write_event(w, record);
    if (w->access.log != NULL && record->protocol == PROTOCOL_TLS &&
        access_buf_add(&w->access, record))
        evtimer_add(&w->access_flush, &soon);
}

static void access_flush_cb(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd, (void)what;
    access_buf_flush(&w->access);
}

static void apply(struct worker *w, const struct worker_change *c)
{
    const struct flow_keeper keeper = { generation_ref, generation_unref, c->generation };

    for (size_t i = 0; i < WORKER_SLOTS; i++) {
        const struct worker_slot *slot = &c->slots[i];

        if (slot->front == NULL && w->used[i]) {
            listener_stop(&w->listeners[i]);
            w->used[i] = false;
        } else if (slot->front != NULL && slot->fd >= 0) {
            if (listener_start(&w->listeners[i], &w->env, slot->front, &keeper, slot->fd) != 0)
                log_err("listener", "listener=%s cannot wait for connections",
                        front_cfg(slot->front)->obj.name);
            w->used[i] = true;
        } else if (slot->front != NULL) {
            listener_adopt(&w->listeners[i], slot->front, &keeper);
        }
    }
    /* Before the old generation goes: the checker still works by it. */
    w->checker = c->checker;
    if (w->checker != NULL)
        checker_apply(w->checker, w->base, &c->generation->checks);
    generation_unref(w->generation);
    w->generation = c->generation;
}

static void stop_listening(struct worker *w)
{
    for (size_t i = 0; i < WORKER_SLOTS; i++) {
        if (w->used[i])
            listener_stop(&w->listeners[i]);
        w->used[i] = false;
    }
}

static void drain_look_cb(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    const struct timeval again = { .tv_usec = DRAIN_LOOK_US };
    const uint64_t one = 1;

    (void)fd, (void)what;
    flow_env_drop_expired(&w->env);
    if (w->env.n_flows > 0 || !linger_over(&w->env.lingers))
        evtimer_add(&w->drain_look, &again);
    else if (atomic_fetch_sub(&w->drain_count->left, 1) == 1 &&
             write(w->drain_count->fd, &one, sizeof one) < 0)
        log_err("bug", "nobody is told that all flows have ended");
}

static void wake_cb(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    uint64_t n;

    (void)what;
    if (read(fd, &n, sizeof n) < 0)
        return;
    turn_at("a message of another thread");
    if (atomic_exchange_explicit(&w->sweep, false, memory_order_acq_rel))
        flow_env_sweep(&w->env);
    if (atomic_exchange_explicit(&w->give_up, false, memory_order_acq_rel))
        (void)flow_env_give_up(&w->env);
    pthread_mutex_lock(&w->lock);
    if (w->change != NULL) {
        apply(w, w->change);
        w->change = NULL;
        pthread_cond_broadcast(&w->taken);
    }
    if (w->look != NULL) {
        w->look->n = flow_views(&w->env, w->look->out, w->look->max);
        w->look = NULL;
        pthread_cond_broadcast(&w->taken);
    }
    if (w->drain) {
        w->drain = false;
        stop_listening(w);
        drain_look_cb(-1, 0, w);
    }
    if (w->stop)
        event_base_loopbreak(w->base);
    pthread_mutex_unlock(&w->lock);
    turn_end();
}

static void *worker_run(void *arg)
{
    struct worker *w = arg;

    watch_begin(&w->watch, w->base, "worker %u of %u", w->number, w->of);
    event_base_dispatch(w->base);
    watch_end(&w->watch);
    if (w->checker != NULL)
        checker_halt(w->checker);
    stop_listening(w);
    flow_env_clear(&w->env);
    access_buf_clear(&w->access);
    generation_unref(w->generation);
    tls_thread_done();
    return NULL;
}

static void wake_worker(struct worker *w)
{
    const uint64_t one = 1;

    if (write(w->wake_fd, &one, sizeof one) < 0)
        return; /* the counter is full: it is awake */
}

static void worker_release(struct worker *w)
{
    access_buf_clear(&w->access);
    if (w->base != NULL)
        event_base_free(w->base);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->taken);
    free(w);
}

struct worker *worker_start(unsigned number, unsigned n_workers,
                            const struct worker_outputs *outputs, struct worker_drain *drain,
                            struct crowd *crowd, struct err *err)
{
    struct worker *w = calloc(1, sizeof *w);
    char name[16];

    if (w == NULL) {
        err_set(err, ERR_NOMEM, "worker");
        return NULL;
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->taken, NULL);
    w->number = number + 1;
    w->of = n_workers;
    w->outputs = *outputs;
    w->drain_count = drain;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->wake_fd < 0)
        err_set(err, ERR_ENVIRONMENT, "eventfd: %s", err_why(errno));
    else if ((w->base = loop_new(err)) != NULL &&
             (access_buf_init(&w->access, outputs->access_log) != 0 ||
              flow_env_init(&w->env, w->base, w->number, w->of) != 0)) {
        err_set(err, ERR_NOMEM, "out of memory");
        event_base_free(w->base);
        w->base = NULL;
    }
    if (w->base == NULL) {
        err_prefix(err, "worker %u of %u", w->number, w->of);
        worker_release(w);
        return NULL;
    }
    w->env.ended_cb = ended_cb;
    w->env.watch = outputs->watch;
    w->env.wants_chain = outputs->events != NULL || outputs->recent != NULL;
    w->env.ended_arg = w;
    w->env.crowd = crowd;
    event_assign(&w->wake, w->base, w->wake_fd, EV_READ | EV_PERSIST, wake_cb, w);
    event_add(&w->wake, NULL);
    evtimer_assign(&w->drain_look, w->base, drain_look_cb, w);
    evtimer_assign(&w->access_flush, w->base, access_flush_cb, w);
    snprintf(name, sizeof name, "worker %u", w->number);
    if (thread_start(&w->thread, name, worker_run, w) != 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot start a worker thread");
        flow_env_clear(&w->env);
        worker_release(w);
        return NULL;
    }
    return w;
}

void worker_apply(struct worker *w, const struct worker_change *change)
{
    pthread_mutex_lock(&w->lock);
    w->change = change;
    wake_worker(w);
    while (w->change != NULL)
        pthread_cond_wait(&w->taken, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void worker_drain(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->drain = true;
    pthread_mutex_unlock(&w->lock);
    wake_worker(w);
}

void worker_sweep(struct worker *w)
{
    /* Without the lock: the first worker calls this while it holds its own. */
    atomic_store_explicit(&w->sweep, true, memory_order_release);
    wake_worker(w);
}

void worker_give_up(struct worker *w)
{
    atomic_store_explicit(&w->give_up, true, memory_order_release);
    wake_worker(w);
}

void worker_stop(struct worker *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    wake_worker(w);
    pthread_join(w->thread, NULL);
    worker_release(w);
}

int worker_flows(struct worker *w, struct flow_view *out, size_t max, size_t *n)
{
    struct look look = { .out = out, .max = max };
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_S;
    *n = 0;
    if (pthread_mutex_timedlock(&w->lock, &until) != 0)
        return -1;
    w->look = &look;
    wake_worker(w);
    while (w->look == &look && rc == 0)
        rc = pthread_cond_timedwait(&w->taken, &w->lock, &until);
    rc = w->look == &look ? -1 : 0;
    w->look = NULL;
    pthread_mutex_unlock(&w->lock);
    *n = look.n;
    return rc;
}

const struct metrics *worker_metrics(const struct worker *w)
{
    return &w->env.metrics;
}
