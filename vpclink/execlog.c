/* SPDX-License-Identifier: Apache-2.0
 * The execution log of one call, line by line as API Gateway's test console writes it. */
#include "vpclink/execlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/bytes.h"
#include "core/foreign.h"
#include "tls/tls_random.h"
#include "vpclink/request.h"

#define LINE_MAX_BYTES 1024 /* of a log event; known issues page of the guide */
#define MAP_MAX_CHARS  998  /* recorded */

void execlog_request_id(char *out)
{
    unsigned char b[16] = { 0 };

    (void)tls_random(NULL, b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    uuid_text(b, out);
}

const char *execlog_date(int64_t wall_us, char *out)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t s = (time_t)(wall_us / 1000000);
    struct tm t;

    /* Not strftime: the names must not follow the locale. */
    gmtime_r(&s, &t);
    snprintf(out, EXECLOG_DATE_MAX, "%.3s %.3s %02d %02d:%02d:%02d UTC %d", days + 3 * t.tm_wday,
             months + 3 * t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_year + 1900);
    return out;
}

/* --- one line --- */
struct writer {
    FILE *out;
    int64_t wall_us;
};

static void line(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(struct writer *w, const char *format, ...)
{
    char text[LINE_MAX_BYTES + 1], date[EXECLOG_DATE_MAX];
    int head = snprintf(text, sizeof text, "%s : ", execlog_date(w->wall_us, date));
    va_list args;

    va_start(args, format);
    vsnprintf(text + head, sizeof text - (size_t)head, format, args);
    va_end(args);
    /* Foreign bytes must not make lines of their own, nor talk to the terminal. */
    for (char *c = text; *c != '\0'; c++) { /* a body of several lines reads well as one */
        if (strchr("\n\r\t", *c) != NULL)
            *c = ' ';
    }
    foreign_clean(text, sizeof text);
    fprintf(w->out, "%s\n", text);
}

/* "{a=1, b=2}" in pieces. */
struct map {
    char text[MAP_MAX_CHARS + 32];
    size_t n;
    bool any, cut;
};

static void map_add(struct map *m, const char *name, size_t name_len, const char *value,
                    size_t value_len)
{
    size_t room;
    int n;

    if (m->n == 0)
        m->text[m->n++] = '{';
    room = MAP_MAX_CHARS + 1 - m->n;
    n = snprintf(m->text + m->n, room, "%s%.*s=%.*s", m->any ? ", " : "", (int)name_len, name,
                 (int)value_len, value);
    m->any = true;
    if (n < 0 || (size_t)n >= room) {
        m->n = MAP_MAX_CHARS;
        m->cut = true;
    } else {
        m->n += (size_t)n;
    }
}

static const char *map_text(struct map *m)
{
    if (m->n == 0)
        m->text[m->n++] = '{';
    snprintf(m->text + m->n, sizeof m->text - m->n, "%s", m->cut ? " [TRUNCATED]" : "}");
    return m->text;
}

static void map_header(struct map *m, const char *name, const char *value)
{
    map_add(m, name, strlen(name), value, strlen(value));
}

/* --- the parts --- */
static void log_method(struct writer *w, const struct gateway_task *task)
{
    const struct gateway_uri *u = &task->uri;
    struct map query = { 0 }, headers = { 0 };
    size_t path = strcspn(u->path, "?#");

    line(w, "HTTP Method: %s, Resource Path: %s%.*s", task->method, path == 0 ? "/" : "", (int)path,
         u->path);
    line(w, "Method request path: {}");
    for (const char *at = u->query; at != NULL && *at != '\0' && *at != '#';) {
        size_t n = strcspn(at, "&#"), name = strcspn(at, "=&#");

        map_add(&query, at, name, at + (name < n ? name + 1 : n), name < n ? n - name - 1 : 0);
        at += n + (at[n] == '&');
    }
    line(w, "Method request query string: %s", map_text(&query));
    for (size_t i = 0; i < task->n_headers; i++)
        map_header(&headers, task->headers[i].name, task->headers[i].value);
    line(w, "Method request headers: %s", map_text(&headers));
    line(w, "Method request body before transformations: %.*s", (int)task->n_data,
         task->data != NULL ? task->data : "");
}

static void log_endpoint(struct writer *w, const struct gateway_task *task)
{
    char host[GATEWAY_HOST_MAX + 16], agent[80];
    struct map headers = { 0 };

    line(w, "Endpoint request URI: %s", task->uri.text);
    snprintf(agent, sizeof agent, "AmazonAPIGateway_%s", task->api_id);
    map_header(&headers, "x-amzn-apigateway-api-id", task->api_id);
    if (!gateway_has_header(task, "User-Agent"))
        map_header(&headers, "User-Agent", agent);
    if (!gateway_has_header(task, "Host"))
        map_header(&headers, "Host", gateway_host_header(task, host, sizeof host));
    for (size_t i = 0; i < task->n_headers; i++)
        map_header(&headers, task->headers[i].name, task->headers[i].value);
    line(w, "Endpoint request headers: %s", map_text(&headers));
    line(w, "Endpoint request body after transformations: %.*s", (int)task->n_data,
         task->data != NULL ? task->data : "");
    line(w, "Sending request to %s", task->uri.text);
}

bool execlog_is_hop_header(const char *name)
{
    static const char *const hop[] = { "Connection",       "Keep-Alive", "Transfer-Encoding",
                                       "Proxy-Connection", "Upgrade",    "TE",
                                       "Trailer",          NULL };

    for (size_t i = 0; hop[i] != NULL; i++) {
        if (strcasecmp(name, hop[i]) == 0)
            return true;
    }
    return false;
}

static void log_answer(struct writer *w, const struct gateway_result *r)
{
    struct map all = { 0 }, passed = { 0 };
    const char *body = r->body != NULL ? (const char *)r->body : "";

    line(w, "Received response. Status: %u, Integration latency: %llu ms", r->status,
         (unsigned long long)((r->ended_us - r->started_us) / 1000));
    for (size_t i = 0; i < r->n_headers; i++) {
        map_header(&all, r->headers[i].name, r->headers[i].value);
        if (!execlog_is_hop_header(r->headers[i].name))
            map_header(&passed, r->headers[i].name, r->headers[i].value);
    }
    line(w, "Endpoint response headers: %s", map_text(&all));
    line(w, "Endpoint response body before transformations: %s", body);
    line(w, "Method response body after transformations: %s", body);
    line(w, "Method response headers: %s", map_text(&passed));
    line(w, "Successfully completed execution");
}

char *execlog_text(const struct gateway_task *task, const struct gateway_result *r,
                   const struct gateway_outcome *outcome, const char *request_id)
{
    char *text = NULL;
    size_t size = 0;
    struct writer w = { open_memstream(&text, &size), r->started_wall_us };
    bool bad;

    if (w.out == NULL)
        return NULL;
    fprintf(w.out, "Execution log for request %s\n", request_id);
    line(&w, "Starting execution for request: %s", request_id);
    log_method(&w, task);
    if (r->broke != BREAK_BAD_ENDPOINT) /* that one fails before there is an endpoint */
        log_endpoint(&w, task);
    w.wall_us += (int64_t)(r->ended_us - r->started_us);
    if (outcome->ok)
        log_answer(&w, r);
    else
        line(&w, "%s", outcome->error);
    if (outcome->simulated)
        line(&w, "Method completed with status: %u", outcome->status);
    bad = ferror(w.out) != 0;
    if (fclose(w.out) != 0 || bad) {
        free(text);
        return NULL;
    }
    return text;
}
