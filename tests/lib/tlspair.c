/* SPDX-License-Identifier: Apache-2.0
 * Two TLS engines wired back to back over memory. */
#include "tests/lib/tlspair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <time.h>

#include "certs/lab/lab.h"
#include "tls/tls_random.h"

#define CERTS 16

static struct cert_lab *lab;
static struct {
    char profile[64];
    struct identity *cert;
} certs[CERTS];

const struct identity *test_cert(const char *profile)
{
    struct err err = { 0 };
    char spec[128];

    if (lab == NULL) {
        if (tls_init(&err) != 0)
            fail_msg("%s", err.text);
        lab = cert_lab_new(NULL, (int64_t)time(NULL), &err);
        if (lab == NULL)
            fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < CERTS; i++) {
        if (certs[i].cert != NULL && strcmp(certs[i].profile, profile) == 0)
            return certs[i].cert;
        if (certs[i].cert != NULL)
            continue;
        snprintf(certs[i].profile, sizeof certs[i].profile, "%s", profile);
        snprintf(spec, sizeof spec, "lab:%s/api.example.com", profile);
        certs[i].cert = identity_load(spec, NULL, lab, &err);
        if (certs[i].cert == NULL)
            fail_msg("%s", err.text);
        return certs[i].cert;
    }
    fail_msg("more than %d certificates", CERTS);
    return NULL;
}

void test_certs_free(void)
{
    for (size_t i = 0; i < CERTS; i++) {
        identity_unref(certs[i].cert);
        certs[i].cert = NULL;
    }
    cert_lab_free(lab);
    lab = NULL;
    tls_thread_done();
}

/* --- memory --- */
static bool hiccups(struct mem_end *e, unsigned call)
{
    if (!e->hiccup || call % 2 == 0)
        return false;
    errno = EAGAIN;
    return true;
}

ssize_t mem_recv(void *arg, void *buf, size_t n)
{
    struct mem_end *e = arg;
    struct mem_pipe *p = e->in;

    if (hiccups(e, ++e->recvs))
        return -1;
    if (p->len == 0) {
        errno = p->error != 0 ? p->error : EAGAIN;
        return p->fin && p->error == 0 ? 0 : -1;
    }
    if (e->recv_max != 0 && n > e->recv_max)
        n = e->recv_max;
    if (n > p->len)
        n = p->len;
    memcpy(buf, p->at, n);
    memmove(p->at, p->at + n, p->len - n);
    p->len -= n;
    return (ssize_t)n;
}

ssize_t mem_send(void *arg, const void *buf, size_t n)
{
    struct mem_end *e = arg;
    struct mem_pipe *p = e->out;

    if (hiccups(e, ++e->sends))
        return -1;
    if (e->send_error != 0) {
        errno = e->send_error;
        return -1;
    }
    if (e->send_max != 0 && n > e->send_max)
        n = e->send_max;
    if (p->room != 0 && n > p->room - (p->len < p->room ? p->len : p->room))
        n = p->room - (p->len < p->room ? p->len : p->room);
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (p->len + n > p->cap) {
        p->cap = 2 * (p->len + n);
        p->at = realloc(p->at, p->cap);
        assert_non_null(p->at);
    }
    memcpy(p->at + p->len, buf, n);
    p->len += n;
    return (ssize_t)n;
}

void mem_tap(void *arg, bool incoming, uint8_t *data, size_t n)
{
    struct mem_end *e = arg;

    assert_non_null(data);
    *(incoming ? &e->tapped_in : &e->tapped_out) += n;
}

/* --- the pair --- */
enum tls_library tls_pair_library[2];

int tls_pair_run(const char *name, unsigned pair, const struct CMUnitTest *tests, size_t n,
                 int (*teardown)(void **state))
{
    tls_pair_library[0] = pair & 2 ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS;
    tls_pair_library[1] = pair & 1 ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS;
    return _cmocka_run_group_tests(name, tests, n, NULL, teardown);
}

void tls_pair_init(struct tls_pair *p, const struct tls_conf_params *client_params,
                   const struct tls_conf_params *server_params, const char *profile)
{
    static const struct tls_conf_params any_client = { .min_version = 0x0303,
                                                       .max_version = 0x0304 };
    static const struct tls_conf_params any_server = { .server = true,
                                                       .min_version = 0x0303,
                                                       .max_version = 0x0304 };
    const struct identity *cert = test_cert(profile == NULL ? "valid" : profile);
    const struct tls_identity identity = identity_to_present(cert);
    struct tls_conf_params c = client_params != NULL ? *client_params : any_client;
    struct tls_conf_params s = server_params != NULL ? *server_params : any_server;
    struct err err = { 0 };

    c.library = tls_pair_library[0];
    s.library = tls_pair_library[1];
    memset(p, 0, sizeof *p);
    p->client_end = (struct mem_end){ .in = &p->down, .out = &p->up };
    p->server_end = (struct mem_end){ .in = &p->up, .out = &p->down };
    p->client_conf = tls_conf_new(&c, &err);
    p->server_conf = tls_conf_new(&s, &err);
    if (p->client_conf == NULL || p->server_conf == NULL)
        fail_msg("%s", err.text);
    p->client = tls_engine_new(&(struct tls_io){ mem_recv, mem_send, mem_tap, &p->client_end });
    p->server = tls_engine_new(&(struct tls_io){ mem_recv, mem_send, mem_tap, &p->server_end });
    assert_non_null(p->client);
    assert_non_null(p->server);
    assert_int_equal(tls_engine_start(p->client, p->client_conf, NULL, "api.example.com", &err), 0);
    assert_int_equal(
        tls_engine_start(p->server, p->server_conf, profile == NULL ? NULL : &identity, NULL, &err),
        0);
}

void tls_pair_clear(struct tls_pair *p)
{
    tls_engine_free(p->client);
    tls_engine_free(p->server);
    tls_conf_free(p->client_conf);
    tls_conf_free(p->server_conf);
    free(p->up.at);
    free(p->down.at);
    memset(p, 0, sizeof *p);
}

static bool over(enum hop_status st)
{
    return st == HOP_OK || st == HOP_FAILED;
}

bool tls_pair_handshake(struct tls_pair *p)
{
    unsigned still = 0;

    p->client_status = p->server_status = HOP_WANT_READ;
    while (!(over(p->client_status) && over(p->server_status)) && still < 8) {
        size_t before = p->client_end.tapped_in + p->server_end.tapped_in + p->up.len + p->down.len;

        if (!over(p->client_status))
            p->client_status = tls_engine_handshake(p->client);
        if (!over(p->server_status))
            p->server_status = tls_engine_handshake(p->server);
        if (p->client_status == HOP_OK)
            (void)tls_engine_flush(p->client);
        if (p->server_status == HOP_OK)
            (void)tls_engine_flush(p->server);
        still =
            before == p->client_end.tapped_in + p->server_end.tapped_in + p->up.len + p->down.len
                ? still + 1
                : 0;
    }
    return p->client_status == HOP_OK && p->server_status == HOP_OK;
}

void tls_pair_send(struct tls_pair *p, bool from_client, size_t n, unsigned seed)
{
    struct tls_engine *from = from_client ? p->client : p->server;
    struct tls_engine *to = from_client ? p->server : p->client;
    size_t sent = 0, got = 0, idle = 0;
    uint8_t *data = malloc(n), buf[5000];

    assert_non_null(data);
    for (size_t i = 0; i < n; i++)
        data[i] = pattern_at(i, seed);
    while (got < n) {
        size_t put = 0, take = 0, before = got + sent;
        enum hop_status st =
            sent < n ? tls_engine_write(from, data + sent, n - sent, &put) : tls_engine_flush(from);

        assert_int_not_equal(st, HOP_FAILED);
        assert_true(st == HOP_OK || put == 0);
        sent += put;
        st = tls_engine_read(to, buf, sizeof buf, &take);
        assert_true(st == HOP_OK || st == HOP_WANT_READ);
        if (st == HOP_OK) {
            assert_memory_equal(buf, data + got, take);
        } else {
            assert_int_equal(take, 0);
            assert_int_equal(tls_engine_pending(to), 0); /* or no edge would tell of them */
        }
        got += take;
        idle = got + sent == before ? idle + 1 : 0;
        assert_true(idle < 200000);
    }
    assert_int_equal(got, n);
    free(data);
}
