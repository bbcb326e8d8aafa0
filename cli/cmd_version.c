/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim version`: versions of the program and of the libraries it runs with. */
#include <event2/event.h>
#include <jansson.h>
#include <libpsl.h>
#include <llhttp.h>
#include <mbedtls/version.h>
#include <nettle/version.h>
#include <zlib.h>

#include "cli/cli.h"

static int version_run(int argc, char **argv)
{
    struct command_line line = { 0 };
    int status = command_read(&command_version, argc, argv, &line);
    char mbedtls[18];

    if (status >= 0)
        return status;
    mbedtls_version_get_string(mbedtls);
    printf("nlbsim %s\nmbedTLS %s\nlibevent %s\njansson %s\nllhttp %d.%d.%d\n", NLB_VERSION,
           mbedtls, event_get_version(), jansson_version_str(), LLHTTP_VERSION_MAJOR,
           LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    printf("libpsl %s\nnettle %d.%d\nzlib %s\n", psl_get_version(), nettle_version_major(),
           nettle_version_minor(), zlibVersion());
    return 0;
}

static const char *const version_synopsis[] = { "", NULL };
static const char *const version_examples[] = { "nlbsim version", NULL };

const struct command command_version = {
    .name = "version",
    .summary = "versions of nlbsim and of its libraries",
    .run = version_run,
    .synopsis = version_synopsis,
    .about = "Prints the version of nlbsim and those of the libraries it runs with, a line each; "
             "nlbsim --version does the same.",
    .examples = version_examples,
};
