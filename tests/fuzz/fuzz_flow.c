/* SPDX-License-Identifier: Apache-2.0
 * One flow between a client and a target that do what the input says: send, listen, speak TLS with
 * changed messages, end, reset; time goes by, the target is lost. However it goes, it ends once, is
 * told in an event and in the access log, keeps no descriptor, and what it relays is what was sent.
 *
 * Input: the listener (3 bits) and whose messages are changed (2 bits); the set-up of both peers
 * (enum bench_bits); the length of the changes, and them; then steps. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/linger.h"
#include "core/loop.h"
#include "core/sock.h"
#include "flow/flow_impl.h"
#include "nlb/generation.h"
#include "observe/accesslog.h"
#include "observe/events.h"
#include "tests/fuzz/lib/changes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define SENT_MAX   65536
#define EVENT_MOST 8192

/* %s is the address of the target. */
static const char *const configs[] = {
    "[nlb]\nrelay = copy\n[listener l]\nprotocol = TCP\n",
    "[nlb]\nrelay = splice\n[listener l]\nprotocol = TCP\n",
    "[listener l]\nprotocol = TLS\ncertificate = lab:valid/api.example.com\n",
    "[nlb]\nmetrics = 127.0.0.1:1\n[listener l]\nprotocol = TLS\ncertificate = "
    "lab:valid/api.example.com\n"
    "ssl_policy = ELBSecurityPolicy-TLS13-1-2-2021-06\n",
    "[nlb]\ntarget_connect = after_hello\n[listener l]\nprotocol = TLS\nalpn_policy = "
    "HTTP2Preferred\n"
    "certificate = lab:valid/api.example.com\nssl_policy = ELBSecurityPolicy-TLS13-1-3-2021-06\n",
    "[listener l]\nprotocol = TCP\n",
};
static const char *const groups[] = {
    "TCP\n", "TCP\n", "TCP\n", "TLS\n", "TLS\n", "TCP\nproxy_protocol_v2.enabled = true\n",
};
#define KINDS (sizeof configs / sizeof configs[0])
enum { KIND_PROXY = KINDS - 1 };

static struct {
    struct event_base *base;
    struct flow_env env;
    struct registry *registry;
    struct generation *kinds[KINDS];
    int front, target; /* listening */
    struct addr front_at, target_at;
    unsigned ended;
} w;

struct peer {
    int fd; /* -1: not there (yet, or any more) */
    bool wants_tls;
    struct bench_hop tls;
    uint8_t sent[SENT_MAX];
    size_t n_sent, n_got;
};

/* --- the world --- */
static void ended_cb(void *arg, const struct flow_record *record)
{
    bool cut;
    char *event = event_format(record, EVENT_MOST, &cut), line[ACCESS_LINE_MAX];
    json_t *j = event == NULL ? NULL : json_loads(event, 0, NULL);
    size_t n;

    (void)arg;
    w.ended++;
    if (!json_is_object(j) || strpbrk(event, "\n\x7f\x1b") != NULL)
        abort();
    if (strlen(event) > EVENT_MOST)
        abort();
    json_decref(j);
    free(event);
    n = access_line(line, record);
    if (n == 0 || n > sizeof line || memchr(line, '\n', n) != line + n - 1)
        abort();
    bench_note(0x80000u | (unsigned)record->end);
}

static int listen_at(struct addr *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (addr_parse(at, "127.0.0.1:0", NULL) != 0 || bind(fd, &at->u.sa, at->len) != 0 ||
        listen(fd, 16) != 0)
        abort();
    *at = addr_local(fd);
    return fd;
}

static struct generation *make_kind(size_t i)
{
    struct problems problems = { 0 };
    char text[1024], at[ADDR_TEXT_MAX];
    struct err err = { 0 };
    struct nlb_config *c;
    struct generation *g;

    snprintf(
        text, sizeof text,
        "%slisten = 127.0.0.1:1\ntarget_group = g\n[target_group g]\ntarget = %s\nprotocol = %s",
        configs[i], addr_format(&w.target_at, at), groups[i]);
    c = nlb_config_parse(text, strlen(text), "fuzz", ".", NULL, 0, true, &problems);
    problems_print(&problems, stderr);
    if (c == NULL || (g = generation_new(c, &c->nlb.process, w.registry, &err)) == NULL) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    nlb_config_unref(c);
    return g;
}

static void make_world(void)
{
    struct err err = { 0 };

    signal(SIGPIPE, SIG_IGN); /* as the program does, for splice(2) */
    if (tls_init(&err) != 0 || (w.base = loop_new(&err)) == NULL ||
        flow_env_init(&w.env, w.base, 1, 1) != 0 || (w.registry = registry_new()) == NULL)
        abort();
    w.env.ended_cb = ended_cb;
    w.env.wants_chain = true;
    w.front = listen_at(&w.front_at);
    w.target = listen_at(&w.target_at);
    for (size_t i = 0; i < KINDS; i++)
        w.kinds[i] = make_kind(i);
}

static void go_round(void)
{
    bench_turn(2);
    for (int i = 0; i < 3; i++)
        event_base_loop(w.base, EVLOOP_NONBLOCK);
}

/* --- the peers --- */
static void close_peer(struct peer *p)
{
    if (p->tls.hop != NULL)
        hop_free(p->tls.hop, true);
    else if (p->fd >= 0) {
        sock_reset_on_close(p->fd); /* or its port would rest for a minute */
        close(p->fd);
    }
    p->tls.hop = NULL;
    p->fd = -1;
}

static void say(struct peer *p, const uint8_t *data, size_t n)
{
    size_t put = 0;
    ssize_t sent;

    if (p->tls.hop != NULL) {
        if (n > 0 && hop_tls_facts(p->tls.hop)->secured) {
            bench_turn(p->tls.server);
            (void)hop_write(p->tls.hop, data, n, &put);
        }
        return;
    }
    n = n > SENT_MAX - p->n_sent ? SENT_MAX - p->n_sent : n;
    sent = p->fd < 0 || n == 0 ? 0 : send(p->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
        memcpy(p->sent + p->n_sent, data, (size_t)sent);
        p->n_sent += (size_t)sent;
    }
}

/* `from`: who sent what comes, as it is; NULL when it is not relayed as it is. */
static void hear(struct peer *p, const struct peer *from)
{
    uint8_t buf[8192];
    ssize_t got;

    if (p->tls.hop != NULL) {
        (void)bench_hop_go(&p->tls);
        return;
    }
    while (p->fd >= 0 && (got = recv(p->fd, buf, sizeof buf, MSG_DONTWAIT)) > 0) {
        if (from != NULL && ((size_t)got > from->n_sent - p->n_got ||
                             memcmp(buf, from->sent + p->n_got, (size_t)got) != 0))
            abort();
        p->n_got += (size_t)got;
    }
}

static void start_tls(struct peer *p, bool server, uint8_t bits)
{
    if (p->wants_tls && p->fd >= 0 && p->tls.hop == NULL && p->n_sent + p->n_got == 0)
        bench_hop_on(&p->tls, server, bits, p->fd);
}

/* Or Nagle's algorithm would hold back what is said in small pieces. */
static void send_at_once(int fd)
{
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) != 0)
        abort();
}

static void connect_client(struct peer *client, struct generation *g)
{
    const struct flow_keeper keeper = { generation_ref, generation_unref, g };
    struct addr from;
    int fd;

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, &w.front_at.u.sa, w.front_at.len) != 0 ||
        (fd = accept4(w.front, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0 ||
        fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0)
        abort();
    send_at_once(client->fd);
    send_at_once(fd); /* as listener_open() has it inherited */
    from = addr_local(client->fd);
    bench_turn(2);
    front_accept(g->fronts[0], &w.env, &keeper, fd, &from, &w.front_at);
}

/* --- the script --- */
struct play {
    struct peer client, target;
    struct registration *reg;
    bool accepted;
    bool plain; /* what one peer sends is what the other gets */
    uint8_t bits;
};

static void pass_time(unsigned how)
{
    struct flow *f = LIST_FIRST(&w.env.flows);

    clock_fake_advance((uint64_t)how * how * 2000000);
    if (f != NULL && event_initialized(&f->timer))
        event_active(&f->timer, EV_TIMEOUT, 1);
    go_round();
}

static void step(struct play *p, uint8_t op, struct bytes *in)
{
    static const uint8_t much[4096] = { 22, 3, 1, 15, 0 };
    unsigned how = op >> 4;
    struct peer *who = op & 8 ? &p->target : &p->client;
    struct bytes piece;

    switch (op & 7) {
    case 0:
        piece = bytes_take(in, how < in->left ? how : in->left);
        say(who, piece.at, piece.left);
        break;
    case 1:
        say(who, much, (how + 1) * 256);
        break;
    case 2:
        hear(who, !p->plain ? NULL : who == &p->client ? &p->target : &p->client);
        break;
    case 3:
        if (who->tls.hop != NULL)
            (void)hop_send_eof(who->tls.hop);
        else if (who->fd >= 0)
            shutdown(who->fd, SHUT_WR);
        break;
    case 4:
        if (how == 7)
            close_peer(who);
        else if (how == 8) {
            atomic_store(&p->reg->flows, TARGET_FLOWS_LOST);
            flow_env_sweep(&w.env);
        } else if (how == 9)
            flow_env_drop_expired(&w.env);
        break;
    case 5:
        who->wants_tls = true;
        p->plain = false;
        break;
    case 6:
        pass_time(how);
        break;
    default:
        go_round();
    }
    if (p->target.fd < 0 && !p->accepted &&
        (p->target.fd = accept4(w.target, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        p->accepted = true;
        send_at_once(p->target.fd);
    }
    start_tls(&p->client, false, p->bits);
    start_tls(&p->target, true, p->bits);
}

static void end_all(struct play *p)
{
    int fd;

    close_peer(&p->client);
    close_peer(&p->target);
    while (!LIST_EMPTY(&w.env.flows))
        flow_abort(LIST_FIRST(&w.env.flows), END_STOPPED);
    linger_clear(&w.env.lingers);
    go_round();
    while ((fd = accept4(w.target, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        sock_reset_on_close(fd);
        close(fd);
    }
    atomic_store(&p->reg->flows, TARGET_FLOWS_LIVE);
    if (w.env.n_flows != 0 || w.ended != 1)
        abort();
}

static int lowest_descriptor(void)
{
    int fd = dup(w.front);

    close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct play p;
    struct bytes in = bytes_of(data, n);
    uint8_t kind = bytes_u8(&in), bits = bytes_u8(&in), len = bytes_u8(&in);
    struct changes changes = { .script = bytes_take(&in, len <= in.left ? len : 0) };
    struct generation *g;
    int lowest;

    if (in.bad)
        return 0;
    if (w.base == NULL)
        make_world();
    g = w.kinds[(kind & 7) % KINDS];
    lowest = lowest_descriptor();
    memset(&p, 0, sizeof p);
    p.client.fd = p.target.fd = -1;
    p.reg = g->groups[0]->targets[0].reg;
    p.plain = (kind & 7) % KINDS < 2;
    p.bits = bits;
    w.ended = 0;
    clock_fake_set(1000000, (int64_t)1795000000 * 1000000);
    bench_restart();
    bench_libraries(TLS_LIBRARY_MBEDTLS, TLS_LIBRARY_MBEDTLS);
    bench_change(kind & 16, changes_make, kind & 24 ? &changes : NULL);
    connect_client(&p.client, g);
    while (in.left > 0)
        step(&p, bytes_u8(&in), &in);
    end_all(&p);
    bench_change(false, NULL, NULL);
    if (lowest_descriptor() != lowest)
        abort();
    return 0;
}
