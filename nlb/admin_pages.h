/* SPDX-License-Identifier: Apache-2.0
 * The read-only pages, in the shape that the admin server calls. */
#ifndef NLB_ADMIN_PAGES_H
#define NLB_ADMIN_PAGES_H

#include "nlb/admin.h"

/* `arg` is a struct nlb. Any thread between nlb_start() and nlb_stop(). */
struct admin_page admin_page_cb(void *arg, const struct http_message *request);

#endif
