/* SPDX-License-Identifier: Apache-2.0
 * The kind of a connection's first bytes, their first line, and the words of servers that give away
 * what is wrong. */
#include "core/first_bytes.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct telltale {
    const char *id, *text;
} telltales[] = {
#define TELLTALE(id, text, source) { id, text },
#include "core/telltales.def"
#undef TELLTALE
};

const char *telltale_find(const void *data, size_t n)
{
    for (size_t i = 0; data != NULL && i < sizeof telltales / sizeof telltales[0]; i++) {
        if (memmem(data, n, telltales[i].text, strlen(telltales[i].text)) != NULL)
            return telltales[i].id;
    }
    return NULL;
}

const char *first_kind_name(enum first_kind kind)
{
    static const char *const names[] = {
        [FIRST_NONE] = "none", [FIRST_TLS] = "tls",     [FIRST_TLS_ALERT] = "tls_alert",
        [FIRST_HTTP] = "http", [FIRST_H2] = "h2",       [FIRST_SSH] = "ssh",
        [FIRST_MAIL] = "mail", [FIRST_PROXY] = "proxy", [FIRST_OTHER] = "other",
    };

    return names[kind];
}

static bool starts_with(const uint8_t *data, size_t n, const char *with)
{
    size_t length = strlen(with);

    return n >= length && memcmp(data, with, length) == 0;
}

/* "GET /path HTTP/1.1" */
static bool is_request(const uint8_t *data, size_t n)
{
    const uint8_t *end = memchr(data, '\n', n < 2048 ? n : 2048);
    size_t word = 0;

    while (word < n && word < 20 && isupper(data[word]))
        word++;
    return word >= 3 && word < n && data[word] == ' ' && end != NULL &&
           memmem(data, (size_t)(end - data), " HTTP/1.", 8) != NULL;
}

/* Length 0 to 18000, type SETTINGS, stream 0. */
static bool is_h2_settings(const uint8_t *data, size_t n)
{
    static const uint8_t stream[4] = { 0 };

    return n >= 9 && data[0] == 0 && data[3] == 4 && data[4] <= 1 &&
           memcmp(data + 5, stream, 4) == 0;
}

static bool is_greeting(const uint8_t *data, size_t n)
{
    return starts_with(data, n, "220 ") || starts_with(data, n, "220-") ||
           starts_with(data, n, "+OK") || starts_with(data, n, "* OK") ||
           starts_with(data, n, "-ERR") || starts_with(data, n, "EHLO ") ||
           starts_with(data, n, "HELO ");
}

static enum first_kind kind_of(const uint8_t *data, size_t n)
{
    if (n >= 3 && data[1] == 3 && data[2] <= 4 && data[0] == 22)
        return FIRST_TLS;
    if (n >= 3 && data[1] == 3 && data[2] <= 4 && data[0] == 21)
        return FIRST_TLS_ALERT;
    if (starts_with(data, n, "PRI * HTTP/2") || is_h2_settings(data, n))
        return FIRST_H2;
    if (starts_with(data, n, "HTTP/1.") || is_request(data, n))
        return FIRST_HTTP;
    if (starts_with(data, n, "SSH-"))
        return FIRST_SSH;
    if (is_greeting(data, n))
        return FIRST_MAIL;
    if (starts_with(data, n, "PROXY ") ||
        (n >= 12 && memcmp(data, "\r\n\r\n\0\r\nQUIT\n", 12) == 0))
        return FIRST_PROXY;
    return FIRST_OTHER;
}

static void take_line(struct first_bytes *f, const uint8_t *data, size_t n)
{
    size_t at = 0;

    while (at < n && at + 1 < sizeof f->text && data[at] != '\r' && data[at] != '\n') {
        if (data[at] < 0x20 || data[at] > 0x7e)
            break; /* no text */
        f->text[at] = (char)data[at];
        at++;
    }
    f->text[at] = '\0';
    if (strncmp(f->text, "HTTP/1.", 7) == 0 && f->text[7] != '\0')
        f->status = (unsigned)strtoul(f->text + 8, NULL, 10);
}

void first_bytes_take(struct first_bytes *f, const uint8_t *data, size_t n)
{
    if (n == 0 || f->looked >= FIRST_LOOKED)
        return;
    if (f->kind == FIRST_NONE) {
        f->kind = kind_of(data, n);
        if (f->kind != FIRST_TLS && f->kind != FIRST_TLS_ALERT && f->kind != FIRST_H2)
            take_line(f, data, n);
        if (f->kind == FIRST_H2)
            strcpy(f->text, data[0] == 'P' ? "PRI * HTTP/2.0" : "HTTP/2 settings");
    }
    if (n > FIRST_LOOKED - f->looked)
        n = FIRST_LOOKED - f->looked;
    f->looked += (uint32_t)n;
    if (f->telltale == NULL)
        f->telltale = telltale_find(data, n);
}
