/* SPDX-License-Identifier: Apache-2.0
 * What is known of the far side of the link: its signpost, and the event of our flow. */
#include "vpclink/far_side.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/sock.h"

#define SIGNPOST_MAX (256 * 1024)
#define SIGNPOST_MS  500
#define LOOK_MS      2

static void text_of(const json_t *j, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(j, key));

    snprintf(out, size, "%s", text == NULL ? "" : text);
}

static enum protocol protocol_of(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));

    if (text == NULL)
        return 0;
    return strcmp(text, "TLS") == 0 ? PROTOCOL_TLS : strcmp(text, "TCP") == 0 ? PROTOCOL_TCP : 0;
}

/* --- the signpost --- */
static int connect_post(const char *address)
{
    struct sockaddr_un un;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sock_abstract(&un, "about", address);

    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&un, len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static char *read_all(int fd, size_t *n, int *events)
{
    char *text = malloc(SIGNPOST_MAX);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t got = 1;

    *n = 0;
    while (text != NULL && got > 0 && *n < SIGNPOST_MAX && poll(&p, 1, SIGNPOST_MS) == 1) {
        got = sock_recv_fd(fd, text + *n, SIGNPOST_MAX - *n, events);
        *n += got > 0 ? (size_t)got : 0;
    }
    return text;
}

/* Listeners on every address have their signpost under 0.0.0.0 or [::]. */
static int find_post(const struct addr *to)
{
    char exact[ADDR_TEXT_MAX], any[ADDR_TEXT_MAX];
    int fd = connect_post(addr_format(to, exact));

    snprintf(any, sizeof any, "%s:%u", to->u.sa.sa_family == AF_INET6 ? "[::]" : "0.0.0.0",
             (unsigned)addr_port(to));
    return fd >= 0 ? fd : connect_post(any);
}

bool far_side_take_answer(const char *text, size_t n, struct far_side *out, const char *store,
                          char **pem)
{
    json_t *j = json_loadb(text, n, 0, NULL);

    if (!json_is_object(j)) {
        json_decref(j);
        return false;
    }
    out->ours = true;
    out->protocol = protocol_of(j, "protocol");
    text_of(j, "listener", out->listener, sizeof out->listener);
    text_of(j, "events", out->events, sizeof out->events);
    if (pem != NULL && store != NULL) {
        const char *found = json_string_value(json_object_get(json_object_get(j, "stores"), store));

        *pem = found == NULL ? NULL : strdup(found);
    }
    json_decref(j);
    return true;
}

bool far_side_ask(const struct addr *to, struct far_side *out, const char *store, char **pem,
                  struct far_events *events)
{
    struct stat st;
    char *text = NULL;
    size_t n = 0;
    bool ours;

    if (pem != NULL)
        *pem = NULL;
    events->post = find_post(to);
    if (events->post < 0)
        return false;
    text = read_all(events->post, &n, &events->fd);
    ours = text != NULL && far_side_take_answer(text, n, out, store, pem);
    free(text);
    if (!ours || events->fd < 0 || fstat(events->fd, &st) != 0)
        far_events_clear(events);
    else
        events->from = st.st_size;
    return ours;
}

/* --- the event --- */
void far_side_clear(struct far_side *f)
{
    json_decref(f->event);
    f->event = NULL;
}

bool far_side_take_event(const char *line, const char *client, struct far_side *out)
{
    char code[48];
    json_t *j = strstr(line, client) == NULL ? NULL : json_loads(line, 0, NULL);
    const char *from = json_string_value(json_object_get(j, "client"));
    const json_t *front, *back, *end;

    if (from == NULL || strcmp(from, client) != 0) {
        json_decref(j);
        return false;
    }
    out->joined = true;
    out->flow = json_integer_value(json_object_get(j, "flow"));
    out->protocol = protocol_of(j, "protocol");
    text_of(j, "listener", out->listener, sizeof out->listener);
    front = json_object_get(j, "front");
    back = json_object_get(j, "back");
    text_of(json_object_get(front, "served"), "certificate", out->served_file,
            sizeof out->served_file);
    text_of(back, "target", out->target, sizeof out->target);
    text_of(front, "not_simulated", out->lacking, sizeof out->lacking);
    if (out->lacking[0] == '\0')
        text_of(back, "not_simulated", out->lacking, sizeof out->lacking);
    end = json_object_get(j, "end");
    text_of(end, "code", code, sizeof code);
    out->end = flow_end_find(code);
    text_of(end, "text", out->end_text, sizeof out->end_text);
    json_decref(out->event);
    out->event = j;
    return true;
}

void far_events_file(struct far_events *e, const char *path)
{
    struct stat st;

    far_events_clear(e);
    e->path = path;
    e->from = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
}

bool far_events_readable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

void far_events_clear(struct far_events *e)
{
    if (e->fd >= 0)
        close(e->fd);
    if (e->post >= 0)
        close(e->post);
    *e = FAR_EVENTS_NONE;
}

/* What was added; NULL when there is nothing. The file's own offset is others', too. */
static char *read_added(int fd, off_t from)
{
    struct stat st;
    size_t n = 0, want;
    ssize_t got = 1;
    char *text;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= from)
        return NULL;
    want = (size_t)(st.st_size - from);
    text = malloc(want + 1);
    while (text != NULL && n < want && got > 0) {
        got = pread(fd, text + n, want - n, from + (off_t)n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (text != NULL)
        text[n] = '\0';
    return text;
}

static bool look(const struct far_events *e, const char *client, struct far_side *out)
{
    int fd = e->fd >= 0 ? e->fd : open(e->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = fd < 0 ? NULL : read_added(fd, e->from), *end;
    bool found = false;

    if (fd >= 0 && fd != e->fd)
        close(fd);
    /* The newest flow of that address wins: ports are used again. */
    for (char *line = text; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (far_side_take_event(line, client, out))
            found = true;
    }
    free(text);
    return found;
}

bool far_side_join(const struct far_events *events, const struct addr *local, unsigned wait_ms,
                   struct far_side *out)
{
    const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
    const uint64_t until = clock_mono_us() + (uint64_t)wait_ms * 1000;
    char client[ADDR_TEXT_MAX];

    if (events->fd < 0 && events->path == NULL)
        return false;
    addr_format(local, client);
    for (;;) {
        if (look(events, client, out))
            return true;
        if (clock_mono_us() >= until)
            return false;
        nanosleep(&pause, NULL);
    }
}
