/* SPDX-License-Identifier: Apache-2.0
 * The back hop: a connection to a target, with TLS for TLS groups; nothing is verified. */
#include "targets/back.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs/x509/parse.h"
#include "tls/hop_tls.h"
#include "tls/tls_can.h"
#include "tls/tls_wire_write.h"

#define BACK_LIST_MAX 32

struct back_tls {
    const char *policy;
    const char *names[BACK_ALPN_MAX + 1];
    bool offer_chosen_only;
    struct tls_full_offer offer;
    struct tls_conf *plain;                 /* no ALPN offered */
    struct tls_conf *all;                   /* the whole list; NULL when there is none */
    struct tls_conf *single[BACK_ALPN_MAX]; /* one protocol each; with offer_chosen_only */
};

/* The order of mbedTLS's hello, where it differs from AWS's: PKCS#1 before PSS. It cannot verify
 * the PSS signature of a TLS 1.2 server that takes the client's order (docs/libraries.md); in
 * TLS 1.3 PKCS#1 does not count. */
static size_t order_sigs(struct tls_list sigs, uint16_t *out)
{
    size_t n = 0;

    for (int pss = 0; pss < 2; pss++) {
        for (size_t i = 0; i < sigs.count && n < BACK_LIST_MAX; i++) {
            bool only_13 = tls_can_sig(TLS_LIBRARY_MBEDTLS, sigs.at[i], 0) &&
                           !tls_can_sig(TLS_LIBRARY_MBEDTLS, sigs.at[i], TLS_1_2);

            if (only_13 == (pss == 1))
                out[n++] = sigs.at[i];
        }
    }
    return n;
}

static size_t append(uint16_t *out, size_t n, struct tls_list list)
{
    for (size_t i = 0; i < list.count && n < BACK_LIST_MAX; i++)
        out[n++] = list.at[i];
    return n;
}

static struct tls_conf *make_conf(const struct back_params *p, const char *const *alpn,
                                  enum tls_library *library, struct err *err)
{
    uint16_t sigs[BACK_LIST_MAX], groups[BACK_LIST_MAX];
    struct tls_conf_params c = {
        .server = false,
        .min_version = p->versions.at[p->versions.count - 1],
        .max_version = p->versions.at[0],
        .suites = p->suites.at,
        .n_suites = p->suites.count,
        .groups = groups,
        .n_groups = append(groups, append(groups, 0, p->hybrids), p->groups),
        .sig_schemes = p->sigs.at,
        .n_sig_schemes = p->sigs.count,
        .alpn = alpn,
    };

    *library = c.library = tls_library_for_client(&c, p->tls_use);
    if (c.library == TLS_LIBRARY_MBEDTLS) {
        c.sig_schemes = sigs;
        c.n_sig_schemes = order_sigs(p->sigs, sigs);
        c.min_version = c.min_version < TLS_1_2 ? TLS_1_2 : c.min_version;
    }
    return tls_conf_new(&c, err);
}

struct back_tls *back_tls_new(const struct back_params *p, struct err *err)
{
    struct back_tls *b = calloc(1, sizeof *b);

    if (b == NULL) {
        err_set(err, ERR_NOMEM, "TLS toward targets");
        return NULL;
    }
    b->policy = p->policy;
    b->offer = (struct tls_full_offer){ p->versions, p->suites, p->groups, p->sigs, NULL, 0 };
    b->offer_chosen_only = p->offer_chosen_only;
    b->plain = make_conf(p, NULL, &b->offer.library, err);
    if (b->plain == NULL)
        goto fail;
    for (size_t i = 0; p->alpn != NULL && i < BACK_ALPN_MAX && p->alpn[i] != NULL; i++) {
        const char *one[] = { p->alpn[i], NULL };

        b->names[i] = p->alpn[i];
        if (p->offer_chosen_only &&
            (b->single[i] = make_conf(p, one, &b->offer.library, err)) == NULL)
            goto fail;
    }
    if (!p->offer_chosen_only && b->names[0] != NULL &&
        (b->all = make_conf(p, p->alpn, &b->offer.library, err)) == NULL)
        goto fail;
    return b;
fail:
    back_tls_free(b);
    return NULL;
}

void back_tls_free(struct back_tls *b)
{
    if (b == NULL)
        return;
    tls_conf_free(b->plain);
    tls_conf_free(b->all);
    for (size_t i = 0; i < BACK_ALPN_MAX; i++)
        tls_conf_free(b->single[i]);
    free(b);
}

const char *back_tls_policy(const struct back_tls *b)
{
    return b->policy;
}

const struct tls_full_offer *back_tls_offer(const struct back_tls *b)
{
    return &b->offer;
}

static const struct tls_conf *pick_conf(const struct back_tls *b, const char *alpn)
{
    if (b->all != NULL)
        return b->all;
    for (size_t i = 0; b->offer_chosen_only && alpn != NULL && b->names[i] != NULL; i++) {
        if (strcmp(b->names[i], alpn) == 0)
            return b->single[i];
    }
    return b->plain;
}

static int set_transparent(int fd, int family)
{
    return family == AF_INET6
               ? setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &(int){ 1 }, sizeof(int))
               : setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &(int){ 1 }, sizeof(int));
}

int back_may_be_transparent(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 || set_transparent(fd, AF_INET) != 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return error;
}

/* Come from the client's address and port; where that very port is in use on this host (the client
 * itself is here), from another port of the address. */
static int come_from(int fd, const struct addr *from)
{
    struct addr any_port = *from;

    if (set_transparent(fd, from->u.sa.sa_family) != 0)
        return -1;
    if (bind(fd, &from->u.sa, from->len) == 0)
        return 0;
    addr_set_port(&any_port, 0);
    return errno == EADDRINUSE ? bind(fd, &any_port.u.sa, any_port.len) : -1;
}

struct hop *back_connect(const struct back_route *route, int *sys_errno)
{
    const struct addr *to = route->to;
    const struct back_tls *tls = route->tls;
    int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct hop *h;

    if (fd < 0) {
        *sys_errno = errno;
        return NULL;
    }
    if (tls != NULL)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if ((route->from != NULL && come_from(fd, route->from) != 0) ||
        (connect(fd, &to->u.sa, to->len) != 0 && errno != EINPROGRESS)) {
        *sys_errno = errno;
        close(fd);
        return NULL;
    }
    h = tls == NULL ? hop_tcp_delaying_new(fd)
                    : hop_tls_client_new(fd, pick_conf(tls, route->alpn), NULL, NULL);
    if (h == NULL) {
        *sys_errno = ENOMEM;
        close(fd);
    }
    return h;
}

int back_connected(const struct hop *h)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    return error;
}

static char *join_names(const struct cert_facts *f)
{
    char all[1024] = "", one[300];

    for (size_t i = 0; i < f->n_sans; i++) {
        size_t used = strlen(all);

        if (f->sans[i].kind != CERT_NAME_DNS && f->sans[i].kind != CERT_NAME_IP)
            continue;
        snprintf(all + used, sizeof all - used, "%s%s", used > 0 ? ", " : "",
                 cert_general_name_text(&f->sans[i], one, sizeof one));
    }
    return all[0] == '\0' ? NULL : strdup(all);
}

static char *hex_text(struct der_span bytes)
{
    char *text = bytes.len == 0 || bytes.len > 64 ? NULL : malloc(3 * bytes.len + 1);

    return text == NULL ? NULL : (char *)(uintptr_t)cert_hex(bytes, text, 3 * bytes.len + 1);
}

static void describe(const struct cert_facts *f, struct record_cert *out)
{
    char text[512];

    out->subject = strdup(cert_name_text(f->subject, CERT_STYLE_JAVA, text, sizeof text));
    out->issuer = strdup(cert_name_text(f->issuer, CERT_STYLE_JAVA, text, sizeof text));
    out->names = join_names(f);
    snprintf(text, sizeof text, "%s %u", f->key_algorithm, f->key_bits);
    out->key = strdup(text);
    out->refusal = f->refusal[0] == '\0' ? NULL : strdup(f->refusal);
    out->not_before_utc = f->not_before_utc;
    out->not_after_utc = f->not_after_utc;
    out->self_issued = f->self_issued;
    out->key_id = hex_text(f->ski);
    out->issuer_key_id = hex_text(f->aki_key);
}

void back_describe_list(const struct cert_list *chain, struct record_chain *out)
{
    record_chain_clear(out);
    out->presented = chain->n;
    for (size_t i = 0; i < chain->n && i < RECORD_CERTS; i++)
        describe(chain->at[i], &out->at[out->n++]);
}

void back_describe_chain(const struct tls_chain *chain, struct record_chain *out)
{
    record_chain_clear(out);
    out->presented = chain->presented;
    for (size_t i = 0; i < chain->n && i < RECORD_CERTS; i++) {
        struct cert_facts *facts = cert_facts_new(chain->at[i].der, chain->at[i].len);

        if (facts == NULL)
            return;
        describe(facts, &out->at[out->n++]);
        cert_facts_free(facts);
    }
}
