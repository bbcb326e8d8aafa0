/* SPDX-License-Identifier: Apache-2.0
 * Under which Host the read-only pages answer. A page of the web whose name was made to resolve to
 * this machine (DNS rebinding) sends that name: addresses, localhost and the names of
 * `metrics_host` alone are served. */
#ifndef NLB_ADMIN_HOST_H
#define NLB_ADMIN_HOST_H

#include <stdbool.h>
#include <stddef.h>

struct http_message;

/* May the request be answered? One without a Host is no browser's; one with two is refused. */
bool admin_host_served(const struct http_message *request, const char *const *names, size_t n);
/* Is this a name that `metrics_host` can hold: letters, digits, hyphens, dots? */
bool admin_host_name(const char *name);

#endif
