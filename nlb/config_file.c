/* SPDX-License-Identifier: Apache-2.0
 * The bytes of the configuration file, and paths that count from where it lies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nlb/config_impl.h"

#define FILE_MAX ((size_t)1 << 20) /* no configuration is longer; a device file may be endless */

static int refuse_file(struct problems *problems, const char *why)
{
    problems_add(problems, 0, "%s", why);
    problems->environment = true;
    return -1;
}

static int read_all(FILE *f, char **text, size_t *n, struct problems *problems)
{
    size_t room = 0;

    *text = NULL;
    *n = 0;
    for (;;) {
        size_t got;

        if (*n == room) {
            char *more;

            room = room == 0 ? 16384 : room * 2;
            more = room > FILE_MAX ? NULL : realloc(*text, room);
            if (more == NULL)
                return refuse_file(problems,
                                   room > FILE_MAX ? "longer than 1 MiB" : "out of memory");
            *text = more;
        }
        got = fread(*text + *n, 1, room - *n, f);
        *n += got;
        if (got == 0)
            return ferror(f) ? refuse_file(problems, strerror(errno)) : 0;
    }
}

int config_read_file(const char *path, char **text, size_t *n, struct problems *problems)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    int rc;

    *text = NULL;
    if (f == NULL)
        return refuse_file(problems, strerror(errno));
    rc = read_all(f, text, n, problems);
    if (f != stdin)
        fclose(f);
    if (rc != 0) {
        free(*text);
        *text = NULL;
    }
    return rc;
}

int nlb_config_path(const struct nlb_config *config, const char *file, char *out, size_t size)
{
    int n;

    if (file[0] == '/' || strcmp(file, "-") == 0)
        n = snprintf(out, size, "%s", file);
    else
        n = snprintf(out, size, "%s/%s", config->dir, file);
    return n >= 0 && (size_t)n < size ? 0 : -1;
}
