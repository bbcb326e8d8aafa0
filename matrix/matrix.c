/* SPDX-License-Identifier: Apache-2.0
 * Many scenarios: pick, run side by side, keep the results in the order of the files. */
#include "matrix/matrix.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "matrix/catalogue.h"
#include "tls/tls_random.h"

/* One scenario that was picked. */
struct pick {
    const struct scenario_file *file;
    const struct integration_cfg *integration;
};

struct crew {
    const struct matrix_options *options;
    struct matrix *matrix;
    const struct pick *picks;
    atomic_size_t next;
    pthread_mutex_t lock; /* guards what follows */
    size_t done;
};

int matrix_read(struct matrix *m, const char *const *paths, size_t n_paths,
                struct problems *problems)
{
    size_t n = n_paths;
    const struct catalogue_file *embedded = n_paths == 0 ? catalogue_files(&n) : NULL;

    memset(m, 0, sizeof *m);
    m->files = calloc(n, sizeof *m->files);
    if (m->files == NULL) {
        problems_add(problems, 0, "out of memory");
        return -1;
    }
    for (; m->n_files < n; m->n_files++) {
        const size_t i = m->n_files;
        const char *path = embedded != NULL ? embedded[i].path : paths[i];

        problems->path = path;
        if (scenario_file_read(&m->files[i], path, embedded != NULL ? embedded[i].text : NULL,
                               embedded != NULL ? embedded[i].n : 0, problems) != 0) {
            scenario_file_clear(&m->files[i]);
            return -1;
        }
    }
    return 0;
}

static bool picked(const struct integration_cfg *g, const char *filter)
{
    if (filter == NULL)
        return true;
    if (strpbrk(filter, "*?[") != NULL)
        return fnmatch(filter, g->obj.name, 0) == 0;
    return strstr(g->obj.name, filter) != NULL ||
           (g->title != NULL && strstr(g->title, filter) != NULL);
}

static struct pick *pick_all(const struct matrix *m, const struct matrix_options *o, size_t *n)
{
    struct pick *picks;
    size_t room = 1, seen = 0;

    for (size_t i = 0; i < m->n_files; i++)
        room += m->files[i].n_integrations;
    picks = calloc(room, sizeof *picks);
    *n = 0;
    for (size_t i = 0; picks != NULL && i < m->n_files; i++) {
        for (size_t k = 0; k < m->files[i].n_integrations; k++) {
            const struct integration_cfg *g = &m->files[i].integrations[k];

            if (!picked(g, o->filter))
                continue;
            /* Dealt out in turn, so that every shard gets some of the slow ones. */
            if (o->shards == 0 || seen % o->shards == o->shard - 1)
                picks[(*n)++] = (struct pick){ &m->files[i], g };
            seen++;
        }
    }
    return picks;
}

static void *work(void *arg)
{
    struct crew *c = arg;

    for (;;) {
        size_t i = atomic_fetch_add(&c->next, 1);
        struct scenario_result *r;

        if (i >= c->matrix->n_results)
            break;
        r = &c->matrix->results[i];
        scenario_run(c->picks[i].file, c->picks[i].integration, r);
        pthread_mutex_lock(&c->lock);
        c->done++;
        if (c->options->progress_cb != NULL)
            c->options->progress_cb(c->options->arg, r, c->done, c->matrix->n_results);
        pthread_mutex_unlock(&c->lock);
    }
    tls_thread_done();
    return NULL;
}

static int run_crew(struct crew *c, struct err *err)
{
    pthread_t *threads = calloc(c->options->jobs, sizeof *threads);
    unsigned n = 0;

    if (threads == NULL) {
        err_set(err, ERR_NOMEM, "%u jobs", c->options->jobs);
        return -1;
    }
    while (n < c->options->jobs && pthread_create(&threads[n], NULL, work, c) == 0)
        n++;
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    if (n == 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot start a thread");
        return -1;
    }
    return 0;
}

int matrix_run(struct matrix *m, const struct matrix_options *o, struct err *err)
{
    struct crew crew = { .options = o, .matrix = m };
    uint64_t begin = clock_mono_us();
    struct pick *picks = pick_all(m, o, &m->n_results);
    int rc = -1;

    m->results = calloc(m->n_results + 1, sizeof *m->results);
    if (picks == NULL || m->results == NULL) {
        err_set(err, ERR_NOMEM, "scenarios");
        goto out;
    }
    crew.picks = picks;
    pthread_mutex_init(&crew.lock, NULL);
    rc = run_crew(&crew, err);
    pthread_mutex_destroy(&crew.lock);
    for (size_t i = 0; i < m->n_results; i++) {
        const struct scenario_result *r = &m->results[i];

        if (!r->acted)
            m->listed++;
        else if (r->passed)
            m->passed++;
        else
            m->failed++;
    }
    m->ms = (double)(clock_mono_us() - begin) / 1000.0;
out:
    free(picks);
    return rc;
}

void matrix_clear(struct matrix *m)
{
    for (size_t i = 0; m->results != NULL && i < m->n_results; i++)
        scenario_result_clear(&m->results[i]);
    for (size_t i = 0; i < m->n_files; i++)
        scenario_file_clear(&m->files[i]);
    free(m->results);
    free(m->files);
    memset(m, 0, sizeof *m);
}
