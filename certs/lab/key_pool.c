/* SPDX-License-Identifier: Apache-2.0
 * Key pairs by label, each made once: when asked for, or ahead on threads in the background. */
#include "certs/lab/key_pool.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 8

enum key_state { KEY_WANTED, KEY_MAKING, KEY_READY, KEY_FAILED };

struct pool_key {
    char *label;
    enum issue_key_kind kind;
    enum key_state state;
    mbedtls_pk_context key;
    struct err err;
    struct pool_key *next_job; /* cheapest first */
};

struct key_pool {
    const char *seed;
    pthread_mutex_t lock; /* of everything below; a key that is ready no longer changes */
    pthread_cond_t changed;
    void *keys; /* tsearch() by label */
    struct pool_key *jobs;
    pthread_t threads[THREADS_MAX];
    size_t n_threads;
    bool stopping;
};

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct pool_key *)a)->label, ((const struct pool_key *)b)->label);
}

struct key_pool *key_pool_new(const char *seed)
{
    struct key_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return NULL;
    pool->seed = seed;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    return pool;
}

static void free_key(void *arg)
{
    struct pool_key *k = arg;

    mbedtls_pk_free(&k->key);
    free(k->label);
    free(k);
}

void key_pool_free(struct key_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    tdestroy(pool->keys, free_key);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Find the entry of a label, or add one. Called with the lock held; NULL without memory. */
static struct pool_key *entry_of(struct key_pool *pool, enum issue_key_kind kind, const char *label)
{
    struct pool_key probe = { .label = (char *)(uintptr_t)label }; /* only compared */
    struct pool_key **found = tfind(&probe, &pool->keys, compare_keys), *k;

    if (found != NULL)
        return *found;
    k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->kind = kind;
    k->state = KEY_WANTED;
    mbedtls_pk_init(&k->key);
    k->label = strdup(label);
    if (k->label == NULL || tsearch(k, &pool->keys, compare_keys) == NULL) {
        free_key(k);
        return NULL;
    }
    return k;
}

/* Make the key of an entry that was KEY_WANTED. Called with the lock held, which is let go of while
 * the key is made. */
static void make(struct key_pool *pool, struct pool_key *k)
{
    int rc;

    k->state = KEY_MAKING;
    pthread_mutex_unlock(&pool->lock);
    rc = issue_key_make(&k->key, k->kind, pool->seed, k->label, &k->err);
    pthread_mutex_lock(&pool->lock);
    k->state = rc == 0 ? KEY_READY : KEY_FAILED;
    pthread_cond_broadcast(&pool->changed);
}

mbedtls_pk_context *key_pool_get(struct key_pool *pool, enum issue_key_kind kind, const char *label,
                                 struct err *err)
{
    mbedtls_pk_context *key = NULL;
    struct pool_key *k;

    pthread_mutex_lock(&pool->lock);
    k = entry_of(pool, kind, label);
    if (k == NULL) {
        err_set(err, ERR_NOMEM, "key %s", label);
    } else {
        if (k->state == KEY_WANTED)
            make(pool, k);
        while (k->state == KEY_MAKING)
            pthread_cond_wait(&pool->changed, &pool->lock);
        if (k->state == KEY_READY)
            key = &k->key;
        else if (err != NULL)
            *err = k->err;
    }
    pthread_mutex_unlock(&pool->lock);
    return key;
}

mbedtls_pk_context *key_pool_put(struct key_pool *pool, enum issue_key_kind kind, const char *label,
                                 mbedtls_pk_context *key, struct err *err)
{
    mbedtls_pk_context *filed = NULL;
    struct pool_key *k;

    pthread_mutex_lock(&pool->lock);
    k = entry_of(pool, kind, label);
    if (k == NULL) {
        err_set(err, ERR_NOMEM, "key %s", label);
    } else if (k->state != KEY_WANTED) {
        err_set(err, ERR_BUG, "key %s is there already", label);
    } else {
        k->key = *key;
        mbedtls_pk_init(key);
        k->state = KEY_READY;
        filed = &k->key;
    }
    pthread_mutex_unlock(&pool->lock);
    mbedtls_pk_free(key);
    return filed;
}

int key_pool_want(struct key_pool *pool, enum issue_key_kind kind, const char *label,
                  struct err *err)
{
    struct pool_key **at = &pool->jobs, *k;
    int rc = 0;

    pthread_mutex_lock(&pool->lock);
    k = entry_of(pool, kind, label);
    if (k == NULL) {
        err_set(err, ERR_NOMEM, "key %s", label);
        rc = -1;
    } else if (k->state == KEY_WANTED) {
        /* The kinds are numbered by cost. A label asked for twice is queued once. */
        while (*at != NULL && *at != k && (*at)->kind <= kind)
            at = &(*at)->next_job;
        if (*at != k) {
            k->next_job = *at;
            *at = k;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return rc;
}

static void *work(void *arg)
{
    struct key_pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    while (pool->jobs != NULL && !pool->stopping) {
        struct pool_key *k = pool->jobs;

        pool->jobs = k->next_job;
        if (k->state == KEY_WANTED) /* else somebody could not wait and made it himself */
            make(pool, k);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int key_pool_start(struct key_pool *pool, struct err *err)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors > 1 ? (size_t)processors : 1;

    int rc = 0;

    if (wanted > THREADS_MAX)
        wanted = THREADS_MAX;
    pthread_mutex_lock(&pool->lock);
    while (pool->jobs != NULL && pool->n_threads < wanted) {
        if (pthread_create(&pool->threads[pool->n_threads], NULL, work, pool) != 0) {
            if (pool->n_threads == 0) { /* fewer threads only take longer */
                err_set(err, ERR_ENVIRONMENT, "cannot start a thread to make keys");
                rc = -1;
            }
            break;
        }
        pool->n_threads++;
    }
    pthread_mutex_unlock(&pool->lock);
    return rc;
}
