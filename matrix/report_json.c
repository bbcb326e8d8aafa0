/* SPDX-License-Identifier: Apache-2.0
 * The matrix as one JSON document; docs/matrix.md names the fields. */
#include <jansson.h>

#include "matrix/matrix.h"

static json_t *text_or_null(const char *s)
{
    return s == NULL ? json_null() : json_string(s);
}

static json_t *scenario(const struct scenario_result *r)
{
    const struct integration_cfg *g = r->integration;
    json_t *j = json_object();
    char expected[1024];

    json_object_set_new(j, "id", json_string(g->obj.name));
    json_object_set_new(j, "ok", r->acted ? json_boolean(r->passed) : json_null());
    json_object_set_new(j, "title", text_or_null(g->title));
    json_object_set_new(j, "file", json_string(r->file->path));
    json_object_set_new(j, "line", json_integer(g->obj.line));
    json_object_set_new(j, "expected", json_string(report_expected(g, expected, sizeof expected)));
    json_object_set_new(j, "got", r->ok ? json_string("ok") : text_or_null(r->error));
    json_object_set_new(j, "missed", text_or_null(r->missed));
    json_object_set_new(j, "hop", text_or_null(r->hop));
    json_object_set_new(j, "status", r->acted ? json_integer((json_int_t)r->status) : json_null());
    json_object_set_new(j, "verdict", text_or_null(r->verdict));
    json_object_set_new(j, "not_acted", text_or_null(g->not_acted));
    json_object_set_new(j, "evidence", text_or_null(report_evidence(g->evidence)));
    json_object_set_new(j, "text_evidence", text_or_null(r->evidence));
    json_object_set_new(j, "source", text_or_null(g->source));
    json_object_set_new(j, "listener", json_string(r->hops.listener_protocol));
    json_object_set_new(j, "listener_presents", json_string(r->hops.listener_presents));
    json_object_set_new(j, "target", json_string(r->hops.target_protocol));
    json_object_set_new(j, "target_presents", json_string(r->hops.target_presents));
    json_object_set_new(j, "insecure_skip_verification",
                        json_boolean(g->insecure_skip_verification));
    json_object_set_new(j, "ms", json_real(r->ms));
    return j;
}

int report_json(const struct matrix *m, FILE *out)
{
    json_t *list = json_array();
    json_t *j = json_object();
    int rc;

    for (size_t i = 0; i < m->n_results; i++)
        json_array_append_new(list, scenario(&m->results[i]));
    json_object_set_new(j, "passed", json_integer((json_int_t)m->passed));
    json_object_set_new(j, "failed", json_integer((json_int_t)m->failed));
    json_object_set_new(j, "not_acted", json_integer((json_int_t)m->listed));
    json_object_set_new(j, "ms", json_real(m->ms));
    json_object_set_new(j, "scenarios", list);
    rc = json_dumpf(j, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    json_decref(j);
    return rc == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
