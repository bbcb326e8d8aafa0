/* SPDX-License-Identifier: Apache-2.0
 * The last flows that did not end in order, as event lines. */
#include "observe/recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct recent_events {
    pthread_mutex_t lock;
    char *lines[RECENT_EVENTS]; /* line number n stands at n % RECENT_EVENTS; numbers from 1 */
    uint64_t oldest, newest;    /* that are kept; none: oldest is newest + 1 */
    size_t bytes, most;
    struct ceilings *ceilings;
};

/* It may end in order, and yet somebody was not served. What it means is for diagnose/ to say. */
static bool looks_odd(const struct flow_record *r)
{
    const struct record_observed *s = r->observed;

    return (s != NULL && (s->alert_by_size || s->unfinished || s->silent_client)) ||
           r->first_target.status >= 400 || r->first_target.telltale != NULL ||
           (r->first_client.kind != FIRST_NONE && r->first_target.kind == FIRST_NONE) ||
           (r->front != NULL && r->front->secured && r->received_bytes == 0);
}

bool record_is_trouble(const struct flow_record *r)
{
    const struct record_observed *s = r->observed;

    if (s != NULL && (s->from_client.level == 2 || s->from_target.level == 2))
        return true;
    if (r->end == END_STOPPED || r->end == END_CLIENT_NO_HELLO)
        return false;
    return r->end != END_COMPLETED || looks_odd(r);
}

struct recent_events *recent_events_new(size_t most, struct ceilings *ceilings)
{
    struct recent_events *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->oldest = 1;
    r->most = most;
    r->ceilings = ceilings;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void recent_events_free(struct recent_events *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < RECENT_EVENTS; i++)
        free(r->lines[i]);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void forget_oldest(struct recent_events *r)
{
    char **slot = &r->lines[r->oldest++ % RECENT_EVENTS];

    r->bytes -= strlen(*slot);
    free(*slot);
    *slot = NULL;
}

void recent_events_add(struct recent_events *r, char *line)
{
    bool full = false;

    pthread_mutex_lock(&r->lock);
    if (r->newest - r->oldest + 1 == RECENT_EVENTS)
        forget_oldest(r);
    r->lines[++r->newest % RECENT_EVENTS] = line;
    r->bytes += strlen(line);
    while (r->bytes > r->most) {
        full = true;
        forget_oldest(r);
    }
    pthread_mutex_unlock(&r->lock);
    if (full)
        ceiling_reached(r->ceilings, CEILING_RECENT, r->most, "");
}

char *recent_events_text(struct recent_events *r, uint64_t after, uint64_t *last)
{
    size_t size = 1, at = 0;
    uint64_t first;
    char *text;

    pthread_mutex_lock(&r->lock);
    first = r->oldest;
    if (after > r->newest)
        after = 0; /* of another process: a restart began anew */
    if (after + 1 > first)
        first = after + 1;
    for (uint64_t i = first; i <= r->newest; i++)
        size += strlen(r->lines[i % RECENT_EVENTS]) + 1;
    text = malloc(size);
    for (uint64_t i = first; text != NULL && i <= r->newest; i++) {
        const char *line = r->lines[i % RECENT_EVENTS];
        size_t n = strlen(line);

        memcpy(text + at, line, n);
        text[at + n] = '\n';
        at += n + 1;
    }
    if (text != NULL)
        text[at] = '\0';
    *last = r->newest;
    pthread_mutex_unlock(&r->lock);
    return text;
}
