/* SPDX-License-Identifier: Apache-2.0
 * PROXY headers: any bytes read in one piece and octet by octet, and what NLB writes read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/proxy_header.h"
#include "targets/proxy_v2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_any(const uint8_t *data, size_t n)
{
    struct proxy_header h;
    enum proxy_progress end = PROXY_MORE;
    size_t at = 0;

    while (end == PROXY_MORE && at <= n)
        end = proxy_header_read(&h, data, at++);
    if (end == PROXY_HEADER && (h.size != at - 1 || proxy_header_read(&h, data, n) != end))
        abort();
    if (end == PROXY_MALFORMED && h.why == NULL)
        abort();
    if (end != PROXY_HEADER)
        return;
    for (size_t i = 0; i < h.n_tlvs; i++) {
        if (h.tlvs[i].value + h.tlvs[i].n > data + h.size)
            abort();
        (void)proxy_tlv_name(h.tlvs[i].type);
    }
}

static struct addr take_addr(struct bytes *in, bool six)
{
    struct addr a = { .len = six ? sizeof a.u.in6 : sizeof a.u.in4 };
    struct bytes host = bytes_take(in, six ? 16 : 4);

    a.u.sa.sa_family = six ? AF_INET6 : AF_INET;
    if (!host.bad && host.left > 0)
        memcpy(six ? (void *)&a.u.in6.sin6_addr : (void *)&a.u.in4.sin_addr, host.at, host.left);
    addr_set_port(&a, bytes_u16(in));
    return a;
}

/* First octet: the family and whether there is an endpoint; two addresses; its text. */
static void written_is_read(const uint8_t *data, size_t n)
{
    struct bytes in = bytes_of(data, n);
    uint8_t how = bytes_u8(&in), out[PROXY_V2_MAX];
    struct addr source = take_addr(&in, how & 1), destination = take_addr(&in, how & 1);
    char endpoint[2 * PROXY_V2_ENDPOINT_MAX] = "";
    size_t len = in.bad ? 0 : in.left < sizeof endpoint ? in.left : sizeof endpoint - 1;
    struct proxy_header h;

    if (len > 0)
        memcpy(endpoint, in.at, len);
    len = proxy_v2_write(out, &source, &destination, how & 2 ? endpoint : NULL);
    if (len > sizeof out || proxy_header_read(&h, out, len) != PROXY_HEADER || h.size != len ||
        h.version != 2 || h.local || !addr_equal(&h.source, &source) ||
        !addr_equal(&h.destination, &destination))
        abort();
    len = proxy_v2_write_local(out);
    if (proxy_header_read(&h, out, len) != PROXY_HEADER || !h.local || h.size != len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    read_any(data, n);
    written_is_read(data, n);
    return 0;
}
