/* SPDX-License-Identifier: Apache-2.0
 * A signpost beside each listening address: who listens there, for a probe on the same machine. */
#include "nlb/signpost.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
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
#include "nlb/worker.h"

#define PATH_SIZE 4096

struct post {
    int fd;
    char listener[64];
    enum protocol protocol;
};

struct signposts {
    pthread_t thread;
    int wake_fd;
    pthread_mutex_t lock; /* everything below */
    bool stop;
    struct post posts[WORKER_SLOTS];
    size_t n;
    const struct nlb_config *config; /* a reference; NULL before the first set */
};

static int open_post(const struct addr *address)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char text[ADDR_TEXT_MAX];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int n = snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "nlbsim-about-%s",
                     addr_format(address, text));

    if (fd >= 0 &&
        (bind(fd, (struct sockaddr *)&un,
              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) != 0 ||
         listen(fd, 64) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
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
    char path[PATH_SIZE], absolute[PATH_MAX] = "", *text;

    if (c->lab != NULL) {
        add_store(stores, c->lab, "public", "lab:public");
        add_store(stores, c->lab, "private", "lab:private");
        add_store(stores, c->lab, "all", "lab:all");
    }
    if (c->nlb.events != NULL && strcmp(c->nlb.events, "-") != 0 &&
        (nlb_config_path(c, c->nlb.events, path, sizeof path) != 0 ||
         realpath(path, absolute) == NULL))
        absolute[0] = '\0';
    j = json_pack("{s:i, s:s, s:s, s:s?, s:o}", "pid", (int)getpid(), "listener", post->listener,
                  "protocol", protocol_name(post->protocol), "events",
                  absolute[0] != '\0' ? absolute : NULL, "stores", stores);
    text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
    json_decref(j);
    return text;
}

static void answer(const struct signposts *s, const struct post *post)
{
    int conn = accept4(post->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    char *text;

    if (conn < 0)
        return;
    text = answer_text(s, post);
    /* A local socket takes it at once; whoever does not read gets what fits. */
    if (text != NULL)
        (void)send(conn, text, strlen(text), MSG_NOSIGNAL);
    free(text);
    close(conn);
}

static void *serve(void *arg)
{
    struct signposts *s = arg;
    bool stop = false;

    while (!stop) {
        struct pollfd fds[WORKER_SLOTS + 1] = { { .fd = s->wake_fd, .events = POLLIN } };
        nfds_t n = 1;
        uint64_t wakes;

        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < s->n; i++)
            fds[n++] = (struct pollfd){ .fd = s->posts[i].fd, .events = POLLIN };
        pthread_mutex_unlock(&s->lock);
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents != 0 && read(s->wake_fd, &wakes, sizeof wakes) < 0)
            break;
        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < s->n && fds[0].revents == 0; i++) {
            if (fds[i + 1].revents != 0)
                answer(s, &s->posts[i]);
        }
        stop = s->stop;
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* --- life --- */
static void wake(const struct signposts *s)
{
    const uint64_t one = 1;

    if (write(s->wake_fd, &one, sizeof one) < 0)
        return; /* it is full: the thread wakes anyhow */
}

struct signposts *signposts_start(void)
{
    struct signposts *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    if (s->wake_fd < 0 || pthread_create(&s->thread, NULL, serve, s) != 0) {
        if (s->wake_fd >= 0)
            close(s->wake_fd);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
    }
    return s;
}

static void take_down(struct signposts *s)
{
    for (size_t i = 0; i < s->n; i++)
        close(s->posts[i].fd);
    s->n = 0;
}

void signposts_set(struct signposts *s, const struct signpost *posts, size_t n,
                   const struct nlb_config *config)
{
    const struct nlb_config *before;

    pthread_mutex_lock(&s->lock);
    take_down(s);
    for (size_t i = 0; i < n && s->n < WORKER_SLOTS; i++) {
        struct post *p = &s->posts[s->n];

        p->fd = open_post(&posts[i].address);
        if (p->fd < 0)
            continue;
        snprintf(p->listener, sizeof p->listener, "%s", posts[i].listener);
        p->protocol = posts[i].protocol;
        s->n++;
    }
    before = s->config;
    s->config = nlb_config_ref(config);
    pthread_mutex_unlock(&s->lock);
    nlb_config_unref(before);
    wake(s);
}

void signposts_stop(struct signposts *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    wake(s);
    pthread_join(s->thread, NULL);
    take_down(s);
    close(s->wake_fd);
    pthread_mutex_destroy(&s->lock);
    nlb_config_unref(s->config);
    free(s);
}
