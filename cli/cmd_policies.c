/* SPDX-License-Identifier: Apache-2.0
 * nlbsim policies: security policies as tables or JSON, and which parts this build can act out. */
#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/foreign.h"
#include "core/screen.h"
#include "listeners/policies.h"
#include "tls/tls_can.h"

struct policies_options {
    struct command_line line;
    bool json;
};

typedef const char *(*name_fn)(uint16_t code);

static const char *suite_name(uint16_t code)
{
    return tls_suite_find(code)->openssl;
}

static const char *group_name(uint16_t code)
{
    return tls_group_find(code)->name;
}

static const char *sig_name(uint16_t code)
{
    return tls_sig_find(code)->name;
}

/* --- JSON --- */

static json_t *names_json(struct tls_list list, name_fn name)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(array, json_string(name(list.at[i])));
    return array;
}

static json_t *unsupported_json(const struct policy *p)
{
    const char *names[POLICY_UNSUPPORTED_MAX];
    size_t n = policy_unsupported(p, names, POLICY_UNSUPPORTED_MAX);
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_string(names[i]));
    return array;
}

static json_t *policy_json(const struct policy *p)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s, s:s, s:s, s:s, s:s, s:s?}",
                     "name", p->name, "protocols", names_json(p->versions, tls_version_name),
                     "ciphers", names_json(p->suites, suite_name), "unsupported",
                     unsupported_json(p), "groups", names_json(p->groups, group_name),
                     "hybrid_groups", names_json(p->hybrids, group_name), "signature_schemes",
                     names_json(p->sigs, sig_name), "strongly_preferred_group",
                     p->strong_group == 0 ? NULL : group_name(p->strong_group), "family",
                     policy_family_name(p->family), "backend_policy", policy_backend(p)->name,
                     "source", p->source, "groups_source", p->details_source, "groups_evidence",
                     policy_evidence_name(p->details_evidence), "note", p->note);
}

static int print_policies_json(const struct policy *const *list, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, policy_json(list[i]));
    return foreign_print_document(array, stdout) == 0 ? 0 : 3;
}

/* --- tables --- */

static void print_list(const char *title, struct tls_list list, name_fn name,
                       bool (*supported)(uint16_t code))
{
    const size_t columns = screen_columns(stdout);
    size_t at = 21;
    char word[80];

    printf("  %-19s", title);
    for (size_t i = 0; i < list.count; i++) {
        snprintf(word, sizeof word, " %s%s", name(list.at[i]), supported(list.at[i]) ? "" : "*");
        at = screen_wrap(stdout, word, at, 22, columns);
    }
    putchar('\n');
}

static void print_policy(const struct policy *p)
{
    printf("%s\n", p->name);
    print_list("protocols", p->versions, tls_version_name, tls_version_supported);
    print_list("ciphers", p->suites, suite_name, tls_suite_supported);
    if (p->hybrids.count > 0)
        print_list("hybrid groups", p->hybrids, group_name, tls_group_supported);
    print_list("groups", p->groups, group_name, tls_group_supported);
    if (p->strong_group != 0)
        printf("  %-20s%s\n", "strongly preferred", group_name(p->strong_group));
    print_list("signature schemes", p->sigs, sig_name, tls_sig_supported);
    printf("  %-20s%s\n", "toward targets", policy_backend(p)->name);
    if (p->note != NULL)
        printf("  %-20s%s\n", "note", p->note);
    printf("  %-20s%s\n", "source", p->source);
    printf("  %-20s%s (%s)\n\n", "groups, schemes", p->details_source,
           policy_evidence_name(p->details_evidence));
}

static void print_summary(const struct policy *const *list, size_t n)
{
    size_t longest = 0;

    for (size_t i = 0; i < n; i++)
        longest = strlen(list[i]->name) > longest ? strlen(list[i]->name) : longest;
    for (size_t i = 0; i < n; i++) {
        const struct tls_list v = list[i]->versions;
        const char *unused[POLICY_UNSUPPORTED_MAX];
        const char *oldest = tls_version_name(v.at[v.count - 1]);

        /* "TLSv1.3" and "TLSv1.0" as "1.3-1.0", so that a line fits 80 columns */
        printf("%-*s %s%s%s, %zu ciphers%s\n", (int)longest, list[i]->name,
               tls_version_name(v.at[0]) + 4, v.count > 1 ? "-" : "", v.count > 1 ? oldest + 4 : "",
               list[i]->suites.count,
               policy_unsupported(list[i], unused, POLICY_UNSUPPORTED_MAX) > 0 ? " *" : "");
    }
}

/* --- which --- */

static bool is_listed(const struct policy *p, const struct policy *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == p)
            return true;
    }
    return false;
}

/* Put those that `name` means at the end of `list`, each once; false when it means none. */
static bool select_policies(const char *name, const struct policy **list, size_t *n)
{
    size_t count;
    const struct policy *all = policy_all(&count), *one = policy_find(name);
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        const char *bare = strchr(all[i].name, '-') + 1;

        if (one != &all[i] && fnmatch(name, all[i].name, 0) != 0 && fnmatch(name, bare, 0) != 0)
            continue;
        any = true;
        if (!is_listed(&all[i], list, *n))
            list[(*n)++] = &all[i];
    }
    return any;
}

static int unknown_policy(const struct policies_options *o, const char *name)
{
    const char *near = policy_nearest(name);

    if (near != NULL)
        return command_misused(o, "no security policy '%s'; did you mean '%s'?", name, near);
    return command_misused(o, "no security policy '%s' (nlbsim policies lists them)", name);
}

static int policies_run(int argc, char **argv)
{
    struct policies_options o = { .json = false };
    const struct policy *list[64];
    int status = command_read(&command_policies, argc, argv, &o);
    bool all = o.line.n_operands == 0;
    size_t n = 0;

    if (status >= 0)
        return status;
    for (size_t i = 0; i < o.line.n_operands; i++) {
        if (!select_policies(o.line.operands[i], list, &n))
            return unknown_policy(&o, o.line.operands[i]);
    }
    if (all)
        (void)select_policies("*", list, &n);
    if (o.json)
        return print_policies_json(list, n);
    if (all)
        print_summary(list, n);
    for (size_t i = 0; i < n && !all; i++)
        print_policy(list[i]);
    screen_wrap(
        stdout,
        "Versions of TLS, cipher suites. * this build cannot act out all of it: no TLS library "
        "in it has what is marked",
        0, 2, screen_columns(stdout));
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : 3;
}

static void policy_words(word_cb put, void *arg)
{
    size_t count;
    const struct policy *all = policy_all(&count);

    for (size_t i = 0; i < count; i++)
        put(arg, all[i].name, all[i].note);
}

static const struct command_option policies_option_rows[] = {
    { .name = "json",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct policies_options, json),
      .help = "one JSON document: an array of policies, all fields" },
    { .name = NULL },
};
static const char *const policies_synopsis[] = { "[--json] [NAME...]", NULL };
static const char *const policies_examples[] = {
    "nlbsim policies ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "nlbsim policies --json '*FIPS*' | jq -r '.[].name'", NULL
};

const struct command command_policies = {
    .name = "policies",
    .summary = "security policies as tables, and which parts this build can act out",
    .run = policies_run,
    .synopsis = policies_synopsis,
    .about = "Security policies of TLS listeners: protocols, cipher suites, groups and signature "
             "schemes in the server's order of preference, the policy used toward TLS targets, "
             "and what this build cannot act out. Without a NAME: a list of all of them. NAME is a "
             "policy, with or without \"ELBSecurityPolicy-\", or a pattern (quote it): '*PQ*'.",
    .options = policies_option_rows,
    .operand = "NAME",
    .operand_kind = OPERAND_WORD,
    .operand_words_cb = policy_words,
    .max_operands = 1000,
    .examples = policies_examples,
};
