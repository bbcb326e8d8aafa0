/* SPDX-License-Identifier: Apache-2.0
 * The directories that a confined process may use, found from the names of files. */
#include "confine/confine_places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows at most: path_resolution(7) */

struct confine_places *confine_places_new(void)
{
    return calloc(1, sizeof(struct confine_places));
}

void confine_places_free(struct confine_places *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->at[i].path);
    free(p->at);
    free(p);
}

/* Is the resolved `path` the folder `dir`, or beneath it? */
static bool beneath(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    if (n == 1)
        return true; /* the root */
    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static int add_place(struct confine_places *p, const char *path, bool write)
{
    struct confine_place *more;

    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->at[i].path, path) == 0) {
            p->at[i].write |= write;
            return 0;
        }
    }
    more = realloc(p->at, (p->n + 1) * sizeof *more);
    if (more == NULL)
        return -1;
    p->at = more;
    more[p->n] = (struct confine_place){ .path = strdup(path), .write = write };
    return more[p->n].path == NULL ? -1 : (int)(p->n++, 0);
}

/* Cut the last part off: "/a/b" becomes "/a", "/a" the root, "a" the working directory. */
static void to_parent(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL)
        strcpy(path, ".");
    else
        slash[slash == path ? 1 : 0] = '\0';
}

/* The directory itself, the folder of a file; of a device nothing but that. */
static int add_resolved(struct confine_places *p, char *real, bool write)
{
    struct stat st;

    if (stat(real, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode) && !S_ISCHR(st.st_mode))
        to_parent(real);
    return add_place(p, real, write);
}

/* The folder where `path` stands, or shall stand. */
static int add_folder(struct confine_places *p, const char *path, bool write)
{
    char folder[PATH_MAX], real[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path);
    do
        to_parent(folder);
    while (realpath(folder, real) == NULL && write && strlen(folder) > 1);
    return realpath(folder, real) == NULL ? 0 : add_place(p, real, write);
}

/* A link in `folder` may be swapped for one that points beside where it points now ("..data" of
 * Kubernetes' volumes, "current" of deployments): that is, to something else in or beneath its own
 * folder. Links that lead away from there are taken as they are, and none in the root counts. */
static int add_siblings(struct confine_places *p, const char *folder, const char *link, bool write)
{
    char real[PATH_MAX];

    if (strlen(folder) == 0 || realpath(link, real) == NULL)
        return 0;
    to_parent(real);
    return beneath(real, folder) ? add_place(p, real, write) : 0;
}

/* Put what the link `part` says before `rest`; `folder` is where to go on from. */
static void follow(char *folder, const char *target, char *rest)
{
    char old[PATH_MAX];

    snprintf(old, sizeof old, "%s", rest);
    if (snprintf(rest, PATH_MAX, "%s/%s", target, old) >= PATH_MAX)
        rest[0] = '\0';
    if (target[0] == '/')
        folder[0] = '\0';
}

/* Walk along `path`, which is absolute, and look at each link. */
static int add_links(struct confine_places *p, const char *path, bool write)
{
    char folder[PATH_MAX] = "", rest[PATH_MAX], at[PATH_MAX], target[PATH_MAX];
    int links = 0;

    snprintf(rest, sizeof rest, "%s", path);
    while (rest[0] != '\0' && links < LINKS_MAX) {
        size_t n = strcspn(rest, "/");
        ssize_t got = -1;
        int len = snprintf(at, sizeof at, "%s/%.*s", folder, (int)n, rest);

        memmove(rest, rest + n + strspn(rest + n, "/"),
                strlen(rest + n + strspn(rest + n, "/")) + 1);
        if (len < 0 || (size_t)len >= sizeof at)
            return 0;
        if (n == 0 || strcmp(at + len - n, ".") == 0)
            continue;
        if (strcmp(at + len - n, "..") == 0) {
            folder[strrchr(folder, '/') == NULL ? 0 : strrchr(folder, '/') - folder] = '\0';
            continue;
        }
        got = readlink(at, target, sizeof target - 1);
        if (got < 0) {
            memcpy(folder, at, (size_t)len + 1);
            continue;
        }
        target[got] = '\0';
        links++;
        if (add_siblings(p, folder, at, write) != 0)
            return -1;
        follow(folder, target, rest);
    }
    return 0;
}

static int absolute(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX];
    int n;

    if (path[0] == '/')
        n = snprintf(out, PATH_MAX, "%s", path);
    else if (getcwd(here, sizeof here) == NULL)
        return -1;
    else
        n = snprintf(out, PATH_MAX, "%s/%s", here, path);
    return n < 0 || n >= PATH_MAX ? -1 : 0;
}

int confine_place(struct confine_places *places, const char *path, bool write)
{
    char whole[PATH_MAX], real[PATH_MAX];

    if (absolute(path, whole) != 0)
        return 0; /* nothing can be opened by that name */
    if (realpath(whole, real) != NULL && add_resolved(places, real, write) != 0)
        return -1;
    if (strncmp(whole, "/dev/", 5) == 0 || strncmp(whole, "/proc/", 6) == 0)
        return 0; /* only what it stands for, not the folder of all that there is */
    if (add_folder(places, whole, write) != 0)
        return -1;
    return add_links(places, whole, write);
}

bool confine_holds(const struct confine_places *places, const char *path, bool write)
{
    char whole[PATH_MAX], real[PATH_MAX];

    if (absolute(path, whole) != 0)
        return false;
    while (realpath(whole, real) == NULL && strlen(whole) > 1) {
        if (errno == EACCES) { /* a folder that this user cannot look into: by its name, then */
            memcpy(real, whole, sizeof real);
            break;
        }
        to_parent(whole);
    }
    for (size_t i = 0; i < places->n; i++) {
        if ((places->at[i].write || !write) && beneath(real, places->at[i].path))
            return true;
    }
    return false;
}
