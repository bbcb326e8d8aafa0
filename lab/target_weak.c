/* SPDX-License-Identifier: Apache-2.0
 * Until lab/target.c lands: no lab target can be started, and that is said. */
#include "lab/sections.h"
#include "lab/target.h"

__attribute__((weak)) struct lab_targets *lab_targets_start(struct nlb_config *config,
                                                            struct err *err)
{
    static char none;
    size_t n;

    (void)lab_config_targets(config, &n);
    if (n == 0)
        return (struct lab_targets *)(void *)&none;
    err_set(err, ERR_CONFIG, "lab targets are not supported yet");
    return NULL;
}

__attribute__((weak)) void lab_targets_stop(struct lab_targets *targets)
{
    (void)targets;
}

__attribute__((weak)) int lab_targets_rebind(const struct lab_targets *targets,
                                             struct nlb_config *config, struct err *err)
{
    (void)targets, (void)config, (void)err;
    return 0;
}

__attribute__((weak)) size_t lab_targets_count(const struct lab_targets *targets)
{
    (void)targets;
    return 0;
}

__attribute__((weak)) const struct lab_target_info *
lab_targets_at(const struct lab_targets *targets, size_t i)
{
    (void)targets, (void)i;
    return NULL;
}
