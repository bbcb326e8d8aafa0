/* SPDX-License-Identifier: Apache-2.0
 * One second of processor time for each input of a fuzz target, under the fuzzer and in replays.
 * Time on the wall says nothing on a busy machine, so libFuzzer's own -timeout is set generously.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define LIMIT_S 1

/* The linker puts this one in the place of the target's (--wrap). */
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void too_long(int sig)
{
    static const char text[] = "this input takes more than a second of processor time\n";

    (void)sig;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(1);
    abort();
}

static void limit(time_t seconds)
{
    const struct itimerval t = { .it_value.tv_sec = seconds };

    if (setitimer(ITIMER_PROF, &t, NULL) != 0)
        abort();
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool armed;
    int rc;

    if (!armed && signal(SIGPROF, too_long) == SIG_ERR)
        abort();
    armed = true;
    limit(LIMIT_S);
    rc = __real_LLVMFuzzerTestOneInput(data, size);
    limit(0);
    return rc;
}
