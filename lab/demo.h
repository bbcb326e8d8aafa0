/* SPDX-License-Identifier: Apache-2.0
 * The configuration of `nlbsim demo`: one self-signed target behind a TLS and a TCP listener. */
#ifndef LAB_DEMO_H
#define LAB_DEMO_H

#define DEMO_HOST "api.example.com"
extern const char demo_ini[];

#endif
