/* SPDX-License-Identifier: Apache-2.0
 * Keys of the configuration file as rows of a table: name, kind, place in the struct, range,
 * default, help, source, and whether this build acts it out. Parsing, defaults, `check -v` and
 * docs/configuration.md all come from the row. */
#ifndef CORE_CFG_KEY_H
#define CORE_CFG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/problems.h"

/* What each section's struct begins with. */
struct cfg_object {
    const char *name;     /* NAME of "[listener NAME]"; "" for a section without name */
    int line;             /* of the section header; 0: the section is not in the file */
    const int *key_lines; /* per row of the kind's table: line where given (first), 0: not given */
    const struct cfg_key *keys;
    size_t n_keys;
};

enum cfg_kind {
    CFG_TEXT,    /* const char *; NULL without default */
    CFG_BOOL,    /* bool; true or false */
    CFG_UINT,    /* uint64_t in min..max */
    CFG_SECONDS, /* uint64_t of milliseconds, written as whole seconds in min..max */
    CFG_ENUM,    /* an enum, by `choices` */
    CFG_ADDR,    /* struct addr */
    CFG_CUSTOM,  /* parse_cb writes it */
};

struct cfg_choice {
    const char *text; /* NULL ends the list */
    int value;
    const char *refused; /* NULL: fine; otherwise the reason why this value is refused */
};

/* What a parse_cb gets. */
struct cfg_value {
    const char *key;
    const char *text; /* trimmed, never empty; lives only during the call */
    int line;
    struct arena *arena;       /* where the configuration lives */
    struct problems *problems; /* where refusals go */
};

struct cfg_key {
    const char *name;
    enum cfg_kind kind;
    size_t offset; /* offsetof the field in the section's struct */
    bool repeated; /* may be given more than once (CFG_CUSTOM only) */
    bool required;
    uint64_t min, max;
    const struct cfg_choice *choices;
    /* CFG_CUSTOM: parse into the object; 0, or -1 after problems_add(). CFG_TEXT: NULL, or a check
     * of the text (0, or -1 after problems_add()). */
    int (*parse_cb)(void *object, const struct cfg_value *value);
    const char *def; /* default, as it would be written; NULL: none */
    /* NULL: built. Otherwise this build does not act the key out: the one value that describes
     * what it does anyway and is accepted ("" when there is none), any other is refused. */
    const char *only;
    const char *values; /* for people: "60-6000 (seconds)"; NULL: follows from kind and choices */
    const char *help;
    const char *source;
};

/* Set every default of a fresh (zeroed) object. -1 when memory is out. */
int cfg_defaults(void *object, const struct cfg_key *keys, size_t n, struct arena *arena);
/* Parse one "key = value" into the object. 0, or -1 after problems_add(). `section` for messages.
 * `key_lines` (n entries) notes the line and finds duplicates. */
int cfg_set(void *object, const char *section, const struct cfg_key *keys, size_t n, int *key_lines,
            const struct cfg_value *value);
/* Report the required keys that are missing. */
void cfg_require(const struct cfg_object *object, const char *section, struct problems *problems);
/* Line where `key` was given; 0 when it was not. */
int cfg_line(const struct cfg_object *object, const char *key);
/* The row of a key; NULL when there is none. */
const struct cfg_key *cfg_find(const struct cfg_key *keys, size_t n, const char *name);
/* The values that a row takes, for people ("TLS, TCP", "0-999"); into `out`; returns `out`. */
const char *cfg_values(const struct cfg_key *key, char *out, size_t size);

#endif
