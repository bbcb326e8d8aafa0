/* SPDX-License-Identifier: Apache-2.0
 * Revocation lists in PEM or DER: described, or refused with a reason. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certs/audit/describe.h"
#include "core/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1), *shown;
    struct err err = { 0 };
    json_t *json;

    if (text == NULL)
        return 0;
    if (n > 0)
        memcpy(text, data, n);
    text[n] = '\0';
    json = crl_describe(text, n, "fuzz", &err);
    shown = json == NULL ? NULL : foreign_dumps(json, 0);
    if (json == NULL ? err.text[0] == '\0' : shown == NULL)
        abort();
    free(shown);
    json_decref(json);
    free(text);
    return 0;
}
