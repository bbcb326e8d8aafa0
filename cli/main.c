/* SPDX-License-Identifier: Apache-2.0
 * The one binary: runs a verb, and ends as its output allows. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "core/descriptors.h"
#include "core/screen.h"

/* What the verb has not seen: its last words did not reach standard output. A reader that has gone
 * wants to hear of nothing: then the program ends as those do that know no better (128 + SIGPIPE in
 * a shell). */
static int finish(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    if (errno == EPIPE || screen_closed(stdout)) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    fprintf(stderr, "nlbsim: standard output: %s\n", strerror(errno != 0 ? errno : EIO));
    return 3;
}

int main(int argc, char **argv)
{
    /* A caller may have ignored it. The verbs that serve or call ignore it again: a peer that has
     * gone is data there. */
    signal(SIGPIPE, SIG_DFL);
    descriptors_raise();
    if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
        return finish(command_version.run(argc - 1, argv + 1));
    return finish(command_dispatch(&nlbsim_command, argc, argv));
}
