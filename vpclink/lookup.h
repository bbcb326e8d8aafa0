/* SPDX-License-Identifier: Apache-2.0
 * Look up the addresses of a host as the system does it (hosts file, DNS, whatever it is set up
 * for), without waiting: getaddrinfo(3) on a thread of its own. */
#ifndef VPCLINK_LOOKUP_H
#define VPCLINK_LOOKUP_H

#include <stdint.h>

struct addrinfo;
struct lookup;

/* NULL without memory or descriptors. */
struct lookup *lookup_start(const char *host, uint16_t port);
/* Becomes readable when the answer is there. */
int lookup_fd(const struct lookup *l);
/* getaddrinfo()'s result, once, and the list, which belongs to the lookup; EAI_INPROGRESS: it is
 * not there yet. */
int lookup_result(struct lookup *l, const struct addrinfo **list);
/* Also before the answer is there; NULL is fine. */
void lookup_free(struct lookup *l);

#endif
