/* SPDX-License-Identifier: Apache-2.0
 * How many flows there are in the whole process, and from where. */
#include "flow/crowd.h"

#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    uint8_t key[17]; /* family, address */
    uint64_t flows;
};

struct crowd {
    struct ceilings ceilings;
    _Atomic uint64_t connections, handshakes, expired;
    pthread_mutex_t lock; /* what follows, and what is in the tree */
    void *sources;        /* of tsearch(3): balanced whatever addresses there are */
    void (*starved_cb)(void *arg);
    void *starved_arg;
};

struct crowd *crowd_new(void (*starved_cb)(void *arg), void *arg)
{
    struct crowd *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->starved_cb = starved_cb;
    c->starved_arg = arg;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void crowd_free(struct crowd *c)
{
    if (c == NULL)
        return;
    tdestroy(c->sources, free);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

struct ceilings *crowd_ceilings(struct crowd *c)
{
    return c == NULL ? NULL : &c->ceilings;
}

/* One more of what may be at most `max`; false, and none more: it is reached. */
static bool take_one(_Atomic uint64_t *n, uint64_t max)
{
    if (atomic_fetch_add(n, 1) < max)
        return true;
    atomic_fetch_sub(n, 1);
    return false;
}

static int compare_sources(const void *a, const void *b)
{
    return memcmp(((const struct source *)a)->key, ((const struct source *)b)->key,
                  sizeof((const struct source *)a)->key);
}

static void source_key(const struct addr *client, struct source *out)
{
    memset(out, 0, sizeof *out);
    out->key[0] = (uint8_t)client->u.sa.sa_family;
    if (client->u.sa.sa_family == AF_INET6)
        memcpy(out->key + 1, &client->u.in6.sin6_addr, 16);
    else
        memcpy(out->key + 1, &client->u.in4.sin_addr, 4);
}

/* The client's entry gets one flow more; false: it has `max`. Without memory nobody counts. */
static bool enter_source(struct crowd *c, const struct addr *client, uint64_t max,
                         struct source **out)
{
    bool room;

    struct source wanted, *s = NULL, **found;

    source_key(client, &wanted);
    pthread_mutex_lock(&c->lock);
    found = tfind(&wanted, &c->sources, compare_sources);
    if (found != NULL) {
        s = *found;
    } else if ((s = malloc(sizeof *s)) != NULL) {
        *s = wanted;
        if (tsearch(s, &c->sources, compare_sources) == NULL) {
            free(s);
            s = NULL;
        }
    }
    room = s == NULL || s->flows < max;
    if (s != NULL && room)
        s->flows++;
    pthread_mutex_unlock(&c->lock);
    *out = room ? s : NULL;
    return room;
}

static void leave_source(struct crowd *c, struct source *s)
{
    pthread_mutex_lock(&c->lock);
    if (--s->flows == 0) {
        tdelete(s, &c->sources, compare_sources);
        free(s);
    }
    pthread_mutex_unlock(&c->lock);
}

bool crowd_enter(struct crowd *c, const struct flow_limits *limits, const struct addr *client,
                 bool handshake, struct crowd_place *place)
{
    char who[ADDR_TEXT_MAX + 16] = "", text[ADDR_TEXT_MAX];
    enum ceiling full = CEILING_N;
    uint64_t limit = 0;

    *place = (struct crowd_place){ 0 };
    if (c == NULL)
        return true;
    if (!(place->connection = take_one(&c->connections, limits->connections))) {
        full = CEILING_CONNECTIONS;
        limit = limits->connections;
    } else if (handshake && !(place->handshake = take_one(&c->handshakes, limits->handshakes))) {
        full = CEILING_HANDSHAKES;
        limit = limits->handshakes;
    } else if (!enter_source(c, client, limits->per_source, &place->source)) {
        full = CEILING_SOURCE;
        limit = limits->per_source;
        snprintf(who, sizeof who, "source=%s ", addr_format_host(client, text));
    }
    if (full == CEILING_N)
        return true;
    crowd_leave(c, place);
    ceiling_reached(&c->ceilings, full, limit, who);
    return false;
}

void crowd_handshake_done(struct crowd *c, struct crowd_place *place)
{
    if (place->handshake)
        atomic_fetch_sub(&c->handshakes, 1);
    place->handshake = false;
}

void crowd_leave(struct crowd *c, struct crowd_place *place)
{
    crowd_handshake_done(c, place);
    if (place->source != NULL)
        leave_source(c, place->source);
    if (place->connection)
        atomic_fetch_sub(&c->connections, 1);
    *place = (struct crowd_place){ 0 };
}

bool crowd_keep_expired(struct crowd *c, const struct flow_limits *limits)
{
    return c == NULL || take_one(&c->expired, limits->connections);
}

void crowd_drop_expired(struct crowd *c)
{
    if (c != NULL)
        atomic_fetch_sub(&c->expired, 1);
}

bool crowd_has_expired(const struct crowd *c)
{
    return c != NULL && atomic_load(&c->expired) > 0;
}

bool crowd_starved(struct crowd *c)
{
    bool asked;

    if (!crowd_has_expired(c))
        return false;
    pthread_mutex_lock(&c->lock);
    asked = c->starved_cb != NULL;
    if (asked)
        c->starved_cb(c->starved_arg);
    pthread_mutex_unlock(&c->lock);
    return asked;
}

void crowd_ask_nobody(struct crowd *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->starved_cb = NULL;
    pthread_mutex_unlock(&c->lock);
}
