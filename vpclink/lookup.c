/* SPDX-License-Identifier: Apache-2.0
 * Look up the addresses of a host: getaddrinfo(3) on a thread of its own. */
#include "vpclink/lookup.h"

#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/thread.h"

/* Two hold it: who asked, and the thread, which nobody can interrupt. The last one frees it. */
struct lookup {
    atomic_uint holders;
    int fd;
    char *host, port[8];
    int rc;
    struct addrinfo *list;
};

static void let_lookup_go(struct lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) != 1)
        return;
    if (l->fd >= 0)
        close(l->fd);
    if (l->list != NULL)
        freeaddrinfo(l->list);
    free(l->host);
    free(l);
}

static void look_up(struct lookup *l, int flags)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };

    l->rc = getaddrinfo(l->host, l->port, &hints, &l->list);
}

static void tell_lookup(const struct lookup *l)
{
    const uint64_t one = 1;

    if (write(l->fd, &one, sizeof one) < 0)
        return; /* it cannot be full: nobody else writes */
}

static void *lookup_run(void *arg)
{
    struct lookup *l = arg;

    look_up(l, AI_ADDRCONFIG);
    tell_lookup(l);
    let_lookup_go(l);
    return NULL;
}

struct lookup *lookup_start(const char *host, uint16_t port)
{
    struct lookup *l = calloc(1, sizeof *l);
    pthread_t thread;

    if (l == NULL)
        return NULL;
    atomic_init(&l->holders, 1);
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->host = strdup(host);
    snprintf(l->port, sizeof l->port, "%u", (unsigned)port);
    if (l->fd < 0 || l->host == NULL) {
        let_lookup_go(l);
        return NULL;
    }
    look_up(l, AI_NUMERICHOST);
    if (l->rc != EAI_NONAME) { /* an address needs no thread */
        tell_lookup(l);
        return l;
    }
    atomic_store(&l->holders, 2);
    if (thread_start(&thread, "lookup", lookup_run, l) != 0) {
        atomic_store(&l->holders, 1);
        l->rc = EAI_AGAIN;
        tell_lookup(l);
        return l;
    }
    pthread_detach(thread);
    return l;
}

int lookup_fd(const struct lookup *l)
{
    return l->fd;
}

int lookup_result(struct lookup *l, const struct addrinfo **list)
{
    uint64_t told;

    if (read(l->fd, &told, sizeof told) != sizeof told)
        return EAI_INPROGRESS;
    *list = l->list;
    return l->rc;
}

void lookup_free(struct lookup *l)
{
    if (l != NULL)
        let_lookup_go(l);
}
