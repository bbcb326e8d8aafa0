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

struct cfg_key;

/* One line of a section, as the user wrote it. */
struct cfg_given {
    const struct cfg_key *key;
    const char *text;
    int line;
};

/* What each section's struct begins with. */
struct cfg_object {
    const char *name;        /* NAME of "[listener NAME]"; "" for a section without name */
    int line;                /* of the section header; 0: the section is not in the file */
    struct cfg_given *given; /* in file order; keys that are not here have their default */
    size_t n_given;
    const struct cfg_key *keys; /* the whole table of the section */
};

enum cfg_kind {
    CFG_TEXT,    /* const char *; NULL without default */
    CFG_BOOL,    /* bool; true or false */
    CFG_UINT,    /* uint64_t in min..max, or the word in `choices` ("off") for its value */
    CFG_SECONDS, /* uint64_t of milliseconds, written as whole seconds in min..max */
    CFG_ENUM,    /* an enum, by `choices` */
    CFG_ADDR,    /* struct addr */
    CFG_CUSTOM,  /* parse_cb writes it */
};

/* Files that a key names, which a confined process must still reach (nlb_config_files()). */
enum cfg_file {
    CFG_NO_FILE,
    CFG_FILE_READ,
    CFG_FILE_WRITE, /* or a directory in which files are made */
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

/* A row; a table ends with a row without name. */
struct cfg_key {
    const char *name;
    enum cfg_kind kind;
    size_t offset; /* offsetof the field in the section's struct */
    bool repeated; /* may be given more than once (CFG_CUSTOM only) */
    bool required;
    bool restart;       /* the process's own: a reload does not change it */
    enum cfg_file file; /* does it name a file? */
    uint64_t min, max;
    const struct cfg_choice *choices;
    /* CFG_CUSTOM: parse into the object; 0, or -1 after problems_add(). CFG_TEXT: NULL, or a check
     * of the text (0, or -1 after problems_add()). */
    int (*parse_cb)(void *object, const struct cfg_value *value);
    const char
        *with; /* the key is only for objects whose `with_key` is one of these words; NULL: all */
    const char *with_key; /* NULL: "protocol" */
    const char *why;      /* why it is refused for others; NULL: that says enough */
    const char *def;      /* default, as it would be written; NULL: none */
    struct {
        const char *key, *value, *def; /* the default where `key` has that value */
    } other;                           /* all NULL: none */
    /* NULL: built. Otherwise this build does not act the key out: the one value that describes
     * what it does anyway and is accepted ("" when there is none), any other is refused. */
    const char *only;
    const char *values; /* for people: "60-6000 (seconds)"; NULL: follows from kind and choices */
    const char *help;
    const char *source;
    const char *mistaken; /* other names that people try for it, blank-separated; NULL: none */
};

/* Give a fresh (zeroed) object its name, its line and every default. `object` begins with a struct
 * cfg_object. -1 when memory is out. */
int cfg_begin(void *object, const char *name, int line, const struct cfg_key *keys,
              struct arena *arena);
/* Parse "key = text" into the object and note that it was given. 0, or -1 after problems_add()
 * (unknown key, bad value, given twice, not supported yet). */
int cfg_set(void *object, const struct cfg_value *value);
/* Report the required keys that are missing; `section` is "[listener https]" for messages. */
void cfg_require(const struct cfg_object *object, const char *section, struct problems *problems);
/* Report the keys that are not for the object's protocol (or other `with_key`). */
void cfg_check_protocol(const struct cfg_object *object, const char *section,
                        struct problems *problems);
/* Is the key one for the object as it is? */
bool cfg_applies(const struct cfg_object *object, const struct cfg_key *key);
/* Line where `key` was given; 0 when it was not. */
int cfg_line(const struct cfg_object *object, const char *key);
/* The row of a key; NULL when there is none. */
const struct cfg_key *cfg_find(const struct cfg_key *keys, const char *name);
/* Have the two objects of one table the same value? */
bool cfg_same(const struct cfg_key *key, const void *a, const void *b);
/* Default of a key of the object as it is; NULL: none. */
const char *cfg_default(const struct cfg_object *object, const struct cfg_key *key);
/* Text of the value in effect: the last one given, the default, or NULL when there is neither. */
const char *cfg_text(const struct cfg_object *object, const char *key);
/* Digits only, min..max. 0, or -1. */
int cfg_parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* The values that a row takes, for people ("TLS, TCP", "0-999"); into `out`; returns `out`. */
const char *cfg_values(const struct cfg_key *key, char *out, size_t size);

#endif
