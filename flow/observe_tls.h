/* SPDX-License-Identifier: Apache-2.0
 * Passive observation: what a TLS session that passes through a TCP listener shows of itself, read
 * from copies of bytes that have gone on already. Nothing is delayed, altered or held back. It ends
 * by itself as soon as nothing more can be seen: at the first bytes when they are no TLS, otherwise
 * when both directions are encrypted. */
#ifndef FLOW_OBSERVE_TLS_H
#define FLOW_OBSERVE_TLS_H

#include "flow/flow_impl.h"

/* The relay begins. */
void observer_begin(struct flow *f);
/* Bytes that were read; only while f->watching. */
void observer_see(struct flow *f, bool from_client, const uint8_t *data, size_t n);
/* Nothing more is to be looked at: the kernel takes over where it may. */
void observer_end(struct flow *f);
/* What was seen goes into the record (NULL when it was no TLS). */
void observer_report(struct flow *f);
void observer_free(struct flow *f);
/* The server name that the client sent; NULL: none, or not known. */
const char *observer_server_name(const struct flow *f);

#endif
