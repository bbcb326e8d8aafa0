/* SPDX-License-Identifier: Apache-2.0
 * One reason why something failed: a code and a sentence that names the object and the field. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_code {
    ERR_NONE,
    ERR_USAGE,       /* the command line is wrong: exit status 2 */
    ERR_CONFIG,      /* a configuration or input file is wrong: exit status 2 */
    ERR_ENVIRONMENT, /* cannot bind, cannot read, no permission: exit status 3 */
    ERR_NOMEM,       /* exit status 3 */
    ERR_FORMAT,      /* foreign bytes that cannot be read as what they should be */
    ERR_CRYPTO,      /* the TLS or crypto library refused */
    ERR_BUG,         /* our own mistake */
};

#define ERR_TEXT_MAX 768

/* Set by err_set(); `text` is one sentence without a full stop or newline, harmless to print
 * (core/foreign.h). A caller passes a
 * pointer to an `struct err` it owns; the callee writes it only on failure. */
struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

/* Write code and text. `e` may be NULL: then nothing is kept. */
void err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Put "prefix: " before the text that is there. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* strerror(), or what to do about it where that is known; valid until the thread's next call. */
const char *err_why(int error);
/* The same of a file that could not be read or written; says more of a denied one where somebody
 * knows more. */
const char *err_why_at(int error, const char *path, bool write);
/* Whom err_why_at() asks about EACCES, from now on; NULL from there: nothing to add. */
void err_ask_denied(const char *(*why_cb)(const char *path, bool write));
/* The exit status of a command that ends with this error: 2 or 3 (product conventions). */
int err_exit_status(const struct err *e);

#endif
