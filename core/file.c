/* SPDX-License-Identifier: Apache-2.0
 * Files: read whole, whatever they are and without waiting for ever; written whole, under a name
 * that is there only when all of it is, and never through somebody's symbolic link. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FIRST_ROOM    16384
#define WRITER_MS     3000  /* until somebody writes into a pipe */
#define SILENCE_MS    60000 /* between two writes of somebody who has it open */
#define PATH_LEN      4096
#define STEM_MAX      200
#define NEW_NAME_SPAN 24

/* --- reading --- */

static const char *kind_refused(const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return "it is a directory";
    if (S_ISBLK(st->st_mode) || (S_ISCHR(st->st_mode) && st->st_rdev != makedev(1, 3)))
        return "it is a device, not a file";
    if (S_ISSOCK(st->st_mode))
        return "it is a socket, not a file";
    return NULL;
}

/* A descriptor that does not wait; -1 with the reason. */
static int open_to_read(const char *path, struct stat *st, struct err *err)
{
    const char *why = NULL;
    int fd = -1;

    /* Looked at before it is opened, for opening some devices does something. */
    if (stat(path, st) == 0 && (why = kind_refused(st)) == NULL) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd >= 0 && fstat(fd, st) == 0 && (why = kind_refused(st)) == NULL)
            return fd;
    }
    err_set(err, ERR_ENVIRONMENT, "%s", why != NULL ? why : err_why_at(errno, path, false));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Wait until a pipe can be read; false with the reason when that takes too long. */
static bool wait_for(int fd, int ms, const char *why, struct err *err)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n;

    do
        n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        err_set(err, ERR_ENVIRONMENT, "%s", why);
    return n != 0;
}

/* Growing memory; what is given up is wiped. */
struct content {
    char *at;
    size_t n, room;
};

static int make_room(struct content *c, size_t max, struct err *err)
{
    size_t room = c->room == 0 ? FIRST_ROOM : 2 * c->room;
    char *bigger;

    if (c->n + 1 < c->room)
        return 0;
    if (room > max + 2) /* one more than is allowed, and the NUL */
        room = max + 2;
    bigger = room > c->room ? malloc(room) : NULL;
    if (bigger == NULL) {
        if (room > c->room)
            err_set(err, ERR_NOMEM, "out of memory");
        else
            err_set(err, ERR_FORMAT, "larger than %zu %s", max >> (max >> 20 > 0 ? 20 : 10),
                    max >> 20 > 0 ? "MiB" : "KiB");
        return -1;
    }
    if (c->n > 0)
        memcpy(bigger, c->at, c->n);
    file_wipe(c->at, c->n);
    c->at = bigger;
    c->room = room;
    return 0;
}

/* `is_pipe`: read without blocking; 0 octets are its end only when it was heard of before, for a
 * pipe without a writer reads so, too. */
static int read_to_end(int fd, bool is_pipe, size_t max, struct content *c, struct err *err)
{
    bool heard = !is_pipe;

    while (make_room(c, max, err) == 0) {
        ssize_t got = read(fd, c->at + c->n, c->room - 1 - c->n);

        if (got > 0) {
            c->n += (size_t)got;
            heard = true;
        } else if (got == 0) {
            if (heard)
                return 0;
            if (!wait_for(fd, WRITER_MS, "it is a pipe that nobody writes into", err))
                return -1;
            heard = true;
        } else if (errno == EAGAIN) {
            if (!wait_for(fd, SILENCE_MS, "it is a pipe, and its writer sends nothing", err))
                return -1;
            heard = true;
        } else if (errno != EINTR) {
            err_set(err, ERR_ENVIRONMENT, "%s", err_why(errno));
            return -1;
        }
    }
    return -1;
}

char *file_read(const char *path, size_t max, size_t *len, struct err *err)
{
    bool input = strcmp(path, "-") == 0;
    struct content c = { 0 };
    struct stat st = { 0 };
    int fd = input ? STDIN_FILENO : open_to_read(path, &st, err);
    int rc = -1;

    if (fd < 0)
        return NULL;
    rc = read_to_end(fd, !input && S_ISFIFO(st.st_mode), max, &c, err);
    if (!input)
        close(fd);
    if (rc != 0) {
        file_wipe(c.at, c.n);
        return NULL;
    }
    c.at[c.n] = '\0';
    *len = c.n;
    return c.at;
}

void file_wipe(char *text, size_t len)
{
    if (text == NULL)
        return;
    explicit_bzero(text, len);
    free(text);
}

/* --- within a directory --- */

int file_dir_in(int dir, const char *name, bool create)
{
    int at = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    while (at >= 0 && *name != '\0') {
        size_t n = strcspn(name, "/");
        char part[256];
        int next = -1;

        if (n >= sizeof part) {
            errno = ENAMETOOLONG;
        } else {
            memcpy(part, name, n);
            part[n] = '\0';
            if (!create || mkdirat(at, part, 0755) == 0 || errno == EEXIST)
                next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        close(at);
        at = next;
        name += n + strspn(name + n, "/");
    }
    return at;
}

/* The directory of "a/b/file" below `dir`, and where "file" begins. */
static int parent_in(int dir, const char *name, const char **file)
{
    const char *slash = strrchr(name, '/');
    char folder[PATH_LEN];

    *file = slash == NULL ? name : slash + 1;
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 0 : (int)(slash - name), name);
    return file_dir_in(dir, folder, false);
}

int file_new_in(int dir, const char *stem, mode_t mode, char *name, size_t size)
{
    for (int tries = 0; tries < 16; tries++) {
        uint64_t random = 0;
        int fd, n;

        if (getrandom(&random, sizeof random, 0) != sizeof random)
            return -1;
        n = snprintf(name, size, "%.*s.%016llx.tmp", STEM_MAX, stem, (unsigned long long)random);
        if (n < 0 || (size_t)n >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int file_put(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Give the finished file its name. link() refuses one that exists where rename() replaces it. */
static int give_name(int dir, const char *temporary, const char *file, unsigned flags)
{
    if ((flags & FILE_REPLACE) != 0)
        return renameat(dir, temporary, dir, file);
    return linkat(dir, temporary, dir, file, 0);
}

static int write_into(int dir, const char *file, const void *data, size_t len, unsigned flags,
                      struct err *err)
{
    char temporary[STEM_MAX + NEW_NAME_SPAN];
    int fd = file_new_in(dir, file, (flags & FILE_SECRET) != 0 ? 0600 : 0644, temporary,
                         sizeof temporary);
    int rc = -1;

    if (fd < 0 || file_put(fd, data, len) != 0 || ((flags & FILE_LAZY) == 0 && fsync(fd) != 0))
        err_set(err, ERR_ENVIRONMENT, "cannot write: %s", err_why(errno));
    else if (give_name(dir, temporary, file, flags) == 0)
        rc = 0;
    else if (errno == EEXIST)
        err_set(err, ERR_USAGE, "is there already (--force replaces it)");
    else
        err_set(err, ERR_ENVIRONMENT, "cannot write: %s", err_why(errno));
    if (fd >= 0) {
        close(fd);
        (void)unlinkat(dir, temporary, 0); /* gone already after a rename */
    }
    return rc;
}

int file_write_in(int dir, const char *name, const void *data, size_t len, unsigned flags,
                  struct err *err)
{
    const char *file;
    int at = parent_in(dir, name, &file), rc;

    if (at < 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot write: %s",
                errno == ELOOP || errno == ENOTDIR
                    ? "its folder is a symbolic link or a file, and nothing is written through it"
                    : err_why(errno));
        return -1;
    }
    rc = write_into(at, file, data, len, flags, err);
    close(at);
    return rc;
}

void file_remove_in(int dir, const char *name)
{
    const char *file;
    int at = parent_in(dir, name, &file);

    if (at < 0)
        return;
    (void)unlinkat(at, file, 0);
    close(at);
}

int file_write(const char *path, const void *data, size_t len, unsigned flags, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_LEN];
    int n = snprintf(folder, sizeof folder, "%.*s",
                     slash == NULL   ? 1
                     : slash == path ? 1
                                     : (int)(slash - path),
                     slash == NULL ? "." : path);
    int dir = -1, rc = -1;

    if (n < 0 || (size_t)n >= sizeof folder)
        errno = ENAMETOOLONG;
    else
        dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC); /* the user's own path: followed */
    if (dir < 0) {
        err_set(err, ERR_ENVIRONMENT, "%s: cannot write: %s", path, err_why(errno));
        return -1;
    }
    rc = write_into(dir, slash == NULL ? path : slash + 1, data, len, flags, err);
    if (rc != 0)
        err_prefix(err, "%s", path);
    close(dir);
    return rc;
}
