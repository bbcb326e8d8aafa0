/* SPDX-License-Identifier: Apache-2.0
 * The inside of a client certificate store; for certs/client_*.c only. */
#ifndef CERTS_AUDIT_CLIENT_STORE_IMPL_H
#define CERTS_AUDIT_CLIENT_STORE_IMPL_H

#include <stdbool.h>

#include "certs/audit/client_store.h"
#include "certs/x509/pem_file.h"

#define CLIENT_PATH_LEN 4096

struct client_store {
    char dir[CLIENT_PATH_LEN - 64];
    int lock; /* on the marker file */
};

/* "DIR/NAMEENDING" into `out`; returns `out`. */
const char *client_path(const struct client_store *s, const char *name, const char *ending,
                        char out[CLIENT_PATH_LEN]);
/* Write DIR/NAME.json, or DIR/NAME from `text`, which is cleared. */
/* A file's JSON, of whatever type; NULL with the reason. */
json_t *client_read_json(const char *path, struct err *err);
int client_write_json(const struct client_store *s, const char *name, const json_t *json,
                      struct err *err);
int client_write_pem(const struct client_store *s, const char *name, struct pem_text *text,
                     unsigned flags, struct err *err);
/* Is this an identifier, and not a way out of the directory? */
bool client_is_id(const char *id);

#endif
