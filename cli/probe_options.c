/* SPDX-License-Identifier: Apache-2.0
 * The command line of nlbsim probe. */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/endpoint.h"
#include "cli/probe.h"
#include "core/cfg_key.h"
#include "core/clock.h"
#include "core/file.h"
#include "tls/tls_params.h"

#define DATA_MAX ((size_t)16 << 20)

static const char help[] =
    "usage: nlbsim probe [options] URL\n\n"
    "Call a private integration as API Gateway does: connect, send the URI's host as server name,\n"
    "validate the certificate that answers, send the request. Prints API Gateway's execution log,\n"
    "what the API's caller gets, and which hop decided.\n\n"
    "where to\n"
    "  --connect HOST:PORT           the load balancer; the URI never routes. Without it the "
    "URI's\n"
    "                                host is looked up, as for a public HTTP integration\n"
    "  --listener-protocol tls|tcp   what listens there, when it is not nlbsim (which tells)\n"
    "  --events FILE                 nlbsim's events, to join its view (found by itself on this\n"
    "                                machine)\n"
    "the integration\n"
    "  --trust-store SPEC            PEM file, lab:public (of the nlbsim that listens there), "
    "system\n"
    "  --insecure-skip-verification  tlsConfig.insecureSkipVerification\n"
    "  --skip-allows-plain-self-signed yes|no\n"
    "                                with it: may a self-signed leaf be no CA? (yes; unknown at "
    "AWS)\n"
    "  --client-certificate SPEC     the stage's certificate (PEM file); --client-key FILE: its "
    "key\n"
    "  --timeout SECONDS             integration timeout (29; HTTP APIs: 30, and no more)\n"
    "  --http-api                    answer as an HTTP API does; with\n"
    "  --server-name-to-verify NAME  tlsConfig.serverNameToVerify: server name and name to verify\n"
    "the request\n"
    "  --method M, --header 'N: V', --data TEXT|@FILE, --host-port (keep the port in Host),\n"
    "  --api-id ID, --count N (requests, on kept connections), --concurrency C, --pause SECONDS\n"
    "what is unknown at AWS, or was different\n"
    "  --ciphers A:B, --groups A:B   what is offered (a JDK 17's default)\n"
    "  --tls-min V, --tls-max V      1.2 (all that API Gateway speaks toward backends) or 1.3, to\n"
    "                                act as another client\n"
    "  --wording current|classic     classic: \"General SSLEngine problem\"\n"
    "  --handshake-break configuration|network\n"
    "                                how a handshake that the peer breaks off is reported\n"
    "  --public-authorities          the trust store holds authorities that the JDK ships\n"
    "  --at TIME                     judge at that moment: 2027-01-31, +30d: will it break?\n"
    "output\n"
    "  --json                        one JSON object per request\n\n"
    "exit status: 0 the answer was passed on (whatever its status), 1 API Gateway answers for "
    "itself,\n2 usage, 3 the environment failed\n\n"
    "example: nlbsim probe --connect 127.0.0.1:8443 --trust-store root.pem "
    "https://api.example.com/orders\n";

#define NOT_GIVEN UINT64_MAX

enum {
    OPT_CONNECT = 256,
    OPT_PROTOCOL,
    OPT_EVENTS,
    OPT_TRUST,
    OPT_SKIP,
    OPT_PLAIN,
    OPT_CERT,
    OPT_KEY,
    OPT_TIMEOUT,
    OPT_HTTP_API,
    OPT_VERIFY,
    OPT_HOST_PORT,
    OPT_API_ID,
    OPT_COUNT,
    OPT_CONCURRENCY,
    OPT_PAUSE,
    OPT_TLS_MIN,
    OPT_TLS_MAX,
    OPT_CIPHERS,
    OPT_GROUPS,
    OPT_WORDING,
    OPT_BREAK,
    OPT_PUBLIC,
    OPT_AT,
    OPT_JSON
};

static const struct option options[] = {
    { "connect", required_argument, NULL, OPT_CONNECT },
    { "listener-protocol", required_argument, NULL, OPT_PROTOCOL },
    { "events", required_argument, NULL, OPT_EVENTS },
    { "trust-store", required_argument, NULL, OPT_TRUST },
    { "insecure-skip-verification", no_argument, NULL, OPT_SKIP },
    { "skip-allows-plain-self-signed", required_argument, NULL, OPT_PLAIN },
    { "client-certificate", required_argument, NULL, OPT_CERT },
    { "client-key", required_argument, NULL, OPT_KEY },
    { "timeout", required_argument, NULL, OPT_TIMEOUT },
    { "http-api", no_argument, NULL, OPT_HTTP_API },
    { "server-name-to-verify", required_argument, NULL, OPT_VERIFY },
    { "method", required_argument, NULL, 'X' },
    { "header", required_argument, NULL, 'H' },
    { "data", required_argument, NULL, 'd' },
    { "host-port", no_argument, NULL, OPT_HOST_PORT },
    { "api-id", required_argument, NULL, OPT_API_ID },
    { "count", required_argument, NULL, OPT_COUNT },
    { "concurrency", required_argument, NULL, OPT_CONCURRENCY },
    { "pause", required_argument, NULL, OPT_PAUSE },
    { "tls-min", required_argument, NULL, OPT_TLS_MIN },
    { "tls-max", required_argument, NULL, OPT_TLS_MAX },
    { "ciphers", required_argument, NULL, OPT_CIPHERS },
    { "groups", required_argument, NULL, OPT_GROUPS },
    { "wording", required_argument, NULL, OPT_WORDING },
    { "handshake-break", required_argument, NULL, OPT_BREAK },
    { "public-authorities", no_argument, NULL, OPT_PUBLIC },
    { "at", required_argument, NULL, OPT_AT },
    { "json", no_argument, NULL, OPT_JSON },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int refuse(const char *option, const char *value, const char *why)
{
    if (*value == '\0')
        fprintf(stderr, "nlbsim probe: %s: %s\n", option, why);
    else
        fprintf(stderr, "nlbsim probe: %s '%s': %s\n", option, value, why);
    return 2;
}

/* --- values --- */
/* One of two words. */
static int choose(const char *option, const char *value, const char *no, const char *yes, bool *out)
{
    char why[96];

    *out = strcasecmp(value, yes) == 0;
    if (*out || strcasecmp(value, no) == 0)
        return -1;
    snprintf(why, sizeof why, "%s or %s", no, yes);
    return refuse(option, value, why);
}

static int seconds(const char *option, const char *value, double max, uint64_t *ms)
{
    char *end, why[64];
    double s = strtod(value, &end);

    if (end == value || *end != '\0' || !(s >= 0) || s > max) {
        snprintf(why, sizeof why, "seconds, at most %.0f", max);
        return refuse(option, value, why);
    }
    *ms = (uint64_t)(s * 1000 + 0.5);
    return -1;
}

static int number(const char *option, const char *value, unsigned max, unsigned *out)
{
    uint64_t n;
    char why[64];

    if (cfg_parse_uint(value, 1, max, &n) != 0) {
        snprintf(why, sizeof why, "a number from 1 to %u", max);
        return refuse(option, value, why);
    }
    *out = (unsigned)n;
    return -1;
}

/* "127.0.0.1:8443", "[::1]:8443", or a name of this machine's resolver. */
static int take_connect(struct probe_options *o, const char *value)
{
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
        return refuse("--connect", value, "HOST:PORT, the port from 1 to 65535");
    rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0 || list->ai_addrlen > sizeof o->connect.u) {
        fprintf(stderr, "nlbsim probe: --connect '%s': %s\n", value, gai_strerror(rc));
        return 3;
    }
    memcpy(&o->connect.u, list->ai_addr, list->ai_addrlen);
    o->connect.len = list->ai_addrlen;
    freeaddrinfo(list);
    return -1;
}

static int take_header(struct probe_options *o, const char *value)
{
    const char *colon = strchr(value, ':');
    struct gateway_header *h = &o->headers[o->task.n_headers];
    char *text;

    if (colon == NULL || colon == value || strpbrk(value, "\r\n") != NULL ||
        strcspn(value, " \t") < (size_t)(colon - value))
        return refuse("--header", value, "'Name: value'");
    if (o->task.n_headers == PROBE_HEADERS_MAX)
        return refuse("--header", value, "too many headers");
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

static int take_data(struct probe_options *o, const char *value)
{
    struct err err = { 0 };

    free(o->data);
    if (value[0] == '@') {
        o->data = file_read(value + 1, DATA_MAX, &o->task.n_data, &err);
        if (o->data == NULL) {
            fprintf(stderr, "nlbsim probe: --data: %s: cannot read: %s\n", value + 1, err.text);
            return 3;
        }
    } else {
        o->data = strdup(value);
        o->task.n_data = strlen(value);
    }
    o->task.data = o->data;
    return o->data == NULL ? 3 : -1;
}

static int take_version(const char *option, const char *value, uint16_t *out)
{
    *out = tls_version_by_name(value);
    return *out == TLS_1_2 || *out == TLS_1_3 ? -1 : refuse(option, value, "1.2 or 1.3");
}

static uint16_t suite_code(const char *name)
{
    const struct tls_suite *s = tls_suite_by_name(name);

    return s == NULL || !tls_suite_supported(s->code) ? 0 : s->code;
}

static uint16_t group_code(const char *name)
{
    const struct tls_group *g = tls_group_by_name(name);

    return g == NULL || !tls_group_supported(g->code) ? 0 : g->code;
}

static int take_list(const char *option, const char *value, uint16_t (*code)(const char *),
                     uint16_t list[PROBE_LIST_MAX], size_t *n)
{
    char name[80];

    *n = 0;
    for (const char *at = value; *at != '\0';) {
        size_t len = strcspn(at, ":,");

        snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), at);
        if (*n == PROBE_LIST_MAX || (list[*n] = code(name)) == 0)
            return refuse(option, name, "not known, or this build does not have it");
        ++*n;
        at += len + (at[len] != '\0');
    }
    return *n > 0 ? -1 : refuse(option, value, "an empty list");
}

/* --- one option --- */
static int take_request(struct probe_options *o, int option, const char *value)
{
    bool yes;
    int rc;

    switch (option) {
    case 'X':
        o->task.method = value;
        return value[0] != '\0' && strpbrk(value, " \t\r\n") == NULL
                   ? -1
                   : refuse("--method", value, "a word");
    case 'H':
        return take_header(o, value);
    case 'd':
        return take_data(o, value);
    case OPT_HOST_PORT:
        o->task.host_port = true;
        return -1;
    case OPT_API_ID:
        o->task.api_id = value;
        return strpbrk(value, " \t\r\n") == NULL ? -1 : refuse("--api-id", value, "a word");
    case OPT_COUNT:
        return number("--count", value, 10000, &o->count);
    case OPT_CONCURRENCY:
        return number("--concurrency", value, 256, &o->concurrency);
    case OPT_PAUSE:
        return seconds("--pause", value, 86400, &o->pause_ms);
    case OPT_TIMEOUT:
        return seconds("--timeout", value, 300, &o->task.timeout_ms);
    case OPT_WORDING:
        rc = choose("--wording", value, "current", "classic", &yes);
        o->wording.wording = yes ? WORDING_CLASSIC : WORDING_CURRENT;
        return rc;
    case OPT_BREAK:
        rc = choose("--handshake-break", value, "configuration", "network", &yes);
        o->wording.handshake_break = yes ? HANDSHAKE_BREAK_NETWORK : HANDSHAKE_BREAK_CONFIGURATION;
        return rc;
    case OPT_HTTP_API:
        o->wording.http_api = true;
        return -1;
    default:
        return 2;
    }
}

static int take(struct probe_options *o, int option, const char *value)
{
    struct gateway_task *t = &o->task;
    bool yes;
    int rc;

    switch (option) {
    case OPT_CONNECT:
        return take_connect(o, value);
    case OPT_PROTOCOL:
        rc = choose("--listener-protocol", value, "tcp", "tls", &yes);
        o->listener_protocol = yes ? PROTOCOL_TLS : PROTOCOL_TCP;
        return rc;
    case OPT_EVENTS:
        o->events = value;
        return -1;
    case OPT_TRUST:
        o->trust_store = value;
        return -1;
    case OPT_SKIP:
        t->insecure_skip = true;
        return -1;
    case OPT_PLAIN:
        return choose("--skip-allows-plain-self-signed", value, "no", "yes",
                      &t->skip_allows_plain_self_signed);
    case OPT_CERT:
        o->client_certificate = strcmp(value, "none") == 0 ? NULL : value;
        return -1;
    case OPT_KEY:
        o->client_key = value;
        return -1;
    case OPT_VERIFY:
        t->verify_name = value;
        return value[0] != '\0' && strlen(value) < GATEWAY_HOST_MAX
                   ? -1
                   : refuse("--server-name-to-verify", value, "a host name");
    case OPT_TLS_MIN:
        return take_version("--tls-min", value, &t->offer.min_version);
    case OPT_TLS_MAX:
        return take_version("--tls-max", value, &t->offer.max_version);
    case OPT_CIPHERS:
        t->offer.suites = o->suites;
        return take_list("--ciphers", value, suite_code, o->suites, &t->offer.n_suites);
    case OPT_GROUPS:
        t->offer.groups = o->groups;
        return take_list("--groups", value, group_code, o->groups, &t->offer.n_groups);
    case OPT_PUBLIC:
        o->public_authorities = true;
        return -1;
    case OPT_AT:
        t->at_utc = &o->at_utc;
        return clock_parse_utc(value, clock_wall_us() / 1000000, &o->at_utc) == 0
                   ? -1
                   : refuse("--at", value,
                            "2027-01-31, 2027-01-31T12:00:00Z, +30d, -1h or @SECONDS");
    case OPT_JSON:
        o->json = true;
        return -1;
    default:
        return take_request(o, option, value);
    }
}

/* --- all of it --- */
static int check(struct probe_options *o)
{
    struct gateway_task *t = &o->task;

    if (t->verify_name != NULL && !o->wording.http_api)
        return refuse("--server-name-to-verify", t->verify_name,
                      "only HTTP APIs have it: give --http-api, too");
    if (t->insecure_skip && o->wording.http_api)
        return refuse("--insecure-skip-verification", "",
                      "HTTP APIs have no such setting, only serverNameToVerify");
    if (o->client_certificate != NULL && o->wording.http_api)
        return refuse("--client-certificate", o->client_certificate,
                      "HTTP APIs have no client certificates toward backends");
    if (o->client_key != NULL && o->client_certificate == NULL)
        return refuse("--client-key", o->client_key, "a key without --client-certificate");
    if (t->offer.min_version > t->offer.max_version && t->offer.max_version != 0)
        return refuse("--tls-min", "", "above --tls-max");
    if (t->timeout_ms == NOT_GIVEN)
        t->timeout_ms = o->wording.http_api ? HTTP_API_TIMEOUT_MAX_MS : 29000;
    if (o->wording.http_api && t->timeout_ms > HTTP_API_TIMEOUT_MAX_MS)
        return refuse("--timeout", "", "an HTTP API waits at most 30 seconds");
    if (t->timeout_ms < 50)
        return refuse("--timeout", "", "at least 0.05 seconds, as with the API");
    if (o->concurrency > o->count)
        o->count = o->concurrency;
    return -1;
}

int probe_options_read(int argc, char **argv, struct probe_options *o)
{
    struct err err = { 0 };
    int option, rc;

    memset(o, 0, sizeof *o);
    o->task.timeout_ms = NOT_GIVEN;
    o->task.method = "GET";
    o->task.api_id = "nlbsim0api";
    o->task.headers = o->headers;
    o->task.skip_allows_plain_self_signed = true;
    o->count = o->concurrency = 1;
    while ((option = getopt_long(argc, argv, "X:H:d:h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (option == '?') {
            fputs("try 'nlbsim probe --help'\n", stderr);
            return 2;
        }
        rc = take(o, option, optarg);
        if (rc >= 0)
            return rc;
    }
    if (optind + 1 != argc) {
        fputs("nlbsim probe: give one URL\ntry 'nlbsim probe --help'\n", stderr);
        return 2;
    }
    if (gateway_uri_parse(&o->task.uri, argv[optind], &err) != 0) {
        fprintf(stderr, "nlbsim probe: %s\n", err.text);
        return 2;
    }
    return check(o);
}

void probe_options_clear(struct probe_options *o)
{
    for (size_t i = 0; i < o->task.n_headers; i++)
        free(o->header_text[i]);
    free(o->data);
}
