/* SPDX-License-Identifier: Apache-2.0
 * How wide the reader's screen is, and text laid out for it. */
#include "core/screen.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/foreign.h"

#define COLUMNS_MIN 20
#define COLUMNS_MAX 10000

size_t screen_columns(FILE *out)
{
    const char *text = getenv("COLUMNS");
    struct winsize size;
    long n = 0;

    if (text != NULL && text[0] != '\0' && strlen(text) < 6 &&
        strspn(text, "0123456789") == strlen(text))
        n = strtol(text, NULL, 10);
    if (n <= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        n = size.ws_col;
    if (n <= 0 || n > COLUMNS_MAX)
        return SCREEN_COLUMNS;
    return n < COLUMNS_MIN ? COLUMNS_MIN : (size_t)n;
}

size_t screen_width(const char *text, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

static size_t new_line(FILE *out, size_t indent)
{
    fprintf(out, "\n%*s", (int)indent, "");
    return indent;
}

size_t screen_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t columns)
{
    size_t gap = 0;

    for (;;) {
        size_t n = strcspn(text, " \n"), width = screen_width(text, n);

        if (n > 0 && gap > 0 && column + gap + width > columns && column > indent) {
            column = new_line(out, indent);
            gap = 0;
        }
        if (n > 0) {
            fprintf(out, "%*s%.*s", (int)gap, "", (int)n, text);
            column += gap + width;
            gap = 0;
        }
        text += n;
        if (*text == '\0')
            return column;
        if (*text++ == '\n') {
            while (*text == '\n') {
                fputc('\n', out);
                text++;
            }
            column = new_line(out, indent);
            gap = 0;
        } else {
            gap++;
        }
    }
}

size_t screen_sentence_columns(FILE *out)
{
    return getenv("COLUMNS") == NULL && isatty(fileno(out)) == 0 ? SIZE_MAX : screen_columns(out);
}

void screen_sentence(FILE *out, const char *label, const char *text)
{
    const size_t indent = screen_width(label, strlen(label));
    char *clean = foreign_take(strdup(text));

    fputs(label, out);
    if (clean == NULL)
        fputs("(out of memory)", out);
    else
        screen_wrap(out, clean, indent, indent, screen_sentence_columns(out));
    fputc('\n', out);
    free(clean);
}

bool screen_closed(FILE *out)
{
    struct pollfd pipe = { .fd = fileno(out) };

    return poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR) != 0;
}
