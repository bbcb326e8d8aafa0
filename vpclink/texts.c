/* SPDX-License-Identifier: Apache-2.0
 * What API Gateway writes and answers for the way a call ended. */
#include "vpclink/texts.h"

#include <stdio.h>
#include <string.h>

#include "core/foreign.h"

enum class {
    CLASS_ANSWERED,
    CLASS_CONFIG,
    CLASS_NETWORK,
    CLASS_TIMEOUT,
    CLASS_LINK,
    CLASS_HANDSHAKE,
    CLASS_LIMIT
};

static const struct row {
    enum class class;
    const char *config, *network, *evidence, *source;
} rows[BREAK_N] = {
#define BREAK(id, class, config, network, evidence, source)                                        \
    [BREAK_##id] = { CLASS_##class, config, network, evidence, source },
#include "vpclink/gateway_texts.def"
#undef BREAK
};

/* What the caller of the API sees. Bodies of REST APIs with their blank after the colon: seen in a
 * user's log; those of HTTP APIs: house style, inferred. */
static const struct answer {
    const char *prefix;
    unsigned rest_status, http_status;
    const char *rest_body, *http_body;
} answers[] = {
    [CLASS_CONFIG] = { "Execution failed due to configuration error: ", 500, 500,
                       "{\"message\": \"Internal server error\"}",
                       "{\"message\":\"Internal Server Error\"}" },
    [CLASS_NETWORK] = { "Execution failed due to a network error communicating with endpoint: ",
                        504, 503, "{\"message\": \"Network error communicating with endpoint\"}",
                        "{\"message\":\"Service Unavailable\"}" },
    [CLASS_TIMEOUT] = { "Execution failed due to a timeout error", 504, 503,
                        "{\"message\": \"Endpoint request timed out\"}",
                        "{\"message\":\"Service Unavailable\"}" },
    [CLASS_LINK] = { "Execution failed due to an vpc link error", 500, 500,
                     "{\"message\": \"Internal server error\"}",
                     "{\"message\":\"Internal Server Error\"}" },
};

/* Put `text` where the row says {text}. */
static void fill(char *out, size_t size, const char *prefix, const char *format, const char *text)
{
    const char *mark = strstr(format, "{text}");

    if (mark == NULL)
        snprintf(out, size, "%s%s", prefix, format);
    else
        snprintf(out, size, "%s%.*s%s%s", prefix, (int)(mark - format), format, text,
                 mark + strlen("{text}"));
    foreign_clean(out, size);
}

static void word_certificate(const struct gateway_result *r, const struct gateway_wording *w,
                             struct gateway_outcome *out)
{
    const char *prefix = answers[CLASS_CONFIG].prefix;

    if (w->wording == WORDING_CLASSIC && r->broke == BREAK_CERTIFICATE) {
        fill(out->error, sizeof out->error, prefix, "General SSLEngine problem", "");
        out->source = "repost.aws/knowledge-center/api-gateway-ssl-error";
        return;
    }
    fill(out->error, sizeof out->error, prefix, "{text}", r->verdict.error);
    out->evidence = r->verdict.evidence;
    out->source = r->verdict.source;
}

static void word_break(const struct gateway_result *r, enum class class,
                       struct gateway_outcome *out)
{
    const struct row *row = &rows[r->broke];
    char text[GATEWAY_ALERT_TEXT + 64];

    snprintf(text, sizeof text,
             r->broke == BREAK_VERSION ? "%s is not accepted by client preferences [%s]" : "%s",
             r->alert, r->accepts == NULL ? "" : r->accepts);
    fill(out->error, sizeof out->error, answers[class].prefix,
         class == CLASS_NETWORK ? row->network : row->config, text);
}

void gateway_word(const struct gateway_result *r, const struct gateway_wording *w,
                  struct gateway_outcome *out)
{
    const struct row *row = &rows[r->broke];
    enum class class = row->class;

    memset(out, 0, sizeof *out);
    out->simulated = true;
    out->evidence = row->evidence;
    out->source = row->source;
    if (class == CLASS_ANSWERED) {
        out->ok = true;
        out->status = r->status;
        return;
    }
    if (class == CLASS_LIMIT) {
        out->simulated = false;
        snprintf(out->error, sizeof out->error, "nlbsim cannot act this out%s%s",
                 r->why[0] != '\0' ? ": " : "", r->why);
        return;
    }
    if (class == CLASS_HANDSHAKE)
        class = w->handshake_break == HANDSHAKE_BREAK_NETWORK ? CLASS_NETWORK : CLASS_CONFIG;
    out->status = w->http_api ? answers[class].http_status : answers[class].rest_status;
    out->body = w->http_api ? answers[class].http_body : answers[class].rest_body;
    if (r->broke == BREAK_CERTIFICATE || r->broke == BREAK_HOST_NAME)
        word_certificate(r, w, out);
    else
        word_break(r, class, out);
    if (w->http_api)
        out->evidence = "inferred"; /* HTTP APIs: the texts are unknown */
}
