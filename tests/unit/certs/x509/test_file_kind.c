/* SPDX-License-Identifier: Apache-2.0
 * A file that is something else is known, and the way out names the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/x509/file_kind.h"

#define OCTETS(text) text, sizeof(text) - 1

static void files_are_known_by_their_octets(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *says; /* NULL: nothing is known of it */
    } rows[] = {
        { OCTETS(""), "is empty" },
        { OCTETS("\xfe\xed\xfe\xed\0\0\0\2"), "keytool -importkeystore -srckeystore my.pem " },
        { OCTETS("\x30\x05\x02\x01\x03\x30\x00"), "openssl pkcs12 -in my.pem " },
        { OCTETS("\x30\x80\x02\x01\x03\x30\x00\x00\x00"), NULL },
        { OCTETS("\x30\x05\x02\x01\x00\x30\x00"), "is a private key" },
        { OCTETS("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), "openssl pkcs7 " },
        { OCTETS("\x30\x02\x30\x00"), NULL }, /* as a certificate begins */
        { OCTETS("  {\"Certificate\": 1}"), "is JSON; " },
        { OCTETS("\n<html>"), "downloaded from a link?" },
        { OCTETS("MIIB"), "base64 -d my.pem " },
        { OCTETS("# mine\n-----BEGIN CERTIFICATE REQUEST-----\n"), "is a certificate request" },
        { OCTETS("-----BEGIN EC PRIVATE KEY-----\n"), "is a private key and holds no certificate" },
        { OCTETS("ssh-ed25519 AAAA"), "is a public key of OpenSSH" },
        { OCTETS("\xff\xfe-\0"), "iconv -f UTF-16" },
        { OCTETS("M"), NULL }, /* shorter than what it might begin like */
        { OCTETS("hello"), NULL },
    };
    char out[400];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *what = file_kind("my.pem", rows[i].text, rows[i].len, out, sizeof out);

        if (rows[i].says == NULL ? what != NULL
                                 : what == NULL || strstr(what, rows[i].says) == NULL)
            fail_msg("row %zu: %s", i, what == NULL ? "nothing" : what);
    }
}

static void keys_say_how_they_become_readable(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
          "openssl pkey -in my.key " },
        { "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "is encrypted" },
        { "  -----BEGIN PRIVATE KEY-----\n  AA\n  -----END PRIVATE KEY-----\n", "is indented" },
        { "-----BEGIN PRIVATE KEY-----\nAA \n-----END PRIVATE KEY-----\n",
          "has blanks at the end of its lines" },
        { "-----BEGIN PRIVATE KEY-----\r\nAA\r\n-----END PRIVATE KEY-----\r\n", NULL },
        { "-----BEGIN OPENSSH PRIVATE KEY-----\n", "ssh-keygen -p -m PEM -f my.key" },
    };
    char out[400];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *what = file_kind_of_key("my.key", rows[i].text, out, sizeof out);

        if (rows[i].says == NULL ? what != NULL
                                 : what == NULL || strstr(what, rows[i].says) == NULL)
            fail_msg("row %zu: %s", i, what == NULL ? "nothing" : what);
    }
}

static void what_is_no_file_name(void **state)
{
    (void)state;
    assert_non_null(
        strstr(file_kind_of_name("arn:aws:acm:eu-west-1:1:certificate/x"), "is an ARN"));
    assert_non_null(strstr(file_kind_of_name("HTTPS://example.com/a.pem"), "is a URL"));
    assert_non_null(strstr(file_kind_of_name("s3://bucket/a.pem"), "aws s3 cp"));
    assert_non_null(strstr(file_kind_of_name("\"a.pem\""), "between quotes"));
    assert_null(file_kind_of_name("arn.pem"));
    assert_null(file_kind_of_name("certs/a.pem"));
    assert_null(file_kind_of_name(""));
}

static void a_long_path_is_cut_and_not_more(void **state)
{
    char path[300], out[40];

    (void)state;
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    (void)file_kind(path, OCTETS("MII"), out, sizeof out);
    assert_true(strlen(out) < sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_known_by_their_octets),
        cmocka_unit_test(keys_say_how_they_become_readable),
        cmocka_unit_test(what_is_no_file_name),
        cmocka_unit_test(a_long_path_is_cut_and_not_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
