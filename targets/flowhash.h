/* SPDX-License-Identifier: Apache-2.0
 * Flow key to a number that decides target group and target. */
#ifndef TARGETS_FLOWHASH_H
#define TARGETS_FLOWHASH_H

#include <stdint.h>

#include "core/addr.h"

/* Source: NLB guide, "What is a Network Load Balancer?": protocol, source address and port,
 * destination address and port, and TCP sequence number. A user-space listener cannot see the
 * sequence number of the SYN; `sequence` is a number of the same kind, drawn per connection. */
struct flow_key {
    const struct addr *source, *destination;
    uint32_t sequence;
};

/* A well-mixed 64-bit number; equal keys give equal numbers on every machine. */
uint64_t flowhash(const struct flow_key *key);
/* The same of the source address alone, without its port: sticky targets. */
uint64_t flowhash_source(const struct addr *source);
/* Map it to 0 … n-1 (n > 0) evenly. */
uint32_t flowhash_index(uint64_t hash, uint32_t n);

#endif
