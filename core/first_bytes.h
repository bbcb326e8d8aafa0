/* SPDX-License-Identifier: Apache-2.0
 * What the first bytes of one direction of a connection are, and what a server's answer gives away.
 */
#ifndef CORE_FIRST_BYTES_H
#define CORE_FIRST_BYTES_H

#include <stddef.h>
#include <stdint.h>

enum first_kind {
    FIRST_NONE,
    FIRST_TLS,       /* a handshake record */
    FIRST_TLS_ALERT, /* an alert record */
    FIRST_HTTP,      /* an HTTP/1.x request or answer */
    FIRST_H2,        /* HTTP/2: the client's preface, or a frame of settings */
    FIRST_SSH,
    FIRST_MAIL,  /* the greeting of SMTP, FTP, POP3 or IMAP */
    FIRST_PROXY, /* a PROXY protocol header */
    FIRST_OTHER,
};
const char *first_kind_name(enum first_kind kind); /* "tls_alert" */

#define FIRST_TEXT_MAX 96
#define FIRST_LOOKED   4096 /* bytes of one direction in which telltales are looked for */

struct first_bytes {
    enum first_kind kind;
    char text[FIRST_TEXT_MAX]; /* the first line of what is text; else empty. Foreign. */
    unsigned status;           /* of an HTTP answer; 0: none */
    const char *telltale;      /* the id of a row of core/telltales.def; static; NULL: none */
    uint32_t looked;           /* bytes taken so far, at most FIRST_LOOKED */
};
/* Take bytes of one direction, in the order of their coming. */
void first_bytes_take(struct first_bytes *f, const uint8_t *data, size_t n);

/* The id of the row of core/telltales.def whose text stands in these bytes; NULL: none does. */
const char *telltale_find(const void *data, size_t n);

#endif
