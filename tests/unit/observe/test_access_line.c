/* SPDX-License-Identifier: Apache-2.0
 * The access log's line, field by field, from records made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "observe/accesslog.h"
#include "tls/tls_params.h"

#define N_FIELDS 22

static const struct record_origin with_alpn = {
    .elb = "net/my-network-loadbalancer/c6e77e28c25b2234",
    .cert_arn = "arn:aws:acm:us-east-2:671290407336:certificate/",
    .listener_id = "a3d4b5e8bb8464cd",
    .alpn = true,
};
static const struct record_origin without_alpn = {
    .elb = "net/n/0123456789abcdef",
    .cert_arn = "arn:aws:acm:r:1:certificate/",
    .listener_id = "0",
};

struct made {
    struct flow_record r;
    struct tls_facts front, back;
    char line[ACCESS_LINE_MAX];
    char *field[N_FIELDS + 2];
    size_t n;
};

static void address(struct addr *a, const char *text)
{
    assert_int_equal(addr_parse(a, text, NULL), 0);
}

static void split(struct made *m)
{
    size_t n = access_line(m->line, &m->r);
    char *at = m->line;

    assert_true(n < ACCESS_LINE_MAX);
    assert_int_equal(m->line[n - 1], '\n');
    m->line[n - 1] = '\0';
    assert_null(strchr(m->line, '\n'));
    m->n = 0;
    for (char *word; (word = strsep(&at, " ")) != NULL && m->n < N_FIELDS + 1;)
        m->field[m->n++] = word;
    assert_int_equal(m->n, N_FIELDS);
}

/* AWS's sample line, as near as a record can come to it. */
static void sample(struct made *m)
{
    static const uint8_t alpn[] = "\x02h2\x08http/1.1";

    memset(m, 0, sizeof *m);
    m->r.protocol = PROTOCOL_TLS;
    m->r.origin = &with_alpn;
    address(&m->r.client, "72.21.218.154:51341");
    address(&m->r.local, "172.100.100.185:443");
    m->r.start_wall_us = clock_utc_of(2020, 4, 1, 8, 51, 20) * 1000000 + 999999;
    m->r.end_wall_us = clock_utc_of(2020, 4, 1, 8, 51, 42) * 1000000;
    m->r.start_us = 1000000;
    m->r.end_us = 1005999;
    m->front.secured_us = 1002500;
    m->front.secured = true;
    m->r.received_bytes = 98;
    m->r.sent_bytes = 246;
    m->r.choice.cert_id = "2a108f19-aded-46b0-8493-c63eb1ef4a99";
    m->front.suite = 0xc013;
    m->front.version = TLS_1_2;
    m->front.group = TLS_GROUP_secp256r1;
    m->front.has_offer = true;
    m->front.offer.sni = "my-network-loadbalancer-c6e77e28c25b2234.elb.us-east-2.amazonaws.com";
    m->front.offer.sni_state = TLS_SNI_NAME;
    m->front.offer.has_alpn = true;
    m->front.offer.alpn = alpn;
    m->front.offer.alpn_bytes = sizeof alpn - 1;
    m->front.offer.alpn_count = 2;
    strcpy(m->front.alpn, "h2");
    strcpy(m->back.alpn, "h2");
    m->r.front = &m->front;
    m->r.back = &m->back;
}

static void test_sample_of_aws(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.line[access_line(m.line, &m.r)] = '\0';
    assert_string_equal(
        m.line,
        "tls 2.0 2020-04-01T08:51:42 net/my-network-loadbalancer/c6e77e28c25b2234 a3d4b5e8bb8464cd "
        "72.21.218.154:51341 172.100.100.185:443 5 2 98 246 - "
        "arn:aws:acm:us-east-2:671290407336:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 - "
        "ECDHE-RSA-AES128-SHA tlsv12 secp256r1 "
        "my-network-loadbalancer-c6e77e28c25b2234.elb.us-east-2.amazonaws.com h2 h2 "
        "\"h2\",\"http/1.1\" 2020-04-01T08:51:20\n");
}

static void test_no_hello_is_all_dashes(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.r.front = m.r.back = NULL;
    m.r.origin = &without_alpn;
    split(&m);
    for (size_t i = 11; i < 21; i++)
        assert_string_equal(m.field[i], "-");
    assert_string_equal(m.field[8], "-");
    assert_string_equal(m.field[7], "5");
}

/* Rank 15: what a failed handshake keeps, and what it does not. */
static void test_failed_handshake(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.front.secured = false;
    m.front.alert_in = (struct tls_alert){ .seen = true, .level = 2, .number = 48 };
    split(&m);
    assert_string_equal(m.field[8], "-");
    assert_string_equal(m.field[11], "48");
    assert_non_null(strstr(m.field[12], "2a108f19"));
    assert_string_equal(m.field[14], "-");
    assert_string_equal(m.field[15], "-");
    assert_string_equal(m.field[16], "-");
    assert_non_null(strstr(m.field[17], "my-network"));
}

static void test_malformed_hello_names_nothing(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.front.secured = false;
    m.front.alpn[0] = m.back.alpn[0] = '\0';
    m.front.offer.malformed = "extension too long";
    split(&m);
    assert_string_equal(m.field[12], "-");
    assert_string_equal(m.field[17], "-");
    assert_string_equal(m.field[18], "-");
    assert_string_equal(m.field[19], "-");
    assert_string_equal(m.field[20], "-");
}

static void test_close_notify_is_no_alert(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.front.alert_in = (struct tls_alert){ .seen = true, .level = 1, .number = 0 };
    split(&m);
    assert_string_equal(m.field[11], "-");
}

static void test_sni_cannot_forge_a_field(void **state)
{
    char name[] = "a b\"\nc\x7f\xff%-._~Z9";
    struct made m;

    (void)state;
    sample(&m);
    m.front.offer.sni = name;
    split(&m);
    assert_string_equal(m.field[17], "a%20b%22%0Ac%7F%FF%25-._~Z9");
}

static void test_alpn_list_is_cut_at_256_bytes(void **state)
{
    uint8_t list[1024];
    struct made m;

    (void)state;
    sample(&m);
    for (size_t i = 0; i < sizeof list; i += 4)
        memcpy(list + i, "\x03 ab", 4);
    m.front.offer.alpn = list;
    m.front.offer.alpn_bytes = sizeof list;
    m.front.offer.alpn_count = 255;
    split(&m);
    assert_int_equal(strlen(m.field[20]), 256);
    assert_memory_equal(m.field[20], "\"%20ab\",\"%20ab\",", 16);
}

static void test_alpn_policy_none_logs_a_dash(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.r.origin = &without_alpn;
    m.front.alpn[0] = m.back.alpn[0] = '\0';
    split(&m);
    assert_string_equal(m.field[18], "-");
    assert_string_equal(m.field[19], "-");
    assert_string_equal(m.field[20], "-");
}

static void test_key_exchange(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    m.front.version = TLS_1_3;
    m.front.suite = 0x1301;
    m.front.group = TLS_GROUP_x25519;
    split(&m);
    assert_string_equal(m.field[14], "TLS_AES_128_GCM_SHA256");
    assert_string_equal(m.field[15], "tlsv13");
    assert_string_equal(m.field[16], "x25519");
    sample(&m);
    m.front.suite = 0x002f;
    m.front.group = 0;
    split(&m);
    assert_string_equal(m.field[14], "AES128-SHA");
    assert_string_equal(m.field[16], "RSA");
    sample(&m);
    m.front.group = 0;
    m.front.resumed = true;
    split(&m);
    assert_string_equal(m.field[16], "-");
}

/* The date arithmetic of the line against the C library's. */
static void test_times(void **state)
{
    struct made m;

    (void)state;
    sample(&m);
    for (int64_t s = 0; s < INT64_C(7258118400); s += 86400 * 13 + 3607) {
        char text[20];

        clock_format_utc(s, text, sizeof text);
        m.r.end_wall_us = s * 1000000;
        split(&m);
        assert_string_equal(m.field[2], text);
    }
}

static void test_longest_line(void **state)
{
    char name[256];
    struct made m;

    (void)state;
    sample(&m);
    memset(name, 0xff, 255);
    name[255] = '\0';
    m.front.offer.sni = name;
    address(&m.r.client, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
    m.r.local = m.r.client;
    m.r.received_bytes = m.r.sent_bytes = UINT64_MAX;
    m.r.end_us = UINT64_MAX;
    split(&m);
    assert_string_equal(m.field[5], "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
    assert_string_equal(m.field[9], "18446744073709551615");
}

static void test_ids(void **state)
{
    const struct aws_identity who = { "n", "0123456789abcdef", "eu-west-1", "123456789012" };
    char a[AWS_ID_TEXT], b[AWS_ID_TEXT], elb[AWS_ELB_TEXT], arn[AWS_ARN_TEXT];

    (void)state;
    aws_id(a, "0123456789abcdef", "listener", "https");
    aws_id(b, "0123456789abcdef", "listener", "https");
    assert_string_equal(a, b);
    assert_int_equal(strspn(a, "0123456789abcdef"), 16);
    aws_id(b, "0123456789abcdef", "target_group", "https");
    assert_string_not_equal(a, b);
    aws_id(b, "0123456789abcdee", "listener", "https");
    assert_string_not_equal(a, b);
    aws_elb(elb, &who);
    assert_string_equal(elb, "net/n/0123456789abcdef");
    aws_arn(arn, &who, "acm", "certificate/x");
    assert_string_equal(arn, "arn:aws:acm:eu-west-1:123456789012:certificate/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_of_aws),
        cmocka_unit_test(test_no_hello_is_all_dashes),
        cmocka_unit_test(test_failed_handshake),
        cmocka_unit_test(test_malformed_hello_names_nothing),
        cmocka_unit_test(test_close_notify_is_no_alert),
        cmocka_unit_test(test_sni_cannot_forge_a_field),
        cmocka_unit_test(test_alpn_list_is_cut_at_256_bytes),
        cmocka_unit_test(test_alpn_policy_none_logs_a_dash),
        cmocka_unit_test(test_key_exchange),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
