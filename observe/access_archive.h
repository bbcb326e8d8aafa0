/* SPDX-License-Identifier: Apache-2.0
 * A directory of access log files as AWS delivers them to a bucket: every five minutes one gzip
 * file, which appears complete or not at all.
 *   DIR/AWSLogs/ACCOUNT/elasticloadbalancing/REGION/YYYY/MM/DD/
 *       ACCOUNT_elasticloadbalancing_REGION_net.NAME.ID_YYYYMMDDTHHMMZ_RANDOM.log.gz
 * Source: NLB guide, "Access log files". Lines of the running period stand in a hidden file beside
 * AWSLogs; a thread of its own compresses it when the period is over. */
#ifndef OBSERVE_ACCESS_ARCHIVE_H
#define OBSERVE_ACCESS_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "observe/ids.h"

struct access_archive;
/* `who` is for the names, `period_us` simulated time. Makes the directory when it is not there.
 * NULL with the reason in `err`. */
struct access_archive *access_archive_open(const char *path, const struct aws_identity *who,
                                           uint64_t period_us, struct err *err);
/* As line_file_put(). */
size_t access_archive_write(struct access_archive *a, const char *lines, size_t n);
/* Finish the current file soon, whatever the time is. */
void access_archive_rotate(struct access_archive *a);
/* Finishes the last file. NULL is fine. */
void access_archive_close(struct access_archive *a);

#endif
