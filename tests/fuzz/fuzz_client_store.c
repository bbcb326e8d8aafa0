/* SPDX-License-Identifier: Apache-2.0
 * A store of client certificates whose files hold anything: state.json up to the first NUL of the
 * input, abc123.json behind it. Listing, showing, rotating and deleting work or say why not. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/audit/client_store.h"
#include "tls/tls_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW 1795000000

static char dir[] = "/dev/shm/nlbsim-fuzz-XXXXXX";
static int dir_fd = -1;

static void empty_dir(void)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.')
            unlinkat(dir_fd, e->d_name, 0);
    }
    if (d == NULL)
        abort();
    closedir(d);
}

static void remove_dir(void)
{
    empty_dir();
    unlinkat(dir_fd, CLIENT_STORE_MARKER, 0);
    rmdir(dir);
}

static void put(const char *name, const void *data, size_t n)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, n) != (ssize_t)n)
        abort();
    close(fd);
}

static void make_dir(void)
{
    struct err err = { 0 };

    if (dir_fd >= 0)
        return;
    if (tls_init(&err) != 0 || mkdtemp(dir) == NULL ||
        (dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || atexit(remove_dir) != 0)
        abort();
    put(CLIENT_STORE_MARKER, "", 0);
}

/* An answer, or a reason. */
static void answered(json_t *json, const struct err *err)
{
    if (json == NULL && err->text[0] == '\0')
        abort();
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *nul = n == 0 ? NULL : memchr(data, 0, n);
    size_t first = nul == NULL ? n : (size_t)(nul - data);
    struct err err = { 0 };
    struct client_store *store;
    enum client_step step;

    make_dir();
    empty_dir();
    if (first > 0)
        put("state.json", data, first);
    if (nul != NULL)
        put("abc123.json", nul + 1, n - first - 1);
    put("abc123.pem", "certificate\n", 12);
    put("abc123.key", "key\n", 4);
    store = client_store_open(dir, false, &err);
    if (store == NULL)
        abort();
    answered(client_store_list(store, &err), &err);
    answered(client_store_get(store, "abc123", &err), &err);
    /* Without a state a certificate would be made: one signature for each input. */
    if (first > 0)
        answered(client_store_rotate(store, NULL, "fuzz", NOW, &step, &err), &err);
    if (client_store_delete(store, "abc123", &err) != 0 && err.text[0] == '\0')
        abort();
    client_store_close(store);
    return 0;
}
