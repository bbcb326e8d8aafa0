/* SPDX-License-Identifier: Apache-2.0
 * What another process says of a listener: the answer of its signpost, and a line of its event
 * file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpclink/far_side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)

static void look(const struct far_side *f)
{
    if (!ENDS(f->listener) || !ENDS(f->events) || !ENDS(f->end_text) || !ENDS(f->target) ||
        !ENDS(f->lacking) || !ENDS(f->served_file) || (unsigned)f->end > END_N)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct far_side answer = { 0 }, event = { 0 };
    char *line = malloc(n + 1), *pem = NULL;

    if (line == NULL)
        return 0;
    if (n > 0)
        memcpy(line, data, n);
    line[n] = '\0';
    if (!far_side_take_answer(line, n, &answer, "lab:public", &pem) && pem != NULL)
        abort();
    look(&answer);
    free(pem);
    if (far_side_take_event(line, "127.0.0.1:40000", &event) != event.joined)
        abort();
    look(&event);
    far_side_clear(&answer);
    far_side_clear(&event);
    free(line);
    return 0;
}
