/* SPDX-License-Identifier: Apache-2.0
 * The TLS engine when memory fails: every allocation of its own, one after the other, in a
 * handshake with tiny socket buffers and a transfer. It may fail; it may not crash or leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static long countdown = -1; /* the allocation that fails; -1: none */
static long allocations;

static int refuse(void)
{
    allocations++;
    return countdown >= 0 && countdown-- == 0;
}
static void *test_malloc_(size_t n)
{
    return refuse() ? NULL : malloc(n);
}
static void *test_calloc_(size_t n, size_t size)
{
    return refuse() ? NULL : calloc(n, size);
}
static void *test_realloc_(void *p, size_t n)
{
    return refuse() ? NULL : realloc(p, n);
}

/* The module itself, with its allocations led here; the archive's copy is then not linked. */
#define malloc  test_malloc_
#define calloc  test_calloc_
#define realloc test_realloc_
#include "tls/tls_engine.c"
#undef malloc
#undef calloc
#undef realloc

#include <cmocka.h> /* its macro `fail` would change the module */

#include "tests/lib/tlspair.h"

/* Everything that allocates in the engine; stops at the first failure. */
static bool session(size_t version)
{
    const uint16_t v = (uint16_t)(0x0303 + version);
    const struct tls_conf_params client = { .min_version = v, .max_version = v };
    const struct tls_conf_params server = { .server = true, .min_version = v, .max_version = v };
    const struct identity *cert = test_cert("valid");
    const struct tls_identity identity = { cert->crt, cert->key, NULL };
    struct mem_pipe up = { .room = 100 }, down = { .room = 300 };
    struct mem_end ends[2] = { { .in = &down, .out = &up }, { .in = &up, .out = &down } };
    struct tls_conf *confs[2] = { tls_conf_new(&client, NULL), tls_conf_new(&server, NULL) };
    struct tls_engine *e[2] = { NULL, NULL };
    enum hop_status st[2] = { HOP_WANT_READ, HOP_WANT_READ };
    uint8_t data[3000] = { 1 };
    size_t moved = 0;
    bool ok = false;

    for (size_t i = 0; i < 2; i++) {
        e[i] = tls_engine_new(&(struct tls_io){ mem_recv, mem_send, NULL, &ends[i] });
        if (e[i] == NULL ||
            tls_engine_start(e[i], confs[i], i == 1 ? &identity : NULL, NULL, NULL) != 0)
            goto out;
    }
    memcpy(data, (uint8_t[]){ 22, 3, 1 }, 3);
    st[0] = tls_engine_handshake(e[0]);
    if (tls_engine_replay(e[1], up.at, 3) != 0)
        goto out;
    memmove(up.at, up.at + 3, up.len - 3);
    up.len -= 3;
    for (int turn = 0; turn < 200 && (st[0] != HOP_OK || st[1] != HOP_OK); turn++) {
        size_t i = (size_t)turn % 2;

        if (st[i] == HOP_OK)
            (void)tls_engine_flush(e[i]);
        else
            st[i] = tls_engine_handshake(e[i]);
        if (st[i] == HOP_FAILED)
            goto out;
    }
    for (int turn = 0; turn < 200 && moved < sizeof data; turn++) {
        size_t put = 0, got = 0;
        uint8_t buf[700];

        if (tls_engine_write(e[1], data, sizeof data, &put) == HOP_FAILED)
            goto out;
        switch (tls_engine_read(e[0], buf, sizeof buf, &got)) {
        case HOP_OK:
            moved += got;
            break;
        case HOP_EOF:
        case HOP_FAILED:
            goto out;
        case HOP_WANT_READ:
        case HOP_WANT_WRITE:
        case HOP_HELD:
            break;
        }
    }
    ok = moved >= sizeof data;
out:
    for (size_t i = 0; i < 2; i++) {
        tls_engine_free(e[i]);
        tls_conf_free(confs[i]);
    }
    free(up.at);
    free(down.at);
    return ok;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    (void)test_cert("valid");
    for (size_t v = 0; v < 2; v++) {
        long n;

        countdown = -1;
        allocations = 0;
        assert_true(session(v));
        n = allocations;
        assert_true(n >=
                    6); /* two engines, the replayed hello, what full sockets leave, kept bytes */
        for (long i = 0; i < n; i++) {
            countdown = i;
            (void)session(v); /* may fail in any way but a crash, a leak or an endless loop */
            countdown = -1;
        }
        assert_true(session(v)); /* and nothing is left behind */
    }
    test_certs_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
