/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert show: the certificates of a file or of a server, as presented and as a client would
 * put them together; revocation lists too. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/audit/describe.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "certs/x509/pem_file.h"
#include "cli/cert.h"
#include "cli/endpoint.h"
#include "core/clock.h"
#include "core/foreign.h"
#include "core/screen.h"
#include "tls/tls_conf.h"
#include "tls/tls_fetch.h"
#include "tls/tls_params.h"

struct show {
    struct command_line line;
    const char *source, *trust_store, *sni, *seed;
    uint64_t timeout_ms;
    int64_t now_s;
    bool json;
};

/* --- reading --- */

/* HOST:PORT or [ADDRESS]:PORT, when no file of that name exists. */
static bool split_endpoint(const char *source, char *host, size_t size, const char **port)
{
    return access(source, F_OK) != 0 && endpoint_split(source, host, size, port);
}

static bool is_address(const char *host)
{
    uint8_t address[16];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int fetch_chain(const struct show *s, const char *host, const char *port,
                       struct cert_list *list, json_t **tls, struct err *err)
{
    const char *sni = s->sni != NULL ? s->sni : is_address(host) ? "" : host;
    struct tls_fetched got;
    int rc = 0;

    if (tls_init(err) != 0 ||
        tls_fetch(host, port, sni[0] != '\0' ? sni : NULL, (unsigned)s->timeout_ms, &got, err) != 0)
        return -1;
    for (size_t i = 0; i < got.chain.n && rc == 0; i++)
        rc = cert_list_add_der(list, der_span_of(got.chain.at[i].der, got.chain.at[i].len), err);
    *tls = json_pack("{s:s, s:s?, s:s?, s:b, s:I}", "address", got.address, "server_name",
                     sni[0] != '\0' ? sni : NULL, "protocol",
                     got.version != 0 ? tls_version_name(got.version) : NULL, "handshake_finished",
                     (int)got.finished, "certificates_presented", (json_int_t)got.chain.presented);
    if (got.suite != 0 && tls_suite_find(got.suite) != NULL)
        json_object_set_new(*tls, "cipher", json_string(tls_suite_find(got.suite)->openssl));
    if (got.trouble[0] != '\0')
        json_object_set_new(*tls, "trouble", foreign_json(got.trouble));
    tls_chain_clear(&got.chain);
    return rc;
}

/* --- the document --- */

static json_t *path_json(const struct cert_path *path)
{
    json_t *list = json_array();
    char name[256];

    for (size_t i = 0; i < path->n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", cert_short_name(path->at[i], name, sizeof name),
                            "from", path->from_anchors[i] ? "trust store" : "presented"));
    return list;
}

static json_t *show_document(const struct show *s, const struct cert_list *list,
                             const struct cert_list *anchors)
{
    json_t *certificates = json_array();
    struct cert_path path;

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(certificates, cert_describe(list->at[i], s->now_s));
    cert_path_build(list, anchors, &path);
    return json_pack("{s:o, s:o, s:o, s:b}", "source", foreign_json(s->source), "certificates",
                     certificates, "chain_built", path_json(&path), "chain_complete",
                     (int)path.complete);
}

/* --- text --- */

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "-";
}

static void print_words(const char *title, json_t *list)
{
    char label[32], *text = NULL;
    size_t i, size = 0;
    json_t *word;
    FILE *out;

    if (json_array_size(list) == 0 || (out = open_memstream(&text, &size)) == NULL)
        return;
    json_array_foreach(list, i, word)
    {
        if (i == 20 && json_array_size(list) > 25) {
            fprintf(out, " … and %zu more", json_array_size(list) - i);
            break;
        }
        fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(word));
    }
    snprintf(label, sizeof label, "  %-11s ", title);
    if (fclose(out) == 0)
        screen_sentence(stdout, label, text);
    free(text);
}

static void print_extensions(json_t *list)
{
    char *text = NULL;
    size_t i, size = 0;
    json_t *e;
    FILE *out;

    if (json_array_size(list) == 0 || (out = open_memstream(&text, &size)) == NULL)
        return;
    json_array_foreach(list, i, e) fprintf(out, "%s%s%s", i > 0 ? ", " : "", text_of(e, "name"),
                                           json_is_true(json_object_get(e, "critical")) ? "*" : "");
    fputs("   (* critical)", out);
    if (fclose(out) == 0)
        screen_sentence(stdout, "  extensions  ", text);
    free(text);
}

static void print_dates(json_t *c)
{
    json_int_t left = json_integer_value(json_object_get(c, "days_left"));

    foreign_printf(stdout, "  %-11s %s to %s   (", "valid", text_of(c, "not_before"),
                   text_of(c, "not_after"));
    printf(left >= 0 ? "%" JSON_INTEGER_FORMAT " days left)\n"
                     : "ended %" JSON_INTEGER_FORMAT " days ago)\n",
           left >= 0 ? left : -left);
}

static void print_certificate(json_t *c, size_t index)
{
    foreign_printf(stdout, "[%zu] %s\n", index, text_of(c, "subject"));
    foreign_printf(stdout, "  %-11s %s%s\n", "issuer", text_of(c, "issuer"),
                   json_is_true(json_object_get(c, "self_issued")) ? "   (itself)" : "");
    print_words("names", json_object_get(c, "names"));
    if (!json_is_null(json_object_get(c, "days_left")))
        print_dates(c);
    foreign_printf(stdout, "  %-11s %s %" JSON_INTEGER_FORMAT " bits", "key", text_of(c, "key"),
                   json_integer_value(json_object_get(c, "key_bits")));
    if (json_object_get(c, "curve") != NULL)
        foreign_printf(stdout, ", %s", text_of(c, "curve"));
    putchar('\n');
    foreign_printf(stdout, "  %-11s %s\n", "signature", text_of(c, "signature"));
    if (json_is_true(json_object_get(c, "ca"))) {
        foreign_printf(stdout, "  %-11s CA:TRUE", "authority");
        if (json_object_get(c, "path_length") != NULL)
            foreign_printf(stdout, ", path length %" JSON_INTEGER_FORMAT,
                           json_integer_value(json_object_get(c, "path_length")));
        putchar('\n');
    }
    print_words("key usage", json_object_get(c, "key_usage"));
    print_words("purposes", json_object_get(c, "extended_key_usage"));
    print_extensions(json_object_get(c, "extensions"));
    foreign_printf(stdout, "  %-11s %s\n", "serial", text_of(c, "serial"));
    foreign_printf(stdout, "  %-11s %s\n", "sha256", text_of(c, "sha256"));
    if (json_object_get(c, "refusal") != NULL)
        foreign_printf(stdout, "  %-11s a JDK cannot read it: %s\n", "refused",
                       text_of(c, "refusal"));
}

static void print_document(json_t *doc, bool has_store)
{
    json_t *tls = json_object_get(doc, "tls"), *list = json_object_get(doc, "certificates");
    json_t *built = json_object_get(doc, "chain_built"), *c;
    size_t i;

    if (tls != NULL)
        foreign_printf(stdout, "%s at %s, %s, %s\n", text_of(doc, "source"),
                       text_of(tls, "address"), text_of(tls, "protocol"), text_of(tls, "cipher"));
    if (tls != NULL && json_object_get(tls, "trouble") != NULL)
        foreign_printf(stdout, "after the certificates, %s\n", text_of(tls, "trouble"));
    printf("%zu certificate%s as presented\n\n", json_array_size(list),
           json_array_size(list) == 1 ? "" : "s");
    json_array_foreach(list, i, c) print_certificate(c, i);
    puts("\nchain as a client would build it, by names");
    json_array_foreach(built, i, c)
        foreign_printf(stdout, "  %*s%s%s   (%s)\n", (int)(2 * i), "", i > 0 ? "issued by " : "",
                       text_of(c, "name"), text_of(c, "from"));
    if (!json_is_true(json_object_get(doc, "chain_complete")))
        foreign_printf(stdout, "  %s\n",
                       has_store ? "it does not reach the trust store"
                                 : "it does not reach a root; a client has to know the rest");
}

static void print_crl(json_t *crl)
{
    json_t *list = json_object_get(crl, "revoked"), *e;
    size_t i;

    foreign_printf(stdout, "revocation list of %s\n", text_of(crl, "issuer"));
    printf("  from %s, next %s\n  %zu revoked\n", text_of(crl, "this_update"),
           text_of(crl, "next_update"), json_array_size(list));
    json_array_foreach(list, i, e)
        foreign_printf(stdout, "  %s   since %s\n", text_of(e, "serial"), text_of(e, "revoked"));
}

/* --- the command --- */

static int show_crl(const struct show *s, const char *text, size_t len)
{
    struct err err = { 0 };
    json_t *crl = crl_describe(text, len, s->source, &err);
    int rc = 0;

    if (crl == NULL)
        return command_fail(&command_cert_show, &err);
    json_object_set_new(crl, "source", foreign_json(s->source));
    if (s->json)
        rc = foreign_print_document(json_incref(crl), stdout) == 0 ? 0 : 3;
    else
        print_crl(crl);
    json_decref(crl);
    return rc;
}

static int show_list(const struct show *s, const struct cert_list *list, json_t *tls)
{
    struct err err = { 0 };
    struct cert_lab *lab = NULL;
    struct trust_store *store = NULL;
    json_t *doc;
    int rc = 0;

    if (s->trust_store != NULL) {
        if (cert_spec_is_lab(s->trust_store))
            lab = cert_lab_new(s->seed, s->now_s, &err);
        store = trust_store_load(s->trust_store, NULL, lab, &err);
        if (store == NULL) {
            cert_lab_free(lab);
            json_decref(tls);
            return command_fail(&command_cert_show, &err);
        }
    }
    doc = show_document(s, list, store != NULL ? &store->list : NULL);
    if (tls != NULL)
        json_object_set_new(doc, "tls", tls);
    if (s->json)
        rc = foreign_print_document(json_incref(doc), stdout) == 0 ? 0 : 3;
    else
        print_document(doc, store != NULL);
    json_decref(doc);
    trust_store_unref(store);
    cert_lab_free(lab);
    return rc;
}

/* PEM, DER or JSON; what has nothing of a certificate is not shown as one. */
static int read_text(struct cert_list *list, const char *text, size_t len, const char *source,
                     struct err *err)
{
    bool json = text[strspn(text, " \t\r\n")] == '{';
    int rc = json ? cert_list_read_json(list, text, len, source, err)
                  : cert_list_read(list, text, len, source, err);

    if (rc == 0 && list->n == 1 && list->at[0]->subject.len == 0 && list->at[0]->spki.len == 0) {
        err_set(err, ERR_FORMAT, "%s: is no certificate (a JDK says %s)", source,
                list->at[0]->refusal);
        return -1;
    }
    return rc;
}

static int show(const struct show *s)
{
    struct cert_list list = { 0 };
    struct err err = { 0 };
    json_t *tls = NULL;
    const char *port;
    char host[256], *text = NULL;
    size_t len = 0;
    int rc;

    if (split_endpoint(s->source, host, sizeof host, &port)) {
        rc = fetch_chain(s, host, port, &list, &tls, &err);
    } else {
        text = pem_read(s->source, &len, &err);
        if (text != NULL && strstr(text, "-----BEGIN X509 CRL-----") != NULL) {
            rc = show_crl(s, text, len);
            file_wipe(text, len);
            return rc;
        }
        rc = text == NULL ? -1 : read_text(&list, text, len, s->source, &err);
    }
    rc = rc != 0 ? command_fail(&command_cert_show, &err) : show_list(s, &list, tls);
    file_wipe(text, len);
    cert_list_clear(&list);
    return rc;
}

static int show_run(int argc, char **argv)
{
    struct show s = { .now_s = clock_wall_s() };
    int status = command_read(&command_cert_show, argc, argv, &s);

    if (status >= 0)
        return status;
    s.source = s.line.operands[0];
    return show(&s);
}

#define AT(field) .offset = offsetof(struct show, field)
static const struct command_option show_option_rows[] = {
    { .name = "trust-store",
      .argument = "STORE",
      .kind = OPTION_FILE,
      AT(trust_store),
      .help = "where the chain shall end: a PEM file, system, or lab:NAME with --seed" },
    { .name = "sni",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(sni),
      .help = "server name to send; \"\" sends none" },
    { .name = "timeout",
      .argument = "SECONDS",
      .kind = OPTION_SECONDS,
      AT(timeout_ms),
      .min = 100,
      .max = 3600 * 1000,
      .def = "10",
      .help = "for HOST:PORT" },
    { .name = "seed",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(seed),
      .help = "the seed of the lab that lab:NAME means" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(now_s),
      .help = "count days left from then" },
    { .name = "json", .kind = OPTION_FLAG, AT(json), .help = "one JSON document" },
    { .name = NULL },
};
#undef AT
static const char *const show_synopsis[] = { "[options] FILE|HOST:PORT", NULL };
static const char *const show_examples[] = {
    "nlbsim cert show --trust-store system api.example.com:443", NULL
};

const struct command command_cert_show = {
    .name = "cert show",
    .summary = "what a file, or a server at HOST:PORT, presents",
    .run = show_run,
    .synopsis = show_synopsis,
    .about = "Shows certificates: subject, issuer, names, dates, key, signature, extensions; the "
             "chain as it is presented and as a client would build it. FILE may be PEM or DER, or "
             "a revocation list; - is standard input. HOST:PORT connects, sends HOST as server "
             "name, and validates nothing.",
    .options = show_option_rows,
    .operand = "FILE or HOST:PORT",
    .operand_kind = OPERAND_FILE,
    .min_operands = 1,
    .max_operands = 1,
    .examples = show_examples,
};
