/* SPDX-License-Identifier: Apache-2.0
 * How `nlbsim run` tells that it is ready: lines, a file, sd_notify. */
#include "cli/ready.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/file.h"
#include "core/foreign.h"

void ready_print(FILE *out, const struct testbed *t)
{
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < nlb_listener_count(t->nlb); i++) {
        const struct nlb_listener_info l = nlb_listener_at(t->nlb, i);

        fprintf(out, "ready listener=%s protocol=%s address=%s\n", l.name,
                protocol_name(l.protocol), addr_format(&l.address, text));
    }
    if (nlb_metrics_address(t->nlb) != NULL)
        fprintf(out, "ready metrics address=%s\n", addr_format(nlb_metrics_address(t->nlb), text));
    fflush(out);
}

static json_t *metrics(const struct testbed *t)
{
    const struct addr *a = nlb_metrics_address(t->nlb);
    char text[ADDR_TEXT_MAX];

    return a == NULL ? json_null()
                     : json_pack("{s:s, s:i}", "address", addr_format_host(a, text), "port",
                                 (int)addr_port(a));
}

static json_t *ready_document(const struct testbed *t)
{
    json_t *listeners = json_array();
    json_t *targets = json_array();
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < nlb_listener_count(t->nlb); i++) {
        const struct nlb_listener_info l = nlb_listener_at(t->nlb, i);

        json_array_append_new(listeners, json_pack("{s:s, s:s, s:s, s:i}", "name", l.name,
                                                   "protocol", protocol_name(l.protocol), "address",
                                                   addr_format_host(&l.address, text), "port",
                                                   (int)addr_port(&l.address)));
    }
    for (size_t i = 0; i < lab_targets_count(t->targets); i++) {
        const struct lab_target_info *l = lab_targets_at(t->targets, i);

        json_array_append_new(targets, json_pack("{s:s, s:s, s:i}", "name", l->name, "address",
                                                 addr_format_host(&l->addr, text), "port",
                                                 (int)addr_port(&l->addr)));
    }
    return json_pack("{s:i, s:o, s:o, s:o}", "pid", (int)getpid(), "listeners", listeners,
                     "lab_targets", targets, "metrics", metrics(t));
}

int ready_write_file(const char *path, const struct testbed *t, struct err *err)
{
    json_t *doc = ready_document(t);
    char *text = doc == NULL ? NULL : foreign_dumps(doc, JSON_COMPACT);
    size_t n = text == NULL ? 0 : strlen(text);
    int rc = -1;

    json_decref(doc);
    if (text == NULL) {
        err_set(err, ERR_NOMEM, "ready file %s", path);
        return -1;
    }
    text[n] = '\n'; /* instead of the NUL */
    rc = file_write(path, text, n + 1, FILE_REPLACE | FILE_LAZY, err);
    if (rc != 0)
        err_prefix(err, "ready file");
    free(text);
    return rc;
}

static void notify(const char *state, int flags)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t n = path == NULL ? 0 : strlen(path);
    int fd;

    if (n == 0 || n >= sizeof un.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(un.sun_path, path, n);
    if (path[0] == '@')
        un.sun_path[0] = '\0'; /* abstract name */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | flags, (struct sockaddr *)&un,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

void ready_notify(const char *state)
{
    notify(state, 0);
}

void ready_beat(const char *state)
{
    notify(state, MSG_DONTWAIT);
}
