/* SPDX-License-Identifier: Apache-2.0
 * Stage client certificates in a directory, as API Gateway keeps them: self-signed, 365 days, an
 * identifier each; and their rotation in the documented order.
 *
 *   ID.json       what the API returns, without the private key
 *   ID.pem, .key  certificate and key (0600)
 *   current.pem   what the stage presents: certificate and key in one file (0600), so that one
 *                 rename switches both
 *   accepted.pem  what the backend pins: give it as the only CA
 *   state.json    which certificates these are, and how far a rotation has come
 *
 * source: API Gateway guide, "Generate and configure an SSL certificate for backend authentication"
 * [https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html];
 * fields: [https://docs.aws.amazon.com/apigateway/latest/api/API_ClientCertificate.html] */
#ifndef CERTS_AUDIT_CLIENT_STORE_H
#define CERTS_AUDIT_CLIENT_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* Per account and region. Source: API Gateway guide, "Quotas". */
#define CLIENT_STORE_MAX    60
#define CLIENT_STORE_MARKER ".nlbsim-client-certificates"

struct client_store;

/* Open a directory; it is made when `create` and there is none. One without the marker is used only
 * when it is empty and `create`. The store is locked until client_store_close(). */
struct client_store *client_store_open(const char *dir, bool create, struct err *err);
void client_store_close(struct client_store *store);

/* Each returns a new reference, or NULL with the reason in `err`. `seed`: NULL, or what makes key
 * and identifier repeatable. */
json_t *client_store_generate(struct client_store *store, const char *description, const char *seed,
                              int64_t now_s, struct err *err);
json_t *client_store_get(struct client_store *store, const char *id, struct err *err);
json_t *client_store_list(struct client_store *store, struct err *err); /* {"items":[…]} */
/* Refused while the certificate is presented or accepted. */
int client_store_delete(struct client_store *store, const char *id, struct err *err);

enum client_step {
    CLIENT_STEP_ACCEPT, /* accepted.pem has the old certificate and the new one */
    CLIENT_STEP_SWITCH, /* the stage presents the new one */
    CLIENT_STEP_REMOVE, /* the old one is gone from accepted.pem and deleted */
};
/* "accept", "switch", "remove". */
const char *client_step_name(enum client_step step);
/*
 * Take the next step of a rotation, beginning one when none is under way: with the newest
 * certificate that was generated and nobody uses, unless `description` or `seed` describe another
 * or there is none; then one is made. At every moment what
 * current.pem presents is in accepted.pem; a step that was interrupted is taken again.
 * Returns the state: {"step":…,"current":…,"next":…,"previous":…,"accepted":[…]}; members that
 * there are not are null.
 */
json_t *client_store_rotate(struct client_store *store, const char *description, const char *seed,
                            int64_t now_s, enum client_step *step, struct err *err);

#endif
