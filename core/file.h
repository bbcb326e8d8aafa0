/* SPDX-License-Identifier: Apache-2.0
 * Files: read whole, whatever they are and without waiting for ever; written whole, under a name
 * that is there only when all of it is, and never through somebody's symbolic link. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/err.h"

/*
 * Read a file or a pipe to its end.
 *   path     "-" is standard input
 *   max      more octets than this are refused
 *   returns  the octets with a NUL behind them, `*len` without it; free with file_wipe(). NULL: the
 *            reason alone, without the path: ERR_FORMAT when it is too large, else ERR_ENVIRONMENT.
 *            A pipe that nobody writes into is given up after some seconds; directories, devices
 *            (but for /dev/null) and sockets are refused.
 */
char *file_read(const char *path, size_t max, size_t *len, struct err *err);
/* Overwrite and free, for it may hold a key; NULL is fine. */
void file_wipe(char *text, size_t len);

enum file_write_flags {
    FILE_SECRET = 1,  /* mode 0600 instead of 0644 (before the umask) */
    FILE_REPLACE = 2, /* without it an existing file is refused */
    FILE_LAZY = 4,    /* what can be made again need not survive a power failure: no fsync */
};
/* Write a file whole: into a new one beside it, then under its name. The reason begins with the
 * path. A link under that very name is replaced, not followed. */
int file_write(const char *path, const void *data, size_t len, unsigned flags, struct err *err);

/* --- within a directory, where no symbolic link is followed --- */

/* The descriptor of directory `name` ("a/b/c") below `dir`; with `create` what is missing is made.
 * -1 with errno (a link: ENOTDIR or ELOOP). */
int file_dir_in(int dir, const char *name, bool create);
/* file_write() below `dir`; the reason does not say the name. */
int file_write_in(int dir, const char *name, const void *data, size_t len, unsigned flags,
                  struct err *err);
/* Remove the file `name` ("a/b/file") below `dir`, if there is one. */
void file_remove_in(int dir, const char *name);
/* Open a new file for reading and writing, named `stem`, some random letters and ".tmp"; its name
 * into `name`. -1 with errno. */
int file_new_in(int dir, const char *stem, mode_t mode, char *name, size_t size);
/* All of it, or -1 with errno. */
int file_put(int fd, const void *data, size_t len);

#endif
