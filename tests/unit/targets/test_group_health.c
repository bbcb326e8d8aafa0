/* SPDX-License-Identifier: Apache-2.0
 * Who gets a new flow: health, thresholds, zones, weights; registrations that outlive groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "targets/target_group.h"

#define MAX 8

struct fixture {
    struct registry *registry;
    struct target_group_cfg cfg;
    struct target_cfg targets[MAX];
    struct target_group *group;
};

/* Targets 127.0.0.1:1, :2 … with these zones (NULL: none) and states. */
static void make(struct fixture *f, size_t n, const char *const *zones,
                 const enum health_state *states)
{
    memset(f, 0, sizeof *f);
    f->registry = registry_new();
    f->cfg.obj.name = "g";
    f->cfg.targets = f->targets;
    f->cfg.n_targets = n;
    f->cfg.routing_count = f->cfg.dns_failover_count = 1;
    f->cfg.crosses_zones = zones == NULL;
    for (size_t i = 0; i < n; i++) {
        char text[32];

        snprintf(text, sizeof text, "127.0.0.1:%zu", i + 1);
        assert_int_equal(addr_parse(&f->targets[i].addr, text, NULL), 0);
        f->targets[i].zone = zones == NULL ? NULL : zones[i];
    }
    f->group = group_new(&f->cfg, f->registry, NULL);
    assert_non_null(f->group);
    for (size_t i = 0; i < n; i++)
        atomic_store(&f->group->targets[i].reg->state, states[i]);
}

static void clear(struct fixture *f)
{
    group_free(f->group);
    registry_free(f->registry);
}

static void set_state(struct fixture *f, size_t i, enum health_state state)
{
    atomic_store(&f->group->targets[i].reg->state, state);
}

/* The set of targets that flows reach, as bits. */
static unsigned reached(struct fixture *f, const char *zone)
{
    unsigned set = 0;

    for (uint64_t i = 0; i < 400; i++) {
        enum group_verdict verdict;
        const struct target *t = group_pick(f->group, zone, i * 0x9e3779b97f4a7c15U, &verdict);

        if (t == NULL)
            return 0;
        assert_int_equal(verdict, GROUP_PICKED);
        set |= 1U << (t - f->group->targets);
    }
    return set;
}

static enum group_verdict verdict_of(struct fixture *f, const char *zone)
{
    enum group_verdict verdict;

    (void)group_pick(f->group, zone, 1, &verdict);
    return verdict;
}

#define MAKE(f, zones, ...)                                                                        \
    make(f, sizeof((enum health_state[]){ __VA_ARGS__ }) / sizeof(enum health_state), zones,       \
         (enum health_state[]){ __VA_ARGS__ })

static void healthy_ones_only(void **state)
{
    struct fixture f;

    (void)state;
    MAKE(&f, NULL, HEALTH_UNHEALTHY, HEALTH_HEALTHY, HEALTH_INITIAL, HEALTH_UNHEALTHY_DRAINING,
         HEALTH_HEALTHY, HEALTH_DRAINING, HEALTH_UNUSED, HEALTH_UNAVAILABLE);
    assert_int_equal(reached(&f, NULL), 1U << 1 | 1U << 4);
    clear(&f);
}

static void fail_open(void **state)
{
    struct fixture f;

    (void)state;
    MAKE(&f, NULL, HEALTH_UNHEALTHY, HEALTH_INITIAL, HEALTH_UNHEALTHY_DRAINING, HEALTH_UNAVAILABLE,
         HEALTH_DRAINING, HEALTH_UNUSED);
    assert_int_equal(reached(&f, NULL), 0xf);
    /* one healthy target stops it */
    set_state(&f, 1, HEALTH_HEALTHY);
    assert_int_equal(reached(&f, NULL), 1U << 1);
    clear(&f);
}

static void an_empty_group_has_nobody(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, 0, NULL, NULL);
    assert_int_equal(verdict_of(&f, NULL), GROUP_EMPTY);
    clear(&f);
    MAKE(&f, NULL, HEALTH_UNUSED, HEALTH_UNUSED);
    assert_int_equal(verdict_of(&f, NULL), GROUP_EMPTY);
    clear(&f);
}

static void late_flows_reach_draining_targets(void **state)
{
    struct fixture f;

    (void)state;
    MAKE(&f, NULL, HEALTH_DRAINING, HEALTH_DRAINING, HEALTH_UNUSED);
    assert_int_equal(reached(&f, NULL), 3);
    clear(&f);
}

static void routing_thresholds(void **state)
{
    struct fixture f;

    (void)state;
    MAKE(&f, NULL, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_UNHEALTHY);
    f.cfg.routing_count = 2;
    assert_int_equal(reached(&f, NULL), 3);
    f.cfg.routing_count = 3;
    assert_int_equal(reached(&f, NULL), 0xf);
    f.cfg.routing_count = 1;
    f.cfg.routing_percentage = 50;
    assert_int_equal(reached(&f, NULL), 3);
    f.cfg.routing_percentage = 51;
    assert_int_equal(reached(&f, NULL), 0xf);
    clear(&f);
}

static void zones(void **state)
{
    static const char *const where[] = { "a", "a", "b", "b" };
    struct fixture f;

    (void)state;
    MAKE(&f, where, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
    assert_int_equal(reached(&f, "a"), 1);
    assert_int_equal(reached(&f, "b"), 0xc);
    assert_int_equal(reached(&f, NULL), 0xd); /* a listener without zone sees all */
    /* zone a fails while b serves: withdrawn; so is an empty zone */
    set_state(&f, 0, HEALTH_UNHEALTHY);
    assert_int_equal(verdict_of(&f, "a"), GROUP_ZONE_WITHDRAWN);
    assert_int_equal(verdict_of(&f, "c"), GROUP_ZONE_WITHDRAWN);
    assert_int_equal(reached(&f, "b"), 0xc);
    /* all zones fail: none is withdrawn, each fails open */
    set_state(&f, 2, HEALTH_UNHEALTHY);
    set_state(&f, 3, HEALTH_UNHEALTHY);
    assert_int_equal(reached(&f, "a"), 3);
    assert_int_equal(reached(&f, "b"), 0xc);
    /* cross-zone: zones do not matter */
    f.cfg.crosses_zones = true;
    set_state(&f, 3, HEALTH_HEALTHY);
    assert_int_equal(reached(&f, "a"), 8);
    clear(&f);
}

static void dns_failover_thresholds(void **state)
{
    static const char *const where[] = { "a", "a", "b", "b" };
    struct fixture f;

    (void)state;
    MAKE(&f, where, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
    f.cfg.dns_failover_count = 2;
    assert_int_equal(verdict_of(&f, "a"), GROUP_ZONE_WITHDRAWN);
    assert_int_equal(verdict_of(&f, "b"), GROUP_PICKED);
    f.cfg.dns_failover_count = 0; /* off */
    assert_int_equal(verdict_of(&f, "a"), GROUP_PICKED);
    f.cfg.dns_failover_percentage = 60;
    assert_int_equal(verdict_of(&f, "a"), GROUP_ZONE_WITHDRAWN);
    clear(&f);
}

static void flows_spread_evenly(void **state)
{
    struct fixture f;
    unsigned count[4] = { 0 };

    (void)state;
    MAKE(&f, NULL, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_UNHEALTHY);
    for (uint32_t i = 0; i < 3000; i++) {
        const struct flow_key key = { &f.targets[0].addr, &f.targets[1].addr, i };
        enum group_verdict verdict;

        count[group_pick(f.group, NULL, flowhash(&key), &verdict) - f.group->targets]++;
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(count[i], 900, 1100);
    assert_int_equal(count[3], 0);
    clear(&f);
}

static void stickiness_is_by_source_address(void **state)
{
    struct addr a, b, c;

    (void)state;
    assert_int_equal(addr_parse(&a, "10.0.0.1:1000", NULL), 0);
    assert_int_equal(addr_parse(&b, "10.0.0.1:2000", NULL), 0);
    assert_int_equal(addr_parse(&c, "10.0.0.2:1000", NULL), 0);
    assert_true(flowhash_source(&a) == flowhash_source(&b));
    assert_true(flowhash_source(&a) != flowhash_source(&c));
}

static void registrations_outlive_groups(void **state)
{
    struct fixture f;
    struct target_group *next;
    struct registration *kept;

    (void)state;
    MAKE(&f, NULL, HEALTH_HEALTHY, HEALTH_UNHEALTHY);
    next = group_new(&f.cfg, f.registry, NULL);
    assert_ptr_equal(next->targets[1].reg, f.group->targets[1].reg);
    kept = registration_ref(f.group->targets[1].reg);
    group_free(f.group);
    group_free(next);
    assert_int_equal(registration_state(kept), HEALTH_UNHEALTHY);
    /* another group of the same target is another registration; a forgotten one begins anew */
    f.cfg.obj.name = "other";
    f.group = group_new(&f.cfg, f.registry, NULL);
    assert_ptr_not_equal(f.group->targets[1].reg, kept);
    group_free(f.group);
    registration_unref(kept);
    f.cfg.obj.name = "g";
    f.group = group_new(&f.cfg, f.registry, NULL);
    assert_int_equal(registration_state(f.group->targets[1].reg), HEALTH_INITIAL);
    clear(&f);
}

static void weights(void **state)
{
    struct target_group blue = { 0 }, green = { 0 }, none = { 0 };
    struct forward_member members[] = { { &blue, 90 }, { &none, 0 }, { &green, 10 } };
    const struct forward f = { members, 3, 100 }, nothing = { members + 1, 1, 0 };
    unsigned count = 0;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++) {
        struct addr a = { .len = sizeof a.u.in4 };
        const struct flow_key key = { &a, &a, i };
        const struct target_group *g = forward_pick(&f, flowhash(&key));

        assert_true(g == &blue || g == &green);
        count += g == &green;
    }
    assert_in_range(count, 850, 1150);
    assert_null(forward_pick(&nothing, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_ones_only),
        cmocka_unit_test(fail_open),
        cmocka_unit_test(an_empty_group_has_nobody),
        cmocka_unit_test(late_flows_reach_draining_targets),
        cmocka_unit_test(routing_thresholds),
        cmocka_unit_test(zones),
        cmocka_unit_test(dns_failover_thresholds),
        cmocka_unit_test(flows_spread_evenly),
        cmocka_unit_test(stickiness_is_by_source_address),
        cmocka_unit_test(registrations_outlive_groups),
        cmocka_unit_test(weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
