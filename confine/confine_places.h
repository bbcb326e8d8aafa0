/* SPDX-License-Identifier: Apache-2.0
 * The places that a confined process may use, collected before it is confined. */
#ifndef CONFINE_CONFINE_PLACES_H
#define CONFINE_CONFINE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct confine_place {
    char *path; /* resolved: a directory with all that is beneath it, or a device */
    bool write;
};

struct confine_places {
    struct confine_place *at;
    size_t n;
};

struct confine_places *confine_places_new(void); /* NULL: memory */
/*
 * May be read, and with `write` also be written, made and removed: the whole directory that holds
 * the file `path` (or that `path` is), for files are replaced by others of their name. Where links
 * lead to it, what they point at, too. What does not exist is skipped, but for its nearest folder
 * that does when it is to be written. 0; -1 when memory is out.
 */
int confine_place(struct confine_places *places, const char *path, bool write);
void confine_places_free(struct confine_places *places);
/* Is `path`, which need not exist, in one of them? With `write`: one that may be written. */
bool confine_holds(const struct confine_places *places, const char *path, bool write);

#endif
