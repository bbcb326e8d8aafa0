/* SPDX-License-Identifier: Apache-2.0
 * vpclink/call_facts.c, join.c and far_side.c: which hop has to change something, in words, from
 * both views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "diagnose/diagnose.h"
#include "vpclink/call_facts.h"

#define EVENT(listener, protocol, client, back, code, party, text)                                 \
    "{\"flow\":7,\"listener\":\"" listener "\",\"protocol\":\"" protocol "\",\"client\":\"" client \
    "\",\"front\":{\"refused\":null,\"served\":{\"subject\":\"CN=a\",\"rule\":\"default: x\"}},"   \
    "\"back\":" back ",\"end\":{\"code\":\"" code "\",\"party\":\"" party "\",\"text\":\"" text    \
    "\"}}"
#define BACK                                                                                       \
    "{\"target_group\":\"g\",\"target\":\"10.0.0.1:443\",\"protocol\":\"TLS\","                    \
    "\"handshake_completed\":true,\"certificate_requested\":false,\"certificates\":[{\"subject\":" \
    "\"CN=t\",\"not_after\":\"2030-01-01T00:00:00.000Z\",\"self_signed\":true}]}"

static struct addr somewhere;

static struct gateway_task task_of(const char *uri)
{
    struct gateway_task t = { .method = "GET", .connect = &somewhere };

    assert_int_equal(addr_parse(&somewhere, "127.0.0.1:8443", NULL), 0);
    assert_int_equal(gateway_uri_parse(&t.uri, uri, NULL), 0);
    return t;
}

static void diagnose_call(const struct gateway_task *t, const struct gateway_result *r,
                          const struct far_side *f, struct diagnosis *d)
{
    const struct gateway_wording w = { 0 };
    const struct call_context none = { 0 };
    struct facts *facts = call_facts(t, r, &w, f, &none);

    assert_non_null(facts);
    if (r->broke == BREAK_CERTIFICATE)
        facts_set(facts, "refusal", "NO_PATH");
    if (r->broke == BREAK_HOST_NAME)
        facts_set(facts, "refusal", "HOST_MISMATCH");
    assert_int_equal(diagnose(facts, d), 0);
    assert_true(d->n > 0);
    facts_free(facts);
}

static void hop_is(const char *uri, enum gateway_break broke, enum protocol protocol,
                   const char *event, const char *want)
{
    const struct gateway_task t = task_of(uri);
    struct gateway_result r = { .broke = broke, .stage = GATEWAY_REQUEST };
    struct far_side f = { .protocol = protocol };
    struct diagnosis d;
    const char *hop;

    if (event != NULL)
        assert_true(far_side_take_event(event, "127.0.0.1:5", &f));
    gateway_join(&r, &f);
    diagnose_call(&t, &r, &f, &d);
    hop = d.at[0].hop;
    if (want == NULL)
        assert_null(hop);
    else
        assert_string_equal(hop, want);
    diagnosis_clear(&d);
    far_side_clear(&f);
}

static void hops(void **state)
{
    const char *const https = "https://a.example/";

    (void)state;
    hop_is(https, BREAK_CERTIFICATE, PROTOCOL_TLS, NULL, "listener");
    hop_is(https, BREAK_CERTIFICATE, PROTOCOL_TCP, NULL, "target");
    hop_is(https, BREAK_CERTIFICATE, 0, NULL, NULL); /* nobody said */
    hop_is(https, BREAK_HOST_NAME, PROTOCOL_TLS, NULL, "listener");
    hop_is(https, BREAK_ALERT, PROTOCOL_TCP, NULL, "target");
    hop_is(https, BREAK_NOT_TLS, 0, NULL, "target");
    hop_is(https, BREAK_UNREACHABLE, PROTOCOL_TLS, NULL, "network");
    hop_is(https, BREAK_BAD_ENDPOINT, 0, NULL, "network");
    hop_is(https, BREAK_ANSWER_TIMEOUT, PROTOCOL_TLS, NULL, "network");
    hop_is(https, BREAK_CLOSED, PROTOCOL_TCP, NULL, "target");
    hop_is(https, BREAK_RESET, 0, NULL, "network");
    hop_is("http://a.example/", BREAK_CLOSED, PROTOCOL_TLS, NULL, "gateway");
    hop_is(https, BREAK_CLOSED, 0,
           EVENT("l", "TLS", "127.0.0.1:5", BACK, "target_tls_failed", "listener", "x"), "target");
    hop_is(https, BREAK_RESET, 0,
           EVENT("l", "TLS", "127.0.0.1:5", BACK, "idle_timeout", "listener", "x"), "listener");
}

/* A user-space listener accepts before it knows that nobody is behind it. */
static void joined_with_nobody(void **state)
{
    static const char *const codes[] = {
        EVENT("l", "TLS", "127.0.0.1:5", "null", "no_target", "listener", "no target"),
        EVENT("l", "TCP", "127.0.0.1:5", BACK, "target_refused", "target", "refused"),
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gateway_result r = { .broke = BREAK_RESET };
        struct far_side f = { 0 };

        assert_true(far_side_take_event(codes[i], "127.0.0.1:5", &f));
        gateway_join(&r, &f);
        assert_int_equal(r.broke, BREAK_UNREACHABLE);
        r = (struct gateway_result){ .broke = BREAK_CLOSED, .answered_us = 1 };
        gateway_join(&r, &f); /* an answer had begun: somebody was there */
        assert_int_equal(r.broke, BREAK_CLOSED);
        r = (struct gateway_result){ .broke = BREAK_CERTIFICATE };
        gateway_join(&r, &f);
        assert_int_equal(r.broke, BREAK_CERTIFICATE);
        far_side_clear(&f);
    }
}

static void contains(const struct gateway_task *t, const struct gateway_result *r,
                     const struct far_side *f, const char *want)
{
    struct diagnosis d;
    char *text;

    diagnose_call(t, r, f, &d);
    text = diagnosis_text(&d);
    diagnosis_clear(&d);
    assert_non_null(text);
    if (strstr(text, want) == NULL)
        fail_msg("not in the verdict: %s\n%s", want, text);
    assert_null(strchr(text, '{'));
    free(text);
}

static void sentences(void **state)
{
    struct gateway_task t = task_of("https://a.example/");
    struct gateway_result r = { .broke = BREAK_ALERT };
    struct far_side f = { 0 };

    (void)state;
    r.peer = somewhere;
    snprintf(r.alert, sizeof r.alert, "protocol_version");
    contains(&t, &r, &f,
             "The far side at 127.0.0.1:8443 ended the handshake with the alert "
             "protocol_version. Allow TLS 1.2 on that server");
    f.protocol = PROTOCOL_TCP;
    snprintf(f.listener, sizeof f.listener, "pass");
    contains(&t, &r, &f, "The target behind the TCP listener pass ended");
    r.tls.cert_requested = true;
    contains(&t, &r, &f, "attach one to the stage");
    r.tls.cert_withheld = true;
    r.tls.cert_authorities = 3;
    contains(&t, &r, &f, "one of 3 authorities, and none of them issued the stage's");
    r = (struct gateway_result){ .broke = BREAK_NOT_TLS };
    memcpy(r.tls.first_bytes, "SSH-\x01", 5);
    r.tls.n_first_bytes = 5;
    contains(&t, &r, &f, "\"SSH-\\x01\"");
    r = (struct gateway_result){ .broke = BREAK_CLOSED, .reused = true };
    contains(&t, &r, &f, "while it was kept for the next request");
    r = (struct gateway_result){ .broke = BREAK_CLOSED, .stage = GATEWAY_REQUEST };
    t = task_of("http://a.example/");
    f.protocol = PROTOCOL_TLS;
    contains(&t, &r, &f, "Write https:// in the URI");
    t = task_of("https://a.example/");
    assert_true(far_side_take_event(
        EVENT("l", "TLS", "127.0.0.1:5", BACK, "target_tls_failed", "listener", "it failed"),
        "127.0.0.1:5", &f));
    contains(&t, &r, &f, "The load balancer says of this flow (7): it failed; target 10.0.0.1:443");
    r = (struct gateway_result){ .broke = BREAK_NONE, .status = 200 };
    contains(&t, &r, &f,
             "The target's certificate (CN=t, self-signed) plays no part: nobody validates it");
    far_side_clear(&f);
}

/* Every break has its sentences, and their tokens are known. */
static void every_break(void **state)
{
    const struct gateway_task t = task_of("https://a.example/");

    (void)state;
    for (int i = 0; i < BREAK_N; i++) {
        struct gateway_result r = { .broke = (enum gateway_break)i };
        struct far_side f = { 0 };

        r.verdict.index = -1;
        contains(&t, &r, &f, ".");
    }
}

static void events(void **state)
{
    struct far_side f = { 0 };

    (void)state;
    assert_false(far_side_take_event(
        EVENT("l", "TLS", "127.0.0.1:55", BACK, "completed", "none", "x"), "127.0.0.1:5", &f));
    assert_false(f.joined);
    assert_false(far_side_take_event("{\"client\":\"127.0.0.1:5\"", "127.0.0.1:5", &f));
    assert_false(far_side_take_event("[]", "127.0.0.1:5", &f));
    assert_true(far_side_take_event("{\"client\":\"127.0.0.1:5\"}", "127.0.0.1:5", &f));
    assert_true(far_side_take_event(EVENT("l", "TCP", "127.0.0.1:5", BACK, "completed", "none", ""),
                                    "127.0.0.1:5", &f));
    assert_int_equal(f.protocol, PROTOCOL_TCP);
    assert_int_equal(f.flow, 7);
    assert_string_equal(f.target, "10.0.0.1:443");
    far_side_clear(&f);
}

/* Ports are used again: the newest flow counts, and only what came after the mark. */
static void joining(void **state)
{
    char path[] = "/tmp/nlbsim-test-events-XXXXXX";
    struct far_side f = { 0 };
    struct addr local;
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    struct far_events e = FAR_EVENTS_NONE;

    (void)state;
    assert_non_null(out);
    assert_false(far_side_join(&e, &somewhere, 0, &f)); /* there are none */
    assert_int_equal(addr_parse(&local, "127.0.0.1:5", NULL), 0);
    fputs(EVENT("old", "TLS", "127.0.0.1:5", BACK, "completed", "none", "") "\n", out);
    fflush(out);
    assert_true(far_events_readable(path));
    assert_false(far_events_readable("/tmp"));
    assert_false(far_events_readable(""));
    far_events_file(&e, path);
    assert_true(e.from > 0);
    assert_false(far_side_join(&e, &local, 5, &f));
    fputs(EVENT("new", "TCP", "127.0.0.1:5", BACK, "completed", "none", ""), out);
    fflush(out);
    assert_false(far_side_join(&e, &local, 5, &f)); /* the line is not whole */
    fputs("\n", out);
    fclose(out);
    assert_true(far_side_join(&e, &local, 5, &f));
    assert_string_equal(f.listener, "new");
    unlink(path);
    far_events_file(&e, path);
    assert_int_equal(e.from, 0);
    assert_false(far_side_join(&e, &local, 0, &f));
    far_side_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hops),      cmocka_unit_test(joined_with_nobody),
        cmocka_unit_test(sentences), cmocka_unit_test(every_break),
        cmocka_unit_test(events),    cmocka_unit_test(joining),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
