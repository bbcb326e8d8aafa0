/* SPDX-License-Identifier: Apache-2.0
 * The back hop: connecting and its failures, what is offered to targets, and the chain as text. */
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

#include "targets/back.h"
#include "tests/lib/sockets.h"
#include "tests/lib/tlspair.h"
#include "tls/hop_tls.h"

static void connects(void **state)
{
    struct addr at;
    int listening = sock_listen(&at), error = 0, peer;
    struct hop *h = back_connect(&(struct back_route){ .to = &at }, &error);

    (void)state;
    assert_non_null(h);
    assert_true(sock_wait(h->fd, POLLOUT));
    assert_int_equal(back_connected(h), 0);
    peer = accept(listening, NULL, NULL);
    assert_true(peer >= 0);
    hop_free(h, false);
    close(peer);
    close(listening);
}

static void refused(void **state)
{
    struct addr at;
    int listening = sock_listen(&at), error = 0;
    struct hop *h;

    (void)state;
    close(listening); /* the port is free, nobody listens */
    h = back_connect(&(struct back_route){ .to = &at }, &error);
    if (h != NULL) { /* told later */
        assert_true(sock_wait(h->fd, POLLOUT));
        error = back_connected(h);
        hop_free(h, true);
    }
    assert_int_equal(error, ECONNREFUSED);
}

static void impossible_addresses(void **state)
{
    struct addr nowhere = { 0 };
    int error = 0;

    (void)state;
    assert_null(
        back_connect(&(struct back_route){ .to = &nowhere }, &error)); /* no address family */
    assert_int_not_equal(error, 0);
}

static uint16_t v12_13[] = { 0x0304, 0x0303 };
static const char *const alpn[] = { "h2", "http/1.1", NULL };

static struct back_params params(bool chosen_only)
{
    return (struct back_params){
        .policy = "p", .versions = { v12_13, 2 }, .alpn = alpn, .offer_chosen_only = chosen_only
    };
}

/* The ClientHello that a target gets. */
static void hello_of(const struct back_tls *tls, const char *chosen, struct tls_offer *offer)
{
    struct addr at;
    int listening = sock_listen(&at), error = 0, peer;
    struct hop *h =
        back_connect(&(struct back_route){ .to = &at, .tls = tls, .alpn = chosen }, &error);
    uint8_t record[4096];
    ssize_t n;

    assert_non_null(h);
    assert_true(sock_wait(h->fd, POLLOUT));
    assert_int_equal(hop_secure(h), HOP_WANT_READ);
    peer = accept(listening, NULL, NULL);
    assert_true(sock_wait(peer, POLLIN));
    n = recv(peer, record, sizeof record, 0);
    assert_true(n > 9);
    assert_int_equal(tls_offer_parse(offer, record + 9, (size_t)n - 9), 0);
    hop_free(h, true);
    close(peer);
    close(listening);
}

/* No SNI; ALPN as asked for; both versions. */
static void what_a_target_is_offered(void **state)
{
    static const struct {
        bool chosen_only;
        const char *chosen;
        uint8_t names;
    } rows[] = {
        { false, NULL, 2 }, { false, "h2", 2 }, { true, "h2", 1 },    { true, "http/1.1", 1 },
        { true, NULL, 0 },  { true, "", 0 },    { true, "other", 0 },
    };

    (void)state;
    (void)test_cert("valid");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct back_params p = params(rows[i].chosen_only);
        struct err err = { 0 };
        struct back_tls *tls = back_tls_new(&p, &err);
        struct tls_offer offer;

        assert_non_null(tls);
        assert_string_equal(back_tls_policy(tls), "p");
        hello_of(tls, rows[i].chosen, &offer);
        assert_int_equal(offer.sni_state, TLS_SNI_NONE);
        assert_int_equal(offer.alpn_count, rows[i].names);
        if (rows[i].names == 1)
            assert_true(tls_offer_has_alpn(&offer, rows[i].chosen));
        assert_true(tls_offer_has_version(&offer, 0x0304));
        assert_true(tls_offer_has_version(&offer, 0x0303));
        assert_false(offer.session_ticket);
        tls_offer_clear(&offer);
        back_tls_free(tls);
    }
    back_tls_free(NULL);
}

static void add(struct tls_chain *c, const struct identity *cert)
{
    for (size_t i = 0; i < cert->chain.n; i++)
        tls_chain_add(c, cert->chain.at[i]->der.at, cert->chain.at[i]->der.len);
}

static void chains_become_text(void **state)
{
    struct tls_chain c = { 0 };
    struct record_chain out = { 0 };

    (void)state;
    add(&c, test_cert("self-signed"));
    back_describe_chain(&c, &out);
    assert_int_equal(out.n, 1);
    assert_int_equal(out.presented, 1);
    assert_true(out.at[0].self_issued);
    assert_string_equal(out.at[0].subject, out.at[0].issuer);
    assert_non_null(strstr(out.at[0].names, "api.example.com"));
    assert_null(out.at[0].refusal);
    assert_true(out.at[0].not_before_utc < out.at[0].not_after_utc);
    tls_chain_clear(&c);
    add(&c, test_cert("valid"));
    back_describe_chain(&c, &out); /* over what was there: nothing leaks */
    assert_int_equal(out.n, test_cert("valid")->chain.n);
    assert_false(out.at[0].self_issued);
    assert_string_equal(out.at[0].issuer, out.at[1].subject);
    assert_string_equal(out.at[0].key, "EC 256");
    record_chain_clear(&out);
    tls_chain_clear(&c);
}

static void an_odd_or_long_chain_is_told_as_far_as_it_goes(void **state)
{
    static const uint8_t junk[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };
    struct tls_chain c = { 0 };
    struct record_chain out = { 0 };

    (void)state;
    tls_chain_add(&c, junk, sizeof junk);
    back_describe_chain(&c, &out);
    assert_int_equal(out.presented, 1);
    assert_int_equal(out.n, 1);
    assert_non_null(out.at[0].refusal); /* and what is wrong with it */
    for (int i = 0; i < 10; i++)
        add(&c, test_cert("self-signed"));
    back_describe_chain(&c, &out);
    assert_int_equal(out.presented, 11);
    assert_int_equal(out.n, RECORD_CERTS);
    record_chain_clear(&out);
    tls_chain_clear(&c);
}

static int free_certs(void **state)
{
    (void)state;
    test_certs_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects),
        cmocka_unit_test(refused),
        cmocka_unit_test(impossible_addresses),
        cmocka_unit_test(what_a_target_is_offered),
        cmocka_unit_test(chains_become_text),
        cmocka_unit_test(an_odd_or_long_chain_is_told_as_far_as_it_goes),
    };

    return cmocka_run_group_tests(tests, NULL, free_certs);
}
