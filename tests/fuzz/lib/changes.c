/* SPDX-License-Identifier: Apache-2.0
 * A script of changes to the handshake messages of a bench's side. */
#include "tests/fuzz/lib/changes.h"

#define CHANGES_MAX 64

void changes_make(void *changes, uint8_t type, uint8_t *body, size_t *n, size_t room)
{
    struct changes *c = changes;
    struct bytes at = c->script;

    bench_note(0x40000u | (unsigned)c->message << 8 | type);
    for (int i = 0; i < CHANGES_MAX && at.left > 0 && !at.bad; i++) {
        uint8_t which = bytes_u8(&at), nowhere[1];
        size_t none = 0;

        if (which == type || which == (0x80 | c->message))
            (void)bench_edit(&at, body, n, room);
        else
            (void)bench_edit(&at, nowhere, &none, 0);
    }
    c->message = (c->message + 1) & 0x7f;
}
