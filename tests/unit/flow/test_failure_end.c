/* SPDX-License-Identifier: Apache-2.0
 * Who ended a flow: every cause, in every phase, on both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/actions.h"
#include "tls/hop_tls.h"

enum phase { HELLO, HANDSHAKE, FIRST_RECORD, ANSWERED, DATA, N_PHASES };

static void no_answer(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    (void)arg, (void)offer, (void)out;
}

/* What the flow knows in a phase. */
static struct hop_failure put_in(struct flow *f, enum phase phase, enum hop_cause cause)
{
    struct tls_facts *facts = (struct tls_facts *)(uintptr_t)hop_tls_facts(f->front.hop);

    f->up.bytes = phase == DATA ? 10 : 0;
    f->down.bytes = phase == DATA || phase == ANSWERED ? 10 : 0;
    facts->has_offer = phase != HELLO;
    facts->first = TLS_FIRST_HELLO;
    f->record.end = END_N;
    return (struct hop_failure){ .cause = cause, .in_handshake = phase <= HANDSHAKE };
}

#define ROWS 9
static const enum hop_cause causes[ROWS] = {
    HOP_CAUSE_NONE,      HOP_CAUSE_RESET,   HOP_CAUSE_CLOSED,  HOP_CAUSE_ERRNO, HOP_CAUSE_ALERT_IN,
    HOP_CAUSE_ALERT_OUT, HOP_CAUSE_NOT_TLS, HOP_CAUSE_REFUSED, HOP_CAUSE_TLS,
};

/* clang-format off */
static const enum flow_end front_ends[ROWS][N_PHASES] = {
    /*              HELLO                    HANDSHAKE               FIRST_RECORD            ANSWERED                DATA */
    /* none      */ { END_CLIENT_NO_HELLO,   END_CLIENT_TLS_FAILED,  END_CLIENT_TLS_BROKEN,  END_CLIENT_TLS_BROKEN,  END_CLIENT_TLS_BROKEN },
    /* reset     */ { END_CLIENT_NO_HELLO,   END_CLIENT_TLS_CLOSED,  END_CLIENT_TLS_SILENT,  END_CLIENT_RESET,       END_CLIENT_RESET },
    /* closed    */ { END_CLIENT_NO_HELLO,   END_CLIENT_TLS_CLOSED,  END_CLIENT_TLS_SILENT,  END_CLIENT_RESET,       END_CLIENT_RESET },
    /* errno     */ { END_CLIENT_NO_HELLO,   END_CLIENT_TLS_CLOSED,  END_CLIENT_TLS_SILENT,  END_CLIENT_RESET,       END_CLIENT_RESET },
    /* alert in  */ { END_CLIENT_TLS_REFUSED,END_CLIENT_TLS_REFUSED, END_CLIENT_TLS_REFUSED, END_CLIENT_TLS_REFUSED, END_CLIENT_TLS_BROKEN },
    /* alert out */ { END_CLIENT_NO_HELLO,   END_CLIENT_TLS_FAILED,  END_CLIENT_TLS_BROKEN,  END_CLIENT_TLS_BROKEN,  END_CLIENT_TLS_BROKEN },
    /* not TLS   */ { END_CLIENT_NOT_TLS,    END_CLIENT_NOT_TLS,     END_CLIENT_NOT_TLS,     END_CLIENT_NOT_TLS,     END_CLIENT_NOT_TLS },
    /* refused   */ { END_CLIENT_TLS_FAILED, END_CLIENT_TLS_FAILED,  END_CLIENT_TLS_FAILED,  END_CLIENT_TLS_FAILED,  END_CLIENT_TLS_FAILED },
    /* TLS       */ { END_ELB_INTERNAL,      END_CLIENT_TLS_FAILED,  END_CLIENT_TLS_BROKEN,  END_CLIENT_TLS_BROKEN,  END_CLIENT_TLS_BROKEN },
};
static const enum flow_end back_ends[ROWS][N_PHASES] = {
    /* none      */ { END_TARGET_TLS_FAILED, END_TARGET_TLS_FAILED,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN },
    /* reset     */ { END_TARGET_TLS_CLOSED, END_TARGET_TLS_CLOSED,  END_TARGET_RESET,       END_TARGET_RESET,       END_TARGET_RESET },
    /* closed    */ { END_TARGET_TLS_CLOSED, END_TARGET_TLS_CLOSED,  END_TARGET_RESET,       END_TARGET_RESET,       END_TARGET_RESET },
    /* errno     */ { END_TARGET_TLS_CLOSED, END_TARGET_TLS_CLOSED,  END_TARGET_RESET,       END_TARGET_RESET,       END_TARGET_RESET },
    /* alert in  */ { END_TARGET_TLS_REFUSED,END_TARGET_TLS_REFUSED, END_TARGET_TLS_REFUSED, END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN },
    /* alert out */ { END_TARGET_TLS_FAILED, END_TARGET_TLS_FAILED,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN },
    /* not TLS   */ { END_TARGET_TLS_FAILED, END_TARGET_TLS_FAILED,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN },
    /* refused   */ { END_TARGET_TLS_FAILED, END_TARGET_TLS_FAILED,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN },
    /* TLS       */ { END_TARGET_TLS_FAILED, END_TARGET_TLS_FAILED,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN,  END_TARGET_TLS_BROKEN },
};
/* clang-format on */

static void tls_on_both_sides(void **state)
{
    struct flow f = { 0 };

    (void)state;
    f.front.hop = hop_tls_server_new(-1, no_answer, NULL, false);
    f.back.hop = hop_tls_server_new(-1, no_answer, NULL, false); /* any TLS hop will do */
    assert_non_null(f.front.hop);
    assert_non_null(f.back.hop);
    for (size_t c = 0; c < ROWS; c++) {
        for (int p = 0; p < N_PHASES; p++) {
            struct hop_failure failure = put_in(&f, (enum phase)p, causes[c]);
            enum flow_end front = flow_failure_end(&f, &f.front, &failure);
            enum flow_end back = flow_failure_end(&f, &f.back, &failure);

            if (front != front_ends[c][p] || back != back_ends[c][p])
                fail_msg("cause %zu, phase %d: %s, %s", c, p, flow_end_row(front)->code,
                         flow_end_row(back)->code);
        }
    }
    hop_free(f.front.hop, false);
    hop_free(f.back.hop, false);
}

/* What the hello callback noted stands. */
static void what_the_hello_callback_noted_counts(void **state)
{
    static const enum flow_end ends[] = { END_LISTENER_NO_SUITE, END_LISTENER_NO_VERSION,
                                          END_ELB_INTERNAL };
    struct flow f = { 0 };

    (void)state;
    f.front.hop = hop_tls_server_new(-1, no_answer, NULL, false);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct hop_failure failure = put_in(&f, HANDSHAKE, HOP_CAUSE_REFUSED);

        f.record.end = ends[i];
        assert_int_equal(flow_failure_end(&f, &f.front, &failure), ends[i]);
    }
    hop_free(f.front.hop, false);
}

static void first_bytes_tell_malformed_from_foreign(void **state)
{
    static const struct {
        enum tls_first first;
        enum flow_end end;
    } rows[] = {
        { TLS_FIRST_HTTP, END_CLIENT_NOT_TLS },
        { TLS_FIRST_SSLV2, END_CLIENT_NOT_TLS },
        { TLS_FIRST_PROXY_V1, END_CLIENT_NOT_TLS },
        { TLS_FIRST_PROXY_V2, END_CLIENT_NOT_TLS },
        { TLS_FIRST_NOT_TLS, END_CLIENT_NOT_TLS },
        { TLS_FIRST_MALFORMED, END_CLIENT_HELLO_MALFORMED },
        { TLS_FIRST_TOO_LARGE, END_CLIENT_HELLO_MALFORMED },
    };
    struct flow f = { 0 };

    (void)state;
    f.front.hop = hop_tls_server_new(-1, no_answer, NULL, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hop_failure failure = put_in(&f, HELLO, HOP_CAUSE_NOT_TLS);

        ((struct tls_facts *)(uintptr_t)hop_tls_facts(f.front.hop))->first = rows[i].first;
        assert_int_equal(flow_failure_end(&f, &f.front, &failure), rows[i].end);
    }
    {
        struct hop_failure failure = put_in(&f, HELLO, HOP_CAUSE_NOT_TLS);
        struct tls_facts *facts = (struct tls_facts *)(uintptr_t)hop_tls_facts(f.front.hop);

        facts->first = TLS_FIRST_TOO_LARGE; /* for the library, which AWS does not use */
        facts->has_offer = true;
        assert_int_equal(flow_failure_end(&f, &f.front, &failure), END_SIMULATOR_LIMIT);
    }
    hop_free(f.front.hop, false);
}

static void plain_sides(void **state)
{
    struct flow f = { 0 };

    (void)state;
    f.front.hop = hop_tcp_new(-1);
    f.back.hop = hop_tcp_new(-1);
    for (size_t c = 0; c < ROWS; c++) {
        struct hop_failure failure = { .cause = causes[c] };

        assert_int_equal(flow_failure_end(&f, &f.front, &failure), END_CLIENT_RESET);
        assert_int_equal(flow_failure_end(&f, &f.back, &failure), END_TARGET_RESET);
    }
    hop_free(f.front.hop, false);
    hop_free(f.back.hop, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_on_both_sides),
        cmocka_unit_test(what_the_hello_callback_noted_counts),
        cmocka_unit_test(first_bytes_tell_malformed_from_foreign),
        cmocka_unit_test(plain_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
