/* SPDX-License-Identifier: Apache-2.0
 * Ask a server once more, with a ClientHello that holds what the TLS library cannot offer. */
#include "tls/tls_question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFACE_MAX 256

struct tls_question {
    int fd;
    uint8_t hello[PREFACE_MAX + TLS_HELLO_WRITE_MAX];
    size_t n_hello; /* 0 once it is sent */
    uint8_t answer[1024];
    size_t n_answer;
};

struct tls_question *tls_question_new(const struct addr *to, const uint8_t *preface,
                                      size_t n_preface, const struct tls_full_offer *offer)
{
    struct tls_question *q = calloc(1, sizeof *q);
    size_t n;

    if (q == NULL)
        return NULL;
    q->fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (q->fd < 0 || n_preface > PREFACE_MAX ||
        (connect(q->fd, &to->u.sa, to->len) != 0 && errno != EINPROGRESS))
        goto fail;
    if (n_preface > 0)
        memcpy(q->hello, preface, n_preface);
    n = tls_hello_write(offer, q->hello + n_preface);
    if (n == 0)
        goto fail;
    q->n_hello = n_preface + n;
    return q;
fail:
    tls_question_free(q);
    return NULL;
}

int tls_question_fd(const struct tls_question *q)
{
    return q->fd;
}

static bool not_yet(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

enum hop_status tls_question_go(struct tls_question *q, struct tls_hello_answer *out)
{
    ssize_t n;

    if (q->n_hello > 0) {
        /* The send buffer of a fresh connection is empty and larger. */
        n = send(q->fd, q->hello, q->n_hello, MSG_NOSIGNAL);
        if (n < 0 && not_yet())
            return HOP_WANT_WRITE;
        if (n != (ssize_t)q->n_hello)
            return HOP_FAILED;
        q->n_hello = 0;
        return HOP_WANT_READ;
    }
    n = recv(q->fd, q->answer + q->n_answer, sizeof q->answer - q->n_answer, 0);
    if (n < 0 && not_yet())
        return HOP_WANT_READ;
    q->n_answer += n > 0 ? (size_t)n : 0;
    if (!tls_hello_answer_read(out, q->answer, q->n_answer) && n > 0 &&
        q->n_answer < sizeof q->answer)
        return HOP_WANT_READ;
    return out->answered ? HOP_OK : HOP_FAILED;
}

void tls_question_free(struct tls_question *q)
{
    if (q == NULL)
        return;
    if (q->fd >= 0)
        close(q->fd);
    free(q);
}
