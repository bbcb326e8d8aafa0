/* SPDX-License-Identifier: Apache-2.0
 * The scenario catalogue and the demo, embedded in the binary: scenarios/<family>.ini as they are
 * in the tree. */
#ifndef MATRIX_CATALOGUE_H
#define MATRIX_CATALOGUE_H

#include <stddef.h>

struct catalogue_file {
    const char *path; /* "scenarios/a-tls-listener.ini" */
    const char *text; /* not NUL-terminated */
    size_t n;
};

/* Sets *n; order of the table. */
const struct catalogue_file *catalogue_files(size_t *n);
/* scenarios/demo.ini, which is no part of the catalogue. */
struct catalogue_file catalogue_demo(void);

#endif
