/* SPDX-License-Identifier: Apache-2.0
 * Write a whole certificate lab to disk: every profile for one host, stores, authorities, lists of
 * revoked certificates, and lab.json, which says what is what. docs/lab.md describes the layout. */
#ifndef CERTS_LAB_LAB_DIR_H
#define CERTS_LAB_LAB_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/lab/lab.h"
#include "core/err.h"

/* The file that makes a directory a lab. No directory without it is ever written into, unless it is
 * empty: a real CA's directory is never touched. */
#define LAB_DIR_MARKER ".nlbsim-lab"

struct lab_dir_options {
    const char *dir;
    const char *host;
    bool force;        /* replace the lab that is there */
    bool no_large_rsa; /* leave out the profiles with RSA keys of 3072 bits and more */
    /* Called after each profile; NULL: nobody asks. */
    void (*progress_cb)(void *arg, size_t done, size_t total, const char *profile);
    void *progress_arg;
};

struct lab_dir_summary {
    size_t profiles, skipped, files;
};

int lab_dir_write(struct cert_lab *lab, const struct lab_dir_options *o,
                  struct lab_dir_summary *summary, struct err *err);

/* Take the authorities of a lab directory into a new lab, keys and all, so that what it issues fits
 * the trust stores of that directory. -1 when it is no lab, or one of another version. */
int lab_dir_load(struct cert_lab *lab, const char *dir, struct err *err);

#endif
