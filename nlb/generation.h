/* SPDX-License-Identifier: Apache-2.0
 * One configuration generation at run time: target groups and prepared listeners. Constant once
 * built; shared by workers and flows through its reference count. */
#ifndef NLB_GENERATION_H
#define NLB_GENERATION_H

#include <stdatomic.h>

#include "listeners/front.h"
#include "nlb/config.h"
#include "targets/checker.h"
#include "targets/target_group.h"

struct generation {
    atomic_uint refs;
    const struct nlb_config *config;
    const struct process_cfg *process;              /* in effect; borrowed */
    char elb[AWS_ELB_TEXT], cert_arn[AWS_ARN_TEXT]; /* see struct record_origin */
    struct target_group **groups;                   /* as in config->groups */
    struct front **fronts;                          /* as in config->listeners */
    struct generation_judge *judges; /* one per trust store in use; empty without events */
    size_t n_judges;
    struct checker_plan checks; /* generation_plan_checks() */
    struct cert_lab *lab;       /* for their stores, where the configuration has none */
};

/* One reference; NULL with the reason in `err`. Takes a reference of `config`; borrows `process`.
 */
struct generation *generation_new(const struct nlb_config *config,
                                  const struct process_cfg *process, struct registry *registry,
                                  struct err *err);
/* Before it takes effect: what is checked, and under which Host.
 *   bound    where listener `i` of the configuration listens
 *   returns  0, or -1 with the reason in `err` */
int generation_plan_checks(struct generation *g, struct addr (*bound)(const void *arg, size_t i),
                           const void *arg, struct err *err);
/* In the shape of struct flow_keeper. */
void generation_ref(void *generation);
void generation_unref(void *generation);

#endif
