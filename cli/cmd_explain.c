/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim explain EVENTS`: the story of each failed flow, from a file of events or from a running
 * load balancer. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "core/addr.h"
#include "core/foreign.h"
#include "core/http.h"
#include "explain/explain.h"
#include "listeners/policies.h"

#define LINE_MAX_BYTES (1024 * 1024)
#define POLL_US        200000 /* how often --follow looks for more */
#define FETCH_S        10
#define FETCH_BYTES    (64 * 1024 * 1024)

struct explaining {
    struct explain *explain;
    bool follow, json;
    uint64_t lines, unreadable;
    char *line; /* what has been read of the current one */
    size_t n, room;
    bool too_long;
};

struct explain_options {
    struct command_line line;
    bool follow, json;
    const char *from;
};

/* --- lines --- */
static void tell(const struct explaining *s, const struct story *story)
{
    char *text;

    if (!s->follow || story == NULL)
        return;
    if (s->json) {
        text = story_json(story);
        if (text != NULL)
            puts(text);
        free(text);
    } else if (story->count == 1) {
        story_print(story, stdout);
        putchar('\n');
    } else {
        foreign_printf(stdout, "%llux %s, listener %s, again: %s\n",
                       (unsigned long long)story->count, story->code, story->listener, story->what);
        putchar('\n');
    }
    fflush(stdout);
}

static void take_line(struct explaining *s, const char *line, size_t n)
{
    const struct story *story;

    s->lines++;
    if (n == 0 && s->n == 0)
        return; /* an empty line */
    switch (explain_line(s->explain, line, n, &story)) {
    case EXPLAIN_FINE:
        break;
    case EXPLAIN_STORY:
        tell(s, story);
        break;
    case EXPLAIN_UNREADABLE:
        if (s->unreadable++ == 0)
            fprintf(stderr, "nlbsim explain: line %llu is no event\n",
                    (unsigned long long)s->lines);
        break;
    }
}

/* Bytes in any pieces. What is too long for an event is passed over. */
static int take_bytes(struct explaining *s, const char *data, size_t n)
{
    while (n > 0) {
        const char *end = memchr(data, '\n', n);
        size_t piece = end == NULL ? n : (size_t)(end - data);

        if (s->n + piece > LINE_MAX_BYTES) {
            s->too_long = true;
            s->n = 0;
        } else if (!s->too_long) {
            if (s->n + piece > s->room) {
                char *grown = realloc(s->line, (s->n + piece) * 2);

                if (grown == NULL)
                    return -1;
                s->line = grown;
                s->room = (s->n + piece) * 2;
            }
            if (piece > 0)
                memcpy(s->line + s->n, data, piece);
            s->n += piece;
        }
        if (end == NULL)
            return 0;
        take_line(s, s->too_long ? "too long" : s->line, s->too_long ? 8 : s->n);
        s->n = 0;
        s->too_long = false;
        data = end + 1;
        n -= piece + 1;
    }
    return 0;
}

/* --- a file --- */
/* The file was rotated: another stands under its name, or it was cut. */
static bool rotated(int fd, const char *path)
{
    struct stat here, there;

    if (fstat(fd, &here) != 0 || stat(path, &there) != 0)
        return false;
    return here.st_ino != there.st_ino || here.st_dev != there.st_dev ||
           there.st_size < lseek(fd, 0, SEEK_CUR);
}

static int read_file(struct explaining *s, const char *path)
{
    bool input = strcmp(path, "-") == 0;
    int fd = input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    char chunk[65536];

    while (fd >= 0) {
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (n > 0 && take_bytes(s, chunk, (size_t)n) != 0))
            break;
        if (n > 0)
            continue;
        if (!s->follow || input) {
            close(fd);
            return 0;
        }
        usleep(POLL_US);
        if (rotated(fd, path)) {
            close(fd);
            fd = open(path, O_RDONLY | O_CLOEXEC);
        }
    }
    fprintf(stderr, "nlbsim explain: %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return 3;
}

/* --- a running load balancer --- */
static int dial(const char *from)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const struct timeval patience = { .tv_sec = FETCH_S };
    struct addrinfo *all = NULL;
    const char *port;
    char host[256];
    int fd = -1, rc;

    if (!endpoint_split(from, host, sizeof host, &port))
        return -1;
    rc = getaddrinfo(host, port, &hints, &all);
    if (rc != 0) {
        fprintf(stderr, "nlbsim explain: %s: %s\n", from, gai_strerror(rc));
        return -1;
    }
    for (const struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    if (fd < 0)
        fprintf(stderr, "nlbsim explain: %s: %s\n", from, strerror(errno));
    return fd;
}

static int receive(int fd, struct http_parser *p)
{
    char chunk[16384];
    ssize_t n;

    while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0) {
        size_t used;

        switch (http_parser_feed(p, chunk, (size_t)n, &used)) {
        case HTTP_MORE:
            break;
        case HTTP_DONE:
            return 0;
        case HTTP_BAD:
            return -1;
        }
    }
    return n == 0 && http_parser_eof(p) == HTTP_DONE ? 0 : -1;
}

/* Ask for what came after `*after`. */
static int fetch_events(struct explaining *s, const char *from, unsigned long long *after)
{
    const struct http_limits limits = { .body_bytes = FETCH_BYTES, .keep_body = FETCH_BYTES };
    struct http_parser *p = http_parser_new(HTTP_KIND_RESPONSE, &limits);
    int fd = p == NULL ? -1 : dial(from), rc = 3;
    const struct http_message *m;
    const char *last;
    char request[512], host[ADDR_TEXT_MAX];
    struct addr peer;

    if (fd < 0)
        goto out;
    /* The address instead of the name: that is served whatever `metrics_host` lists. */
    peer = addr_peer(fd);
    addr_format(&peer, host);
    snprintf(request, sizeof request,
             "GET /events?after=%llu HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", *after,
             host);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request) ||
        receive(fd, p) != 0) {
        fprintf(stderr, "nlbsim explain: %s does not answer as a load balancer of nlbsim\n", from);
        goto out;
    }
    m = http_parser_message(p);
    last = http_header(m, "Nlbsim-Last");
    if (m->status != 200 || last == NULL) {
        fprintf(stderr, "nlbsim explain: %s/events: status %u; is it `[nlb] metrics`?\n", from,
                m->status);
        goto out;
    }
    *after = strtoull(last, NULL, 10);
    rc = m->body_kept > 0 && take_bytes(s, (const char *)m->body, m->body_kept) != 0 ? 3 : 0;
out:
    if (fd >= 0)
        close(fd);
    http_parser_free(p);
    return rc;
}

static int read_from(struct explaining *s, const char *from)
{
    unsigned long long after = 0;
    int rc;

    while ((rc = fetch_events(s, from, &after)) == 0 && s->follow)
        usleep(POLL_US);
    return rc;
}

/* --- the verb --- */
static int conclude(struct explaining *s)
{
    char *text;

    if (s->n > 0) /* a last line without its end */
        take_line(s, s->line, s->n);
    if (s->unreadable > 1)
        fprintf(stderr, "nlbsim explain: %llu of %llu lines are no events\n",
                (unsigned long long)s->unreadable, (unsigned long long)s->lines);
    if (s->follow)
        return 0;
    if (s->json) {
        text = explain_json(s->explain);
        if (text != NULL)
            puts(text);
        free(text);
    } else {
        explain_print(s->explain, stdout);
    }
    return s->unreadable > 0 && s->unreadable == s->lines ? 2 : 0;
}

static int explain_run(int argc, char **argv)
{
    struct explain_options o = { .from = NULL };
    struct explaining s = { 0 };
    int rc = command_read(&command_explain, argc, argv, &o);

    if (rc >= 0)
        return rc;
    if ((o.from == NULL) != (o.line.n_operands == 1))
        return command_misused(&o, "%s: one file, or --from HOST:PORT, is wanted",
                               o.from == NULL ? "no EVENTS is given" : "two sources are given");
    s.follow = o.follow;
    s.json = o.json;
    s.explain = explain_new(policy_list_text);
    if (s.explain == NULL)
        return 3;
    rc = o.from != NULL ? read_from(&s, o.from) : read_file(&s, o.line.operands[0]);
    if (rc == 0)
        rc = conclude(&s);
    explain_free(s.explain);
    free(s.line);
    return rc;
}

#define AT(field) .offset = offsetof(struct explain_options, field)
static const struct command_option explain_option_rows[] = {
    { .name = "from",
      .argument = "HOST:PORT",
      .kind = OPTION_CUSTOM,
      AT(from),
      .parse_cb = endpoint_take,
      .help = "a running load balancer's `[nlb] metrics` address" },
    { .name = "follow",
      .letter = 'f',
      .kind = OPTION_FLAG,
      AT(follow),
      .help = "go on as events come; a story is told at once, then counted" },
    { .name = "json",
      .kind = OPTION_FLAG,
      AT(json),
      .help = "one document; with --follow a JSON line per failed flow" },
    { .name = NULL },
};
#undef AT
static const char *const explain_synopsis[] = { "[--follow] [--json] EVENTS",
                                                "[--follow] [--json] --from HOST:PORT", NULL };
static const char *const explain_examples[] = { "nlbsim explain events.jsonl", NULL };

const struct command command_explain = {
    .name = "explain",
    .summary = "the story of each failed flow, from a file of events or a running load balancer",
    .run = explain_run,
    .synopsis = explain_synopsis,
    .about = "Tells the story of each failed flow: who refused whom and at which message, what was "
             "offered and what was wanted, what to change, and where the same failure would be "
             "seen on AWS. The same story is told once, with a count. EVENTS is a file that "
             "`[nlb] events` wrote; - is standard input.",
    .options = explain_option_rows,
    .operand = "EVENTS",
    .operand_kind = OPERAND_FILE,
    .max_operands = 1,
    .notes = "Exit status: 0 explained, 2 usage error or not one readable event, 3 cannot read.",
    .examples = explain_examples,
};
