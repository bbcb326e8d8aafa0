// SPDX-License-Identifier: Apache-2.0
/*
 * What a full handshake costs the server side of mbedTLS alone: no socket, no loop, no flow.
 *
 *   tls_floor CERT_AND_KEY.pem 1.2|1.3 COUNT
 *
 * The client is OpenSSL, wired to the mbedTLS server through two memory queues; only the server's
 * calls are on the clock (CPU time of the thread). `make bench` shows it beside what a whole
 * process spends per handshake.
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct wire {
    BIO *client; /* OpenSSL's end of a BIO pair is inside the SSL object; this is the other */
};

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int wire_send(void *arg, const unsigned char *data, size_t n)
{
    int sent = BIO_write(((struct wire *)arg)->client, data, (int)n);

    return sent > 0 ? sent : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int wire_recv(void *arg, unsigned char *data, size_t n)
{
    int got = BIO_read(((struct wire *)arg)->client, data, (int)n);

    return got > 0 ? got : MBEDTLS_ERR_SSL_WANT_READ;
}

/* One handshake; the server's CPU seconds, or a negative number when it failed. */
static double handshake(const mbedtls_ssl_config *conf, SSL_CTX *ctx)
{
    mbedtls_ssl_context server;
    struct wire wire;
    BIO *inside = NULL;
    SSL *client = SSL_new(ctx);
    double spent = 0, start;
    int rc = MBEDTLS_ERR_SSL_WANT_READ, done = 0;

    if (client == NULL || BIO_new_bio_pair(&inside, 1 << 16, &wire.client, 1 << 16) != 1)
        return -1;
    SSL_set_bio(client, inside, inside);
    SSL_set_connect_state(client);
    start = cpu();
    mbedtls_ssl_init(&server);
    if (mbedtls_ssl_setup(&server, conf) != 0)
        return -1;
    mbedtls_ssl_set_bio(&server, &wire, wire_send, wire_recv, NULL);
    spent += cpu() - start;
    for (int turn = 0; turn < 20 && (rc != 0 || !done); turn++) {
        done = SSL_do_handshake(client) == 1;
        start = cpu();
        if (rc != 0)
            rc = mbedtls_ssl_handshake(&server);
        spent += cpu() - start;
        if (rc != 0 && rc != MBEDTLS_ERR_SSL_WANT_READ && rc != MBEDTLS_ERR_SSL_WANT_WRITE)
            break;
    }
    start = cpu();
    mbedtls_ssl_free(&server);
    spent += cpu() - start;
    SSL_free(client);
    BIO_free(wire.client);
    return rc == 0 && done ? spent : -1;
}

static int measure(const mbedtls_ssl_config *conf, SSL_CTX *ctx, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++) {
        double spent = handshake(conf, ctx);

        if (spent < 0) {
            fprintf(stderr, "tls_floor: the handshake failed\n");
            return 1;
        }
        sum += spent;
    }
    printf("{\"count\": %d, \"mean_us\": %.1f}\n", count, sum / count * 1e6);
    return 0;
}

int main(int argc, char **argv)
{
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    mbedtls_ssl_config conf;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int tls12;

    if (argc != 4) {
        fprintf(stderr, "usage: tls_floor CERT_AND_KEY.pem 1.2|1.3 COUNT\n");
        return 2;
    }
    tls12 = strcmp(argv[2], "1.2") == 0;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_x509_crt_init(&chain);
    mbedtls_pk_init(&key);
    mbedtls_ssl_config_init(&conf);
    if (ctx == NULL || psa_crypto_init() != PSA_SUCCESS ||
        mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0) != 0 ||
        mbedtls_x509_crt_parse_file(&chain, argv[1]) != 0 ||
        mbedtls_pk_parse_keyfile(&key, argv[1], NULL, mbedtls_ctr_drbg_random, &drbg) != 0 ||
        mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0 ||
        mbedtls_ssl_conf_own_cert(&conf, &chain, &key) != 0) {
        fprintf(stderr, "tls_floor: cannot set up\n");
        return 3;
    }
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
    mbedtls_ssl_conf_session_tickets(&conf, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    SSL_CTX_set_min_proto_version(ctx, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(ctx, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set1_groups_list(ctx, "P-256");
    return measure(&conf, ctx, atoi(argv[3]));
}
