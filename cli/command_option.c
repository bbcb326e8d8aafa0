/* SPDX-License-Identifier: Apache-2.0
 * The rows of a command's table, and how each is written for people. */
#include <string.h>

#include "cli/command.h"

const struct command_option *command_options(const struct command *c)
{
    static const struct command_option none[] = { { .name = NULL } };

    if (c->options_cb != NULL)
        return c->options_cb();
    return c->options == NULL ? none : c->options;
}

const char *option_form(const struct command_option *o, char *out, size_t size)
{
    size_t used = o->letter == '\0' ? 0 : (size_t)snprintf(out, size, "-%c, ", o->letter);
    const char *space = o->kind == OPTION_FLAG ? "" : " ";

    used += (size_t)snprintf(out + used, size - used, "--%s%s", o->name, space);
    if (o->argument != NULL || o->kind == OPTION_FLAG) {
        snprintf(out + used, size - used, "%s", o->argument == NULL ? "" : o->argument);
    } else if (o->kind == OPTION_YES_NO) {
        snprintf(out + used, size - used, "yes|no");
    } else {
        for (const struct cfg_choice *c = o->choices; c != NULL && c->text != NULL; c++) {
            if (used < size)
                used += (size_t)snprintf(out + used, size - used, "%s%s",
                                         c == o->choices ? "" : "|", c->text);
        }
    }
    return out;
}

const char *option_values(const struct command_option *o, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    if (o->kind == OPTION_UINT)
        used = (size_t)snprintf(out, size, "%llu to %llu", (unsigned long long)o->min,
                                (unsigned long long)o->max);
    if (o->kind == OPTION_SECONDS)
        used =
            (size_t)snprintf(out, size, "%g to %g", (double)o->min / 1000, (double)o->max / 1000);
    if (o->def != NULL)
        used +=
            (size_t)snprintf(out + used, size - used, "%sdefault %s", used > 0 ? "; " : "", o->def);
    if (o->repeated)
        snprintf(out + used, size - used, "%smay be repeated", used > 0 ? "; " : "");
    return out;
}
