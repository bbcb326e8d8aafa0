/* SPDX-License-Identifier: Apache-2.0
 * Versions of the program and of the libraries it runs with. */
#include <event2/event.h>
#include <jansson.h>
#include <libpsl.h>
#include <llhttp.h>
#include <mbedtls/version.h>
#include <nettle/version.h>
#include <zlib.h>

#include "cli/cli.h"

void cli_print_version(FILE *out)
{
    char mbedtls[18];

    mbedtls_version_get_string(mbedtls);
    fprintf(out, "nlbsim %s\nmbedTLS %s\nlibevent %s\njansson %s\nllhttp %d.%d.%d\n", NLB_VERSION,
            mbedtls, event_get_version(), jansson_version_str(), LLHTTP_VERSION_MAJOR,
            LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    fprintf(out, "libpsl %s\nnettle %d.%d\nzlib %s\n", psl_get_version(), nettle_version_major(),
            nettle_version_minor(), zlibVersion());
}
