/* SPDX-License-Identifier: Apache-2.0
 * What the flows of one worker share. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/descriptors.h"
#include "flow/flow_impl.h"
#include "flow/splice.h"

/* How long a refused peer may take to read why. */
#define LINGER_US 1000000U

/* A flow is freed after the callback that ended it has returned, never under its own feet. */
static void reap_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow_env *env = arg;
    struct flow *f;

    (void)fd, (void)what;
    while ((f = STAILQ_FIRST(&env->dead)) != NULL) {
        STAILQ_REMOVE_HEAD(&env->dead, dying);
        if (f->keeper.unref != NULL)
            f->keeper.unref(f->keeper.arg);
        free(f);
    }
}

/* --- the worker's share --- */
int flow_env_init(struct flow_env *env, struct event_base *base, uint64_t first_id,
                  uint64_t id_step)
{
    env->base = base;
    env->next_id = first_id;
    env->id_step = id_step;
    STAILQ_INIT(&env->dead);
    lingerers_init(&env->lingers, base, LINGER_US);
    env->crowd = NULL;
    event_assign(&env->reap, base, -1, 0, reap_cb, env);
    roster_init(env);
    env->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    env->scratch = malloc(FLOW_SCRATCH);
    env->pipes = pipe_pool_new();
    if (env->scratch != NULL && env->pipes != NULL)
        return 0;
    pipe_pool_free(env->pipes);
    free(env->scratch);
    return -1;
}

void flow_env_drop_expired(struct flow_env *env)
{
    struct flow *f = LIST_FIRST(&env->flows);

    while (f != NULL) {
        struct flow *next = LIST_NEXT(f, all);

        if (f->state == FLOW_EXPIRED)
            flow_abort(f, END_IDLE_TIMEOUT);
        f = next;
    }
}

bool flow_env_give_up(struct flow_env *env)
{
    bool any = true;

    if (env->n_expired > 0)
        flow_env_drop_expired(env);
    else if (!linger_over(&env->lingers))
        linger_clear(&env->lingers);
    else
        any = false;
    return any;
}

/* Descriptors are given out from the lowest free number. */
#define SPARE_FDS 32

void flow_env_spare(struct flow_env *env, int fd)
{
    if (!crowd_has_expired(env->crowd) || (uint64_t)fd + SPARE_FDS < descriptors_limit())
        return;
    if (env->n_expired > 0)
        flow_env_drop_expired(env);
    (void)crowd_starved(env->crowd);
}

void flow_env_clear(struct flow_env *env)
{
    while (!LIST_EMPTY(&env->flows))
        flow_abort(LIST_FIRST(&env->flows), END_STOPPED);
    linger_clear(&env->lingers);
    event_del(&env->trim);
    event_del(&env->reap);
    reap_cb(-1, 0, env);
    pipe_pool_free(env->pipes);
    if (env->spare_fd >= 0)
        close(env->spare_fd);
    free(env->scratch);
}
