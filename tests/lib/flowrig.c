/* SPDX-License-Identifier: Apache-2.0
 * One worker's share of the world, without the worker. */
#include "tests/lib/flowrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"
#include "tests/lib/sockets.h"
#include "tls/hop_tls.h"

static void ended_cb(void *arg, const struct flow_record *record)
{
    struct rig *r = arg;

    r->ended++;
    r->end = record->end;
    r->failure = record->failure;
    r->received_bytes = record->received_bytes;
    r->sent_bytes = record->sent_bytes;
    r->spliced = record->spliced;
}

static void ref(void *arg)
{
    ++*(int *)arg;
}

static void unref(void *arg)
{
    --*(int *)arg;
}

static void wake_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

void rig_init(struct rig *r, enum flow_relay relay)
{
    struct err err = { 0 };

    memset(r, 0, sizeof *r);
    signal(SIGPIPE, SIG_IGN); /* as cli/cmd_run.c does, for splice(2) */
    r->base = loop_new(&err);
    assert_non_null(r->base);
    assert_int_equal(flow_env_init(&r->env, r->base, 1, 1), 0);
    r->env.ended_cb = ended_cb;
    r->env.ended_arg = r;
    r->listening = sock_listen(&r->target_cfg.addr);
    r->group_cfg = (struct target_group_cfg){
        .obj.name = "g", .protocol = PROTOCOL_TCP, .targets = &r->target_cfg, .n_targets = 1
    };
    r->registry = registry_new();
    assert_non_null(r->registry);
    r->group = group_new(&r->group_cfg, r->registry, &err);
    assert_non_null(r->group);
    r->member = (struct forward_member){ r->group, 1 };
    r->forward = (struct forward){ &r->member, 1, 1 };
    r->plan = (struct flow_plan){ .listener = "l",
                                  .protocol = PROTOCOL_TCP,
                                  .forward = &r->forward,
                                  .idle_us = 350000000,
                                  .handshake_us = 2000000,
                                  .connect_us = 2000000,
                                  .relay = relay };
    r->end = END_N;
}

void rig_clear(struct rig *r)
{
    flow_env_clear(&r->env);
    assert_int_equal(r->env.n_flows, 0);
    assert_int_equal(r->refs, 0);
    group_free(r->group);
    registry_free(r->registry);
    event_base_free(r->base);
    close(r->listening);
}

struct flow *rig_flow(struct rig *r, struct hop *front)
{
    const struct flow_keeper keeper = { ref, unref, &r->refs };
    const struct flow_record record = { .client = addr_peer(front->fd),
                                        .local = addr_local(front->fd),
                                        .start_us = 1 };
    struct flow *f =
        flow_begin(&r->env, &r->plan, &keeper, front, &record, &(struct crowd_place){ 0 });

    assert_non_null(f);
    return f;
}

void rig_turn(struct rig *r)
{
    const struct timeval soon = { .tv_usec = 2000 };

    event_base_once(r->base, -1, EV_TIMEOUT, wake_cb, NULL, &soon);
    event_base_loop(r->base, EVLOOP_ONCE);
}

static int64_t real_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts); /* not core/clock: that one may be a fake */
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool rig_until(struct rig *r, bool (*done)(void *arg), void *arg)
{
    int64_t until = real_ms() + 5000;

    while (!done(arg)) {
        if (real_ms() > until)
            return false;
        rig_turn(r);
    }
    return true;
}

static bool has_ended(void *arg)
{
    const struct rig *r = arg;

    return r->env.n_flows == 0 && linger_over(&r->env.lingers);
}

bool rig_until_ended(struct rig *r)
{
    return rig_until(r, has_ended, r);
}

static bool readable(void *arg)
{
    struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

    return poll(&p, 1, 0) == 1;
}

struct flow *rig_connect(struct rig *r, int *client, int *target)
{
    int fd[2];
    struct hop *front;
    struct flow *f;

    if (r->buffer > 0)
        setsockopt(r->listening, SOL_SOCKET, SO_RCVBUF, &r->buffer, sizeof r->buffer);
    sock_pair(fd, r->buffer);
    *client = fd[0];
    front = hop_tcp_new(fd[1]);
    assert_non_null(front);
    f = rig_flow(r, front);
    flow_go(f);
    assert_true(rig_until(r, readable, &r->listening));
    *target = accept(r->listening, NULL, NULL);
    assert_true(*target >= 0);
    assert_int_equal(fcntl(*target, F_SETFL, O_NONBLOCK), 0);
    for (int i = 0; i < 100 && f->state < FLOW_RELAYING; i++)
        rig_turn(r);
    assert_int_equal(f->state, FLOW_RELAYING);
    return f;
}

int open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}
