// SPDX-License-Identifier: Apache-2.0
/*
 * The benchmark's client: one epoll loop that keeps N connections busy and counts.
 *
 *   load JOB PORT CONNECTIONS SECONDS [1.2|1.3]
 *
 *   rate  connect, (TLS handshake,) request of 64 bytes, reply of 64 bytes, EOF, close; again
 *   down  receive as fast as it comes          up  send as fast as it goes
 *   hold  open them all, say so, keep them until standard input closes
 *
 * It never resumes a TLS session and verifies nothing. One line of JSON on standard output.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 64, BLOCK = 256 * 1024 };
enum job { RATE, DOWN, UP, HOLD };
enum phase { CONNECTING, HANDSHAKE, ASKING, READING, HELD };
enum io { IO_AGAIN = -1, IO_FAILED = -2 }; /* beside a count of bytes, 0 being the end */

struct conn {
    SSL *ssl;
    enum phase phase;
    int fd;
    unsigned moved; /* bytes of the request sent, then of the reply received */
};

static struct {
    enum job job;
    struct sockaddr_in to;
    SSL_CTX *tls;
    struct conn *conns;
    unsigned n_conns, held;
    unsigned long done, failed, bytes;
    int loop_fd;
    double end; /* on the monotonic clock */
} g;

static char block[BLOCK];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(3);
}

static void conn_open(struct conn *c)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("load: socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&g.to, sizeof g.to) != 0 && errno != EINPROGRESS)
        die("load: connect");
    c->phase = CONNECTING;
    c->moved = 0;
    if (epoll_ctl(g.loop_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0)
        die("load: epoll_ctl");
}

static void conn_close(struct conn *c)
{
    if (c->ssl != NULL) {
        SSL_set_quiet_shutdown(c->ssl, 1);
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    close(c->fd);
}

static long tls_result(struct conn *c, int n)
{
    if (n > 0)
        return n;
    switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        ERR_clear_error();
        return IO_FAILED;
    }
}

static long conn_read(struct conn *c, size_t want)
{
    ssize_t n;

    if (c->ssl != NULL)
        return tls_result(c, SSL_read(c->ssl, block, (int)want));
    n = recv(c->fd, block, want, g.job == DOWN ? MSG_TRUNC : 0); /* dropped inside the kernel */
    return n >= 0 ? n : errno == EAGAIN ? IO_AGAIN : IO_FAILED;
}

static long conn_write(struct conn *c, size_t n_bytes)
{
    ssize_t n;

    if (c->ssl != NULL)
        return tls_result(c, SSL_write(c->ssl, block, (int)n_bytes));
    n = send(c->fd, block, n_bytes, MSG_NOSIGNAL);
    return n >= 0 ? n : errno == EAGAIN ? IO_AGAIN : IO_FAILED;
}

static void again(struct conn *c, bool ok)
{
    if (ok)
        g.done++;
    else
        g.failed++;
    conn_close(c);
    conn_open(c);
}

static bool connected(struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        return false;
    if (g.tls != NULL) {
        c->ssl = SSL_new(g.tls);
        if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
            die("load: SSL_new");
        SSL_set_connect_state(c->ssl);
    }
    c->phase = HANDSHAKE;
    return true;
}

/* One step; IO_AGAIN waits for the socket, IO_FAILED ends the connection, else go on. */
static long handshake(struct conn *c)
{
    static const char letters[] = { [RATE] = 'r', [DOWN] = 'd', [UP] = 'u', [HOLD] = 'h' };

    if (c->ssl != NULL) {
        long n = tls_result(c, SSL_do_handshake(c->ssl));

        if (n <= 0)
            return n == 0 ? IO_FAILED : n;
    }
    memset(block, letters[g.job], REQUEST_BYTES);
    c->phase = ASKING;
    return 1;
}

static long ask(struct conn *c)
{
    size_t want = g.job == UP ? sizeof block : g.job == RATE ? REQUEST_BYTES - c->moved : 1;
    long n = conn_write(c, want);

    if (n <= 0)
        return n;
    if (g.job == UP) {
        g.bytes += (unsigned long)n;
        return n;
    }
    c->moved += (unsigned)n;
    if (g.job != RATE || c->moved == REQUEST_BYTES) {
        c->phase = READING;
        c->moved = 0;
    }
    return n;
}

static long answer(struct conn *c)
{
    long n = conn_read(c, sizeof block);

    if (n > 0) {
        g.bytes += (unsigned long)n;
        c->moved += (unsigned)n;
        if (g.job == HOLD) {
            c->phase = HELD;
            g.held++;
            return IO_AGAIN;
        }
        return n;
    }
    if (g.job == RATE && n != IO_AGAIN && c->moved == REQUEST_BYTES) {
        again(c, true);
        return IO_AGAIN;
    }
    return n == 0 ? IO_FAILED : n;
}

static void conn_step(struct conn *c, uint32_t events)
{
    long n = 1;

    if (c->phase == CONNECTING && !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        return;
    for (unsigned turn = 1; n > 0; turn++) {
        if (turn % 32 == 0 && now() > g.end)
            return; /* a fast stream must not outlive the round */
        switch (c->phase) {
        case CONNECTING:
            n = connected(c) ? 1 : IO_FAILED;
            break;
        case HANDSHAKE:
            n = handshake(c);
            break;
        case ASKING:
            n = ask(c);
            break;
        case READING:
            n = answer(c);
            break;
        case HELD:
            return;
        }
    }
    if (n != IO_AGAIN)
        again(c, false);
}

static void loop(void)
{
    struct epoll_event evs[256];

    while (g.job == HOLD ? g.held < g.n_conns : true) {
        double left = g.end - now();
        int n;

        if (left <= 0)
            return;
        n = epoll_wait(g.loop_fd, evs, 256, (int)(left * 1000) + 1);
        for (int i = 0; i < n; i++)
            conn_step(evs[i].data.ptr, evs[i].events);
    }
}

static void tls_setup(const char *version)
{
    int v = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;

    g.tls = SSL_CTX_new(TLS_client_method());
    if (g.tls == NULL || SSL_CTX_set_min_proto_version(g.tls, v) != 1 ||
        SSL_CTX_set_max_proto_version(g.tls, v) != 1 ||
        SSL_CTX_set1_groups_list(g.tls, "P-256") != 1)
        die("load: TLS");
    SSL_CTX_set_session_cache_mode(g.tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(g.tls, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(g.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
}

static void report(double seconds)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    printf("{\"done\": %lu, \"failed\": %lu, \"bytes\": %lu, \"held\": %u, \"seconds\": %.6f, "
           "\"client_cpu\": %.6f}\n",
           g.done, g.failed, g.bytes, g.held, seconds,
           (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    fflush(stdout);
}

static int usage(void)
{
    fprintf(stderr, "usage: load rate|down|up|hold PORT CONNECTIONS SECONDS [1.2|1.3]\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const char *const jobs[] = {
        [RATE] = "rate", [DOWN] = "down", [UP] = "up", [HOLD] = "hold"
    };
    struct rlimit lim;
    double start;
    int job = 0;
    char byte;

    if (argc < 5)
        return usage();
    while (job <= HOLD && strcmp(jobs[job], argv[1]) != 0)
        job++;
    if (job > HOLD)
        return usage();
    g.job = (enum job)job;
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
    g.to.sin_family = AF_INET;
    g.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g.to.sin_port = htons((uint16_t)atoi(argv[2]));
    g.n_conns = (unsigned)atoi(argv[3]);
    if (argc > 5)
        tls_setup(argv[5]);
    g.loop_fd = epoll_create1(EPOLL_CLOEXEC);
    g.conns = calloc(g.n_conns, sizeof *g.conns);
    if (g.conns == NULL || g.loop_fd < 0)
        die("load");
    start = now();
    for (unsigned i = 0; i < g.n_conns; i++)
        conn_open(&g.conns[i]);
    g.end = start + atof(argv[4]);
    loop();
    report(now() - start);
    if (g.job == HOLD && g.held == g.n_conns && read(STDIN_FILENO, &byte, 1) < 0)
        perror("load: standard input");
    return g.failed > 0 && g.done == 0 && g.bytes == 0 ? 1 : 0;
}
