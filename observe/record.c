/* SPDX-License-Identifier: Apache-2.0
 * What is known of one flow. */
#include "observe/record.h"

#include <stdlib.h>
#include <string.h>

#define PARTY_NONE     "none"
#define PARTY_CLIENT   "client"
#define PARTY_LISTENER "listener"
#define PARTY_TARGET   "target"
#define PARTY_NETWORK  "network"
#define AT_HELLO       "hello"
#define AT_HANDSHAKE   "handshake"
#define AT_CONNECT     "connect"
#define AT_RELAY       "relay"
#define AT_STOP        "stop"

static const struct flow_end_row end_rows[END_N] = {
#define END(id, code, party, where, metric, front, back, text)                                     \
    [END_##id] = { code,          PARTY_##party, AT_##where, text, METRIC_##metric,                \
                   CLOSE_##front, CLOSE_##back },
#include "core/ends.def"
#undef END
};

const struct flow_end_row *flow_end_row(enum flow_end end)
{
    return &end_rows[end];
}

void record_chain_clear(struct record_chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->at[i].subject);
        free(c->at[i].issuer);
        free(c->at[i].names);
        free(c->at[i].key);
        free(c->at[i].refusal);
        free(c->at[i].key_id);
        free(c->at[i].issuer_key_id);
    }
    memset(c, 0, sizeof *c);
}

void flow_record_clear(struct flow_record *r)
{
    tls_facts_free(r->front);
    tls_facts_free(r->back);
    r->front = NULL;
    r->back = NULL;
    record_chain_clear(&r->back_chain);
    record_chain_clear(&r->front_chain);
    free(r->health);
    r->health = NULL;
    if (r->observed != NULL) {
        tls_offer_clear(&r->observed->offer);
        record_chain_clear(&r->observed->chain);
        free(r->observed->judgement.error);
        free(r->observed);
        r->observed = NULL;
    }
    free(r->validating_client_opinion.error);
    r->validating_client_opinion.error = NULL;
}
