/* SPDX-License-Identifier: Apache-2.0
 * An HTTP health check; HTTPS is the same over a TLS hop that validates nothing. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/http.h"
#include "targets/check.h"
#include "tls/hop_tls.h"
#include "tls/tls_conf.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

/* NLB's User-Agent is unknown. */
#define REQUEST                                                                                    \
    "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: nlbsim/" NLB_VERSION                               \
    "\r\nAccept: */*\r\nConnection: close\r\n\r\n"
#define READ_BYTES 4096

struct check_http {
    struct check check; /* first */
    struct hop *hop;
    struct http_parser *parser;
    char *path, *matcher; /* copies: a reload may come in between */
    char *request;
    size_t n_request, sent;
    unsigned interim; /* answers with a status below 200 */
    bool secured;
};

bool check_matches(const char *matcher, unsigned status)
{
    unsigned low, high;
    int used;

    while (*matcher != '\0') {
        if (sscanf(matcher, "%3u-%3u%n", &low, &high, &used) == 2) {
            matcher += used;
        } else if (sscanf(matcher, "%3u%n", &low, &used) == 1) {
            matcher += used;
            high = low;
        } else {
            return false;
        }
        if (status >= low && status <= high)
            return true;
        matcher += *matcher == ',';
    }
    return false;
}

/* TLS 1.2 and older: a target of TLS 1.3 alone fails (NLB guide, "Health checks for Network Load
 * Balancer target groups"). */
struct tls_conf *check_tls_conf(enum tls_use use, struct err *err)
{
    struct tls_conf_params params = {
        .server = false,
        .min_version = TLS_1_0,
        .max_version = TLS_1_2,
    };

    params.library = tls_library_for_client(&params, use);
    if (!tls_can_version(params.library, TLS_1_0))
        params.min_version = TLS_1_2;
    return tls_conf_new(&params, err);
}

static void hop_failed(struct check_http *c, const char *where)
{
    struct hop_failure f = { 0 };
    const struct tls_facts *facts = hop_tls_facts(c->hop);
    char text[160];

    c->hop->ops->failure(c->hop, &f);
    if (f.cause == HOP_CAUSE_ALERT_IN && facts != NULL)
        check_end(&c->check, CHECK_FAILED, "%s: the target sent alert %s", where,
                  tls_alert_name(facts->alert_in.number));
    else if (f.cause == HOP_CAUSE_RESET)
        check_end(&c->check, CHECK_FAILED, "%s: the target reset the connection", where);
    else if (f.cause == HOP_CAUSE_CLOSED)
        check_end(&c->check, CHECK_FAILED, "%s: the target closed the connection", where);
    else if (f.tls_error != 0)
        check_end(&c->check, CHECK_FAILED, "%s: %s", where,
                  tls_error_text(f.tls_error, text, sizeof text));
    else
        check_end(&c->check, CHECK_FAILED, "%s: %s", where, strerror(f.sys_errno));
}

static void judge(struct check_http *c)
{
    const struct http_message *m = http_parser_message(c->parser);

    if (check_matches(c->matcher, m->status))
        check_end(&c->check, CHECK_PASSED, "%s", "");
    else
        check_end(&c->check, CHECK_FAILED, "HTTP status %u, expected %s", m->status, c->matcher);
}

/* Feed what was read. True: the check is over. */
static bool took(struct check_http *c, const uint8_t *data, size_t n)
{
    const struct http_message *m = http_parser_message(c->parser);
    const char *why;
    size_t used;

    while (n > 0) {
        enum http_progress progress = http_parser_feed(c->parser, data, n, &used);

        if (progress == HTTP_BAD) {
            (void)http_parser_error(c->parser, &why);
            check_end(&c->check, CHECK_FAILED, "no HTTP answer: %s", why);
            return true;
        }
        /* The status decides; the body need not be waited for. */
        if (m->head_complete && m->status >= 200) {
            judge(c);
            return true;
        }
        data += used;
        n -= used;
        if (progress != HTTP_DONE)
            continue;
        if (++c->interim > HTTP_INTERIM_MAX) { /* 100 Continue and its like */
            check_end(&c->check, CHECK_FAILED, "no HTTP answer: more than %d interim ones (1xx)",
                      HTTP_INTERIM_MAX);
            return true;
        }
        http_parser_next(c->parser);
    }
    return false;
}

static void read_answer(struct check_http *c)
{
    uint8_t buf[READ_BYTES];
    size_t n = 0;

    for (;;) {
        switch (hop_read(c->hop, buf, sizeof buf, &n)) {
        case HOP_OK:
            if (took(c, buf, n))
                return;
            break;
        case HOP_WANT_WRITE:
            check_wait(&c->check, EV_WRITE);
            return;
        case HOP_WANT_READ:
        case HOP_HELD:
            check_wait(&c->check, EV_READ);
            return;
        case HOP_EOF:
            check_end(&c->check, CHECK_FAILED, "the target closed without an answer");
            return;
        case HOP_FAILED:
            hop_failed(c, "read");
            return;
        }
    }
}

/* True: go on with reading. */
static bool write_request(struct check_http *c)
{
    while (c->sent < c->n_request) {
        size_t put = 0;
        enum hop_status st = hop_write(c->hop, c->request + c->sent, c->n_request - c->sent, &put);

        if (st == HOP_FAILED) {
            hop_failed(c, "write");
            return false;
        }
        if (st != HOP_OK) {
            check_wait(&c->check, st == HOP_WANT_READ ? EV_READ : EV_WRITE);
            return false;
        }
        c->sent += put;
    }
    if (hop_flush(c->hop) == HOP_WANT_WRITE) {
        check_wait(&c->check, EV_WRITE);
        return false;
    }
    return true;
}

static bool is_any(const struct addr *a)
{
    return a->u.sa.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr)
                                         : a->u.in4.sin_addr.s_addr == INADDR_ANY;
}

/* Host is the node's address and the listener's port. Source: NLB guide, "Health checks". */
static int make_request(struct check_http *c)
{
    const struct check_params *p = &c->check.p;
    struct addr node = p->node;
    char host[ADDR_TEXT_MAX];
    int n;

    if (is_any(&node)) {
        node = addr_local(c->check.fd);
        addr_set_port(&node, addr_port(&p->node));
    }
    n = asprintf(&c->request, REQUEST, c->path, addr_format(&node, host));
    if (n < 0)
        c->request = NULL;
    c->n_request = n < 0 ? 0 : (size_t)n;
    return n < 0 ? -1 : 0;
}

static int begin_hop(struct check_http *c)
{
    int fd = c->check.fd;

    if (make_request(c) != 0)
        return -1;
    c->hop = c->check.p.tls == NULL ? hop_tcp_new(fd)
                                    : hop_tls_client_new(fd, c->check.p.tls, NULL, NULL);
    if (c->hop == NULL)
        return -1;
    c->check.fd = -1; /* the hop's now */
    return 0;
}

static void http_ready(struct check *check)
{
    struct check_http *c = (struct check_http *)check;

    if (c->hop == NULL && begin_hop(c) != 0) {
        check_end(check, CHECK_BROKEN, "out of memory");
        return;
    }
    if (!c->secured) {
        enum hop_status st = hop_secure(c->hop);

        if (st == HOP_FAILED || st == HOP_EOF) {
            hop_failed(c, "TLS handshake");
            return;
        }
        if (st != HOP_OK) {
            check_wait(check, st == HOP_WANT_WRITE ? EV_WRITE : EV_READ);
            return;
        }
        c->secured = true;
    }
    if (write_request(c))
        read_answer(c);
}

static void http_clear(struct check *check)
{
    struct check_http *c = (struct check_http *)check;

    hop_free(c->hop, false);
    http_parser_free(c->parser);
    free(c->path);
    free(c->matcher);
    free(c->request);
}

struct check *check_http_start(const struct check_params *p, check_done_cb done, void *arg)
{
    struct check_http *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->parser = http_parser_new(HTTP_KIND_RESPONSE, NULL);
    c->path = strdup(p->path);
    c->matcher = strdup(p->matcher);
    if (c->parser == NULL || c->path == NULL || c->matcher == NULL) {
        http_clear(&c->check);
        free(c);
        return NULL;
    }
    c->check.ready = http_ready;
    c->check.clear = http_clear;
    check_begin(&c->check, p, done, arg);
    return &c->check;
}
