/* SPDX-License-Identifier: Apache-2.0
 * Flow key to a number that decides target group and target. */
#include "targets/flowhash.h"

#include <endian.h>
#include <string.h>

/* The finaliser of splitmix64 (public domain, S. Vigna): every input bit reaches every output bit.
 */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static uint64_t mix_addr(uint64_t h, const struct addr *a)
{
    uint64_t parts[2] = { 0, 0 };

    if (a->u.sa.sa_family == AF_INET6)
        memcpy(parts, &a->u.in6.sin6_addr, sizeof parts);
    else
        memcpy(parts, &a->u.in4.sin_addr, sizeof a->u.in4.sin_addr);
    h = mix(h ^ le64toh(parts[0]));
    h = mix(h ^ le64toh(parts[1]));
    return mix(h ^ addr_port(a));
}

uint64_t flowhash(const struct flow_key *key)
{
    uint64_t h = mix(6 /* TCP */);

    h = mix_addr(h, key->source);
    h = mix_addr(h, key->destination);
    return mix(h ^ key->sequence);
}

uint64_t flowhash_source(const struct addr *source)
{
    struct addr host = *source;

    addr_set_port(&host, 0);
    return mix_addr(mix(6), &host);
}

uint32_t flowhash_index(uint64_t hash, uint32_t n)
{
    return (uint32_t)(((hash >> 32) * n) >> 32);
}
