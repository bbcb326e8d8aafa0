/* SPDX-License-Identifier: Apache-2.0
 * All that is wrong with one file, line by line, reported in one go. */
#include "core/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"

static bool known(const struct problems *p, int line, const char *text)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].line == line && strcmp(p->v[i].text, text) == 0)
            return true;
    }
    return false;
}

void problems_add(struct problems *p, int line, const char *fmt, ...)
{
    char text[1024];
    struct problem *slot;
    const char *copy;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    foreign_clean(text, sizeof text);
    if (known(p, line, text))
        return;
    if (p->n == PROBLEMS_MAX) {
        p->more++;
        return;
    }
    copy = arena_strdup(&p->arena, text);
    slot = copy == NULL ? NULL : arena_append(&p->arena, &p->v, &p->n, sizeof *p->v);
    if (slot == NULL) {
        p->environment = true;
        return;
    }
    *slot = (struct problem){ .line = line, .text = copy };
}

void problems_sort(struct problems *p)
{
    /* Insertion sort: stable, and the list is nearly sorted as it comes. */
    for (size_t i = 1; i < p->n; i++) {
        struct problem moving = p->v[i];
        size_t j = i;

        for (; j > 0 && p->v[j - 1].line > moving.line; j--)
            p->v[j] = p->v[j - 1];
        p->v[j] = moving;
    }
}

void problems_print(const struct problems *p, FILE *out)
{
    char path[1024]; /* of an audited directory it is somebody's */

    foreign_line(path, sizeof path, p->path, strlen(p->path));
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].line > 0)
            fprintf(out, "%s:%d: %s\n", path, p->v[i].line, p->v[i].text);
        else
            fprintf(out, "%s: %s\n", path, p->v[i].text);
    }
    if (p->more > 0)
        fprintf(out, "%s: and %zu problems more\n", path, p->more);
    if (p->n == 0 && p->environment)
        fprintf(out, "%s: out of memory\n", path);
}

int problems_exit_status(const struct problems *p)
{
    if (p->environment)
        return 3;
    return p->n > 0 ? 2 : 0;
}

void problems_clear(struct problems *p)
{
    arena_clear(&p->arena);
    *p = (struct problems){ .path = p->path };
}
