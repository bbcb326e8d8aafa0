/* SPDX-License-Identifier: Apache-2.0
 * Files that a user hands over as certificates: whatever their bytes, loading, describing and
 * auditing them gives a result or an error that says something. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certs/audit/audit.h"
#include "certs/audit/describe.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "certs/x509/pem_file.h"

#define NOW 1795000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look_at(const struct cert_list *list)
{
    struct audit_options o = { .now_s = NOW, .days = 30 };
    struct audit_subject s = { .file = "fuzz", .chain = list };
    struct audit_report report = { 0 };
    struct cert_path path;
    struct err err;

    for (size_t i = 0; i < list->n; i++)
        json_decref(cert_describe(list->at[i], NOW));
    cert_path_build(list, NULL, &path);
    if (path.n == 0 || path.n > CERT_PATH_MAX || path.at[0] != list->at[0])
        abort();
    if (audit_chain(&report, &o, &s, &err) != 0)
        abort();
    audit_report_clear(&report);
}

static void load(const uint8_t *data, size_t n)
{
    static int fd = -1;
    char path[64];
    struct err err = { 0 };
    struct identity *cert;

    if (fd < 0)
        fd = memfd_create("fuzz", 0);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    cert = identity_load(path, NULL, NULL, &err);
    if (cert == NULL && (err.code == ERR_NONE || strstr(err.text, path) == NULL))
        abort();
    identity_unref(cert);
    trust_store_unref(trust_store_load(path, NULL, NULL, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cert_list list = { 0 };
    struct err err = { 0 };
    char *text = malloc(n + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, n);
    text[n] = '\0';
    if (cert_list_read(&list, text, n, "fuzz", &err) == 0)
        look_at(&list);
    else if (err.text[0] == '\0')
        abort();
    cert_list_clear(&list);
    json_decref(crl_describe(text, n, "fuzz", &err));
    load(data, n);
    free(text);
    return 0;
}
