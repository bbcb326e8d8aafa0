/* SPDX-License-Identifier: Apache-2.0
 * Event lines from anywhere: explained, printed, written as JSON. */
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct explain *x = explain_new(NULL);
    FILE *out = fopen("/dev/null", "w");
    const struct story *story;
    char *json;

    if (x == NULL || out == NULL)
        abort();
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t n = end == NULL ? size : (size_t)(end - data);

        (void)explain_line(x, (const char *)data, n, &story);
        n += end != NULL;
        data += n;
        size -= n;
    }
    explain_print(x, out);
    json = explain_json(x);
    if (json == NULL)
        abort();
    free(json);
    fclose(out);
    explain_free(x);
    return 0;
}
