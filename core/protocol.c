/* SPDX-License-Identifier: Apache-2.0
 * Names of protocols, as the API writes them. */
#include "core/protocol.h"

const char *protocol_name(enum protocol p)
{
    switch (p) {
    case PROTOCOL_TCP:
        return "TCP";
    case PROTOCOL_TLS:
        return "TLS";
    }
    return "?";
}
