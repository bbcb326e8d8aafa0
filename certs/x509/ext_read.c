/* SPDX-License-Identifier: Apache-2.0
 * The shell of an extension's value: what the readers of single extensions share. */
#include "certs/x509/parse_ext.h"

const char *ext_whole(struct der_span value, struct der *out)
{
    const char *why = der_next(&value, out);

    if (why != NULL)
        return why;
    return value.len == 0 ? NULL : "java.io.IOException: extra data at the end";
}

const char *ext_sequence(struct der_span value, struct der_span *body)
{
    struct der d;
    const char *why = ext_whole(value, &d);

    if (why != NULL)
        return why;
    *body = d.body;
    return d.tag == DER_SEQUENCE ? NULL : "java.io.IOException: Invalid encoding of an extension";
}
