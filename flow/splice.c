/* SPDX-License-Identifier: Apache-2.0
 * The relay inside the kernel, with a pool of pipes per worker. */
#include "flow/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/turn.h"

#define POOL_MAX   256          /* pipes kept for later use */
#define PIPE_BYTES (256 * 1024) /* asked for; the kernel may give less to an ordinary user */
#define ONCE       (256 * 1024)

struct pooled {
    int fd[2];
};
struct pipe_pool {
    struct pooled *idle[POOL_MAX];
    size_t n;
};

static void pipe_close(struct pooled *p)
{
    close(p->fd[0]);
    close(p->fd[1]);
    free(p);
}

struct pipe_pool *pipe_pool_new(void)
{
    return calloc(1, sizeof(struct pipe_pool));
}

void pipe_pool_free(struct pipe_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->n > 0)
        pipe_close(pool->idle[--pool->n]);
    free(pool);
}

static int *borrow(struct pipe_pool *pool)
{
    struct pooled *p;

    if (pool->n > 0)
        return pool->idle[--pool->n]->fd;
    p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    if (pipe2(p->fd, O_NONBLOCK | O_CLOEXEC) != 0) {
        free(p);
        return NULL;
    }
    (void)fcntl(p->fd[1], F_SETPIPE_SZ, PIPE_BYTES); /* smaller pipes work too */
    return p->fd;
}

void splice_release(struct flow *f, struct flow_dir *dir)
{
    struct pooled *p = (struct pooled *)(void *)dir->pipe;

    if (p == NULL)
        return;
    if (dir->in_pipe > 0 || f->env->pipes->n == POOL_MAX)
        pipe_close(p);
    else
        f->env->pipes->idle[f->env->pipes->n++] = p;
    dir->pipe = NULL;
    dir->in_pipe = 0;
}

bool splice_possible(struct hop *a, struct hop *b)
{
    return a->ops->raw_fd(a) >= 0 && b->ops->raw_fd(b) >= 0;
}

static enum relay_result fill(struct flow *f, struct flow_dir *dir, struct flow_side *from)
{
    ssize_t n;

    if (!turn_take(TURN_COST_READ))
        return RELAY_BLOCKED;
    if (dir->pipe == NULL)
        dir->pipe = borrow(f->env->pipes);
    if (dir->pipe == NULL) {
        dir->splicing = false; /* no descriptor to be had: copy */
        return RELAY_MOVED;
    }
    n = splice(from->hop->fd, NULL, dir->pipe[1], NULL, ONCE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
        dir->in_pipe += (size_t)n;
        dir->bytes += (size_t)n;
        f->record.spliced = true;
        return RELAY_MOVED;
    }
    splice_release(f, dir);
    if (n == 0) {
        dir->eof_in = true;
        from->can_read = false;
        return RELAY_ENDED;
    }
    if (errno == EINVAL) {
        dir->splicing = false; /* this kernel or socket does not splice: copy */
        return RELAY_MOVED;
    }
    /* The pipe was empty, so EAGAIN speaks of the socket. */
    from->can_read = false;
    if (errno == EAGAIN || errno == EINTR)
        return RELAY_BLOCKED;
    f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_RESET, .sys_errno = errno };
    f->record.end = from == &f->front ? END_CLIENT_RESET : END_TARGET_RESET;
    return RELAY_FROM_FAILED;
}

enum relay_result splice_once(struct flow *f, struct flow_dir *dir, struct flow_side *from,
                              struct flow_side *to)
{
    if (dir->in_pipe == 0) {
        enum relay_result r = fill(f, dir, from);

        if (r != RELAY_MOVED || dir->in_pipe == 0)
            return r;
    }
    while (dir->in_pipe > 0) {
        ssize_t n = splice(dir->pipe[0], NULL, to->hop->fd, NULL, dir->in_pipe,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

        if (n <= 0 && (n == 0 || errno == EAGAIN || errno == EINTR)) {
            to->can_write = false;
            return RELAY_BLOCKED;
        }
        if (n < 0) {
            f->record.failure =
                (struct hop_failure){ .cause = HOP_CAUSE_RESET, .sys_errno = errno };
            f->record.end = to == &f->front ? END_CLIENT_RESET : END_TARGET_RESET;
            return RELAY_TO_FAILED;
        }
        dir->in_pipe -= (size_t)n;
    }
    if (!from->can_read)
        splice_release(f, dir);
    return RELAY_MOVED;
}
