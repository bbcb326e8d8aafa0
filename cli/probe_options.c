/* SPDX-License-Identifier: Apache-2.0
 * The command line of nlbsim probe. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/endpoint.h"
#include "cli/probe.h"
#include "core/cfg_key.h"
#include "core/clock.h"
#include "core/file.h"
#include "tls/tls_can.h"
#include "tls/tls_params.h"

#define DATA_MAX ((size_t)16 << 20)

/* "127.0.0.1:8443", "[::1]:8443", or a name of this machine's resolver. */
static int take_connect(void *options, const struct command_option *option, const char *value)
{
    struct probe_options *o = options;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    const char *port;
    char host[256];
    struct err err = { 0 };
    int rc;

    o->task.connect = &o->connect;
    if (addr_parse(&o->connect, value, &err) == 0 && addr_port(&o->connect) != 0)
        return -1;
    if (!endpoint_split(value, host, sizeof host, &port))
        return command_refuse(o, option->name, value, "HOST:PORT, the port from 1 to 65535");
    rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0 || list->ai_addrlen > sizeof o->connect.u) {
        (void)command_refuse(o, option->name, value, "%s", gai_strerror(rc));
        return 3;
    }
    memcpy(&o->connect.u, list->ai_addr, list->ai_addrlen);
    o->connect.len = list->ai_addrlen;
    freeaddrinfo(list);
    return -1;
}

static int take_header(void *options, const struct command_option *option, const char *value)
{
    struct probe_options *o = options;
    const char *colon = strchr(value, ':');
    struct gateway_header *h = &o->headers[o->task.n_headers];
    char *text;

    if (colon == NULL || colon == value || strpbrk(value, "\r\n") != NULL ||
        strcspn(value, " \t") < (size_t)(colon - value))
        return command_refuse(o, option->name, value, "'Name: value'");
    if (o->task.n_headers == PROBE_HEADERS_MAX)
        return command_refuse(o, option->name, value, "too many headers");
    text = strdup(value);
    if (text == NULL)
        return 3;
    text[colon - value] = '\0';
    o->header_text[o->task.n_headers++] = text;
    h->name = text;
    h->value = text + (colon - value) + 1;
    h->value += strspn(h->value, " \t");
    return -1;
}

static int take_data(void *options, const struct command_option *option, const char *value)
{
    struct probe_options *o = options;
    struct err err = { 0 };

    free(o->data);
    if (value[0] == '@') {
        o->data = file_read(value + 1, DATA_MAX, &o->task.n_data, &err);
        if (o->data == NULL) {
            (void)command_refuse(o, option->name, value + 1, "cannot read: %s", err.text);
            return 3;
        }
    } else {
        o->data = strdup(value);
        o->task.n_data = strlen(value);
    }
    o->task.data = o->data;
    return o->data == NULL ? 3 : -1;
}

static int take_version(void *options, const struct command_option *option, const char *value)
{
    const uint16_t version = tls_version_by_name(value);

    if (version != TLS_1_2 && version != TLS_1_3)
        return command_refuse(options, option->name, value, "1.2 or 1.3");
    memcpy((char *)options + option->offset, &version, sizeof version);
    return -1;
}

/* A word of a request's head. */
static int take_word(void *options, const struct command_option *option, const char *value)
{
    if (value[0] == '\0' || strpbrk(value, " \t\r\n") != NULL)
        return command_refuse(options, option->name, value, "one word is wanted");
    memcpy((char *)options + option->offset, &value, sizeof value);
    return -1;
}

static int take_verify_name(void *options, const struct command_option *option, const char *value)
{
    struct probe_options *o = options;

    o->task.verify_name = value;
    return value[0] != '\0' && strlen(value) < GATEWAY_HOST_MAX
               ? -1
               : command_refuse(options, option->name, value, "a host name is wanted");
}

static int take_client_certificate(void *options, const struct command_option *option,
                                   const char *value)
{
    struct probe_options *o = options;

    (void)option;
    o->client_certificate = strcmp(value, "none") == 0 ? NULL : value;
    return -1;
}

static uint16_t suite_code(const char *name)
{
    const struct tls_suite *s = tls_suite_by_name(name);

    return s == NULL || !tls_can_suite(TLS_LIBRARY_MBEDTLS, s->code) ? 0 : s->code;
}

static uint16_t group_code(const char *name)
{
    const struct tls_group *g = tls_group_by_name(name);

    return g == NULL || !tls_can_group(TLS_LIBRARY_MBEDTLS, g->code) ? 0 : g->code;
}

static int take_list(void *options, const struct command_option *option, const char *value,
                     uint16_t (*code)(const char *), uint16_t list[PROBE_LIST_MAX], size_t *n)
{
    char name[80];

    *n = 0;
    for (const char *at = value; *at != '\0';) {
        size_t len = strcspn(at, ":,");

        snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), at);
        if (*n == PROBE_LIST_MAX || (list[*n] = code(name)) == 0)
            return command_refuse(options, option->name, name,
                                  "not known, or this build does not have it");
        ++*n;
        at += len + (at[len] != '\0');
    }
    return *n > 0 ? -1 : command_refuse(options, option->name, value, "an empty list");
}

static int take_ciphers(void *options, const struct command_option *option, const char *value)
{
    struct probe_options *o = options;

    o->task.offer.suites = o->suites;
    return take_list(o, option, value, suite_code, o->suites, &o->task.offer.n_suites);
}

static int take_groups(void *options, const struct command_option *option, const char *value)
{
    struct probe_options *o = options;

    o->task.offer.groups = o->groups;
    return take_list(o, option, value, group_code, o->groups, &o->task.offer.n_groups);
}

static void method_words(word_cb put, void *arg)
{
    static const char *const methods[] = { "GET",    "POST", "PUT",    "PATCH",
                                           "DELETE", "HEAD", "OPTIONS" };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        put(arg, methods[i], NULL);
}

static void version_words(word_cb put, void *arg)
{
    put(arg, "1.2", NULL);
    put(arg, "1.3", NULL);
}

/* --- all of it --- */
static int check_together(struct probe_options *o)
{
    struct gateway_task *t = &o->task;

    if (t->verify_name != NULL && !o->wording.http_api)
        return command_refuse(o, "server-name-to-verify", t->verify_name,
                              "only HTTP APIs have it: give --http-api, too");
    if (t->insecure_skip && o->wording.http_api)
        return command_refuse(o, "insecure-skip-verification", NULL,
                              "HTTP APIs have no such setting, only serverNameToVerify");
    if (o->client_certificate != NULL && o->wording.http_api)
        return command_refuse(o, "client-certificate", o->client_certificate,
                              "HTTP APIs have no client certificates toward backends");
    if (o->client_key != NULL && o->client_certificate == NULL)
        return command_refuse(o, "client-key", o->client_key, "a key without --client-certificate");
    if (t->offer.min_version > t->offer.max_version && t->offer.max_version != 0)
        return command_refuse(o, "tls-min", NULL, "above --tls-max");
    if (o->wording.http_api && !command_given(o, "timeout"))
        t->timeout_ms = HTTP_API_TIMEOUT_MAX_MS;
    if (o->wording.http_api && t->timeout_ms > HTTP_API_TIMEOUT_MAX_MS)
        return command_refuse(o, "timeout", NULL, "an HTTP API waits at most 30 seconds");
    if (o->concurrency > o->count)
        o->count = o->concurrency;
    return -1;
}

int probe_options_read(const struct command *c, int argc, char **argv, struct probe_options *o)
{
    struct err err = { 0 };
    int rc;

    memset(o, 0, sizeof *o);
    o->task.headers = o->headers;
    o->at_utc = clock_wall_s();
    rc = command_read(c, argc, argv, o);
    if (rc >= 0)
        return rc;
    o->task.at_utc = command_given(o, "at") ? &o->at_utc : NULL;
    if (gateway_uri_parse(&o->task.uri, o->line.operands[0], &err) != 0)
        return command_misused(o, "'%s': %s", o->line.operands[0], err.text);
    return check_together(o);
}

void probe_options_clear(struct probe_options *o)
{
    for (size_t i = 0; i < o->task.n_headers; i++)
        free(o->header_text[i]);
    free(o->data);
}

static const struct cfg_choice protocols[] = { { .text = "tls", .value = PROTOCOL_TLS },
                                               { .text = "tcp", .value = PROTOCOL_TCP },
                                               { .text = NULL } };
static const struct cfg_choice wordings[] = { { .text = "current", .value = WORDING_CURRENT },
                                              { .text = "classic", .value = WORDING_CLASSIC },
                                              { .text = NULL } };
static const struct cfg_choice breaks[] = { { .text = "configuration",
                                              .value = HANDSHAKE_BREAK_CONFIGURATION },
                                            { .text = "network", .value = HANDSHAKE_BREAK_NETWORK },
                                            { .text = NULL } };

#define AT(field) .offset = offsetof(struct probe_options, field)
const struct command_option probe_option_rows[] = {
    { .name = "connect",
      .argument = "HOST:PORT",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_connect,
      .section = "Where to",
      .help = "the load balancer; the URI never routes. Without it the URI's host is looked up, as "
              "for a public HTTP integration" },
    { .name = "listener-protocol",
      .kind = OPTION_CHOICE,
      AT(listener_protocol),
      .choices = protocols,
      .help = "what listens there, when it is not nlbsim (which tells)" },
    { .name = "events",
      .argument = "FILE",
      .kind = OPTION_NAMED,
      AT(events),
      .help = "nlbsim's events, to join its view (found by itself on this machine)" },
    { .name = "trust-store",
      .argument = "SPEC",
      .kind = OPTION_FILE,
      AT(trust_store),
      .section = "The integration",
      .help = "PEM file, lab:public (of the nlbsim that listens there), system, apigateway (those "
              "of system on its list)" },
    { .name = "insecure-skip-verification",
      .kind = OPTION_FLAG,
      AT(task.insecure_skip),
      .help = "tlsConfig.insecureSkipVerification" },
    { .name = "skip-allows-plain-self-signed",
      .kind = OPTION_YES_NO,
      AT(task.skip_allows_plain_self_signed),
      .def = "yes",
      .help = "with it: may a self-signed leaf be no CA? Unknown at AWS" },
    { .name = "client-certificate",
      .argument = "SPEC",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_client_certificate,
      .help = "the stage's certificate: a PEM file, or none" },
    { .name = "client-key",
      .argument = "FILE",
      .kind = OPTION_FILE,
      AT(client_key),
      .help = "its key, when it is not in the same file" },
    { .name = "timeout",
      .argument = "SECONDS",
      .kind = OPTION_SECONDS,
      AT(task.timeout_ms),
      .min = 50,
      .max = 300000,
      .def = "29",
      .help = "integration timeout; HTTP APIs: 30, and no more" },
    { .name = "http-api",
      .kind = OPTION_FLAG,
      AT(wording.http_api),
      .help = "answer as an HTTP API does" },
    { .name = "server-name-to-verify",
      .argument = "NAME",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_verify_name,
      .help = "of an HTTP API, tlsConfig.serverNameToVerify: server name and name to verify" },
    { .name = "method",
      .letter = 'X',
      .argument = "METHOD",
      .kind = OPTION_CUSTOM,
      AT(task.method),
      .parse_cb = take_word,
      .words_cb = method_words,
      .def = "GET",
      .section = "The request",
      .help = "HTTP method" },
    { .name = "header",
      .letter = 'H',
      .argument = "'NAME: VALUE'",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_header,
      .repeated = true,
      .help = "one more header" },
    { .name = "data",
      .letter = 'd',
      .argument = "TEXT|@FILE",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_data,
      .help = "the body; @- is standard input" },
    { .name = "host-port",
      .kind = OPTION_FLAG,
      AT(task.host_port),
      .help = "keep the port in the header Host" },
    { .name = "api-id",
      .argument = "ID",
      .kind = OPTION_CUSTOM,
      AT(task.api_id),
      .parse_cb = take_word,
      .def = "nlbsim0api",
      .help = "the API's, in the execution log" },
    { .name = "count",
      .argument = "N",
      .kind = OPTION_UINT,
      AT(count),
      .min = 1,
      .max = 10000,
      .def = "1",
      .help = "so many requests, on kept connections" },
    { .name = "concurrency",
      .argument = "N",
      .kind = OPTION_UINT,
      AT(concurrency),
      .min = 1,
      .max = 256,
      .def = "1",
      .help = "so many clients at a time" },
    { .name = "pause",
      .argument = "SECONDS",
      .kind = OPTION_SECONDS,
      AT(pause_ms),
      .max = 86400 * 1000,
      .def = "0",
      .help = "between the requests of a client" },
    { .name = "keep-idle",
      .argument = "SECONDS",
      .kind = OPTION_SECONDS,
      AT(task.keep_idle_ms),
      .max = 86400 * 1000,
      .def = "0",
      .help = "close a kept connection that served nobody for so long; 0: never" },
    { .name = "tls-min",
      .argument = "1.2|1.3",
      .kind = OPTION_CUSTOM,
      AT(task.offer.min_version),
      .parse_cb = take_version,
      .words_cb = version_words,
      .section = "What is unknown at AWS, or was different",
      .help = "lowest version offered; API Gateway speaks 1.2 only toward backends" },
    { .name = "tls-max",
      .argument = "1.2|1.3",
      .kind = OPTION_CUSTOM,
      AT(task.offer.max_version),
      .parse_cb = take_version,
      .words_cb = version_words,
      .help = "highest version offered; 1.3 is to act as another client" },
    { .name = "ciphers",
      .argument = "A:B",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_ciphers,
      .help = "cipher suites offered; without it, those of a JDK 17" },
    { .name = "groups",
      .argument = "A:B",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_groups,
      .help = "groups offered; without it, those of a JDK 17" },
    { .name = "wording",
      .kind = OPTION_CHOICE,
      AT(wording.wording),
      .choices = wordings,
      .def = "current",
      .help = "classic: \"General SSLEngine problem\"" },
    { .name = "handshake-break",
      .kind = OPTION_CHOICE,
      AT(wording.handshake_break),
      .choices = breaks,
      .def = "configuration",
      .help = "how a handshake that the peer breaks off is reported" },
    { .name = "public-authorities",
      .kind = OPTION_FLAG,
      AT(public_authorities),
      .help = "the trust store holds authorities that the JDK ships" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(at_utc),
      .help = "judge at that moment: 2027-01-31, +30d: will it break?" },
    { .name = "json",
      .kind = OPTION_FLAG,
      AT(json),
      .section = "Output",
      .help = "one JSON object per request" },
    { .name = NULL },
};
#undef AT
