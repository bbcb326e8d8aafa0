/* SPDX-License-Identifier: Apache-2.0
 * Requests and responses of a connection to a lab target. */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "labtarget/target_impl.h"

#define WRITE_CHUNK 16384
#define SLOW_CHUNK  16 /* fault slow-response */

static enum hop_status answer(struct conn *c)
{
    const struct http_message *m = http_parser_message(c->parser);
    int rc;

    c->request++;
    fault_act_at(c, FAULT_REQUEST, NULL);
    c->then = m->keep_alive ? CONN_READ : CONN_END;
    c->stage = CONN_WRITE;
    rc = target_answer(c, c->fault.status == 0 ? 200 : c->fault.status);
    if (rc == 0 && fault_applies(c, FAULT_RESPONSE))
        c->fault.cut_left = evbuffer_get_length(c->out) / 2;
    http_parser_next(c->parser);
    c->continued = false;
    return rc == 0 ? HOP_OK : HOP_FAILED;
}

static enum hop_status bad_request(struct conn *c)
{
    const char *why;
    unsigned status = http_parser_error(c->parser, &why);

    c->stage = CONN_WRITE;
    c->then = CONN_END;
    return target_answer_error(c, status, why) == 0 ? HOP_OK : HOP_FAILED;
}

static enum hop_status keep_left(struct conn *c, const uint8_t *at, size_t n)
{
    uint8_t *copy = n == 0 ? NULL : malloc(n);

    if (n > 0 && copy == NULL)
        return HOP_FAILED;
    if (n > 0)
        memcpy(copy, at, n);
    free(c->left);
    c->left = copy;
    c->n_left = n;
    return HOP_OK;
}

static enum hop_status took(struct conn *c, const uint8_t *data, size_t n)
{
    size_t used;
    enum http_progress progress;

    c->idle = ACT_NONE;
    progress = http_parser_feed(c->parser, data, n, &used);

    if (progress == HTTP_BAD)
        return bad_request(c);
    if (keep_left(c, data + used, n - used) != HOP_OK)
        return HOP_FAILED;
    if (progress == HTTP_DONE)
        return answer(c);
    if (http_parser_message(c->parser)->expects && !c->continued) {
        c->continued = true;
        evbuffer_add_printf(c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        c->stage = CONN_WRITE;
        c->then = CONN_READ;
    }
    return HOP_OK;
}

enum hop_status conn_stage_read(struct conn *c)
{
    size_t n = 0;
    enum hop_status st;

    if (c->n_left > 0)
        return took(c, c->left, c->n_left);
    st = hop_read(c->hop, c->set->scratch, TARGET_SCRATCH, &n);
    if (st == HOP_OK)
        return took(c, c->set->scratch, n);
    if (st == HOP_EOF) {
        c->stage = CONN_END;
        return HOP_OK;
    }
    if (st == HOP_FAILED && c->act == ACT_NONE) {
        struct hop_failure f;

        c->hop->ops->failure(c->hop, &f);
        conn_log_end(c, "read");
        c->stage = CONN_END;
        return f.cause == HOP_CAUSE_RESET ? HOP_FAILED : HOP_OK;
    }
    return st == HOP_FAILED ? HOP_OK : st;
}

static enum hop_status written(struct conn *c)
{
    enum hop_status st = hop_flush(c->hop);

    if (st != HOP_OK)
        return st;
    c->stage = c->then;
    if (c->stage == CONN_READ && c->request > 0 && !c->continued)
        fault_act_at(c, FAULT_IDLE, NULL);
    return HOP_OK;
}

/* How much of the response may go now. */
static size_t portion(const struct conn *c)
{
    size_t n = evbuffer_get_length(c->out);

    if (n > WRITE_CHUNK)
        n = WRITE_CHUNK;
    if (c->fault.slow_ms > 0 && n > SLOW_CHUNK)
        n = SLOW_CHUNK;
    if (c->fault.cut_left > 0 && n > c->fault.cut_left)
        n = c->fault.cut_left;
    return n;
}

enum hop_status conn_stage_write(struct conn *c)
{
    const void *data = evbuffer_pullup(c->out, -1);
    size_t n = portion(c), put = 0;
    enum hop_status st;

    if (n == 0)
        return written(c);
    st = hop_write(c->hop, data, n, &put);
    if (st != HOP_OK)
        return st;
    evbuffer_drain(c->out, put);
    if (c->fault.slow_ms > 0) {
        c->act = ACT_WAIT;
        c->wait_ms = c->fault.slow_ms;
    }
    if (c->fault.cut_left > 0) {
        c->fault.cut_left -= put;
        if (c->fault.cut_left == 0) {
            (void)hop_flush(c->hop);
            fault_act_at(c, FAULT_RESPONSE, NULL);
        }
    }
    return HOP_OK;
}
