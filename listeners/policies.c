/* SPDX-License-Identifier: Apache-2.0
 * The security policies of a TLS listener and what they imply toward targets. */
#include "listeners/policies.h"

#include <stdio.h>
#include <string.h>

#include "core/suggest.h"
#include "tls/tls_can.h"

#define PREFIX "ELBSecurityPolicy-"

#define SOURCE_AWS_PAGE                                                                            \
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html"
#define SOURCE_AWS_2023                                                                            \
    "https://github.com/awsdocs/elb-network-load-balancers-user-guide at commit d08f999"
#define SOURCE_S2N_5953 "https://github.com/aws/s2n-tls/pull/5953"
#define SOURCE_S2N_5977 "https://github.com/aws/s2n-tls/pull/5977"
#define SOURCE_S2N_MAIN "https://github.com/aws/s2n-tls/blob/main/tls/s2n_security_policies.c"

#define POLICY_LIST(id, ...)                                                                       \
    static const uint16_t list_##id[] = { __VA_ARGS__ };                                           \
    enum { n_##id = sizeof list_##id / sizeof list_##id[0] };
#include "listeners/policies.def"
/* C has no empty arrays. */
#define list_NO_HYBRIDS NULL
#define n_NO_HYBRIDS    0

#define LIST(id)                                                                                   \
    {                                                                                              \
        list_##id, n_##id                                                                          \
    }
#define TLS_GROUP_NONE 0

static const struct policy policies[] = {
#define POLICY(id, fam, versions_, suites_, groups_, hybrids_, sigs_, strong, source_, details,    \
               note_)                                                                              \
    { .name = PREFIX id,                                                                           \
      .family = POLICY_##fam,                                                                      \
      .versions = LIST(versions_),                                                                 \
      .suites = LIST(suites_),                                                                     \
      .groups = LIST(groups_),                                                                     \
      .hybrids = LIST(hybrids_),                                                                   \
      .sigs = LIST(sigs_),                                                                         \
      .strong_group = TLS_GROUP_##strong,                                                          \
      .source = SOURCE_##source_,                                                                  \
      .details_source = SOURCE_##details,                                                          \
      .details_evidence = POLICY_INFERRED,                                                         \
      .note = note_ },
#include "listeners/policies.def"
};

static const char *const backends[POLICY_N_FAMILIES] = {
#define POLICY_BACKEND(family, name) [POLICY_##family] = PREFIX name,
#include "listeners/policies.def"
};

const struct policy *policy_all(size_t *count)
{
    *count = sizeof policies / sizeof policies[0];
    return policies;
}

const struct policy *policy_find(const char *name)
{
    const size_t skip = strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? 0 : strlen(PREFIX);
    size_t n;
    const struct policy *all = policy_all(&n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].name + skip, name) == 0)
            return &all[i];
    }
    return NULL;
}

const char *policy_nearest(const char *name)
{
    const size_t prefix = strlen(PREFIX);
    const bool full = strncmp(name, PREFIX, prefix) == 0;
    /* The common prefix would make every policy look near to every other. */
    struct suggest near = suggest_for(full ? name + prefix : name), whole = suggest_for(name);
    size_t n;
    const struct policy *all = policy_all(&n);

    for (size_t i = 0; i < n; i++) {
        suggest_try(&near, all[i].name + prefix);
        suggest_try(&whole, all[i].name);
    }
    if (suggest_best(&near) != NULL)
        return suggest_best(&near) - prefix;
    return full ? NULL : suggest_best(&whole); /* a slip in the prefix */
}

const struct policy *policy_backend(const struct policy *p)
{
    return policy_find(backends[p->family]);
}

const struct policy *policy_backend_of(const struct policy *const *list, size_t n)
{
    enum policy_family first = POLICY_OTHER;

    for (size_t i = 0; i < n; i++) {
        if (list[i]->family < first)
            first = list[i]->family;
    }
    return policy_find(backends[first]);
}

/* The names that are missing, appended to `out`. */
struct missing {
    const char **out;
    size_t max, n;
};

static void miss(struct missing *m, const char *name)
{
    if (m->n < m->max)
        m->out[m->n] = name;
    m->n++;
}

static void miss_versions_and_suites(struct missing *m, const struct policy *p)
{
    for (size_t i = 0; i < p->versions.count; i++) {
        if (!tls_version_supported(p->versions.at[i]))
            miss(m, tls_version_name(p->versions.at[i]));
    }
    for (size_t i = 0; i < p->suites.count; i++) {
        if (!tls_suite_supported(p->suites.at[i]))
            miss(m, tls_suite_find(p->suites.at[i])->openssl);
    }
}

static void miss_groups(struct missing *m, struct tls_list groups)
{
    for (size_t i = 0; i < groups.count; i++) {
        if (!tls_group_supported(groups.at[i]))
            miss(m, tls_group_find(groups.at[i])->name);
    }
}

/* A scheme that the library lacks goes by its name; RSA-PSS is there, but not for TLS 1.2. */
static void miss_sigs(struct missing *m, const struct policy *p)
{
    bool pss_12 = false;

    for (size_t i = 0; i < p->sigs.count; i++) {
        const uint16_t code = p->sigs.at[i];

        if (!tls_sig_supported(code))
            miss(m, tls_sig_find(code)->name);
        else if (tls_list_has(p->versions, TLS_1_2) && !tls_sig_supported_in(code, TLS_1_2))
            pss_12 = true;
    }
    if (pss_12)
        miss(m, "RSA-PSS signatures in TLSv1.2");
}

size_t policy_unsupported(const struct policy *p, const char **out, size_t max)
{
    struct missing m = { out, max, 0 };

    miss_versions_and_suites(&m, p);
    miss_groups(&m, p->hybrids);
    miss_groups(&m, p->groups);
    miss_sigs(&m, p);
    return m.n;
}

const char *policy_family_name(enum policy_family family)
{
    static const char *const names[POLICY_N_FAMILIES] = {
        [POLICY_RFC9151] = "RFC9151", [POLICY_FIPS_PQ] = "FIPS-PQ", [POLICY_FIPS] = "FIPS",
        [POLICY_PQ] = "PQ",           [POLICY_TLS13] = "TLS13",     [POLICY_OTHER] = "other",
    };

    return names[family];
}

const char *policy_evidence_name(enum policy_evidence evidence)
{
    switch (evidence) {
    case POLICY_DOCUMENTED:
        return "documented";
    case POLICY_REPORTED:
        return "reported";
    case POLICY_INFERRED:
        return "inferred";
    }
    return "inferred";
}

bool policy_list_text(const char *name, const char *what, char *out, size_t size)
{
    const struct policy *p = policy_find(name);
    char buf[TLS_NAME_MAX];
    struct tls_list list;
    size_t used = 0;

    if (p == NULL)
        return false;
    list = what[0] == 'v' ? p->versions : what[0] == 'c' ? p->suites : p->groups;
    out[0] = '\0';
    for (size_t i = 0; i < list.count && used < size; i++) {
        const char *one = what[0] == 'v'   ? tls_version_text(list.at[i], buf)
                          : what[0] == 'c' ? tls_suite_text(list.at[i], buf)
                                           : tls_group_text(list.at[i], buf);

        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", one);
    }
    return true;
}
