/* SPDX-License-Identifier: Apache-2.0
 * What a file is that holds no certificate or key as this program reads them, and the way out. */
#include "certs/x509/file_kind.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "certs/x509/der.h"

/* {} is the file. `begins`: at its first octet; else anywhere in it. */
static const struct row {
    const char *mark;
    size_t n;
    int begins;
    const char *what;
} rows[] = {
#define MARK(mark) mark, sizeof mark - 1
    { MARK("\xfe\xed\xfe\xed"), 1,
      "is a Java key store; convert it: keytool -importkeystore -srckeystore {} -destkeystore "
      "{}.p12 -deststoretype PKCS12, then openssl pkcs12 -in {}.p12 -nodes -out NEW.pem" },
    { MARK("\xce\xce\xce\xce"), 1,
      "is a Java key store (JCEKS); convert it: keytool -importkeystore -srckeystore {} "
      "-srcstoretype JCEKS -destkeystore {}.p12 -deststoretype PKCS12, then openssl pkcs12 -in "
      "{}.p12 -nodes -out NEW.pem" },
    { MARK("\xff\xfe"), 1, "is text in UTF-16; convert it: iconv -f UTF-16 -t UTF-8 {} > NEW.pem" },
    { MARK("\xfe\xff"), 1, "is text in UTF-16; convert it: iconv -f UTF-16 -t UTF-8 {} > NEW.pem" },
    { MARK("{"), 1,
      "is JSON; of aws acm get-certificate the PEM text comes out with: jq -r '.Certificate, "
      ".CertificateChain' {} > NEW.pem ('nlbsim cert show' reads it as it is)" },
    { MARK("<"), 1, "is a page of HTML or XML, not a certificate; was it downloaded from a link?" },
    { MARK("MII"), 1,
      "is base64 without BEGIN and END lines; convert it: base64 -d {} > NEW.der, then openssl "
      "x509 -inform DER -in NEW.der -out NEW.pem" },
    { MARK("-----BEGIN PKCS7-----"), 0,
      "is a PKCS #7 file; convert it: openssl pkcs7 -in {} -print_certs -out NEW.pem" },
    { MARK("-----BEGIN CERTIFICATE REQUEST-----"), 0,
      "is a certificate request; an authority makes a certificate of it" },
    { MARK("-----BEGIN NEW CERTIFICATE REQUEST-----"), 0,
      "is a certificate request; an authority makes a certificate of it" },
    { MARK("-----BEGIN X509 CRL-----"), 0, "is a revocation list and holds no certificate" },
    { MARK("-----BEGIN PUBLIC KEY-----"), 0, "is a public key and holds no certificate" },
    { MARK("-----BEGIN OPENSSH PRIVATE KEY-----"), 0,
      "is a key of OpenSSH and holds no certificate" },
    { MARK("PRIVATE KEY-----"), 0, "is a private key and holds no certificate" },
    { MARK("ssh-"), 1, "is a public key of OpenSSH and holds no certificate" },
#undef MARK
};

static const char *fill(const char *what, const char *path, char *out, size_t size)
{
    size_t used = 0;

    for (; *what != '\0' && used + 1 < size; what++) {
        if (what[0] == '{' && what[1] == '}') {
            int n = snprintf(out + used, size - used, "%s", path);

            used += (size_t)n < size - used ? (size_t)n : size - used - 1;
            what++;
        } else {
            out[used++] = *what;
        }
    }
    out[used] = '\0';
    return out;
}

/* PKCS #12 is SEQUENCE { 3, … }, PKCS #7 SEQUENCE { its object identifier, … }, a key SEQUENCE {
 * 0 or 1, … }; a certificate begins with another SEQUENCE. Source: RFC 7292, 4; RFC 2315, 7;
 * RFC 5958, 2. BER lengths do not matter here. */
static const char *binary(const char *text, size_t len)
{
    struct der_span rest = der_span_of((const uint8_t *)text, len);
    struct der outer, first;

    if (der_next(&rest, &outer) != NULL || outer.tag != DER_SEQUENCE)
        return NULL;
    if (der_next(&outer.body, &first) != NULL)
        return NULL;
    if (first.tag == DER_OID && der_oid_is(first.body, "1.2.840.113549.1.7.2"))
        return "is a PKCS #7 file; convert it: openssl pkcs7 -inform DER -in {} -print_certs -out "
               "NEW.pem";
    if (first.tag != DER_INTEGER || first.body.len != 1)
        return NULL;
    return first.body.at[0] == 3
               ? "is a PKCS #12 file; convert it: openssl pkcs12 -in {} -nodes -out NEW.pem"
               : "is a private key and holds no certificate";
}

const char *file_kind(const char *path, const char *text, size_t len, char *out, size_t size)
{
    size_t blanks = 0;

    if (len == 0)
        return "is empty";
    if ((uint8_t)text[0] == DER_SEQUENCE) {
        const char *what = binary(text, len);

        return what == NULL ? NULL : fill(what, path, out, size);
    }
    while (blanks < len && text[blanks] != '\0' && strchr(" \t\r\n", text[blanks]) != NULL)
        blanks++;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];

        if (r->begins ? len - blanks >= r->n && memcmp(text + blanks, r->mark, r->n) == 0
                      : memmem(text, len, r->mark, r->n) != NULL)
            return fill(r->what, path, out, size);
    }
    return NULL;
}

/* --- keys --- */

/* Does a line of the key's block begin (`at_end`: end) with a blank? */
static int has_blanks(const char *begin, const char *end, int at_end)
{
    for (const char *at = begin; at != NULL && at < end;) {
        size_t n = strcspn(at, "\n");
        size_t text = n > 0 && at[n - 1] == '\r' ? n - 1 : n;

        if (text > 0 && (at[at_end ? text - 1 : 0] == ' ' || at[at_end ? text - 1 : 0] == '\t'))
            return 1;
        at = at[n] == '\0' ? NULL : at + n + 1;
    }
    return 0;
}

const char *file_kind_of_key(const char *path, const char *text, char *out, size_t size)
{
    const char *key = strstr(text, "PRIVATE KEY-----"), *end, *begin = key;

    if (strstr(text, "-----BEGIN OPENSSH PRIVATE KEY-----") != NULL)
        return fill("is in the format of OpenSSH; convert a copy of it: ssh-keygen -p -m PEM -f {}",
                    path, out, size);
    if (key == NULL)
        return file_kind(path, text, strlen(text), out, size);
    if (strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL ||
        strstr(key, "Proc-Type: 4,ENCRYPTED") != NULL)
        return fill("is encrypted, and nlbsim asks for no password; decrypt it: openssl pkey -in "
                    "{} -out NEW.key",
                    path, out, size);
    while (begin > text && begin[-1] != '\n')
        begin--;
    end = strstr(key, "-----END ");
    end = end == NULL ? text + strlen(text) : end + strcspn(end, "\n");
    if (has_blanks(begin, end, 0))
        return fill("is indented; remove the blanks before its lines: sed -i 's/^[ \\t]*//' {}",
                    path, out, size);
    if (has_blanks(begin, end, 1))
        return fill("has blanks at the end of its lines (OpenSSL reads it all the same); remove "
                    "them: sed -i 's/[ \\t]*$//' {}",
                    path, out, size);
    return NULL;
}

/* --- names --- */

const char *file_kind_of_name(const char *name)
{
    static const struct {
        const char *begins, *what;
    } names[] = {
        { "arn:", "is an ARN, and there is no AWS here: give the PEM file (aws acm "
                  "export-certificate gives it), or lab:PROFILE/HOST" },
        { "http://", "is a URL; download it (curl -o FILE.pem) and give the file" },
        { "https://", "is a URL; download it (curl -o FILE.pem) and give the file" },
        { "s3://", "is an object in S3; copy it (aws s3 cp) and give the file" },
        { "file://", "is a URL; give the path alone" },
        { "\"", "stands between quotes; write it without them" },
        { "'", "stands between quotes; write it without them" },
        { "-----BEGIN", "is the certificate itself; write it into a file and give its name" },
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncasecmp(name, names[i].begins, strlen(names[i].begins)) == 0)
            return names[i].what;
    }
    return NULL;
}
