/* SPDX-License-Identifier: Apache-2.0
 * The matrix as one JSON document; docs/matrix.md names the fields. */
#include <jansson.h>

#include "core/foreign.h"
#include "matrix/matrix.h"

static json_t *scenario(const struct scenario_result *r)
{
    const struct integration_cfg *g = r->integration;
    json_t *j = json_object();
    char expected[1024];

    json_object_set_new(j, "id", foreign_json(g->obj.name));
    json_object_set_new(j, "ok", r->acted ? json_boolean(r->passed) : json_null());
    json_object_set_new(j, "title", foreign_json(g->title));
    json_object_set_new(j, "file", foreign_json(r->file->path));
    json_object_set_new(j, "line", json_integer(g->obj.line));
    json_object_set_new(j, "expected", foreign_json(report_expected(g, expected, sizeof expected)));
    json_object_set_new(j, "got", r->ok ? json_string("ok") : foreign_json(r->error));
    json_object_set_new(j, "missed", foreign_json(r->missed));
    json_object_set_new(j, "hop", foreign_json(r->hop));
    json_object_set_new(j, "status", r->acted ? json_integer((json_int_t)r->status) : json_null());
    json_object_set_new(j, "verdict", foreign_json(r->verdict));
    json_object_set_new(j, "not_acted", foreign_json(g->not_acted));
    json_object_set_new(j, "evidence", foreign_json(report_evidence(g->evidence)));
    json_object_set_new(j, "text_evidence", foreign_json(r->evidence));
    json_object_set_new(j, "source", foreign_json(g->source));
    json_object_set_new(j, "listener", foreign_json(r->hops.listener_protocol));
    json_object_set_new(j, "listener_presents", foreign_json(r->hops.listener_presents));
    json_object_set_new(j, "target", foreign_json(r->hops.target_protocol));
    json_object_set_new(j, "target_presents", foreign_json(r->hops.target_presents));
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
    rc = foreign_dumpf(j, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    json_decref(j);
    return rc == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
