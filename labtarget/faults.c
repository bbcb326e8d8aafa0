/* SPDX-License-Identifier: Apache-2.0
 * How a lab target misbehaves: the actions behind labtarget/faults.def. */
#include "labtarget/faults.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "certs/x509/parse.h"
#include "core/bytes.h"
#include "labtarget/fault_names.h"
#include "labtarget/target_impl.h"
#include "tls/tls_params.h"

/* --- actions that any point knows ----------------------------------------------------------------
 * They only say what is to be done: the loop does it when the hop's call is over. At FAULT_HELLO
 * the hop is told to stop, at FAULT_BYTES the number of bytes is what acts. */
static uint64_t number(const struct conn *c)
{
    return c->target->fault.number;
}

static bool at_bytes(const struct conn *c)
{
    return c->target->fault.row->point == FAULT_BYTES;
}

static void fault_do_nothing(struct conn *c, const struct tls_offer *offer)
{
    (void)c, (void)offer;
}

static void stop_after(struct conn *c, enum conn_act what, bool sent)
{
    c->fault.stop = what;
    *(sent ? &c->fault.stop_sent : &c->fault.stop_received) = number(c);
}

static void stop(struct conn *c, enum conn_act what)
{
    if (at_bytes(c)) {
        stop_after(c, what, true);
        return;
    }
    c->fault.refuse = true;
    c->act = what;
}

static void fault_do_close(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    stop(c, ACT_CLOSE);
}

static void fault_do_reset(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    stop(c, ACT_RESET);
}

static void fault_do_hang(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    stop(c, ACT_HANG);
}

static void fault_do_got_close(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    stop_after(c, ACT_CLOSE, false);
}

static void fault_do_got_reset(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    stop_after(c, ACT_RESET, false);
}

static void fault_do_got_hang(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    stop_after(c, ACT_HANG, false);
}

static void fault_do_wait(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.hold = true;
    c->act = ACT_WAIT;
    c->wait_ms = number(c);
}

/* --- bytes --- */
static void fault_do_truncate(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.truncate = true;
    c->fault.stop = ACT_CLOSE;
}

static void fault_do_corrupt(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.corrupt_at = number(c);
}

static void fault_do_dribble(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.dribble_ms = number(c);
    c->fault.may_send = true;
}

/* Room until the stop; when there is none, it is now. */
static size_t room(struct conn *c, uint64_t stop_at, uint64_t passed, size_t n)
{
    if (stop_at == 0)
        return n;
    if (passed >= stop_at) {
        c->act = (enum conn_act)c->fault.stop;
        return 0;
    }
    return stop_at - passed < n ? (size_t)(stop_at - passed) : n;
}

ssize_t fault_recv(void *arg, int fd, void *buf, size_t n)
{
    struct conn *c = arg;
    ssize_t got;

    n = room(c, c->fault.stop_received, c->fault.received_bytes, n);
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    got = recv(fd, buf, n, 0);
    if (got > 0) {
        c->fault.received_bytes += (uint64_t)got;
        (void)room(c, c->fault.stop_received, c->fault.received_bytes, 1);
    }
    return got;
}

/* Half of the first record: header and half of what it announces. */
static void aim_at_record(struct conn *c, const void *buf, size_t n)
{
    struct bytes b = bytes_of(buf, n);

    if (!c->fault.truncate || c->fault.stop_sent != 0 || n < 5)
        return;
    (void)bytes_take(&b, 3);
    c->fault.stop_sent = 5U + bytes_u16(&b) / 2U;
}

ssize_t fault_send(void *arg, int fd, const void *buf, size_t n)
{
    struct conn *c = arg;
    const uint64_t from = c->fault.sent_bytes;
    uint8_t inverted;
    ssize_t sent;

    aim_at_record(c, buf, n);
    n = room(c, c->fault.stop_sent, from, n);
    if (c->fault.dribble_ms > 0) {
        c->fault.throttled = !c->fault.may_send;
        n = c->fault.may_send ? 1 : 0;
    }
    if (n == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (c->fault.corrupt_at == from + 1) {
        inverted = (uint8_t) ~*(const uint8_t *)buf;
        buf = &inverted;
        n = 1;
    } else if (c->fault.corrupt_at > from && c->fault.corrupt_at <= from + n) {
        n = (size_t)(c->fault.corrupt_at - from - 1);
    }
    sent = send(fd, buf, n, MSG_NOSIGNAL);
    if (sent > 0) {
        c->fault.may_send = false;
        c->fault.sent_bytes += (uint64_t)sent;
        (void)room(c, c->fault.stop_sent, c->fault.sent_bytes, 1);
    }
    return sent;
}

/* --- TLS --- */
static void fault_do_plain(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.plain = true;
}

static void fault_do_alert(struct conn *c, const struct tls_offer *offer)
{
    if (offer == NULL) {
        conn_refuse(c, (uint8_t)number(c));
        return;
    }
    c->fault.alert = (uint8_t)number(c);
    c->fault.alerts = true;
}

static void fault_do_warning(struct conn *c, const struct tls_offer *offer)
{
    static const uint8_t record[] = { 21, 3, 3, 0, 2, 1, TLS_ALERT_unrecognized_name };

    (void)offer;
    (void)hop_sys_send(c->hop, record, sizeof record);
}

static void fault_do_garbage(struct conn *c, const struct tls_offer *offer)
{
    static const char bytes[] = "\x05\x01\xff\xfe no TLS here \r\n\x80\x81\x82";

    (void)offer;
    (void)hop_sys_send(c->hop, bytes, sizeof bytes - 1);
    stop(c, ACT_CLOSE);
}

static bool known_name(const struct conn *c, const char *name, size_t len)
{
    const struct identity *cert = c->target->cfg->certificate.identity;
    const char *only = c->target->fault.text;

    if (only[0] != '\0')
        return strlen(only) == len && strncasecmp(only, name, len) == 0;
    return cert != NULL && fault_name_matches(cert->leaf, name, len);
}

static void fault_do_sni(struct conn *c, const struct tls_offer *offer)
{
    if (offer->sni != NULL && known_name(c, offer->sni, strlen(offer->sni)))
        return;
    c->fault.alert = TLS_ALERT_unrecognized_name;
    c->fault.alerts = true;
}

/* --- client certificates --- */
/* The entry of client_ca that is this very certificate; NULL when none is. */
static const struct cert_facts *pinned(const struct conn *c, const struct cert_facts *leaf)
{
    const struct trust_store *trusted = c->target->cfg->client_ca_store;

    for (size_t i = 0; trusted != NULL && i < trusted->list.n; i++) {
        if (memcmp(trusted->list.at[i]->sha256, leaf->sha256, sizeof leaf->sha256) == 0)
            return trusted->list.at[i];
    }
    return NULL;
}

static struct cert_facts *client_leaf(const struct conn *c)
{
    const struct tls_facts *facts = hop_tls_facts(c->hop);

    if (facts == NULL || facts->peer_chain.n == 0)
        return NULL;
    return cert_facts_new(facts->peer_chain.at[0].der, facts->peer_chain.at[0].len);
}

static void fault_do_pin(struct conn *c, const struct tls_offer *offer)
{
    const char *text = c->target->fault.text;
    struct cert_facts *leaf = client_leaf(c);
    char hex[65];
    bool fine;

    (void)offer;
    if (leaf == NULL) {
        conn_refuse(c, TLS_ALERT_certificate_required);
        return;
    }
    bytes_hex(leaf->sha256, sizeof leaf->sha256, hex);
    fine = text[0] != '\0' ? strcasecmp(text, hex) == 0 : pinned(c, leaf) != NULL;
    cert_facts_free(leaf);
    if (!fine)
        conn_refuse(c, TLS_ALERT_unknown_ca);
}

static void fault_do_ca_flag(struct conn *c, const struct tls_offer *offer)
{
    struct cert_facts *leaf = client_leaf(c);
    const struct cert_facts *entry = leaf == NULL ? NULL : pinned(c, leaf);

    (void)offer;
    if (entry != NULL && !entry->ca)
        conn_refuse(c, TLS_ALERT_unknown_ca);
    cert_facts_free(leaf);
}

/* --- HTTP --- */
static void fault_do_status(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.status = (unsigned)number(c);
}

static void fault_do_slow(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.slow_ms = number(c);
}

static bool known_host(const struct conn *c)
{
    const char *host = http_header(http_parser_message(c->parser), "host");
    size_t n;

    if (host == NULL)
        return false;
    n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return known_name(c, host, n);
}

static void fault_do_host_421(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->fault.status = known_host(c) ? 0 : 421;
}

static void fault_do_host_close(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    if (!known_host(c))
        stop(c, ACT_CLOSE);
}

static void fault_do_idle_close(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->idle = ACT_CLOSE;
}

static void fault_do_idle_reset(struct conn *c, const struct tls_offer *offer)
{
    (void)offer;
    c->idle = ACT_RESET;
}

/* --- the table --- */
/* CLIENTS: HTTPS that asks for a client certificate. */
enum fault_for { FAULT_FOR_ANY, FAULT_FOR_HTTPS, FAULT_FOR_CLIENTS };
static const struct fault_row rows[] = {
#define FAULT(fault_name, where, what, takes, usual, whom, text)                                   \
    { .name = fault_name,                                                                          \
      .point = FAULT_##where,                                                                      \
      .action = fault_do_##what,                                                                   \
      .arg = FAULT_ARG_##takes,                                                                    \
      .def = usual,                                                                                \
      .https_only = FAULT_FOR_##whom != FAULT_FOR_ANY,                                             \
      .client_auth = FAULT_FOR_##whom == FAULT_FOR_CLIENTS,                                        \
      .help = text },
#include "labtarget/faults.def"
#undef FAULT
};

const struct fault_row *fault_rows(size_t *n)
{
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

bool fault_applies(const struct conn *c, enum fault_point point)
{
    const struct fault_row *row = c->target->fault.row;

    return row != NULL && row->point == point &&
           (row->arg != FAULT_ARG_NTH || c->request >= number(c));
}

void fault_act_at(struct conn *c, enum fault_point point, const struct tls_offer *offer)
{
    if (fault_applies(c, point))
        c->target->fault.row->action(c, offer);
}
