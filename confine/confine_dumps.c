/* SPDX-License-Identifier: Apache-2.0
 * Private keys stay in this process: no core dumps, and memory that no dump holds. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "confine/confine_impl.h"

static FILE *maps; /* held, since Landlock lets nobody open it later; NULL: dumps are allowed */

void confine_no_dumps(void)
{
    const struct rlimit none = { 0, 0 };

    maps = fopen("/proc/self/maps", "re");
    (void)setrlimit(RLIMIT_CORE, &none); /* lowering is never refused */
    if (!CONFINE_SANITIZED)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Every private mapping without a file behind it: heaps, stacks, what malloc maps by itself. Keys
 * are wherever the TLS library put them, so all of it is marked rather than each key; locking
 * would cost a limit that users without privileges do not have. */
void confine_hide_memory(void)
{
    char line[512];

    if (maps == NULL)
        return;
    rewind(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        char rights[5], name[8] = "";
        unsigned long inode;

        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu %7s", &from, &to, rights,
                   &inode, name) < 4)
            continue;
        if (inode == 0 && rights[3] == 'p' && strncmp(name, "[v", 2) != 0)
            (void)madvise((void *)from, to - from, MADV_DONTDUMP);
    }
}
