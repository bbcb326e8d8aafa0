/* SPDX-License-Identifier: Apache-2.0
 * Verdicts as JSON, and cases as JSON lines: {"id","chain":[pem…],"trust":[pem…],"host","time"}. */
#include "cli/validate_json.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/foreign.h"

/* "+02:00" at the end: seconds east of Greenwich, and the text without it. */
static int64_t cut_offset(char *text)
{
    size_t n = strlen(text);
    int hour, minute;
    char sign;

    if (n < 17 || strchr(text, 'T') == NULL ||
        sscanf(text + n - 6, "%c%2d:%2d", &sign, &hour, &minute) != 3 ||
        (sign != '+' && sign != '-'))
        return 0;
    text[n - 6] = '\0';
    return (sign == '-' ? -1 : 1) * (hour * 3600 + minute * 60);
}

int validate_time(const char *text, int64_t now_s, int64_t *out_s)
{
    char plain[64], *dot;
    int64_t offset;

    if (clock_parse_utc(text, now_s, out_s) == 0)
        return 0;
    if (strlen(text) >= sizeof plain)
        return -1;
    strcpy(plain, text);
    if (plain[0] != '\0' && plain[strlen(plain) - 1] == 'Z')
        plain[strlen(plain) - 1] = '\0';
    offset = cut_offset(plain);
    dot = strchr(plain, '.');
    if (dot != NULL && dot[1 + strspn(dot + 1, "0123456789")] == '\0')
        *dot = '\0';
    if (clock_parse_utc(plain, now_s, out_s) != 0)
        return -1;
    *out_s -= offset;
    return 0;
}

static json_t *alert(int number)
{
    return number < 0 ? json_null() : json_integer(number);
}

int validate_diagnose(const struct judged_chain *j, struct diagnosis *out)
{
    struct facts *f = judged_facts(j);
    int rc = f == NULL ? -1 : diagnose(f, out);

    facts_free(f);
    return rc;
}

void validate_print_json(const json_t *id, const struct judged_chain *j, FILE *out)
{
    const struct verdict *v = j->verdict;
    struct diagnosis d = { NULL, 0 };
    char *sentence = validate_diagnose(j, &d) == 0 ? diagnosis_text(&d) : NULL;
    json_t *o = json_object();

    if (id != NULL)
        json_object_set(o, "id", (json_t *)(uintptr_t)id); /* takes a reference of its own */
    json_object_set_new(o, "ok", json_boolean(v->ok));
    json_object_set_new(o, "error", v->ok ? json_null() : foreign_json(v->error));
    json_object_set_new(o, "code", json_string(verdict_name(v->code)));
    json_object_set_new(o, "detail", v->detail[0] != '\0' ? foreign_json(v->detail) : json_null());
    json_object_set_new(o, "certificate", v->index >= 0 ? json_integer(v->index) : json_null());
    json_object_set_new(o, "anchor", json_boolean(v->is_anchor));
    json_object_set_new(
        o, "alert",
        json_pack("{s:o,s:o}", "tls12", alert(v->alert_tls12), "tls13", alert(v->alert_tls13)));
    json_object_set_new(o, "verdict", foreign_json(sentence));
    json_object_set_new(o, "cause", json_string(d.n > 0 ? d.at[0].id : ""));
    json_object_set_new(o, "change", foreign_json(d.n > 0 ? d.at[0].change : ""));
    json_object_set_new(o, "evidence", json_string(v->evidence));
    json_object_set_new(o, "source", json_string(v->source));
    foreign_dumpf(o, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(o);
    free(sentence);
    diagnosis_clear(&d);
}

/* --- cases --- */
/* A block with nothing in it: a certificate of no octets. */
static bool is_empty_block(const char *pem)
{
    const char *p = strstr(pem, "-----BEGIN CERTIFICATE-----");

    if (p == NULL)
        return false;
    p += strlen("-----BEGIN CERTIFICATE-----");
    return strncmp(p + strspn(p, " \t\r\n"), "-----END", 8) == 0;
}

/* What cannot even be decoded stands in the list as a certificate that cannot be read. */
static int add_text(struct cert_list *list, const json_t *item)
{
    struct cert_facts *broken;
    struct err err;

    if (!json_is_string(item))
        return -1;
    if (cert_list_read(list, json_string_value(item), json_string_length(item), "case", &err) == 0)
        return 0;
    broken = cert_facts_new("?", is_empty_block(json_string_value(item)) ? 0 : 1);
    if (broken == NULL || cert_list_take(list, broken, &err) != 0) {
        cert_facts_free(broken);
        return -1;
    }
    return 0;
}

static int add_all(struct cert_list *list, const json_t *value)
{
    size_t i;
    json_t *item;

    if (value == NULL || json_is_null(value))
        return 0;
    if (json_is_string(value))
        return add_text(list, value);
    if (!json_is_array(value))
        return -1;
    json_array_foreach(value, i, item)
    {
        if (add_text(list, item) != 0)
            return -1;
    }
    return 0;
}

static int case_time(const json_t *value, int64_t *at)
{
    if (value == NULL || json_is_null(value))
        return 0;
    if (json_is_number(value)) {
        *at = (int64_t)json_number_value(value);
        return 0;
    }
    return json_is_string(value) ? validate_time(json_string_value(value), *at, at) : -1;
}

bool validate_tls12(const struct trust_request *req)
{
    return req->client == TRUST_APACHE;
}

static const char *judge_case(const struct validate_settings *settings, const json_t *c, FILE *out)
{
    struct trust_request req = settings->request;
    struct cert_list chain = { NULL, 0 }, anchors = { NULL, 0 };
    struct trust_anchors *trust = NULL;
    const char *problem = NULL, *tls = json_string_value(json_object_get(c, "tls"));
    bool tls12 = tls != NULL ? strcmp(tls, "1.2") == 0 : validate_tls12(&req);
    struct verdict v;

    if (json_is_string(json_object_get(c, "host")))
        req.host = json_string_value(json_object_get(c, "host"));
    if (add_all(&chain, json_object_get(c, "chain")) != 0)
        problem = "\"chain\" is not a list of PEM texts";
    else if (add_all(&anchors, json_object_get(c, "trust")) != 0)
        problem = "\"trust\" is not a list of PEM texts";
    else if (case_time(json_object_get(c, "time"), &req.at_utc) != 0)
        problem = "\"time\" is not a time";
    else if ((trust = trust_anchors_new(anchors.at, anchors.n, settings->public_authorities)) ==
             NULL)
        problem = "out of memory";
    if (problem == NULL) {
        req.chain = chain.at;
        req.chain_len = chain.n;
        req.anchors = trust;
        req.tls12 = tls12;
        trust_judge(&req, &v);
        validate_print_json(
            json_object_get(c, "id"),
            &(struct judged_chain){ .verdict = &v, .request = &req, .anchors = &anchors }, out);
    }
    trust_anchors_free(trust);
    cert_list_clear(&anchors);
    cert_list_clear(&chain);
    return problem;
}

/* Said where the verdicts are, too: a reader of the stream waits for an answer to each line. */
static void print_unreadable(const json_t *c, size_t number, const char *problem, FILE *out)
{
    const json_t *id = json_object_get(c, "id");
    json_t *o =
        json_pack("{s:O?, s:b, s:o, s:s, s:I}", "id", id, "ok", 0, "error", foreign_json(problem),
                  "code", "UNREADABLE_CASE", "line", (json_int_t)number);

    foreign_dumpf(o, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(o);
    foreign_printf(stderr, "nlbsim validate: line %zu: %s\n", number, problem);
}

static bool blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

int validate_stream(const struct validate_settings *settings, FILE *in, FILE *out)
{
    char *line = NULL;
    size_t size = 0, number = 0;
    int rc = 0;

    while (getline(&line, &size, in) >= 0) {
        json_error_t bad;
        json_t *c;
        const char *problem;
        char why[256];

        number++;
        if (blank(line))
            continue;
        c = json_loads(line, 0, &bad);
        problem = json_is_object(c) ? judge_case(settings, c, out) : "not a JSON object";
        if (problem != NULL) {
            snprintf(why, sizeof why, "%s%s%s", problem, c == NULL ? ": " : "",
                     c == NULL ? bad.text : "");
            print_unreadable(c, number, why, out);
            rc = 2;
        }
        json_decref(c);
        fflush(out);
    }
    free(line);
    if (ferror(in) || fflush(out) != 0)
        rc = 3;
    return rc;
}
