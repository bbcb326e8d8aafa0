/* SPDX-License-Identifier: Apache-2.0
 * One record as JSON: a full one and an empty one, field by field, and what foreign bytes do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "observe/events.h"
#include "tests/lib/hello.h"
#include "tls/tls_params.h"

static struct addr of(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(&a, text, NULL), 0);
    return a;
}

static bool cut; /* by the last event_format() */

static void check(const struct flow_record *r, const char *expected)
{
    char *line = event_format(r, SIZE_MAX, &cut);

    assert_non_null(line);
    assert_null(strchr(line, '\n'));
    assert_string_equal(line, expected);
    free(line);
}

static const struct flow_record minimal = {
    .id = 7,
    .protocol = PROTOCOL_TCP,
    .listener = "passthrough",
    .start_wall_us = 1545274780123456,
    .end_wall_us = 1545274781000999,
    .start_us = 1000000,
    .end_us = 1877543,
    .end = END_NO_TARGET,
};

static void a_flow_of_which_little_is_known(void **state)
{
    struct flow_record r = minimal;

    (void)state;
    r.client = of("192.0.2.7:50000");
    check(&r, "{\"flow\":7,\"time\":\"2018-12-20T02:59:41.000Z\","
              "\"started\":\"2018-12-20T02:59:40.123Z\",\"duration_ms\":877.543,"
              "\"listener\":\"passthrough\",\"protocol\":\"TCP\",\"client\":\"192.0.2.7:50000\","
              "\"address\":null,\"front\":null,\"back\":null,\"observed\":null,\"first\":{"
              "\"client\":null,\"target\":null},\"received_bytes\":"
              "0,\"sent_bytes\":0,"
              "\"spliced\":false,\"end\":{\"code\":\"no_target\",\"party\":\"listener\","
              "\"where\":\"connect\",\"text\":\"no target is registered\","
              "\"metric\":\"RejectedFlowCount\",\"detail\":null,\"closed_first\":null}}");
}

/* Everything that can be filled in is. */
static void fill(struct flow_record *r, struct tls_facts *front, struct tls_facts *back)
{
    static struct record_health health = {
        .n = 1, .at = { { .state = "unhealthy", .seen = "HTTP status 404" } }
    };
    static const uint16_t versions[] = { TLS_1_3, TLS_1_2, 0 };
    static const uint16_t suites[] = { 0x0a0a, TLS_SUITE_AES_128_GCM_SHA256, 0 };
    static const uint16_t groups[] = { TLS_GROUP_x25519, TLS_GROUP_secp256r1, 0 };
    static const uint16_t shares[] = { TLS_GROUP_x25519, 0 };
    static const uint16_t sigs[] = { TLS_SIG_ecdsa_secp256r1_sha256, 0 };
    static const char *const alpn[] = { "h2", "\x01\xff", NULL };
    const struct hello_spec spec = { .versions = versions,
                                     .suites = suites,
                                     .groups = groups,
                                     .shares = shares,
                                     .sigs = sigs,
                                     .sni = "api.example.com",
                                     .alpn = alpn };
    uint8_t body[1024];
    size_t n = hello_body(&spec, body, sizeof body);

    *r = minimal;
    r->protocol = r->back_protocol = PROTOCOL_TLS;
    r->listener = "https";
    r->target_group = "backend";
    r->backend_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06";
    r->client = of("[2001:db8::1]:50000");
    r->local = of("127.0.0.1:8443");
    r->target = of("127.0.0.1:7443");
    r->source = of("127.0.0.1:40000");
    r->secured_us = 1002500;
    r->connect_us = 1002600;
    r->connected_us = 1002700;
    r->back_secured_us = 1004700;
    r->received_bytes = 123;
    r->sent_bytes = 5000000000;
    r->end = END_CLIENT_TLS_BROKEN;
    r->failure = (struct hop_failure){ .cause = HOP_CAUSE_ALERT_IN };
    r->choice = (struct record_choice){ .policy = "ELBSecurityPolicy-TLS13-1-2-2021-06",
                                        .cert_spec = "lab:valid/api.example.com",
                                        .cert_id = "0123",
                                        .cert_subject = "CN=api.example.com",
                                        .cert_rule = "exact name",
                                        .cert_decider = "key type",
                                        .lacking = "X25519MLKEM768" };
    *front = (struct tls_facts){ .has_offer = true,
                                 .first = TLS_FIRST_HELLO,
                                 .secured = true,
                                 .version = TLS_1_3,
                                 .suite = TLS_SUITE_AES_128_GCM_SHA256,
                                 .group = TLS_GROUP_x25519,
                                 .alpn = "h2",
                                 .alert_in = { true, true, 2, TLS_ALERT_decode_error },
                                 .alert_out = { true, false, 1, TLS_ALERT_close_notify },
                                 .alert_meant = TLS_ALERT_internal_error };
    assert_int_equal(tls_offer_parse(&front->offer, body, n), 0);
    *back = (struct tls_facts){ .secured = true,
                                .version = TLS_1_2,
                                .suite = TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                                .group = TLS_GROUP_secp256r1,
                                .resumed = true,
                                .cert_requested = true };
    r->front = front;
    r->back = back;
    r->proxy_header = r->fails_open = true;
    r->registered = 2;
    r->health = &health;
    assert_int_equal(addr_parse(&health.at[0].addr, "10.0.0.1:443", NULL), 0);
    r->first_client = (struct first_bytes){ .kind = FIRST_HTTP, .text = "GET / HTTP/1.1" };
    r->first_target = (struct first_bytes){
        .kind = FIRST_HTTP,
        .text = "HTTP/1.1 400 Bad Request",
        .status = 400,
        .telltale = "plain_http",
    };
    r->back_chain.presented = 2;
    r->back_chain.n = 1;
    r->back_chain.at[0] = (struct record_cert){ .subject = (char *)(uintptr_t) "CN=t",
                                                .key_id = (char *)(uintptr_t) "0A:0B",
                                                .issuer = (char *)(uintptr_t) "CN=t",
                                                .names = (char *)(uintptr_t) "t, 127.0.0.1",
                                                .key = (char *)(uintptr_t) "EC 256",
                                                .not_before_utc = 0,
                                                .not_after_utc = 253402300799,
                                                .self_issued = true };
    r->validating_client_opinion =
        (struct record_opinion){ .judged = true,
                                 .name_checked = true,
                                 .trust_store = "lab:public",
                                 .error = (char *)(uintptr_t) "PKIX path building failed" };
}

static void a_flow_of_which_everything_is_known(void **state)
{
    struct flow_record r;
    struct tls_facts front, back;

    (void)state;
    fill(&r, &front, &back);
    check(&r,
          "{\"flow\":7,\"time\":\"2018-12-20T02:59:41.000Z\","
          "\"started\":\"2018-12-20T02:59:40.123Z\",\"duration_ms\":877.543,"
          "\"listener\":\"https\",\"protocol\":\"TLS\",\"client\":\"[2001:db8::1]:50000\","
          "\"address\":\"127.0.0.1:8443\","
          "\"front\":{\"policy\":\"ELBSecurityPolicy-TLS13-1-2-2021-06\","
          "\"offer\":{\"sni\":\"api.example.com\",\"versions\":[\"TLSv1.3\",\"TLSv1.2\"],"
          "\"ciphers\":[\"GREASE\",\"TLS_AES_128_GCM_SHA256\"],\"groups\":[\"x25519\","
          "\"secp256r1\"],\"key_shares\":[\"x25519\"],"
          "\"signature_schemes\":[\"ecdsa_secp256r1_sha256\"],\"alpn\":[\"h2\","
          "\"\\u0001\\\\xff\"]},\"served\":{\"certificate\":\"lab:valid/api.example.com\","
          "\"subject\":\"CN=api.example.com\",\"id\":\"0123\",\"rule\":\"exact name\","
          "\"decided_by\":\"key type\"},\"refused\":null,"
          "\"not_simulated\":\"X25519MLKEM768\",\"version\":\"TLSv1.3\","
          "\"cipher\":\"TLS_AES_128_GCM_SHA256\",\"group\":\"x25519\",\"alpn\":\"h2\","
          "\"tls_library\":null,\"handshake_completed\":true,\"resumed\":false,"
          "\"alert_received\":{\"level\":\"fatal\",\"number\":50,\"name\":\"decode_error\","
          "\"encrypted\":true},\"alert_sent\":{\"level\":\"warning\",\"number\":0,"
          "\"name\":\"close_notify\",\"encrypted\":false,"
          "\"stands_for\":\"internal_error\"},\"handshake_ms\":2.5},"
          "\"back\":{\"target_group\":\"backend\",\"target\":\"127.0.0.1:7443\","
          "\"source\":\"127.0.0.1:40000\",\"protocol\":\"TLS\",\"connect_ms\":0.1,"
          "\"proxy_header\":true,\"health\":{\"registered\":2,\"healthy\":0,\"fails_open\":true,"
          "\"targets\":[{\"target\":\"10.0.0.1:443\",\"state\":\"unhealthy\",\"last_check\":"
          "\"HTTP status 404\"}]},"
          "\"policy\":\"ELBSecurityPolicy-TLS13-1-2-2021-06\",\"offered_versions\":[],\"sni\":null,"
          "\"verified\":false,\"not_simulated\":null,\"version\":\"TLSv1.2\","
          "\"cipher\":\"ECDHE-ECDSA-AES128-GCM-SHA256\",\"group\":\"secp256r1\","
          "\"alpn\":null,\"tls_library\":null,\"handshake_completed\":true,\"resumed\":true,"
          "\"alert_received\":null,\"alert_sent\":null,\"handshake_ms\":2.0,"
          "\"certificate_requested\":true,\"certificates_presented\":2,"
          "\"certificates\":[{\"subject\":\"CN=t\",\"issuer\":\"CN=t\",\"names\":\"t,"
          " 127.0.0.1\",\"key\":\"EC 256\",\"not_before\":\"1970-01-01T00:00:00.000Z\","
          "\"not_after\":\"9999-12-31T23:59:59.000Z\",\"self_signed\":true,"
          "\"key_id\":\"0A:0B\",\"issuer_key_id\":null}],"
          "\"validating_client\":{\"ok\":false,\"error\":\"PKIX path building failed\","
          "\"trust_store\":\"lab:public\",\"name_checked\":true,"
          "\"evidence\":\"inferred\"}},\"observed\":null,\"first\":{\"client\":{\"kind\":"
          "\"http\",\"text\":\"GET / HTTP/1.1\"},\"target\":{\"kind\":\"http\",\"text\":\"HTTP/1.1 "
          "400 Bad "
          "Request\",\"status\":400,\"telltale\":\"plain_http\"}},\"received_bytes\":123,\"sent_"
          "bytes\":"
          "5000000000,"
          "\"spliced\":false,\"end\":{\"code\":\"client_tls_broken\",\"party\":\"client\","
          "\"where\":\"relay\","
          "\"text\":\"the TLS connection with the client broke after the handshake\","
          "\"metric\":null,\"detail\":\"alert received\",\"closed_first\":null}}");
    tls_offer_clear(&front.offer);
}

/* What happened instead of a hello, and what was refused after one. */
static void refusals_are_told(void **state)
{
    struct flow_record r = minimal;
    struct tls_facts front = { .first = TLS_FIRST_HTTP, .first_why = "plain HTTP request" };
    char *line;

    (void)state;
    r.protocol = PROTOCOL_TLS;
    r.front = &front;
    r.end = END_CLIENT_NOT_TLS;
    r.failure.cause = HOP_CAUSE_NOT_TLS;
    line = event_format(&r, SIZE_MAX, &cut);
    assert_non_null(strstr(line, "\"offer\":null"));
    assert_non_null(strstr(line, "\"first_bytes\":\"plain HTTP request\""));
    assert_non_null(strstr(line, "\"served\":null"));
    assert_non_null(strstr(line, "\"detail\":\"not TLS\""));
    free(line);
    r.choice.result = "no common protocol version";
    r.end = END_LISTENER_NO_VERSION;
    r.failure.cause = HOP_CAUSE_REFUSED;
    line = event_format(&r, SIZE_MAX, &cut);
    assert_non_null(strstr(line, "\"refused\":\"no common protocol version\""));
    assert_non_null(strstr(line, "\"detail\":\"refused after the ClientHello\""));
    free(line);
}

static void every_cause_has_a_detail(void **state)
{
    static const struct {
        struct hop_failure f;
        const char *detail;
    } rows[] = {
        { { .cause = HOP_CAUSE_NONE }, "\"detail\":null" },
        { { .cause = HOP_CAUSE_RESET, .sys_errno = 104 }, "\"detail\":\"RST\"" },
        { { .cause = HOP_CAUSE_CLOSED }, "\"detail\":\"closed\"" },
        { { .cause = HOP_CAUSE_ERRNO, .sys_errno = 113 }, "\"detail\":\"No route to host\"" },
        { { .cause = HOP_CAUSE_ALERT_IN }, "\"detail\":\"alert received\"" },
        { { .cause = HOP_CAUSE_TLS, .tls_error = -0x7180 }, "(-0x7180)\"" },
        { { .cause = HOP_CAUSE_ALERT_OUT, .tls_error = -0x7180 }, "(-0x7180)\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct flow_record r = minimal;
        char *line;

        r.failure = rows[i].f;
        line = event_format(&r, SIZE_MAX, &cut);
        assert_non_null(line);
        if (strstr(line, rows[i].detail) == NULL)
            fail_msg("%s lacks %s", line, rows[i].detail);
        free(line);
    }
}

/* A name that is no UTF-8 in the hello or in the target's certificate: the event is written all the
 * same, is valid JSON, and the odd octets show. Readable UTF-8 stays readable. */
static void foreign_bytes_never_cost_an_event(void **state)
{
    static const struct {
        const char *raw, *shown;
    } rows[] = {
        { "CN=\xff\xfe", "CN=\\xff\\xfe" },
        { "CN=caf\xc3", "CN=caf\\xc3" }, /* cut inside a character */
        { "CN=caf\xc3\xa9", "CN=caf\xc3\xa9" },
        { "CN=\xed\xa0\x80", "CN=\\xed\\xa0\\x80" }, /* a surrogate */
        { "CN=\xc0\x80", "CN=\\xc0\\x80" },          /* overlong */
        { "CN=\xf0\x9f\x98\x80", "CN=\xf0\x9f\x98\x80" },
        { "CN=\xf4\x90\x80\x80", "CN=\\xf4\\x90\\x80\\x80" }, /* past the last code point */
        { "CN=\"quoted\"\n", "CN=\"quoted\"\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct flow_record r;
        struct tls_facts front, back;
        char *line;
        json_t *j;
        const char *text;

        fill(&r, &front, &back);
        r.back_chain.at[0].subject = (char *)(uintptr_t)rows[i].raw;
        r.back_chain.at[0].names = (char *)(uintptr_t)rows[i].raw;
        r.listener = rows[i].raw; /* a name from the configuration */
        r.validating_client_opinion.error = (char *)(uintptr_t)rows[i].raw;
        line = event_format(&r, SIZE_MAX, &cut);
        if (line == NULL)
            fail_msg("row %zu: the event is lost", i);
        j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(j);
        text = json_string_value(json_object_get(
            json_array_get(json_object_get(json_object_get(j, "back"), "certificates"), 0),
            "subject"));
        assert_non_null(text);
        assert_string_equal(text, rows[i].shown);
        assert_string_equal(json_string_value(json_object_get(j, "listener")), rows[i].shown);
        json_decref(j);
        free(line);
        tls_offer_clear(&front.offer);
    }
}

static void a_server_name_of_any_octets(void **state)
{
    static const uint16_t suites[] = { TLS_SUITE_AES_128_GCM_SHA256, 0 };
    struct flow_record r = minimal;
    char *line;
    char name[256];

    (void)state;
    memset(name, 0xe9, 255);
    name[255] = '\0';
    for (int i = 0; i < 2; i++) {
        const struct hello_spec spec = { .suites = suites,
                                         .sni = i == 0 ? "\xe4pi%.ex\"am\x01ple" : name };
        struct tls_facts front = { .has_offer = true, .first = TLS_FIRST_HELLO };
        uint8_t body[600];
        size_t n = hello_body(&spec, body, sizeof body);
        json_t *j;
        const char *sni;

        (void)tls_offer_parse(&front.offer, body, n);
        r.front = &front;
        line = event_format(&r, SIZE_MAX, &cut);
        assert_non_null(line);
        j = json_loads(line, 0, NULL);
        assert_non_null(j);
        sni = json_string_value(
            json_object_get(json_object_get(json_object_get(j, "front"), "offer"), "sni"));
        if (i == 0)
            assert_string_equal(sni, "\\xe4pi%.ex\"am\x01ple");
        else
            assert_int_equal(strlen(sni), 1020);
        json_decref(j);
        free(line);
        tls_offer_clear(&front.offer);
    }
}

/* The longest list goes first, and no more than has to. */
static void a_long_event_says_less_and_what_of(void **state)
{
    struct flow_record r = minimal;
    struct tls_facts front = { .first = TLS_FIRST_HELLO }, back = { 0 };
    static char long_name[3000];
    size_t n;
    char *line;

    (void)state;
    memset(long_name, 'n', sizeof long_name - 1);
    fill(&r, &front, &back);
    r.back_chain.at[0].names = long_name;
    line = event_format(&r, SIZE_MAX, &cut);
    n = strlen(line);
    assert_false(cut);
    assert_null(strstr(line, "left_out"));
    free(line);

    line = event_format(&r, n, &cut);
    assert_false(cut);
    free(line);

    line = event_format(&r, n - 1, &cut);
    assert_true(cut);
    assert_in_range(strlen(line), 1, n - 1);
    assert_non_null(strstr(line, "\"certificates\":[]"));
    assert_non_null(strstr(line, "\"left_out\":[\"back.certificates\"]"));
    assert_non_null(strstr(line, "\"sni\":\"api.example.com\""));
    free(line);

    line = event_format(&r, 100, &cut); /* what nobody can make long stays, whatever the limit */
    assert_true(cut);
    assert_non_null(strstr(line, "\"offer\":null"));
    assert_non_null(strstr(line, "\"left_out\":[\"back.certificates\",\"front.offer\""));
    assert_non_null(strstr(line, "\"end\":{"));
    free(line);
    tls_offer_clear(&front.offer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_event_says_less_and_what_of),
        cmocka_unit_test(a_flow_of_which_little_is_known),
        cmocka_unit_test(a_flow_of_which_everything_is_known),
        cmocka_unit_test(refusals_are_told),
        cmocka_unit_test(every_cause_has_a_detail),
        cmocka_unit_test(foreign_bytes_never_cost_an_event),
        cmocka_unit_test(a_server_name_of_any_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
