/* SPDX-License-Identifier: Apache-2.0
 * The flows of one worker: who comes and who goes; and the memory that many have left. */
#include <malloc.h>

#include "flow/flow_impl.h"

/* The allocator keeps what was freed, tens of kilobytes for each TLS flow. When so many have ended
 * and less than half of the most are left, for a second, the system gets it back. */
#define TRIM_FLOWS 200
#define TRIM_S     1

static bool many_have_ended(const struct flow_env *env)
{
    return env->most_flows - env->n_flows >= TRIM_FLOWS && env->n_flows <= env->most_flows / 2;
}

static void trim_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow_env *env = arg;

    (void)fd, (void)what;
    if (!many_have_ended(env))
        return;
    env->most_flows = env->n_flows;
    (void)malloc_trim(0);
}

void roster_add(struct flow_env *env, struct flow *f)
{
    LIST_INSERT_HEAD(&env->flows, f, all);
    if (++env->n_flows > env->most_flows)
        env->most_flows = env->n_flows;
}

void roster_remove(struct flow_env *env, struct flow *f)
{
    LIST_REMOVE(f, all);
    env->n_flows--;
    if (f->expired) {
        env->n_expired--;
        crowd_drop_expired(env->crowd);
    }
    if (many_have_ended(env) && !event_pending(&env->trim, EV_TIMEOUT, NULL))
        evtimer_add(&env->trim, &(struct timeval){ .tv_sec = TRIM_S });
}

void roster_init(struct flow_env *env)
{
    LIST_INIT(&env->flows);
    env->n_flows = env->n_expired = env->most_flows = 0;
    evtimer_assign(&env->trim, env->base, trim_cb, env);
}
