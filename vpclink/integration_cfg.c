/* SPDX-License-Identifier: Apache-2.0
 * The keys of [integration NAME]. */
#include "vpclink/integration_cfg.h"

#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "vpclink/uri.h"

#define OURS "a setting of nlbsim"
#define API  "https://docs.aws.amazon.com/apigateway/latest/api/"
#define TLS  API "API_TlsConfig.html"

#define GUIDE       "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
#define REST_QUOTAS GUIDE "api-gateway-execution-service-limits-table.html"
#define HTTP_QUOTAS GUIDE "http-api-quotas.html"

static const struct cfg_choice hops[] = {
    { "caller", EXPECT_HOP_CALLER, NULL },
    { "listener", EXPECT_HOP_LISTENER, NULL },
    { "target", EXPECT_HOP_TARGET, NULL },
    { "network", EXPECT_HOP_NETWORK, NULL },
    { "gateway", EXPECT_HOP_GATEWAY, NULL },
    { "none", EXPECT_HOP_NONE, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice breaks[] = {
    { "configuration", HANDSHAKE_BREAK_CONFIGURATION, NULL },
    { "network", HANDSHAKE_BREAK_NETWORK, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice wordings[] = {
    { "current", WORDING_CURRENT, NULL },
    { "classic", WORDING_CLASSIC, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice api_types[] = {
    { "REST", API_REST, NULL },
    { "HTTP", API_HTTP, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice connection_types[] = {
    { "VPC_LINK", CONNECTION_VPC_LINK, NULL },
    { "INTERNET", CONNECTION_INTERNET, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice blocks[] = {
#define BLOCKED(id, name, what, remedy, source) { name, BLOCKED_##id, NULL },
#include "vpclink/blocked.def"
#undef BLOCKED
    { NULL, 0, NULL },
};

static const struct cfg_choice evidences[] = {
    { "documented", EVIDENCE_DOCUMENTED, NULL },
    { "reported", EVIDENCE_REPORTED, NULL },
    { "inferred", EVIDENCE_INFERRED, NULL },
    { NULL, 0, NULL },
};

static int refuse(const struct cfg_value *value, const char *why)
{
    problems_add(value->problems, value->line, "bad value '%s' for %s (%s)", value->text,
                 value->key, why);
    return -1;
}

/* Scheme, host and an optional port; the path may hold {parameters}. */
static int check_uri(void *object, const struct cfg_value *value)
{
    const char *host = strstr(value->text, "//");
    char head[GATEWAY_HOST_MAX * 2];
    struct gateway_uri uri;
    struct err err;
    int n = host == NULL ? -1 : (int)(host - value->text + 2 + (int)strcspn(host + 2, "/?#"));

    (void)object;
    if (n >= (int)sizeof head)
        return refuse(value, "that is too long for a host");
    snprintf(head, sizeof head, "%.*s", n < 0 ? (int)sizeof head - 1 : n, value->text);
    if (gateway_uri_parse(&uri, head, &err) != 0)
        return refuse(value, err.text);
    return uri.valid ? 0 : refuse(value, uri.fault);
}

/* What is meant for another key, or spelled so that it would match nothing. */
static int check_expect(void *object, const struct cfg_value *value)
{
    (void)object;
    if (strlen(value->text) == 3 && strspn(value->text, "0123456789") == 3) {
        problems_add(value->problems, value->line,
                     "%s = %s: it takes ok or a part of the error text; a status is expected with "
                     "expect_status = %s",
                     value->key, value->text, value->text);
        return -1;
    }
    if (strcasecmp(value->text, "ok") == 0 && strcmp(value->text, "ok") != 0) {
        problems_add(
            value->problems, value->line,
            "%s = %s: success is written ok, in lower case (anything else is a part of the "
            "error text)",
            value->key, value->text);
        return -1;
    }
    return 0;
}

static int check_time(void *object, const struct cfg_value *value)
{
    int64_t utc_s;

    (void)object;
    if (clock_parse_utc(value->text, 0, &utc_s) != 0)
        return refuse(value, "2026-11-21, 2026-11-21T10:00:00Z, +30d, -1h, now or @SECONDS");
    return 0;
}

#define AT(field) offsetof(struct integration_cfg, field)

/* clang-format off */
const struct cfg_key integration_keys[] = {
    { .name = "uri", .kind = CFG_TEXT, .offset = AT(uri), .required = true, .parse_cb = check_uri,
      .values = "https://HOST[:PORT]/PATH, http://...", .help = "the endpoint; its host name is what the certificate must be for, and the SNI",
      .source = API "API_Integration.html" },
    { .name = "listener", .kind = CFG_TEXT, .offset = AT(listener), .values = "the NAME of a [listener NAME]; required unless not_acted is given",
      .help = "where the VPC link leads to", .source = OURS },
    { .name = "connection_type", .kind = CFG_ENUM, .offset = AT(connection_type), .choices = connection_types, .def = "VPC_LINK",
      .help = "through the link to the listener, or to wherever the URI's host resolves to", .source = API "API_Integration.html" },
    { .name = "api_type", .kind = CFG_ENUM, .offset = AT(api_type), .choices = api_types, .def = "REST",
      .help = "an HTTP API verifies server_name_to_verify, and has no skip flag and no stage certificate",
      .source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-private.html" },
    { .name = "server_name_to_verify", .kind = CFG_TEXT, .offset = AT(server_name_to_verify), .values = "a host name",
      .help = "HTTP APIs: the name in SNI and the name that the certificate must be for",
      .source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-extensions-integration-tls-config.html" },
    { .name = "timeout_in_millis", .kind = CFG_UINT, .offset = AT(timeout_ms), .min = 50, .max = 300000, .def = "29000",
      .other = { "api_type", "HTTP", "30000" },
      .help = "how long the whole integration may take; at most 30000 with HTTP APIs, and the quota with REST APIs", .source = API "API_Integration.html" },
    { .name = "timeout_quota_in_millis", .kind = CFG_UINT, .offset = AT(timeout_quota_ms), .min = 29000, .max = 300000, .def = "29000",
      .with = "REST", .with_key = "api_type", .why = "30000 is the maximum of HTTP APIs (" HTTP_QUOTAS ")",
      .help = "the account's quota for timeout_in_millis of Regional and private REST APIs, where it was raised", .source = REST_QUOTAS },
    { .name = "blocked_by", .kind = CFG_ENUM, .offset = AT(blocked_by), .choices = blocks, .def = "none",
      .help = "what stands between the link and the listener; nothing is sent then", .source = "https://www.repost.aws/knowledge-center/api-gateway-500-error-vpc" },
    { .name = "insecure_skip_verification", .kind = CFG_BOOL, .offset = AT(insecure_skip_verification), .def = "false",
      .help = "skip the check that the issuer is a supported CA; dates and host name are still checked", .source = TLS },
    { .name = "skip_allows_plain_self_signed", .kind = CFG_BOOL, .offset = AT(skip_allows_plain_self_signed), .def = "true",
      .help = "does the line above also let a self-signed certificate without CA:TRUE pass", .source = "unknown at AWS, hence a setting of nlbsim (" TLS ")" },
    { .name = "client_certificate", .kind = CFG_TEXT, .file = CFG_FILE_READ, .offset = AT(client_certificate), .values = "none, a PEM file, lab:PROFILE/HOST", .def = "none",
      .help = "the certificate that API Gateway presents", .source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html" },
    { .name = "trust_store", .kind = CFG_TEXT, .file = CFG_FILE_READ, .offset = AT(trust_store), .values = "a PEM file, lab:public, lab:private, lab:all, system, apigateway", .def = "lab:public",
      .help = "the authorities that API Gateway trusts", .source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-supported-certificate-authorities-for-http-endpoints.html" },
    { .name = "handshake_break", .kind = CFG_ENUM, .offset = AT(handshake_break), .choices = breaks, .def = "configuration",
      .help = "how a handshake that the peer breaks off is reported: configuration error (500) or network error (504)", .source = "unknown at AWS, hence a setting of nlbsim" },
    { .name = "wording", .kind = CFG_ENUM, .offset = AT(wording), .choices = wordings, .def = "current",
      .help = "the error texts of today, or the older 'General SSLEngine problem'", .source = "https://repost.aws/knowledge-center/api-gateway-ssl-certificate-errors" },
    { .name = "at", .kind = CFG_TEXT, .offset = AT(at), .parse_cb = check_time, .values = "a date, a time, +30d, -1h, now",
      .help = "the moment at which certificates are judged; without the key now", .source = OURS },
    { .name = "requests", .kind = CFG_UINT, .offset = AT(requests), .min = 1, .max = 10000, .def = "1",
      .help = "how many requests are sent", .source = OURS },
    { .name = "reuse_connections", .kind = CFG_BOOL, .offset = AT(reuse_connections), .def = "true",
      .help = "further requests use the kept connection", .source = OURS },
    { .name = "keep_idle_ms", .kind = CFG_UINT, .offset = AT(keep_idle_ms), .min = 0, .max = 86400000, .def = "0",
      .help = "a kept connection that served nobody for so long is closed by API Gateway; 0: never", .source = "unknown at AWS, hence a setting of nlbsim" },
    { .name = "pause_ms", .kind = CFG_UINT, .offset = AT(pause_ms), .min = 0, .max = 600000, .def = "0",
      .help = "pause between requests, in milliseconds", .source = OURS },
    { .name = "title", .kind = CFG_TEXT, .offset = AT(title), .values = "any text", .help = "what the scenario is about", .source = OURS },
    { .name = "source", .kind = CFG_TEXT, .offset = AT(source), .values = "any text", .help = "what the expectation rests on", .source = OURS },
    { .name = "evidence", .kind = CFG_ENUM, .offset = AT(evidence), .choices = evidences,
      .help = "how well the expectation is known", .source = OURS },
    { .name = "not_acted", .kind = CFG_TEXT, .offset = AT(not_acted), .values = "any text",
      .help = "why this scenario is only listed", .source = OURS },
    { .name = "also_expect", .kind = CFG_TEXT, .offset = AT(also_expect), .parse_cb = check_expect, .values = "ok, a part of the error text",
      .help = "the other outcome: with several requests each must match one of the two, and both must occur", .source = OURS },
    { .name = "expect", .kind = CFG_TEXT, .offset = AT(expect), .parse_cb = check_expect, .values = "ok, a part of the error text",
      .help = "what must come of it; with several requests of every one", .source = OURS },
    { .name = "expect_status", .kind = CFG_UINT, .offset = AT(expect_status), .min = 100, .max = 599,
      .help = "the HTTP status that the caller must see", .source = OURS },
    { .name = "expect_hop", .kind = CFG_ENUM, .offset = AT(expect_hop), .choices = hops,
      .help = "who must be the one to change something", .source = OURS },
    { .name = NULL },
};
/* clang-format on */
