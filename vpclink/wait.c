/* SPDX-License-Identifier: Apache-2.0
 * Waiting for a socket, at most until a deadline. */
#include <errno.h>
#include <poll.h>

#include "core/clock.h"
#include "vpclink/link.h"

int link_wait_fd(int fd, short events, uint64_t deadline_us)
{
    for (;;) {
        uint64_t now = clock_mono_us();
        struct pollfd p = { .fd = fd, .events = events };
        int rc;

        if (now >= deadline_us)
            return 0;
        rc = poll(&p, 1, (int)((deadline_us - now + 999) / 1000));
        if (rc > 0)
            return 1;
        if (rc < 0 && errno != EINTR && errno != EAGAIN)
            return 0;
    }
}
