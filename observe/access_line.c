/* SPDX-License-Identifier: Apache-2.0
 * One line of the access log. No stdio and no allocation: this runs for every TLS flow. */
#include <arpa/inet.h>
#include <string.h>

#include "core/clock.h"
#include "observe/accesslog.h"
#include "tls/tls_params.h"

#define ALPN_LIST_MAX 256 /* bytes. Source: NLB guide, "Access logs", field 21 */

struct out {
    char *at, *end;
};
typedef void field_writer(struct out *o, const struct flow_record *r);

/* --- pieces --- */
static void put(struct out *o, const char *text, size_t n)
{
    if (n > (size_t)(o->end - o->at))
        n = (size_t)(o->end - o->at);
    memcpy(o->at, text, n);
    o->at += n;
}

static void put_text(struct out *o, const char *text)
{
    put(o, text, strlen(text));
}

static void put_or_dash(struct out *o, const char *text)
{
    if (text == NULL || text[0] == '\0')
        put(o, "-", 1);
    else
        put_text(o, text);
}

static void put_number(struct out *o, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put(o, digits + at, sizeof digits - at);
}

static void put_utc(struct out *o, int64_t wall_us)
{
    char text[32];

    clock_format_utc(wall_us < 0 ? 0 : wall_us / 1000000, text, sizeof text);
    put(o, text, strlen(text));
}

static void put_addr(struct out *o, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    const uint8_t *ip = (const uint8_t *)&a->u.in4.sin_addr;

    if (a->len == 0 || a->u.sa.sa_family != AF_INET) {
        put_text(o, addr_format(a, text));
        return;
    }
    for (int i = 0; i < 4; i++) {
        put_number(o, ip[i]);
        put(o, i < 3 ? "." : ":", 1);
    }
    put_number(o, ntohs(a->u.in4.sin_port));
}

/* RFC 3986, section 2.3: unreserved characters and those in `safe` stay, every other octet becomes
 * %XX. */
static void put_encoded(struct out *o, const char *text, size_t n, const char *safe)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr(safe, c) != NULL))
            put(o, (char[]){ (char)c }, 1);
        else
            put(o, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
    }
}

/* --- what is known --- */
static bool secured(const struct flow_record *r)
{
    return r->front != NULL && r->front->secured;
}

static const struct tls_offer *offer_of(const struct flow_record *r)
{
    return r->front != NULL && r->front->has_offer && r->front->offer.malformed == NULL
               ? &r->front->offer
               : NULL;
}

static uint64_t ms(uint64_t from_us, uint64_t to_us)
{
    return to_us < from_us ? 0 : (to_us - from_us) / 1000;
}

/* --- the fields, by AWS's names; fields.def tells what each says --- */
static void put_type(struct out *o, const struct flow_record *r)
{
    (void)r;
    put(o, "tls", 3);
}

static void put_version(struct out *o, const struct flow_record *r)
{
    (void)r;
    put(o, "2.0", 3);
}

static void put_time(struct out *o, const struct flow_record *r)
{
    put_utc(o, r->end_wall_us);
}

static void put_elb(struct out *o, const struct flow_record *r)
{
    put_text(o, r->origin->elb);
}

static void put_listener(struct out *o, const struct flow_record *r)
{
    put_text(o, r->origin->listener_id);
}

static void put_client_port(struct out *o, const struct flow_record *r)
{
    put_addr(o, &r->client);
}

static void put_destination_port(struct out *o, const struct flow_record *r)
{
    put_addr(o, &r->local);
}

static void put_connection_time(struct out *o, const struct flow_record *r)
{
    put_number(o, ms(r->start_us, r->end_us));
}

static void put_tls_handshake_time(struct out *o, const struct flow_record *r)
{
    if (secured(r))
        put_number(o, ms(r->start_us, r->front->secured_us));
    else
        put(o, "-", 1);
}

static void put_received_bytes(struct out *o, const struct flow_record *r)
{
    put_number(o, r->received_bytes);
}

static void put_sent_bytes(struct out *o, const struct flow_record *r)
{
    put_number(o, r->sent_bytes);
}

static void put_incoming_tls_alert(struct out *o, const struct flow_record *r)
{
    /* AWS's sample line of an ordinary connection has "-": close_notify does not count. */
    if (r->front != NULL && r->front->alert_in.seen &&
        r->front->alert_in.number != TLS_ALERT_close_notify)
        put_number(o, r->front->alert_in.number);
    else
        put(o, "-", 1);
}

static void put_chosen_cert_arn(struct out *o, const struct flow_record *r)
{
    if (offer_of(r) == NULL || r->choice.cert_id == NULL) {
        put(o, "-", 1);
        return;
    }
    put_text(o, r->origin->cert_arn);
    put_text(o, r->choice.cert_id);
}

static void put_chosen_cert_serial(struct out *o, const struct flow_record *r)
{
    (void)r;
    put(o, "-", 1);
}

static void put_tls_cipher(struct out *o, const struct flow_record *r)
{
    char buf[TLS_NAME_MAX];

    put_or_dash(o, secured(r) ? tls_suite_text(r->front->suite, buf) : NULL);
}

static void put_tls_protocol_version(struct out *o, const struct flow_record *r)
{
    if (secured(r)) /* 0x0303 is 1.2: tlsv10, tlsv11, tlsv12, tlsv13 */
        put(o, (char[]){ 't', 'l', 's', 'v', '1', (char)('0' + (r->front->version & 0xff) - 1) },
            6);
    else
        put(o, "-", 1);
}

static void put_tls_keyexchange(struct out *o, const struct flow_record *r)
{
    const struct tls_suite *suite = secured(r) ? tls_suite_find(r->front->suite) : NULL;
    char buf[TLS_NAME_MAX];

    if (suite != NULL && r->front->group != 0)
        put_text(o, tls_group_text(r->front->group, buf));
    else
        put_or_dash(o,
                    suite != NULL && suite->kx == TLS_KX_RSA && !r->front->resumed ? "RSA" : NULL);
}

static void put_domain_name(struct out *o, const struct flow_record *r)
{
    const struct tls_offer *hello = offer_of(r);

    if (hello == NULL || hello->sni == NULL || hello->sni[0] == '\0')
        put(o, "-", 1);
    else
        put_encoded(o, hello->sni, strlen(hello->sni), "-._~");
}

static void put_alpn_fe_protocol(struct out *o, const struct flow_record *r)
{
    put_or_dash(o, r->front != NULL ? r->front->alpn : NULL);
}

static void put_alpn_be_protocol(struct out *o, const struct flow_record *r)
{
    put_or_dash(o, r->back != NULL ? r->back->alpn : NULL);
}

static void put_alpn_client_preference_list(struct out *o, const struct flow_record *r)
{
    const struct tls_offer *hello = offer_of(r);
    struct out list = { o->at, o->end - o->at > ALPN_LIST_MAX ? o->at + ALPN_LIST_MAX : o->end };
    const uint8_t *name;
    size_t at = 0, n;

    if (hello == NULL || !hello->has_alpn || hello->alpn_count == 0 || !r->origin->alpn) {
        put(o, "-", 1);
        return;
    }
    while (tls_offer_alpn_next(hello, &at, &name, &n)) {
        put(&list, ",\"", list.at == o->at ? 0 : 2);
        if (list.at == o->at)
            put(&list, "\"", 1);
        put_encoded(&list, (const char *)name, n, "-._~/"); /* AWS's sample: "http/1.1" */
        put(&list, "\"", 1);
    }
    o->at = list.at;
}

static void put_tls_connection_creation_time(struct out *o, const struct flow_record *r)
{
    put_utc(o, r->start_wall_us);
}

static field_writer *const fields[] = {
#define FIELD(number, name, basis, what, dash) [number - 1] = put_##name,
#include "observe/fields.def"
#undef FIELD
};

size_t access_line(char *out, const struct flow_record *record)
{
    struct out o = { out, out + ACCESS_LINE_MAX - 1 };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (i > 0)
            put(&o, " ", 1);
        fields[i](&o, record);
    }
    *o.at++ = '\n'; /* the byte that `end` leaves free */
    return (size_t)(o.at - out);
}
