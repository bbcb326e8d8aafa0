/* SPDX-License-Identifier: Apache-2.0
 * Endpoint URIs, addresses and the URIs and names of certificates: any text gives parts or a
 * reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/parse_uri.h"
#include "core/addr.h"
#include "vpclink/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void endpoint(const char *text)
{
    struct gateway_uri uri;
    struct err err = { 0 };
    char name[GATEWAY_HOST_MAX];

    if (gateway_uri_parse(&uri, text, &err) != 0) {
        if (err.text[0] == '\0')
            abort();
        return;
    }
    if (uri.valid != (uri.fault[0] == '\0') || uri.path < text || uri.path > text + strlen(text) ||
        (uri.valid && (uri.host[0] == '\0' || uri.port == 0)))
        abort();
    if ((gateway_sni(uri.host, name) == NULL) != (gateway_sni_refusal(uri.host) != NULL))
        abort();
}

static void address(const char *text)
{
    struct addr a, again;
    struct err err = { 0 };
    char out[ADDR_TEXT_MAX];

    if (addr_parse(&a, text, &err) != 0) {
        if (err.text[0] == '\0')
            abort();
    } else if (addr_parse(&again, addr_format(&a, out), &err) != 0 || !addr_equal(&a, &again)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1);
    struct uri_parts parts = { 0 };
    uint8_t ip[16];

    if (text == NULL)
        return 0;
    if (n > 0)
        memcpy(text, data, n);
    text[n] = '\0';
    endpoint(text);
    address(text);
    if (uri_parse(text, n, &parts) && parts.host != NULL &&
        (parts.host < text || parts.host + parts.host_len > text + n))
        abort();
    (void)dns_name_strict(text, n);
    n = ip_from_text(text, ip);
    if (n != 0 && n != 4 && n != 16)
        abort();
    free(text);
    return 0;
}
