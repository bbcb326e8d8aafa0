/* SPDX-License-Identifier: Apache-2.0
 * The bytes of the configuration file, and paths that count from where it lies. */
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "nlb/config_impl.h"

#define FILE_MAX ((size_t)1 << 20) /* no configuration is longer */

int config_read_file(const char *path, char **text, size_t *n, struct problems *problems)
{
    struct err err = { 0 };

    *text = file_read(path, FILE_MAX, n, &err);
    if (*text != NULL)
        return 0;
    problems_add(problems, 0, "%s", err.text);
    problems->environment = true;
    return -1;
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
