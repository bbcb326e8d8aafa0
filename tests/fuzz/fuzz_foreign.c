/* SPDX-License-Identifier: Apache-2.0
 * Text from outside, written for every place: nothing harmful is left, whatever the octets. The
 * first octet is the room that there is. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Whole characters, none of them harmful but for those in `kept`. */
static void harmless(const char *s, size_t n, const char *kept)
{
    while (n > 0) {
        uint32_t c;
        size_t took = foreign_next(s, n, &c);

        if (took == 0 || took > n || c == UINT32_MAX)
            abort();
        if (foreign_is_harmful(c) && (c == 0 || c >= 0x80 || strchr(kept, (int)c) == NULL))
            abort();
        s += took;
        n -= took;
    }
}

static void json(const char *s, size_t n)
{
    json_t *j = foreign_json_n(s, n), *again;
    char *text = j == NULL ? NULL : foreign_dumps(j, JSON_ENCODE_ANY);

    if (text == NULL)
        abort();
    harmless(text, strlen(text), "");
    again = json_loads(text, JSON_DECODE_ANY, NULL);
    if (again == NULL || !json_equal(j, again))
        abort();
    json_decref(again);
    json_decref(j);
    free(text);
}

static void streams(const char *text)
{
    static char shown[65536];
    FILE *out = fmemopen(shown, sizeof shown, "w");

    if (out == NULL)
        abort();
    foreign_put(out, text);
    foreign_put_markup(out, text);
    foreign_put_lines(out, text, strlen(text));
    foreign_printf(out, "%s\n", text);
    fclose(out);
    harmless(shown, strlen(shown), "\n\t");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t room = n == 0 ? 0 : data[0];
    char line[4096], *text;

    if (n == 0 || n > 2048 || (text = malloc(n)) == NULL)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    if (room > 0 && foreign_line(line, room, text, n - 1) >= room)
        abort();
    harmless(line, room > 0 ? strlen(line) : 0, "");
    json(text, n - 1);
    streams(text);
    foreign_clean(text, n);
    harmless(text, strlen(text), "");
    free(text);
    return 0;
}
