/* SPDX-License-Identifier: Apache-2.0
 * The request as API Gateway sends it to the backend: HTTP/1.1, with the headers it adds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vpclink/request.h"

bool gateway_has_header(const struct gateway_task *task, const char *name)
{
    for (size_t i = 0; i < task->n_headers; i++) {
        if (strcasecmp(task->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

const char *gateway_host_header(const struct gateway_task *task, char *out, size_t size)
{
    const struct gateway_uri *u = &task->uri;
    const char *open = u->is_v6 ? "[" : "", *close = u->is_v6 ? "]" : "";

    if (task->host_port && u->port_given)
        snprintf(out, size, "%s%s%s:%u", open, u->host, close, (unsigned)u->port);
    else
        snprintf(out, size, "%s%s%s", open, u->host, close);
    return out;
}

char *gateway_request_head(const struct gateway_task *task)
{
    const struct gateway_uri *u = &task->uri;
    char host[GATEWAY_HOST_MAX + 16], *text = NULL;
    size_t size = 0, path = strcspn(u->path, "#");
    FILE *out = open_memstream(&text, &size);
    bool bad;

    if (out == NULL)
        return NULL;
    fprintf(out, "%s %s%.*s HTTP/1.1\r\n", task->method, u->path[0] == '/' ? "" : "/", (int)path,
            u->path);
    if (!gateway_has_header(task, "Host"))
        fprintf(out, "Host: %s\r\n", gateway_host_header(task, host, sizeof host));
    fprintf(out, "x-amzn-apigateway-api-id: %s\r\n", task->api_id);
    if (!gateway_has_header(task, "User-Agent"))
        fprintf(out, "User-Agent: AmazonAPIGateway_%s\r\n", task->api_id);
    for (size_t i = 0; i < task->n_headers; i++)
        fprintf(out, "%s: %s\r\n", task->headers[i].name, task->headers[i].value);
    if (task->data != NULL && !gateway_has_header(task, "Content-Length"))
        fprintf(out, "Content-Length: %zu\r\n", task->n_data);
    if (!gateway_has_header(task, "Connection"))
        fputs("Connection: Keep-Alive\r\n", out);
    fputs("\r\n", out);
    bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) {
        free(text);
        return NULL;
    }
    return text;
}
