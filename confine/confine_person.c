/* SPDX-License-Identifier: Apache-2.0
 * Who the process is afterwards: user, groups, capabilities, no new privileges. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/confine_impl.h"
#include "core/cfg_key.h"

struct person {
    uid_t uid;
    gid_t gid;
    const char *name; /* for its groups; NULL: none beside `gid` */
    bool user, group; /* was it asked for? */
};

static char told[160];

const char *confine_person_text(void)
{
    return told;
}

/* A number: one below the one that means "unchanged". */
static int read_id(const char *text, uint32_t *id)
{
    uint64_t n;

    if (cfg_parse_uint(text, 0, UINT32_MAX - 1, &n) != 0)
        return -1;
    *id = (uint32_t)n;
    return 0;
}

static int find_person(const struct confine_wish *w, struct person *p, struct err *err)
{
    const struct passwd *pw = NULL;
    const struct group *gr = NULL;

    *p = (struct person){
        .uid = getuid(), .gid = getgid(), .user = w->user != NULL, .group = w->group != NULL
    };
    if (p->user) {
        pw = read_id(w->user, &p->uid) == 0 ? getpwuid(p->uid) : getpwnam(w->user);
        if (pw != NULL) {
            p->uid = pw->pw_uid;
            p->gid = pw->pw_gid;
            p->name = pw->pw_name;
        } else if (read_id(w->user, &p->uid) != 0) {
            err_set(err, ERR_CONFIG, "user = %s: this system has no such user", w->user);
            return -1;
        } else if (!p->group) {
            err_set(err, ERR_CONFIG,
                    "user = %s: this system has no such user, so its group is not known: say "
                    "group = NUMBER, too",
                    w->user);
            return -1;
        }
    }
    if (p->group && read_id(w->group, &p->gid) != 0) {
        gr = getgrnam(w->group);
        if (gr == NULL) {
            err_set(err, ERR_CONFIG, "group = %s: this system has no such group", w->group);
            return -1;
        }
        p->gid = gr->gr_gid;
    }
    return 0;
}

/* --- capabilities: capset(2) by itself; libcap would be a library for two calls --- */
typedef uint64_t cap_set;
#define CAP(n) ((cap_set)1 << (n))

static int read_caps(cap_set *permitted)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { 0 };

    if (syscall(SYS_capget, &head, data) != 0)
        return -1;
    *permitted = data[0].permitted | (cap_set)data[1].permitted << 32;
    return 0;
}

static int keep_caps(cap_set keep)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = {
        { .effective = (uint32_t)keep, .permitted = (uint32_t)keep },
        { .effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32) },
    };

    return (int)syscall(SYS_capset, &head, data);
}

/* Of what we have: ports below 1024 for listeners of a reload, and IP_TRANSPARENT, for which the
 * smaller of two is enough. Whoever stays root keeps root's way with other users' files: a
 * container's root logs into a folder of the host's user, and Landlock says which folders there
 * are. Source: capabilities(7), ip(7). */
static cap_set wanted_caps(cap_set have, bool transparent, bool root)
{
    cap_set keep = have & CAP(CAP_NET_BIND_SERVICE);

    if (root)
        keep |= have & CAP(CAP_DAC_OVERRIDE);
    if (transparent)
        keep |= have & ((have & CAP(CAP_NET_RAW)) != 0 ? CAP(CAP_NET_RAW) : CAP(CAP_NET_ADMIN));
    return keep;
}

/* What no program started from here could get back; nothing is, but a reader of /proc sees it. */
static void drop_bounding(cap_set keep)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if ((keep & CAP(cap)) == 0)
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* may be forbidden: it is only the limit */
    }
}

/* --- user and group --- */
static int change(const struct person *p, struct err *err)
{
    bool same = p->uid == geteuid() && p->gid == getegid();
    int rc = 0;

    if (same && (getuid() == p->uid && getgid() == p->gid) && geteuid() != 0)
        return 0; /* already who was asked for, and nobody else can be */
    if (geteuid() != 0) {
        err_set(err, ERR_ENVIRONMENT,
                "user, group: only root can become somebody else, and this process runs as user "
                "%u, group %u: start it as root, or as the user that it shall have",
                (unsigned)geteuid(), (unsigned)getegid());
        return -1;
    }
    rc = p->name != NULL ? initgroups(p->name, p->gid) : setgroups(1, &p->gid);
    if (rc == 0)
        rc = setresgid(p->gid, p->gid, p->gid);
    if (rc == 0 && p->user)
        rc = prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (rc == 0 && p->user)
        rc = setresuid(p->uid, p->uid, p->uid); /* glibc: in every thread */
    if (rc != 0)
        err_set(err, ERR_ENVIRONMENT, "user, group: cannot become user %u, group %u: %s",
                (unsigned)p->uid, (unsigned)p->gid, err_why(errno));
    return rc;
}

int confine_person(const struct confine_wish *wish, struct err *err)
{
    cap_set keep = 0;
    struct person p;

    if (find_person(wish, &p, err) != 0)
        return -1;
    if (read_caps(&keep) == 0)
        keep = wanted_caps(keep, wish->transparent, p.uid == 0);
    if (wish->how != CONFINE_OFF)
        drop_bounding(keep);
    if ((p.user || p.group) && change(&p, err) != 0)
        return -1;
    if (p.user || p.group)
        snprintf(told, sizeof told, " user=%u group=%u", (unsigned)p.uid, (unsigned)p.gid);
    if (wish->how == CONFINE_OFF && p.uid == 0)
        return 0;
    /* With KEEPCAPS a new user still has what root had, so this is due even with CONFINE_OFF. */
    if (keep_caps(keep) != 0) {
        err_set(err, ERR_ENVIRONMENT, "confine: capabilities: %s", err_why(errno));
        return -1;
    }
    if (wish->how != CONFINE_OFF && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        err_set(err, ERR_ENVIRONMENT, "confine: no new privileges: %s", err_why(errno));
        return -1;
    }
    return 0;
}
