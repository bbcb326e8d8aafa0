/* SPDX-License-Identifier: Apache-2.0
 * From a judged chain to facts. */
#include "diagnose/judged.h"

#include <stdint.h>
#include <string.h>

static struct cert_list presented(const struct judged_chain *j)
{
    /* The list is read only. */
    return (struct cert_list){ (struct cert_facts **)(uintptr_t)j->request->chain,
                               j->request->chain_len };
}

struct chain *judged_drawing(const struct judged_chain *j)
{
    const struct cert_list list = presented(j);

    return chain_of_list(&list, j->anchors, j->store, j->request->at_utc);
}

/* Whom the sentence begins with: the certificate at fault, or the leaf of what is accepted. */
static void tell_subject(const struct judged_chain *j, struct facts *f)
{
    const struct verdict *v = j->verdict;
    const char *at = v->index >= 0 ? facts_get(f, "refusal.subject") : NULL;

    if (at == NULL)
        at = v->ok ? facts_get(f, "chain.leaf") : "the chain";
    if (at == NULL || strcmp(at, "no subject") == 0)
        at = "a certificate without subject";
    if (j->section != NULL)
        facts_setf(f, "judged", "the certificate of %s (%s)", j->section, at);
    else
        facts_set(f, "judged", at);
}

struct facts *judged_facts(const struct judged_chain *j)
{
    const struct cert_list list = presented(j);
    struct chain *chain = judged_drawing(j);
    struct facts *f = facts_new();

    if (f == NULL || chain == NULL) {
        facts_free(f);
        chain_free(chain);
        return NULL;
    }
    facts_set(f, "view", "chain");
    facts_set(f, "client", "API Gateway");
    facts_set(f, "validated", j->validated);
    facts_set(f, "validated.section", j->section != NULL ? j->section : "the chain");
    facts_set(f, "validated.file", j->file != NULL ? j->file : "the chain");
    facts_set(f, "integration", j->integration != NULL ? j->integration : "the integration");
    facts_set(f, "store", j->store != NULL ? j->store : "the trust store");
    facts_set(f, "name", j->request->host);
    facts_set(f, "name.key", "uri");
    if (j->request->insecure_skip)
        facts_set(f, "skip", "insecureSkipVerification");
    else if (!j->no_flag)
        facts_set(f, "skip.advice", "set insecureSkipVerification on the integration");
    chain_facts(chain, f);
    chain_name_fact(f, j->request->host);
    verdict_facts(j->verdict, &list, f);
    tell_subject(j, f);
    chain_free(chain);
    return f;
}
