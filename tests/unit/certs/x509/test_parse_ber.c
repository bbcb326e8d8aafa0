/* SPDX-License-Identifier: Apache-2.0
 * BER's indefinite lengths become definite, or the reason is the JDK's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/x509/parse_impl.h"

static void becomes(const char *in, size_t n, const char *out, size_t m)
{
    uint8_t *got = NULL;
    size_t len = 0;

    assert_null(ber_definite(der_span_of((const uint8_t *)in, n), &got, &len));
    assert_int_equal(len, m);
    assert_memory_equal(got, out, m);
    free(got);
}

static void is_refused(const char *in, size_t n, const char *why)
{
    uint8_t *got = NULL;
    size_t len = 0;
    const char *said = ber_definite(der_span_of((const uint8_t *)in, n), &got, &len);

    assert_non_null(said);
    assert_non_null(strstr(said, why));
    assert_null(got);
}

#define BECOMES(in, out) becomes(in, sizeof in - 1, out, sizeof out - 1)
#define REFUSED(in, why) is_refused(in, sizeof in - 1, why)

static void lengths_become_definite(void **state)
{
    (void)state;
    BECOMES("\x30\x80\x02\x01\x05\x00\x00", "\x30\x03\x02\x01\x05");
    BECOMES("\x30\x80\x00\x00", "\x30\x00");
    /* within each other */
    BECOMES("\x30\x80\x31\x80\x05\x00\x00\x00\x02\x01\x07\x00\x00",
            "\x30\x07\x31\x02\x05\x00\x02\x01\x07");
    /* an element with a length is copied as it is, even with one without inside */
    BECOMES("\x30\x80\x30\x04\x30\x80\x00\x00\x00\x00", "\x30\x06\x30\x04\x30\x80\x00\x00");
    /* a length written too long is made short; the octet it cost stands at the end */
    BECOMES("\x30\x80\x02\x81\x01\x05\x00\x00", "\x30\x04\x02\x01\x05\x00");
}

static void what_cannot_be_read_says_why(void **state)
{
    char deep[200];

    (void)state;
    REFUSED("", "not enough data to resolve indef len BER");
    REFUSED("\x30\x80", "not enough data to resolve indef len BER");
    REFUSED("\x30\x80\x02\x01\x05", "not enough data to resolve indef len BER");
    REFUSED("\x30\x80\x04\x80\x00\x00\x00\x00", "Non constructed encoding must have definite");
    for (size_t i = 0; i < sizeof deep; i += 2)
        memcpy(deep + i, "\x30\x80", 2);
    is_refused(deep, sizeof deep, "Nesting sequence depth limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_become_definite),
        cmocka_unit_test(what_cannot_be_read_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
