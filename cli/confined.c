/* SPDX-License-Identifier: Apache-2.0
 * How `run` and `target` are confined: by what their configuration says. */
#include "cli/confined.h"

#include "confine/confine_places.h"
#include "core/log.h"

static int allow(void *places, const char *path, bool write)
{
    return confine_place(places, path, write);
}

static int tell_unreadable(void *unused, const char *path, bool write)
{
    const char *why = write ? NULL : confine_cannot_read(path);

    (void)unused;
    if (why != NULL)
        log_warn("confine", "file=%s a reload could not read it: %s", path, why);
    return 0;
}

int confined_enter(const struct nlb_config *config, const char *ready_file, struct err *err)
{
    const struct process_cfg *process = &config->nlb.process;
    struct confine_places *places = confine_places_new();
    struct confine_wish wish = { .how = process->confine,
                                 .user = process->user,
                                 .group = process->group };

    for (size_t i = 0; i < config->n_groups; i++)
        wish.transparent |= config->groups[i].preserve_client_ip;
    /* /dev/null is the descriptor that is kept back for the time when none is left. */
    if (places == NULL || confine_place(places, "/dev/null", true) != 0 ||
        (ready_file != NULL && confine_place(places, ready_file, true) != 0) ||
        nlb_config_files(config, allow, places) != 0) {
        err_set(err, ERR_NOMEM, "confine");
        confine_places_free(places);
        return -1;
    }
    if (confine_enter(&wish, places, err) != 0)
        return -1;
    (void)nlb_config_files(config, tell_unreadable, NULL);
    return 0;
}
