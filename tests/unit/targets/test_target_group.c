/* SPDX-License-Identifier: Apache-2.0
 * Target groups and weighted forwards: who gets which share of the flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "targets/target_group.h"

#define TARGETS 5
#define FLOWS   40000

static uint64_t next_hash(uint64_t i)
{
    struct addr s = { 0 }, d = { 0 };

    s.u.in4.sin_family = d.u.in4.sin_family = AF_INET;
    s.u.in4.sin_addr.s_addr = (uint32_t)(i * 2654435761U);
    addr_set_port(&s, (uint16_t)(1024 + i % 60000));
    return flowhash(&(struct flow_key){ &s, &d, (uint32_t)i });
}

static struct registry *registry;

static struct target_group *make(struct target_group_cfg *cfg, struct target_cfg *targets, size_t n)
{
    struct err err = { 0 };
    struct target_group *g;

    *cfg = (struct target_group_cfg){ .obj.name = "g", .targets = targets, .n_targets = n };
    registry = registry_new();
    assert_non_null(registry);
    g = group_new(cfg, registry, &err);
    if (g == NULL)
        fail_msg("%s", err.text);
    return g;
}

static void discard(struct target_group *g)
{
    group_free(g);
    registry_free(registry);
}

static const struct target *pick(const struct target_group *g, uint64_t hash)
{
    enum group_verdict verdict;
    const struct target *t = group_pick(g, NULL, hash, &verdict);

    assert_int_equal(verdict, t == NULL ? GROUP_EMPTY : GROUP_PICKED);
    return t;
}

static void nobody_registered(void **state)
{
    struct target_group_cfg cfg;
    struct target_group *g = make(&cfg, NULL, 0);

    (void)state;
    assert_null(pick(g, 12345));
    discard(g);
    group_free(NULL);
}

static void each_target_gets_its_share(void **state)
{
    struct target_cfg targets[TARGETS] = { { 0 } };
    struct target_group_cfg cfg;
    struct target_group *g = make(&cfg, targets, TARGETS);
    unsigned count[TARGETS] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < FLOWS; i++) {
        const struct target *t = pick(g, next_hash(i));

        assert_ptr_equal(t, pick(g, next_hash(i)));
        count[t->cfg - targets]++;
    }
    for (size_t i = 0; i < TARGETS; i++)
        assert_in_range(count[i], FLOWS / TARGETS * 95 / 100, FLOWS / TARGETS * 105 / 100);
    discard(g);
}

/* Weights 0-999 (NLB guide, "Listeners"): 0 gets nothing, the rest in proportion. */
static void weights_are_proportions(void **state)
{
    static const unsigned rows[][3] = { { 1, 0, 0 },     { 0, 1, 0 },       { 0, 0, 999 },
                                        { 90, 10, 0 },   { 1, 1, 1 },       { 50, 0, 50 },
                                        { 999, 1, 999 }, { 999, 999, 999 }, { 10, 0, 90 } };
    struct target_group groups[3] = { { 0 } };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct forward_member m[3];
        struct forward f = { .members = m, .n = 3 };
        double count[3] = { 0 };

        for (size_t i = 0; i < 3; i++) {
            m[i] = (struct forward_member){ &groups[i], rows[r][i] };
            f.total_weight += rows[r][i];
        }
        for (uint64_t i = 0; i < FLOWS; i++) {
            const struct target_group *g = forward_pick(&f, next_hash(i));

            assert_non_null(g);
            count[g - groups]++;
        }
        for (size_t i = 0; i < 3; i++) {
            double expected = FLOWS * (double)rows[r][i] / f.total_weight;

            if (rows[r][i] == 0)
                assert_true(count[i] == 0);
            if (count[i] < expected - 500 || count[i] > expected + 500)
                fail_msg("row %zu, group %zu: %.0f flows, %.0f expected", r, i, count[i], expected);
        }
    }
}

/* Only healthy targets, as long as there is one; else every registered one (fail-open). A flow
 * moves only when it must. */
static void the_unhealthy_get_nothing(void **state)
{
    struct target_cfg targets[3] = { { 0 } };
    struct target_group_cfg cfg;
    struct target_group *g;

    (void)state;
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(addr_parse(&targets[i].addr, "127.0.0.1:1", NULL), 0);
        addr_set_port(&targets[i].addr, (uint16_t)(i + 1));
    }
    g = make(&cfg, targets, 3);
    for (unsigned healthy = 0; healthy < 8; healthy++) {
        unsigned got = 0;

        for (size_t i = 0; i < 3; i++)
            atomic_store(&g->targets[i].reg->state,
                         healthy >> i & 1 ? HEALTH_HEALTHY : HEALTH_UNHEALTHY);
        for (uint64_t i = 0; i < 500; i++)
            got |= 1U << (pick(g, next_hash(i))->cfg - targets);
        assert_int_equal(got, healthy == 0 ? 7 : healthy);
    }
    discard(g);
}

static void all_weights_zero_is_nobody(void **state)
{
    struct forward_member m = { NULL, 0 };
    const struct forward f = { .members = &m, .n = 1 }, none = { 0 };

    (void)state;
    assert_null(forward_pick(&f, 1));
    assert_null(forward_pick(&none, 1));
}

/* Group and target are chosen by different halves of the hash: within each group of a 50:50 pair
 * every target still gets its share. */
static void group_and_target_are_chosen_apart(void **state)
{
    struct target_cfg targets[4] = { { 0 } };
    struct target_group_cfg cfg;
    struct target_group *g = make(&cfg, targets, 4);
    struct target_group other = { 0 };
    struct forward_member m[2] = { { g, 1 }, { &other, 1 } };
    const struct forward f = { .members = m, .n = 2, .total_weight = 2 };
    unsigned count[4] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < FLOWS; i++) {
        uint64_t hash = next_hash(i);

        if (forward_pick(&f, hash) == g)
            count[pick(g, hash)->cfg - targets]++;
    }
    for (size_t i = 0; i < 4; i++)
        assert_in_range(count[i], FLOWS / 8 * 93 / 100, FLOWS / 8 * 107 / 100);
    discard(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_registered),
        cmocka_unit_test(each_target_gets_its_share),
        cmocka_unit_test(weights_are_proportions),
        cmocka_unit_test(the_unhealthy_get_nothing),
        cmocka_unit_test(all_weights_zero_is_nobody),
        cmocka_unit_test(group_and_target_are_chosen_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
