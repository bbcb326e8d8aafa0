/* SPDX-License-Identifier: Apache-2.0
 * Protocols of listeners and target groups, as the API names them. Only TCP and TLS are simulated;
 * the configuration refuses the others, so no runtime struct ever holds them. */
#ifndef CORE_PROTOCOL_H
#define CORE_PROTOCOL_H

/* 0 is neither: a protocol that the configuration refused. */
enum protocol { PROTOCOL_TCP = 1, PROTOCOL_TLS };

const char *protocol_name(enum protocol p); /* "TCP", "TLS" */

#endif
