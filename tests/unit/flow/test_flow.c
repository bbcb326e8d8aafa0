/* SPDX-License-Identifier: Apache-2.0
 * The life of TLS flows: handshakes on both sides, holding for the target, timeouts, refusals, and
 * what the record says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "flow/actions.h"
#include "tests/lib/flowrig.h"
#include "tests/lib/sockets.h"
#include "tests/lib/tlspair.h"
#include "tls/hop_tls.h"
#include "tls/tls_params.h"

static struct rig r;
static struct tls_conf *server_conf, *client_conf;
static struct hop_tls_answer answer;
static struct flow *f;
static struct hop *client;           /* NULL once it is gone */
static struct tls_facts front_facts; /* a copy of what the record said; its lists are not */

static void hello_cb(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    (void)arg, (void)offer;
    *out = answer;
}

static void (*count_cb)(void *arg, const struct flow_record *record);

static void record_cb(void *arg, const struct flow_record *record)
{
    if (record->front != NULL)
        front_facts = *record->front;
    count_cb(arg, record);
}

static int set_up(void **state)
{
    static const struct tls_conf_params c = { .min_version = 0x0303, .max_version = 0x0304 };
    static const struct tls_conf_params s = { .server = true,
                                              .min_version = 0x0303,
                                              .max_version = 0x0304 };
    const struct identity *cert = test_cert("valid");
    int fd[2];

    (void)state;
    rig_init(&r, FLOW_RELAY_AUTO);
    count_cb = r.env.ended_cb;
    r.env.ended_cb = record_cb;
    memset(&front_facts, 0, sizeof front_facts);
    server_conf = tls_conf_new(&s, NULL);
    client_conf = tls_conf_new(&c, NULL);
    answer = (struct hop_tls_answer){ .conf = server_conf, .identity = { cert->crt, cert->key } };
    r.plan.protocol = PROTOCOL_TLS;
    sock_pair(fd, 0);
    client = hop_tls_client_new(fd[0], client_conf, "api.example.com", NULL);
    f = rig_flow(&r, hop_tls_server_new(fd[1], hello_cb, NULL, true));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hop_free(client, false);
    client = NULL;
    rig_clear(&r);
    tls_conf_free(server_conf);
    tls_conf_free(client_conf);
    return 0;
}

static bool client_secured(void *arg)
{
    enum hop_status st = hop_secure(client);

    (void)arg;
    assert_int_not_equal(st, HOP_FAILED);
    return st == HOP_OK;
}

static bool relaying(void *arg)
{
    (void)arg;
    return f->state == FLOW_RELAYING;
}

static bool target_waits(void *arg)
{
    struct pollfd p = { .fd = r.listening, .events = POLLIN };

    (void)arg;
    return poll(&p, 1, 0) == 1;
}

static int accept_target(void)
{
    assert_true(rig_until(&r, target_waits, NULL));
    return accept(r.listening, NULL, NULL);
}

static void through_and_through(void **state)
{
    char buf[16];
    size_t n;
    int target;

    (void)state;
    flow_go(f);
    assert_true(rig_until(&r, client_secured, NULL));
    target = accept_target();
    assert_true(rig_until(&r, relaying, NULL));
    assert_int_equal(hop_write(client, "ping", 4, &n), HOP_OK);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    sock_recv(target, buf, 4);
    assert_memory_equal(buf, "ping", 4);
    sock_send(target, "pong!", 5);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    assert_int_equal(hop_read(client, buf, sizeof buf, &n), HOP_OK);
    assert_int_equal(n, 5);
    assert_int_equal(hop_send_eof(client), HOP_OK);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    assert_int_equal(sock_ending(target), 0); /* close_notify became FIN */
    close(target);
    assert_true(rig_until_ended(&r));
    assert_int_equal(hop_read(client, buf, sizeof buf, &n), HOP_EOF);
    assert_true(hop_tls_facts(client)->closed_in_order); /* and FIN became close_notify */
    assert_int_equal(r.end, END_COMPLETED);
    assert_int_equal(r.received_bytes, 4);
    assert_int_equal(r.sent_bytes, 5);
    assert_true(front_facts.secured);
    assert_true(front_facts.closed_in_order);
    assert_int_equal(front_facts.alert_out.number, TLS_ALERT_close_notify);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_NEW_FLOWS_TLS), 1);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_PROCESSED_BYTES_TLS), 9);
}

/* The client ends in order, and its RST follows, seen with the close_notify or later: the flow ends
 * at once, though the target is silent, which still gets all and an end in order. */
static void reset_behind_close_notify(bool later)
{
    char buf[8];
    size_t n;
    int target;

    flow_go(f);
    assert_true(rig_until(&r, client_secured, NULL));
    target = accept_target();
    assert_true(rig_until(&r, relaying, NULL));
    assert_int_equal(hop_write(client, "all", 3, &n), HOP_OK);
    assert_int_equal(hop_send_eof(client), HOP_OK);
    for (int i = 0; later && i < 5; i++)
        rig_turn(&r);
    assert_int_equal(r.ended, 0);
    hop_free(client, true);
    client = NULL;
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_CLIENT_RESET);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_TCP_CLIENT_RESETS), 1);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_TCP_ELB_RESETS), 0);
    sock_recv(target, buf, 3);
    assert_memory_equal(buf, "all", 3);
    assert_int_equal(sock_ending(target), 0);
    close(target);
}

static void a_reset_with_close_notify(void **state)
{
    (void)state;
    reset_behind_close_notify(false);
}

static void a_reset_after_close_notify(void **state)
{
    (void)state;
    reset_behind_close_notify(true);
}

/* target_connect = after_hello: the target is there before the client gets the ServerHello. */
static void held_for_the_target(void **state)
{
    int target;

    (void)state;
    answer.hold = true;
    flow_go(f);
    assert_int_equal(hop_secure(client), HOP_WANT_READ);
    target = accept_target();
    assert_int_equal(hop_secure(client), HOP_WANT_READ);
    assert_false(f->front_secured);
    assert_true(rig_until(&r, client_secured, NULL));
    assert_true(rig_until(&r, relaying, NULL));
    close(target);
}

/* ... and without a target the handshake never goes on: the client sees RST. */
static void held_and_no_target(void **state)
{
    (void)state;
    answer.hold = true;
    r.forward.total_weight = 0;
    flow_go(f);
    assert_int_equal(hop_secure(client), HOP_WANT_READ);
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_NO_TARGET);
    assert_int_equal(sock_ending(client->fd), ECONNRESET);
}

static void a_client_that_says_nothing(void **state)
{
    (void)state;
    r.plan.handshake_us = 30000;
    flow_go(f);
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_CLIENT_TLS_TIMEOUT);
    assert_int_equal(sock_ending(client->fd), ECONNRESET);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_CLIENT_TLS_NEGOTIATION_ERRORS), 1);
}

static void a_client_that_closes_in_the_handshake(void **state)
{
    (void)state;
    flow_go(f);
    assert_int_equal(hop_secure(client), HOP_WANT_READ);
    rig_turn(&r);
    hop_free(client, false);
    client = NULL;
    assert_true(rig_until_ended(&r));
    assert_true(r.end == END_CLIENT_TLS_CLOSED);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_CLIENT_TLS_NEGOTIATION_ERRORS), 1);
}

/* The refusal of a client that judges after its handshake, said or not. */
static void refusals_after_the_handshake(void **state)
{
    int target;

    (void)state;
    flow_go(f);
    assert_true(rig_until(&r, client_secured, NULL));
    target = accept_target();
    assert_true(rig_until(&r, relaying, NULL));
    hop_tls_send_alert(client, TLS_ALERT_unknown_ca);
    hop_free(client, false);
    client = NULL;
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_CLIENT_TLS_REFUSED);
    assert_int_equal(front_facts.alert_in.number, TLS_ALERT_unknown_ca);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_CLIENT_TLS_NEGOTIATION_ERRORS), 1);
    close(target);
}

static void a_silent_refusal(void **state)
{
    int target;

    (void)state;
    flow_go(f);
    assert_true(rig_until(&r, client_secured, NULL));
    target = accept_target();
    assert_true(rig_until(&r, relaying, NULL));
    shutdown(client->fd, SHUT_WR); /* FIN without close_notify, without a byte */
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_CLIENT_TLS_SILENT);
    close(target);
}

static void the_hello_callback_refuses(void **state)
{
    uint8_t alert[7];

    (void)state;
    answer =
        (struct hop_tls_answer){ .alert_level = 2, .alert_number = TLS_ALERT_protocol_version };
    flow_go(f);
    assert_int_equal(hop_secure(client), HOP_WANT_READ);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    sock_recv(client->fd, alert, sizeof alert); /* not overtaken by a RST */
    assert_int_equal(alert[6], TLS_ALERT_protocol_version);
    assert_int_equal(sock_ending(client->fd), 0);
    hop_free(client, false);
    client = NULL;
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_CLIENT_TLS_FAILED); /* no better word was noted */
}

/* Plain bytes on the TLS port, as the first thing or as an alert. */
static void no_hello(void **state)
{
    static const uint8_t alert[] = { 21, 3, 1, 0, 2, 2, TLS_ALERT_internal_error };

    (void)state;
    flow_go(f);
    sock_send(client->fd, alert, sizeof alert);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    hop_free(client, true);
    client = NULL;
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_CLIENT_TLS_REFUSED);
    assert_int_equal(front_facts.alert_in.number, TLS_ALERT_internal_error);
}

static int free_certs(void **state)
{
    (void)state;
    test_certs_free();
    return 0;
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EACH(through_and_through),
        EACH(a_reset_with_close_notify),
        EACH(a_reset_after_close_notify),
        EACH(held_for_the_target),
        EACH(held_and_no_target),
        EACH(a_client_that_says_nothing),
        EACH(a_client_that_closes_in_the_handshake),
        EACH(refusals_after_the_handshake),
        EACH(a_silent_refusal),
        EACH(the_hello_callback_refuses),
        EACH(no_hello),
    };

    return cmocka_run_group_tests(tests, NULL, free_certs);
}
