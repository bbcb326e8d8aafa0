/* SPDX-License-Identifier: Apache-2.0
 * A signpost beside each listening address: who listens there, for a probe on the same machine. */
#include "nlb/signpost.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/x509/pem_file.h"
#include "core/foreign.h"
#include "core/sock.h"
#include "core/thread.h"
#include "nlb/worker.h"
#include "observe/event_watch.h"

#define RETRY_MS 100

/* Probes that may watch at the same time. */
#define WATCHERS_MAX 32

struct post {
    int fd;
    struct addr address;
    char listener[64];
    enum protocol protocol;
};

/* What signposts_set() asks of the thread. */
struct wanted {
    const struct signpost *posts;
    size_t n;
    const struct nlb_config *config;
    struct err *err;
    int rc;
};

/* The sockets are the thread's own: one that is closed while poll(2) waits on it would keep its
 * name. */
struct signposts {
    pthread_t thread;
    char *events; /* absolute; NULL: none */
    int wake_fd;
    pthread_mutex_t lock; /* the next three */
    pthread_cond_t taken;
    bool stop;
    struct wanted *wanted; /* NULL once taken */
    /* the thread's */
    struct post posts[WORKER_SLOTS];
    size_t n;
    int watchers[WATCHERS_MAX]; /* connections of those who watch events */
    size_t n_watchers;
    struct event_watch *watch;       /* borrowed */
    const struct nlb_config *config; /* a reference; NULL before the first set */
};

static int open_post(const struct addr *address)
{
    struct sockaddr_un un;
    char text[ADDR_TEXT_MAX];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = sock_abstract(&un, "about", addr_format(address, text));

    if (fd >= 0 && (bind(fd, (struct sockaddr *)&un, len) != 0 || listen(fd, 64) != 0)) {
        int error = errno;

        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

/* The socket of a post that stays: taken from the old list, -1 when there is none. */
static int take_kept(struct post *old, size_t n, const struct addr *address)
{
    for (size_t i = 0; i < n; i++) {
        if (old[i].fd >= 0 && addr_equal(&old[i].address, address)) {
            int fd = old[i].fd;

            old[i].fd = -1;
            return fd;
        }
    }
    return -1;
}

static void put_up(struct signposts *s, struct wanted *w)
{
    struct post old[WORKER_SLOTS];
    size_t n_old = s->n;

    memcpy(old, s->posts, sizeof old);
    s->n = 0;
    for (size_t i = 0; i < w->n && i < WORKER_SLOTS; i++) {
        const struct signpost *want = &w->posts[i];
        struct post *p = &s->posts[s->n];
        char text[ADDR_TEXT_MAX];

        p->fd = take_kept(old, n_old, &want->address);
        if (p->fd < 0 && (p->fd = open_post(&want->address)) < 0) {
            err_set(
                w->err, ERR_ENVIRONMENT,
                "listener=%s address=%s a probe on this machine cannot ask who listens there: %s",
                want->listener, addr_format(&want->address, text), err_why(errno));
            w->rc = -1;
            continue;
        }
        snprintf(p->listener, sizeof p->listener, "%s", want->listener);
        p->address = want->address;
        p->protocol = want->protocol;
        s->n++;
    }
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].fd >= 0)
            close(old[i].fd);
    }
    nlb_config_unref(s->config);
    s->config = nlb_config_ref(w->config);
}

/* --- the answer --- */
/* The certificates of a lab store, which a client must trust to get anywhere: as one PEM text. */
static void add_store(json_t *stores, struct cert_lab *lab, const char *name, const char *spec)
{
    struct der_span anchors[CERT_LAB_CHAIN_MAX];
    struct pem_text text = { 0 };
    size_t n = 0;

    if (cert_lab_store(lab, name, anchors, &n, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        pem_put(&text, "CERTIFICATE", anchors[i]);
    if (!text.bad && text.len > 0)
        json_object_set_new(stores, spec, json_stringn(text.at, text.len));
    pem_text_clear(&text);
}

static char *answer_text(const struct signposts *s, const struct post *post)
{
    const struct nlb_config *c = s->config;
    json_t *stores = json_object(), *j;
    char *text;

    if (c->lab != NULL) {
        add_store(stores, c->lab, "public", "lab:public");
        add_store(stores, c->lab, "private", "lab:private");
        add_store(stores, c->lab, "all", "lab:all");
    }
    j = json_pack("{s:i, s:s, s:s, s:s?, s:o}", "pid", (int)getpid(), "listener", post->listener,
                  "protocol", protocol_name(post->protocol), "events", s->events, "stores", stores);
    text = j == NULL ? NULL : foreign_dumps(j, JSON_COMPACT);
    json_decref(j);
    return text;
}

/* May the one who asks see the events of others' flows? */
static bool is_one_of_us(int conn)
{
    struct ucred peer;
    socklen_t n = sizeof peer;

    return getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* The file with the events of a watcher that began just now; -1: there is none. */
static int begin_watch(struct signposts *s, int conn)
{
    int fd = s->n_watchers < WATCHERS_MAX && is_one_of_us(conn) ? event_watch_begin(s->watch) : -1;

    if (fd >= 0)
        s->watchers[s->n_watchers++] = conn;
    return fd;
}

static void end_watch(struct signposts *s, size_t i)
{
    close(s->watchers[i]);
    s->watchers[i] = s->watchers[--s->n_watchers];
    event_watch_end(s->watch);
}

/* False: there is no descriptor to accept with; the connection waits. */
static bool answer_probe(struct signposts *s, const struct post *post)
{
    int conn = accept4(post->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), events;
    char *text;

    if (conn < 0)
        return !sock_out_of_resources(errno);
    text = answer_text(s, post);
    events = text == NULL ? -1 : begin_watch(s, conn);
    /* A local socket takes it at once; whoever does not read gets what fits. */
    if (text != NULL)
        (void)sock_send_fd(conn, text, strlen(text), events);
    free(text);
    if (events >= 0)
        shutdown(conn, SHUT_WR);
    else
        close(conn);
    return true;
}

/* What others asked for since; false: the thread shall end. */
static bool take_wishes(struct signposts *s)
{
    bool go_on;

    pthread_mutex_lock(&s->lock);
    if (s->wanted != NULL) {
        put_up(s, s->wanted);
        s->wanted = NULL;
        pthread_cond_broadcast(&s->taken);
    }
    go_on = !s->stop;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

/* Whoever watched has closed (or says something, which is nothing we know). */
static void look_after_watchers(struct signposts *s, const struct pollfd *watchers)
{
    for (size_t i = s->n_watchers; i-- > 0;) {
        if (watchers[i].revents != 0)
            end_watch(s, i);
    }
}

static void *serve(void *arg)
{
    struct signposts *s = arg;
    uint64_t wakes;
    bool full = false; /* the sockets stay readable: look again a little later */

    for (;;) {
        struct pollfd fds[1 + WATCHERS_MAX + WORKER_SLOTS] = { { s->wake_fd, POLLIN, 0 } };
        struct pollfd *posts = fds + 1 + s->n_watchers;
        size_t n_posts = full ? 0 : s->n;

        for (size_t i = 0; i < s->n_watchers; i++)
            fds[1 + i] = (struct pollfd){ .fd = s->watchers[i], .events = POLLIN | POLLRDHUP };
        for (size_t i = 0; i < n_posts; i++)
            posts[i] = (struct pollfd){ .fd = s->posts[i].fd, .events = POLLIN };
        if (poll(fds, 1 + s->n_watchers + n_posts, full ? RETRY_MS : -1) < 0)
            continue;
        full = false;
        look_after_watchers(s, fds + 1);
        for (size_t i = 0; i < n_posts && !full; i++) {
            if (posts[i].revents != 0)
                full = !answer_probe(s, &s->posts[i]);
        }
        if (fds[0].revents != 0 && read(s->wake_fd, &wakes, sizeof wakes) == sizeof wakes &&
            !take_wishes(s))
            return NULL;
    }
}

/* --- life --- */
static void wake_signposts(const struct signposts *s)
{
    const uint64_t one = 1;

    if (write(s->wake_fd, &one, sizeof one) < 0)
        return; /* it is full: the thread wakes anyhow */
}

static void signposts_release(struct signposts *s)
{
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->taken);
    free(s->events);
    free(s);
}

struct signposts *signposts_start(const char *events, struct event_watch *watch, struct err *err)
{
    struct signposts *s = calloc(1, sizeof *s);
    int error = ENOMEM;

    if (s != NULL) {
        s->watch = watch;
        if (events != NULL)
            s->events = realpath(events, NULL);
        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->taken, NULL);
        s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        error = s->wake_fd < 0 || thread_start(&s->thread, "signposts", serve, s) != 0 ? errno : 0;
    }
    if (error == 0)
        return s;
    err_set(err, ERR_ENVIRONMENT, "a probe on this machine cannot ask who listens here: %s",
            err_why(error));
    if (s != NULL && s->wake_fd >= 0)
        close(s->wake_fd);
    if (s != NULL)
        signposts_release(s);
    return NULL;
}

int signposts_set(struct signposts *s, const struct signpost *posts, size_t n,
                  const struct nlb_config *config, struct err *err)
{
    struct wanted wanted = { .posts = posts, .n = n, .config = config, .err = err };

    pthread_mutex_lock(&s->lock);
    s->wanted = &wanted;
    wake_signposts(s);
    while (s->wanted != NULL)
        pthread_cond_wait(&s->taken, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return wanted.rc;
}

void signposts_stop(struct signposts *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    wake_signposts(s);
    pthread_join(s->thread, NULL);
    while (s->n_watchers > 0)
        end_watch(s, s->n_watchers - 1);
    for (size_t i = 0; i < s->n; i++)
        close(s->posts[i].fd);
    close(s->wake_fd);
    nlb_config_unref(s->config);
    signposts_release(s);
}
