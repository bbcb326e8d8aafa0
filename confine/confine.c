/* SPDX-License-Identifier: Apache-2.0
 * Confinement step by step, what the kernel lacks, and why a file is out of reach afterwards. */
#include "confine/confine.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/confine_impl.h"
#include "confine/confine_places.h"
#include "core/log.h"

static struct confine_places *confined_to; /* NULL: files are not confined */
static bool changed;                       /* are we less than who started us? */

/* Threads that run already would stay as they are. */
static bool alone(void)
{
    DIR *dir = opendir("/proc/self/task");
    size_t n = 0;

    if (dir == NULL)
        return true; /* no /proc here: not to be seen */
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n == 1;
}

/* --- why a file is denied --- */
static const char *why_denied(const char *path, bool write)
{
    static _Thread_local char text[512];
    struct stat st;

    if (confined_to != NULL && !confine_holds(confined_to, path, write)) {
        snprintf(text, sizeof text,
                 "it needs a restart since `confine` is on: this process %s files only in the "
                 "directories that its configuration named when it started",
                 write ? "writes" : "reads");
        return text;
    }
    if (!changed)
        return NULL;
    if (geteuid() == 0 && stat(path, &st) == 0 && st.st_uid != 0)
        snprintf(text, sizeof text,
                 "it belongs to user %u, and this process is a root without CAP_DAC_OVERRIDE: "
                 "user = %u in [nlb] makes it that user",
                 (unsigned)st.st_uid, (unsigned)st.st_uid);
    else
        snprintf(text, sizeof text, "this process has run as user %u, group %u since its start",
                 (unsigned)geteuid(), (unsigned)getegid());
    return text;
}

const char *confine_cannot_read(const char *path)
{
    return access(path, R_OK) == 0 || errno != EACCES ? NULL : err_why_at(EACCES, path, false);
}

/* --- the steps --- */
static int lacking(const struct confine_wish *wish, const char *what, struct err *err)
{
    if (wish->how == CONFINE_REQUIRE) {
        err_set(err, ERR_ENVIRONMENT,
                "confine = require, but this kernel has no %s; confine = on goes on without", what);
        return -1;
    }
    log_warn("confine", "this kernel has no %s; going on without", what);
    return 0;
}

static int confine_to(const struct confine_wish *wish, struct confine_places *places,
                      struct err *err)
{
    int abi = 0;
    enum confine_step files = confine_files(places, &abi, err), calls = CONFINE_LACKING;

    if (files == CONFINE_FAILED ||
        (files == CONFINE_LACKING &&
         lacking(wish, "Landlock (Linux 5.13): files are not confined", err) != 0))
        return -1;
    if (files == CONFINE_DONE)
        confined_to = places;
    if (wish->how != CONFINE_FILES_ONLY && !CONFINE_SANITIZED) {
        calls = confine_calls(err);
        if (calls == CONFINE_FAILED ||
            (calls == CONFINE_LACKING &&
             lacking(wish, "seccomp filters: system calls are not confined", err) != 0))
            return -1;
    }
    log_info("confine", "landlock=%d seccomp=%s%s", abi > 0 ? abi : 0,
             calls == CONFINE_DONE ? "on" : "off", confine_person_text());
    return 0;
}

int confine_enter(const struct confine_wish *wish, struct confine_places *places, struct err *err)
{
    void *frame;
    int rc;

    if (CONFINE_SANITIZED)
        (void)confine_place(places, "/proc/self",
                            false); /* threads and mappings, for the runtime */
    if (wish->how != CONFINE_OFF && !CONFINE_SANITIZED && !alone()) {
        err_set(err, ERR_BUG, "confine: a thread runs already");
        confine_places_free(places);
        return -1;
    }
    /* Ending a thread needs a library that glibc loads only then, with the rights of then. */
    (void)backtrace(&frame, 1);
    rc = confine_person(wish, err);
    changed = true;
    err_ask_denied(why_denied);
    if (rc == 0 && wish->how != CONFINE_OFF) {
        confine_no_dumps();
        rc = confine_to(wish, places, err);
    }
    if (confined_to != places)
        confine_places_free(places);
    return rc;
}
