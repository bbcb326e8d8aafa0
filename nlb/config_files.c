/* SPDX-License-Identifier: Apache-2.0
 * Every file that a configuration names: what a confined process must be able to reach. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "nlb/config_impl.h"

struct file_teller {
    const struct nlb_config *config;
    int (*file_cb)(void *arg, const char *path, bool write);
    void *arg;
};

static int tell_path(const struct file_teller *t, const char *text, bool write)
{
    char path[PATH_MAX];

    if (nlb_config_path(t->config, text, path, sizeof path) != 0)
        return 0; /* nothing can be opened by that name */
    return t->file_cb(t->arg, path, write);
}

/* A certificate, or what else is read, and where its key is when that is beside it. */
static int tell_read(const struct file_teller *t, const char *text)
{
    char *beside = identity_key_beside(text);
    int rc = beside == NULL ? -1 : tell_path(t, text, false);

    if (rc == 0)
        rc = tell_path(t, beside, false);
    free(beside);
    return rc;
}

/* "cert.pem key.pem": which blank it is that stands between two names is told by what is there, so
 * each is taken to be the one: a name that leads nowhere costs nothing. */
static int tell_pairs(const struct file_teller *t, const char *text)
{
    char first[PATH_MAX];
    int rc = tell_read(t, text);

    for (const char *at = strchr(text, ' '); at != NULL && rc == 0; at = strchr(at + 1, ' ')) {
        snprintf(first, sizeof first, "%.*s", (int)(at - text), text);
        rc = tell_read(t, first);
        if (rc == 0)
            rc = tell_read(t, at + strspn(at, " "));
    }
    return rc;
}

static int tell_system_stores(const struct file_teller *t)
{
    const char *path;
    int rc = 0;

    for (size_t i = 0; (path = trust_store_system(i)) != NULL && rc == 0; i++)
        rc = t->file_cb(t->arg, path, false);
    return rc;
}

static int tell_given(const struct file_teller *t, const struct cfg_given *given)
{
    if (given->key->file == CFG_NO_FILE || strcmp(given->text, "-") == 0 ||
        cert_spec_is_lab(given->text))
        return 0;
    if (given->key->file == CFG_FILE_WRITE)
        return tell_path(t, given->text, true);
    /* AWS's list is judged by those of its authorities that this system has. */
    if (strcmp(given->text, "system") == 0 || strcmp(given->text, "apigateway") == 0)
        return tell_system_stores(t);
    return tell_pairs(t, given->text);
}

int nlb_config_files(const struct nlb_config *config,
                     int (*file_cb)(void *arg, const char *path, bool write), void *arg)
{
    const struct file_teller t = { config, file_cb, arg };
    int rc = strcmp(config->path, "-") == 0 ? 0 : file_cb(arg, config->path, false);

    for (size_t l = 0; l < config->n_lists; l++) {
        const struct config_list *list = &config->lists[l];

        for (size_t i = 0; i < list->n; i++) {
            const struct cfg_object *o = config_item(list, i);

            for (size_t k = 0; k < o->n_given && rc == 0; k++)
                rc = tell_given(&t, &o->given[k]);
        }
    }
    return rc;
}
