/* SPDX-License-Identifier: Apache-2.0
 * The read-only pages of a running load balancer, asked for by any request. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/http.h"
#include "nlb/admin_pages.h"
#include "nlb/nlb.h"
#include "tls/tls_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char text[] = "[nlb]\nworkers = 1\nmetrics = 127.0.0.1:0\n"
                           "[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
                           "[target_group g]\nprotocol = TCP\ntarget = 127.0.0.1:9\n"
                           "health_check_interval_seconds = 300\n";

static struct nlb *nlb;

static void stop(void)
{
    nlb_stop(nlb);
}

static void start(void)
{
    struct problems problems = { 0 };
    struct err err = { 0 };
    struct nlb_config *c =
        nlb_config_parse(text, sizeof text - 1, "fuzz", ".", NULL, 0, true, &problems);

    problems_print(&problems, stderr);
    if (c == NULL || tls_init(&err) != 0 || (nlb = nlb_start(c, &err)) == NULL ||
        atexit(stop) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    nlb_config_unref(c);
}

static void look(const struct admin_page *page)
{
    if (page->body == NULL || page->content_type == NULL || page->status < 200 ||
        page->status > 599 || memchr(page->extra, '\0', sizeof page->extra) == NULL)
        abort();
    if (strcmp(page->content_type, "application/json") == 0) {
        json_t *j = json_loads(page->body, 0, NULL);

        if (j == NULL)
            abort();
        json_decref(j);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct http_limits limits = { .body_bytes = 4096 };
    struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, &limits);
    size_t used;

    if (p == NULL)
        return 0;
    if (nlb == NULL)
        start();
    if (http_parser_feed(p, data, n, &used) == HTTP_DONE) {
        struct admin_page page = admin_page_cb(nlb, http_parser_message(p));

        look(&page);
        free(page.body);
    }
    http_parser_free(p);
    return 0;
}
