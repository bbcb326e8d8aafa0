/* SPDX-License-Identifier: Apache-2.0
 * What a validating client would have said about a target's chain. */
#include "targets/validating_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust.h"
#include "core/clock.h"

#define KEPT      64
#define KEPT_US   (60 * 1000000ULL) /* a certificate may expire meanwhile */
#define KEY_BYTES TLS_CHAIN_HASH_BYTES

struct kept {
    uint8_t key[KEY_BYTES]; /* SHA-256 over the chain and the name */
    uint64_t until_us;      /* 0: empty */
    bool ok;
    char *error;
};

struct validating_client {
    struct trust_store *store;
    struct trust_anchors *anchors;
    pthread_mutex_t lock; /* guards what follows */
    struct kept kept[KEPT];
    size_t next;
};

struct validating_client *validating_client_new(struct trust_store *store, struct err *err)
{
    struct validating_client *j = calloc(1, sizeof *j);

    if (j != NULL)
        j->anchors = trust_anchors_of(store, false);
    if (j == NULL || j->anchors == NULL) {
        free(j);
        err_set(err, ERR_NOMEM, "trust store %s", store->spec);
        return NULL;
    }
    j->store = store;
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

void validating_client_free(struct validating_client *j)
{
    if (j == NULL)
        return;
    for (size_t i = 0; i < KEPT; i++)
        free(j->kept[i].error);
    pthread_mutex_destroy(&j->lock);
    trust_anchors_free(j->anchors);
    trust_store_unref(j->store);
    free(j);
}

static bool find_kept(struct validating_client *j, const uint8_t key[KEY_BYTES],
                      struct record_opinion *out)
{
    uint64_t now = clock_mono_us();
    bool found = false;

    pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < KEPT && !found; i++) {
        const struct kept *k = &j->kept[i];

        found = k->until_us > now && memcmp(k->key, key, KEY_BYTES) == 0;
        if (found) {
            out->ok = k->ok;
            out->error = k->error == NULL ? NULL : strdup(k->error);
        }
    }
    pthread_mutex_unlock(&j->lock);
    return found;
}

static void keep(struct validating_client *j, const uint8_t key[KEY_BYTES],
                 const struct record_opinion *judgement)
{
    struct kept *k;

    pthread_mutex_lock(&j->lock);
    k = &j->kept[j->next++ % KEPT];
    memcpy(k->key, key, KEY_BYTES);
    k->until_us = clock_mono_us() + KEPT_US;
    k->ok = judgement->ok;
    free(k->error);
    k->error = judgement->error == NULL ? NULL : strdup(judgement->error);
    pthread_mutex_unlock(&j->lock);
}

static void judge_afresh(const struct validating_client *j, const struct tls_chain *chain,
                         const char *sni, struct record_opinion *out)
{
    struct cert_facts *facts[TLS_CHAIN_MAX];
    struct trust_request req = {
        .chain = facts,
        .anchors = j->anchors,
        .host = sni,
        .at_utc = clock_wall_s(),
        .client = TRUST_APACHE,
    };
    struct verdict verdict;

    for (; req.chain_len < chain->n; req.chain_len++) {
        const size_t i = req.chain_len;

        facts[i] = cert_facts_new(chain->at[i].der, chain->at[i].len);
        if (facts[i] == NULL) {
            req.chain_cut = true;
            break;
        }
    }
    trust_judge(&req, &verdict);
    out->judged = !verdict_unknown(verdict.code);
    out->ok = verdict.ok;
    out->error = verdict.ok ? NULL : strdup(verdict.error);
    for (size_t i = 0; i < req.chain_len; i++)
        cert_facts_free(facts[i]);
}

void validating_client(struct validating_client *j, const struct tls_chain *chain, const char *sni,
                       struct record_opinion *out)
{
    uint8_t key[KEY_BYTES];

    if (chain->n == 0)
        return;
    out->judged = true; /* a kept judgement was one */
    out->name_checked = sni != NULL;
    out->trust_store = j->store->spec;
    tls_chain_hash(chain, sni, key);
    if (find_kept(j, key, out))
        return;
    judge_afresh(j, chain, sni, out);
    if (out->judged)
        keep(j, key, out);
}
