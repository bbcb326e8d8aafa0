/* SPDX-License-Identifier: Apache-2.0
 * What API Gateway writes and answers for the way a call ended (vpclink/gateway_texts.def). */
#ifndef VPCLINK_TEXTS_H
#define VPCLINK_TEXTS_H

#include "vpclink/gateway.h"

/* How the texts are chosen where AWS is unknown, or was different once. */
struct gateway_wording {
    enum wording wording; /* classic: "General SSLEngine problem" for refused certificates */
    enum handshake_break handshake_break;
    bool http_api;
};

#define GATEWAY_ERROR_MAX (VERDICT_TEXT_MAX + 128)

struct gateway_outcome {
    bool ok;         /* the target's answer is passed on */
    bool simulated;  /* false: neither AWS's success nor its failure; nlbsim itself cannot go on */
    unsigned status; /* what the API's caller sees */
    char error[GATEWAY_ERROR_MAX]; /* the log's whole sentence; "" when ok */
    const char *body;              /* of the error answer; NULL when ok */
    const char *evidence;          /* "documented", "reported" or "inferred" */
    const char *source;
};

/* Word a result. */
void gateway_word(const struct gateway_result *r, const struct gateway_wording *w,
                  struct gateway_outcome *out);

#endif
