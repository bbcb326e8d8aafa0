/* SPDX-License-Identifier: Apache-2.0
 * What a validating client would have said about a target's chain. NLB itself validates nothing;
 * this is for events only, and never decides about a flow. */
#ifndef TARGETS_VALIDATING_CLIENT_H
#define TARGETS_VALIDATING_CLIENT_H

#include "certs/store/trust_store.h"
#include "observe/record.h"
#include "tls/mbedtls_private.h"

struct validating_client;

/* Takes `store` (a reference) on success. NULL with the reason in `err`. Usable by any thread: the
 * last verdicts are kept under a lock, because targets present the same chain again and again. */
struct validating_client *validating_client_new(struct trust_store *store, struct err *err);
void validating_client_free(struct validating_client *judge);
/* `sni`: the name that the client asked for; NULL: names are not judged. */
void validating_client(struct validating_client *judge, const struct tls_chain *chain,
                       const char *sni, struct record_opinion *out);

#endif
