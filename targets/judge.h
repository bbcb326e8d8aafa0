/* SPDX-License-Identifier: Apache-2.0
 * What a validating client would have said about a target's chain. NLB itself validates nothing;
 * this is for events only, and never decides about a flow. */
#ifndef TARGETS_JUDGE_H
#define TARGETS_JUDGE_H

#include "certs/store.h"
#include "core/tls_grain.h"
#include "observe/record.h"

struct back_judge;

/* Takes `store` (a reference) on success. NULL with the reason in `err`. Usable by any thread: the
 * last verdicts are kept under a lock, because targets present the same chain again and again. */
struct back_judge *back_judge_new(struct cert_bundle *store, struct err *err);
void back_judge_free(struct back_judge *judge);
/* `sni`: the name that the client asked for; NULL: names are not judged. */
void back_judge(struct back_judge *judge, const struct tls_chain *chain, const char *sni,
                struct record_judgement *out);

#endif
