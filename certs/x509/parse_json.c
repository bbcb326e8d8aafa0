/* SPDX-License-Identifier: Apache-2.0
 * Certificates within JSON: what `aws acm get-certificate`, `aws iam get-server-certificate`, `aws
 * apigateway get-client-certificate` and nlbsim's own `cert client` print. */
#include <jansson.h>
#include <string.h>

#include "certs/x509/parse.h"

#define DEPTH_MAX 8

static int read_value(struct cert_list *list, const json_t *j, unsigned depth, const char *what,
                      struct err *err);

/* Members in the order of the document: the leaf comes before its chain in all of them. */
static int read_object(struct cert_list *list, json_t *j, unsigned depth, const char *what,
                       struct err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach(j, name, value)
    {
        if (read_value(list, value, depth, what, err) != 0)
            return -1;
    }
    return 0;
}

static int read_value(struct cert_list *list, const json_t *j, unsigned depth, const char *what,
                      struct err *err)
{
    const char *text = json_string_value(j);

    if (text != NULL && strstr(text, "-----BEGIN CERTIFICATE-----") != NULL)
        return cert_list_read(list, text, json_string_length(j), what, err);
    if (depth == DEPTH_MAX)
        return 0;
    if (json_is_object(j))
        return read_object(list, (json_t *)(uintptr_t)j, depth + 1, what, err);
    for (size_t i = 0; i < json_array_size(j); i++) {
        if (read_value(list, json_array_get(j, i), depth + 1, what, err) != 0)
            return -1;
    }
    return 0;
}

int cert_list_read_json(struct cert_list *list, const char *text, size_t len, const char *what,
                        struct err *err)
{
    json_error_t why;
    json_t *j = json_loadb(text, len, 0, &why);
    size_t before = list->n;
    int rc;

    if (j == NULL) {
        err_set(err, ERR_FORMAT, "%s:%d: begins like JSON, but %s", what, why.line, why.text);
        return -1;
    }
    rc = read_value(list, j, 0, what, err);
    json_decref(j);
    if (rc == 0 && list->n == before) {
        err_set(err, ERR_FORMAT,
                "%s: is JSON without a certificate in it; aws acm get-certificate and aws iam "
                "get-server-certificate print some that has one",
                what);
        return -1;
    }
    return rc;
}
