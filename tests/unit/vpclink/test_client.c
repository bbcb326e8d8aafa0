/* SPDX-License-Identifier: Apache-2.0
 * vpclink/client.c: many calls in progress on one event loop, kept connections, deadlines, and
 * calls that are given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "core/loop.h"
#include "tests/lib/sockets.h"
#include "tests/lib/tlspair.h"
#include "tls/hop_tls.h"
#include "tls/tls_random.h"
#include "vpclink/client.h"
#include "vpclink/link.h"

static struct trust_anchors *nobody; /* the calls skip verification */

#define MANY     1000
#define MANY_TLS 60

/* --- a server that answers late: not before so many requests have come --- */
struct late_conn {
    struct late *server;
    struct event event;
    struct hop *hop;
    char request[512];
    size_t n;
    bool asked, secured;
};
struct late {
    struct event_base *base;
    struct event accept;
    struct addr at;
    int fd;
    struct tls_conf *tls; /* NULL: plain HTTP */
    struct late_conn *conns;
    unsigned room, accepted, waiting, patience; /* connections, requests, requests to wait for */
};

static void say_hello(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    struct late *s = arg;
    (void)offer;
    out->conf = s->tls;
    out->identity = identity_to_present(test_cert("self-signed"));
}

/* The path of the request comes back as the body. */
static void answer_late(struct late_conn *c)
{
    char path[64], text[256];
    size_t put = 0;
    int n;

    assert_int_equal(sscanf(c->request, "GET %60s HTTP/1.1\r\n", path), 1);
    n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(path), path);
    assert_int_equal(hop_write(c->hop, text, (size_t)n, &put), HOP_OK);
    assert_int_equal(put, n);
    c->asked = false;
    c->n = 0;
}

static void take_request(struct late_conn *c)
{
    struct late *s = c->server;

    c->request[c->n] = '\0';
    if (strstr(c->request, "\r\n\r\n") == NULL)
        return;
    c->asked = true;
    if (++s->waiting < s->patience)
        return;
    for (unsigned i = 0; i < s->accepted; i++) {
        if (s->conns[i].asked)
            answer_late(&s->conns[i]);
    }
    s->waiting = 0;
}

static void conn_cb(evutil_socket_t fd, short what, void *arg)
{
    struct late_conn *c = arg;
    size_t got = 0;
    enum hop_status st = HOP_OK;

    (void)fd, (void)what;
    if (!c->secured && (st = hop_secure(c->hop)) == HOP_OK)
        c->secured = true;
    while (c->secured && (st = hop_read(c->hop, c->request + c->n, sizeof c->request - c->n - 1,
                                        &got)) == HOP_OK) {
        c->n += got;
        take_request(c);
    }
    if (st == HOP_EOF || st == HOP_FAILED)
        event_del(&c->event);
}

static void accept_late_cb(evutil_socket_t fd, short what, void *arg)
{
    struct late *s = arg;
    struct late_conn *c = &s->conns[s->accepted];
    int conn = accept4((int)fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    assert_true(conn >= 0);
    assert_true(s->accepted < s->room);
    s->accepted++;
    c->server = s;
    c->hop = s->tls == NULL ? hop_tcp_new(conn) : hop_tls_server_new(conn, say_hello, s, false);
    assert_non_null(c->hop);
    event_assign(&c->event, s->base, conn, EV_READ | EV_PERSIST, conn_cb, c);
    assert_int_equal(event_add(&c->event, NULL), 0);
}

static void late_init(struct late *s, struct event_base *base, unsigned room, bool tls)
{
    const struct tls_conf_params params = { .server = true,
                                            .min_version = 0x0303,
                                            .max_version = 0x0303 };

    *s = (struct late){ .base = base, .room = room, .patience = 1 };
    s->conns = calloc(room, sizeof *s->conns);
    assert_non_null(s->conns);
    s->fd = sock_listen(&s->at);
    assert_int_equal(listen(s->fd, (int)room), 0);
    if (tls) {
        s->tls = tls_conf_new(&params, NULL);
        assert_non_null(s->tls);
    }
    event_assign(&s->accept, base, s->fd, EV_READ | EV_PERSIST, accept_late_cb, s);
    assert_int_equal(event_add(&s->accept, NULL), 0);
}

static void late_clear(struct late *s)
{
    event_del(&s->accept);
    for (unsigned i = 0; i < s->accepted; i++) {
        event_del(&s->conns[i].event);
        hop_free(s->conns[i].hop, false);
    }
    free(s->conns);
    tls_conf_free(s->tls);
    close(s->fd);
}

/* --- calls --- */
struct one {
    char uri[64];
    struct gateway_task task;
    struct gateway_result result;
    unsigned *left;
    bool done;
};

static void one_init(struct one *o, const char *scheme, unsigned i, const struct addr *to,
                     uint64_t timeout_ms, unsigned *left)
{
    *o = (struct one){ .left = left };
    snprintf(o->uri, sizeof o->uri, "%s://api.example.com/%u", scheme, i);
    o->task = (struct gateway_task){ .connect = to,
                                     .anchors = nobody,
                                     .insecure_skip = true,
                                     .skip_allows_plain_self_signed = true,
                                     .timeout_ms = timeout_ms,
                                     .api_id = "test",
                                     .method = "GET" };
    assert_int_equal(gateway_uri_parse(&o->task.uri, o->uri, NULL), 0);
}

static void one_done_cb(void *arg, struct gateway_result *out)
{
    struct one *o = arg;

    assert_ptr_equal(out, &o->result);
    assert_false(o->done);
    o->done = true;
    --*o->left;
}

static struct event_base *new_loop(void)
{
    struct err err = { 0 };
    struct event_base *base = loop_new(&err);

    if (base == NULL)
        fail_msg("%s", err.text);
    return base;
}

static struct gateway_client *new_client(struct event_base *base, const struct gateway_task *task)
{
    struct err err = { 0 };
    struct gateway_client *c = gateway_client_new(base, task, &err);

    if (c == NULL)
        fail_msg("%s", err.text);
    return c;
}

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static bool room_for(rlim_t files)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < files)
        return false;
    if (limit.rlim_cur < files)
        limit.rlim_cur = files;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* The server answers nobody before all have asked: it can only end when all are in progress at
 * once. Then they are asked once more, over what was kept. */
static void at_once(unsigned n, bool tls)
{
    struct event_base *base = new_loop();
    struct one *calls = calloc(n, sizeof *calls);
    const char *scheme = tls ? "https" : "http";
    struct gateway_client *client;
    struct late server;
    unsigned left = n;

    assert_non_null(calls);
    late_init(&server, base, n, tls);
    server.patience = n;
    one_init(&calls[0], scheme, 0, &server.at, 300000, &left);
    client = new_client(base, &calls[0].task);
    for (int round = 0; round < 2; round++) {
        left = n;
        for (unsigned i = 0; i < n; i++) {
            one_init(&calls[i], scheme, i, &server.at, 300000, &left);
            assert_non_null(gateway_call_start(client, &calls[i].task, &calls[i].result,
                                               one_done_cb, &calls[i]));
        }
        assert_int_equal(left, n); /* nothing is done inside a start */
        while (left > 0)
            assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
        for (unsigned i = 0; i < n; i++) {
            struct gateway_result *r = &calls[i].result;

            assert_int_equal(r->broke, BREAK_NONE);
            assert_int_equal(r->status, 200);
            assert_string_equal((char *)r->body, calls[i].task.uri.path);
            assert_int_equal(r->reused, round == 1);
            assert_int_equal(r->tls.secured, tls);
            assert_int_equal(r->judged, tls && round == 0);
            gateway_result_clear(r);
        }
        assert_int_equal(server.accepted, n);
    }
    assert_true(gateway_client_quiet(client));
    gateway_client_free(client);
    late_clear(&server);
    event_base_free(base);
    free(calls);
}

static void a_thousand_calls_on_one_loop(void **state)
{
    (void)state;
    if (!room_for(2 * MANY + 64)) {
        print_message("no %d descriptors here (ulimit -Hn)\n", 2 * MANY + 64);
        skip();
    }
    at_once(MANY, false);
}

static void so_do_those_with_tls(void **state)
{
    (void)state;
    at_once(MANY_TLS, true);
}

/* Each has a deadline of its own, and says how far it came. */
static void deadlines(void **state)
{
    static const struct {
        const char *scheme;
        enum gateway_break broke;
    } rows[] = { { "http", BREAK_ANSWER_TIMEOUT }, { "https", BREAK_HANDSHAKE_TIMEOUT } };
    struct event_base *base = new_loop();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gateway_client *client;
        struct one late, patient;
        struct late server;
        unsigned left = 2;

        late_init(&server, base, 2, false);
        server.patience = 3;
        one_init(&late, rows[i].scheme, 1, &server.at, 30, &left);
        one_init(&patient, rows[i].scheme, 2, &server.at, 300000, &left);
        client = new_client(base, &late.task);
        assert_non_null(gateway_call_start(client, &late.task, &late.result, one_done_cb, &late));
        assert_non_null(
            gateway_call_start(client, &patient.task, &patient.result, one_done_cb, &patient));
        while (!late.done)
            assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
        assert_int_equal(late.result.broke, rows[i].broke);
        assert_true(late.result.ended_us - late.result.started_us >= 30000);
        assert_false(patient.done);
        late_clear(&server); /* closes */
        while (!patient.done || !gateway_client_quiet(client))
            assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
        assert_int_not_equal(patient.result.broke, rows[i].broke);
        assert_int_not_equal(patient.result.broke, BREAK_NONE);
        gateway_result_clear(&late.result);
        gateway_result_clear(&patient.result);
        gateway_client_free(client);
    }
    event_base_free(base);
}

/* Given up after so many turns of the loop: nobody is called, nothing is left. */
static void given_up(void **state)
{
    struct event_base *base = new_loop();
    int files;

    (void)state;
    (void)test_cert("self-signed");
    files = open_descriptors();
    for (int turns = 0; turns < 12; turns++) {
        unsigned left = 1;
        struct gateway_client *client;
        struct gateway_call *call;
        struct late server;
        struct one one;

        late_init(&server, base, 1, true);
        server.patience = 2;
        one_init(&one, "https", 1, &server.at, 300000, &left);
        client = new_client(base, &one.task);
        call = gateway_call_start(client, &one.task, &one.result, one_done_cb, &one);
        assert_non_null(call);
        for (int i = 0; i < turns; i++)
            event_base_loop(base, EVLOOP_NONBLOCK);
        gateway_call_cancel(call);
        gateway_client_free(client);
        late_clear(&server);
        event_base_loop(base, EVLOOP_NONBLOCK);
        assert_false(one.done);
        gateway_result_clear(&one.result);
        assert_int_equal(open_descriptors(), files);
    }
    event_base_free(base);
}

static void a_name_is_looked_up_without_waiting(void **state)
{
    struct event_base *base = new_loop();
    struct gateway_client *client;
    struct late server;
    unsigned left = 1;
    struct one one;
    char uri[64];

    (void)state;
    late_init(&server, base, 1, false);
    one_init(&one, "http", 1, NULL, 300000, &left);
    snprintf(uri, sizeof uri, "http://127.0.0.1:%u/here", (unsigned)addr_port(&server.at));
    assert_int_equal(gateway_uri_parse(&one.task.uri, uri, NULL), 0);
    client = new_client(base, &one.task);
    assert_non_null(gateway_call_start(client, &one.task, &one.result, one_done_cb, &one));
    while (!one.done)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_int_equal(one.result.broke, BREAK_NONE);
    assert_string_equal((char *)one.result.body, "/here");
    gateway_result_clear(&one.result);

    /* A name takes a thread, which may be left alone with it. */
    one.done = false;
    one.task.uri.text = uri;
    snprintf(one.task.uri.host, sizeof one.task.uri.host, "localhost");
    gateway_client_close_kept(client);
    gateway_call_cancel(gateway_call_start(client, &one.task, &one.result, one_done_cb, &one));
    assert_false(one.done);
    gateway_result_clear(&one.result);
    gateway_client_free(client);
    late_clear(&server);
    event_base_free(base);
}

/* A URI without an endpoint is a call like any other. */
static void no_endpoint(void **state)
{
    struct gateway_task task = { .timeout_ms = 1000, .api_id = "t", .method = "GET" };
    struct gateway_result r = { 0 };
    struct gateway_link *link;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(gateway_uri_parse(&task.uri, "http:///x", &err), 0);
    assert_false(task.uri.valid);
    link = gateway_link_new(&task, &err);
    assert_non_null(link);
    gateway_link_call(link, &r);
    assert_int_equal(r.broke, BREAK_BAD_ENDPOINT);
    assert_string_equal(r.why, task.uri.fault);
    assert_true(r.ended_us >= r.started_us && r.started_us > 0);
    gateway_result_clear(&r);
    gateway_link_free(link);
}

static int stop_tls(void **state)
{
    (void)state;
    trust_anchors_free(nobody);
    test_certs_free();
    tls_thread_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_calls_on_one_loop),
        cmocka_unit_test(so_do_those_with_tls),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(given_up),
        cmocka_unit_test(a_name_is_looked_up_without_waiting),
        cmocka_unit_test(no_endpoint),
    };
    struct err err;

    if (tls_init(&err) != 0 || (nobody = trust_anchors_new(NULL, 0, false)) == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, stop_tls);
}
