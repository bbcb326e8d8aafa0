/* SPDX-License-Identifier: Apache-2.0
 * Landlock: files are open to this process in the places of its configuration only. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/confine_impl.h"

/* Newer than the headers of Debian 12. Source:
 * https://docs.kernel.org/userspace-api/landlock.html, "Filesystem flags" */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define ACCESS_DEVICE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define ACCESS_READ   (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                                               \
    (ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE)

/* All that a kernel with Landlock's version `abi` can deny; the last bit of each version. */
static uint64_t deniable(int abi)
{
    static const uint64_t newest[] = {
        0,
        LANDLOCK_ACCESS_FS_MAKE_SYM,
        LANDLOCK_ACCESS_FS_REFER,
        LANDLOCK_ACCESS_FS_TRUNCATE,
        LANDLOCK_ACCESS_FS_TRUNCATE,
        LANDLOCK_ACCESS_FS_IOCTL_DEV,
    };

    return 2 * newest[abi < 5 ? abi : 5] - 1;
}

static int allow_place(int rules, const struct confine_place *place, uint64_t known)
{
    struct landlock_path_beneath_attr attr = {
        .parent_fd = open(place->path, O_PATH | O_CLOEXEC),
    };
    struct stat st;
    int rc = 0;

    if (attr.parent_fd < 0 && (errno == EMFILE || errno == ENFILE))
        return -1;
    if (attr.parent_fd < 0)
        return 0; /* gone since, or not to be reached by this user: then neither can the file */
    attr.allowed_access = place->write ? ACCESS_WRITE : ACCESS_READ;
    if (fstat(attr.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        attr.allowed_access = ACCESS_DEVICE;
    attr.allowed_access &= known;
    rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
    close(attr.parent_fd);
    return rc;
}

enum confine_step confine_files(const struct confine_places *places, int *abi, struct err *err)
{
    struct landlock_ruleset_attr attr = { .handled_access_fs = 0 };
    int rules = -1, rc = -1;

    *abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (*abi < 1)
        return CONFINE_LACKING;
    attr.handled_access_fs = deniable(*abi);
    rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules >= 0) {
        rc = 0;
        for (size_t i = 0; i < places->n && rc == 0; i++)
            rc = allow_place(rules, &places->at[i], attr.handled_access_fs);
        if (rc == 0)
            rc = (int)syscall(SYS_landlock_restrict_self, rules, 0);
    }
    if (rc != 0)
        err_set(err, ERR_ENVIRONMENT, "confine: Landlock: %s", err_why(errno));
    if (rules >= 0)
        close(rules);
    return rc == 0 ? CONFINE_DONE : CONFINE_FAILED;
}
