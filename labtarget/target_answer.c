/* SPDX-License-Identifier: Apache-2.0
 * What a lab target answers: a JSON description of what it saw (docs/lab-target.md). */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/parse.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/foreign.h"
#include "core/proxy_header.h"
#include "labtarget/target_impl.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

static json_t *address(const struct addr *a)
{
    char host[ADDR_TEXT_MAX];

    if (a->len == 0)
        return json_null();
    return json_pack("{s:s, s:i}", "address", addr_format_host(a, host), "port", (int)addr_port(a));
}

static json_t *hex(const uint8_t *at, size_t n)
{
    char *out = malloc(2 * n + 1);
    json_t *j;

    if (out == NULL)
        return json_null();
    j = json_string(bytes_hex(at, n, out));
    free(out);
    return j;
}

/* --- the PROXY header --- */
json_t *target_describe_proxy(const struct proxy_header *h)
{
    json_t *tlvs = json_array();

    for (size_t i = 0; i < h->n_tlvs; i++) {
        const struct proxy_tlv *t = &h->tlvs[i];
        const char *name = proxy_tlv_name(t->type);

        json_array_append_new(tlvs, json_pack("{s:i, s:o, s:o}", "type", t->type, "name",
                                              foreign_json(name), "value", hex(t->value, t->n)));
    }
    return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "version", (int)h->version, "command",
                     h->local ? "LOCAL" : "PROXY", "family", h->family, "source",
                     address(&h->source), "destination", address(&h->destination), "tlvs", tlvs);
}

/* --- TLS --- */
static json_t *names_of(const struct cert_facts *f)
{
    json_t *names = json_array();
    char name[512];

    for (size_t i = 0; i < f->n_sans; i++)
        json_array_append_new(names,
                              foreign_json(cert_general_name_text(&f->sans[i], name, sizeof name)));
    return names;
}

static void set_time(json_t *object, const char *key, int64_t utc)
{
    char when[24];

    clock_format_utc(utc, when, sizeof when - 1);
    strcat(when, "Z");
    json_object_set_new(object, key, json_string(when));
}

static json_t *client_certificate(const struct tls_facts *facts)
{
    const struct tls_chain *chain = &facts->peer_chain;
    struct cert_facts *f =
        chain->n == 0 ? NULL : cert_facts_new(chain->at[0].der, chain->at[0].len);
    char name[1024], verdict[160];
    json_t *j;

    if (f == NULL)
        return json_null();
    j = json_object();
    json_object_set_new(
        j, "subject", foreign_json(cert_name_text(f->subject, CERT_STYLE_JAVA, name, sizeof name)));
    json_object_set_new(
        j, "issuer", foreign_json(cert_name_text(f->issuer, CERT_STYLE_JAVA, name, sizeof name)));
    json_object_set_new(j, "serial", hex(f->serial.at, f->serial.len));
    json_object_set_new(j, "names", names_of(f));
    set_time(j, "not_before", f->not_before_utc);
    set_time(j, "not_after", f->not_after_utc);
    json_object_set_new(j, "sha256", hex(f->sha256, sizeof f->sha256));
    json_object_set_new(j, "chain_length", json_integer((json_int_t)chain->presented));
    json_object_set_new(j, "verdict",
                        json_string(tls_verify_text(facts->verify_flags, verdict, sizeof verdict)));
    cert_facts_free(f);
    return j;
}

static json_t *tls(const struct conn *c)
{
    const struct tls_facts *facts = hop_tls_facts(c->hop);
    char buf[TLS_NAME_MAX];
    json_t *j;

    if (facts == NULL)
        return json_null();
    j = json_object();
    json_object_set_new(j, "version", json_string(tls_version_text(facts->version, buf)));
    json_object_set_new(j, "cipher", json_string(tls_suite_text(facts->suite, buf)));
    json_object_set_new(j, "group",
                        facts->group == 0 ? json_null()
                                          : json_string(tls_group_text(facts->group, buf)));
    json_object_set_new(j, "sni", foreign_json(facts->offer.sni));
    json_object_set_new(j, "alpn",
                        facts->alpn[0] == '\0' ? json_null() : foreign_json(facts->alpn));
    json_object_set_new(j, "client_certificate", client_certificate(facts));
    return j;
}

/* --- the request --- */
static void add_header(json_t *headers, const struct http_header *h)
{
    char *name = strdup(h->name);
    json_t *there;

    if (name == NULL)
        return;
    for (char *p = name; *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    there = json_object_get(headers, name);
    if (there == NULL) {
        json_object_set_new(headers, name, foreign_json(h->value));
    } else if (json_is_array(there)) {
        json_array_append_new(there, foreign_json(h->value));
    } else {
        json_object_set_new(headers, name, json_pack("[O, o]", there, foreign_json(h->value)));
    }
    free(name);
}

static json_t *describe(const struct conn *c)
{
    const struct http_message *m = http_parser_message(c->parser);
    const struct lab_target *t = c->target;
    json_t *j = json_object(), *headers = json_object();
    char version[8], addr[ADDR_TEXT_MAX];

    for (size_t i = 0; i < m->n_headers; i++)
        add_header(headers, &m->headers[i]);
    snprintf(version, sizeof version, "%u.%u", m->major % 10, m->minor % 10);
    json_object_set_new(j, "target", foreign_json(t->info.name));
    json_object_set_new(j, "protocol", json_string(t->info.protocol));
    json_object_set_new(j, "address", json_string(addr_format(&t->info.addr, addr)));
    json_object_set_new(j, "peer", address(&c->peer));
    json_object_set_new(j, "proxy", c->proxy == NULL ? json_null() : json_incref(c->proxy));
    json_object_set_new(j, "connection", json_integer((json_int_t)c->number));
    json_object_set_new(j, "request", json_integer((json_int_t)c->request));
    json_object_set_new(j, "method", foreign_json(m->method));
    json_object_set_new(j, "path", foreign_json(m->target));
    json_object_set_new(j, "http_version", json_string(version));
    json_object_set_new(j, "host", foreign_json(http_header(m, "host")));
    json_object_set_new(j, "headers", headers);
    json_object_set_new(j, "body_bytes", json_integer((json_int_t)m->body_bytes));
    json_object_set_new(j, "tls", tls(c));
    return j;
}

static int write_json(struct conn *c, json_t *j, struct http_response *r)
{
    char *body = foreign_dumps(j, JSON_INDENT(2));
    char *line = NULL;
    int rc = -1;

    json_decref(j);
    if (body != NULL && asprintf(&line, "%s\n", body) >= 0) {
        r->content_type = "application/json";
        r->extra = "Server: nlbsim-lab-target\r\n";
        r->body = line;
        r->n = strlen(line);
        rc = http_write_response(c->out, r);
        free(line);
    }
    free(body);
    return rc;
}

int target_answer(struct conn *c, unsigned status)
{
    const struct http_message *m = http_parser_message(c->parser);
    struct http_response r = {
        .status = status,
        .close = !m->keep_alive,
        .keep = m->keep_alive && m->minor == 0,
        .head_only = strcmp(m->method, "HEAD") == 0,
    };

    return write_json(c, describe(c), &r);
}

int target_answer_error(struct conn *c, unsigned status, const char *why)
{
    struct http_response r = { .status = status, .close = true };

    return write_json(c,
                      json_pack("{s:s, s:i, s:s}", "target", c->target->info.name, "status",
                                (int)status, "error", why),
                      &r);
}
