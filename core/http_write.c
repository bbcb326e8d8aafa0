/* SPDX-License-Identifier: Apache-2.0
 * HTTP/1.1 responses as bytes. */
#include <event2/buffer.h>
#include <time.h>

#include "core/clock.h"
#include "core/http.h"

/* IANA "HTTP Status Code Registry". */
static const struct status {
    unsigned number;
    const char *text;
} statuses[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 203, "Non-Authoritative Information" },
    { 204, "No Content" },
    { 205, "Reset Content" },
    { 206, "Partial Content" },
    { 300, "Multiple Choices" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
    { 508, "Loop Detected" },
    { 511, "Network Authentication Required" },
};

const char *http_status_text(unsigned status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].number == status)
            return statuses[i].text;
    }
    return "";
}

/* RFC 9110, section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT". */
static void write_date(struct evbuffer *out)
{
    const time_t now = (time_t)(clock_wall_s());
    char text[32];
    struct tm tm;

    if (gmtime_r(&now, &tm) != NULL && strftime(text, sizeof text, "%a, %d %b %Y %T GMT", &tm) > 0)
        evbuffer_add_printf(out, "Date: %s\r\n", text);
}

int http_write_response(struct evbuffer *out, const struct http_response *r)
{
    const size_t before = evbuffer_get_length(out);
    bool ok =
        evbuffer_add_printf(out, "HTTP/1.1 %u %s\r\n", r->status, http_status_text(r->status)) > 0;

    write_date(out);
    if (r->content_type != NULL)
        ok = ok && evbuffer_add_printf(out, "Content-Type: %s\r\n", r->content_type) > 0;
    if (r->status != 204 && r->status != 304 && r->status >= 200)
        ok = ok && evbuffer_add_printf(out, "Content-Length: %zu\r\n", r->n) > 0;
    if (r->extra != NULL)
        ok = ok && evbuffer_add_printf(out, "%s", r->extra) >= 0;
    if (r->close || r->keep)
        ok = ok &&
             evbuffer_add_printf(out, "Connection: %s\r\n", r->close ? "close" : "keep-alive") > 0;
    ok = ok && evbuffer_add(out, "\r\n", 2) == 0;
    if (!r->head_only && r->n > 0 && r->status != 204 && r->status != 304)
        ok = ok && evbuffer_add(out, r->body, r->n) == 0;
    if (!ok)
        evbuffer_drain(out, evbuffer_get_length(out) - before);
    return ok ? 0 : -1;
}
