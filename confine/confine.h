/* SPDX-License-Identifier: Apache-2.0
 * Confinement: what this process gives up once it knows its configuration, before it starts any
 * thread. docs/confinement.md tells users. */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include <stdbool.h>

#include "core/err.h"

/* What the key `confine` says. */
enum confine_how {
    CONFINE_ON,         /* all that this kernel has; what it lacks is told once */
    CONFINE_REQUIRE,    /* a kernel that lacks something is an error */
    CONFINE_FILES_ONLY, /* without the filter of system calls */
    CONFINE_OFF,        /* nothing but `user` and `group` */
};

#define CONFINE_EXIT 4 /* exit status of a process that a forbidden system call ended */

struct confine_wish {
    enum confine_how how;
    const char *user, *group; /* names or numbers; NULL: stay who we are */
    bool transparent;         /* keep the capability that IP_TRANSPARENT needs */
};

struct confine_places; /* confine/confine_places.h */

/*
 * Give it all up: core dumps, capabilities, new privileges, other users' rights, files elsewhere
 * (Landlock), unused system calls (seccomp). To be called with no other thread running.
 *   places   taken
 *   returns  0 (what the kernel lacks is in the log), or -1 with the reason
 */
int confine_enter(const struct confine_wish *wish, struct confine_places *places, struct err *err);

/* Keep what memory holds now (private keys) out of every dump; again after more of it was loaded.
 * Nothing with CONFINE_OFF. */
void confine_hide_memory(void);
/* Is there something in `path` that this process, as it is now, could not read again? The reason
 * for the log, or NULL. */
const char *confine_cannot_read(const char *path);

#endif
