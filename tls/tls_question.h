/* SPDX-License-Identifier: Apache-2.0
 * Ask a server once more, on a connection of its own, with a ClientHello that holds what the TLS
 * library cannot offer: would it have answered that one? Like a hop it never touches an event loop.
 */
#ifndef TLS_TLS_QUESTION_H
#define TLS_TLS_QUESTION_H

#include "core/addr.h"
#include "tls/hop.h"
#include "tls/tls_wire_write.h"

struct tls_question;

/* Begin to connect; `preface` (may be NULL) goes before the hello. Everything is copied. NULL: it
 * cannot be asked. Wait until tls_question_fd() is writable, then go. */
struct tls_question *tls_question_new(const struct addr *to, const uint8_t *preface,
                                      size_t n_preface, const struct tls_full_offer *offer);
int tls_question_fd(const struct tls_question *q);
/* HOP_WANT_READ, HOP_WANT_WRITE: wait for that, then again. HOP_OK: it answers, and `out` says how.
 * HOP_FAILED: it does not. */
enum hop_status tls_question_go(struct tls_question *q, struct tls_hello_answer *out);
void tls_question_free(struct tls_question *q); /* NULL is fine */

#endif
