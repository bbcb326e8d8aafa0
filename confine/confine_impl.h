/* SPDX-License-Identifier: Apache-2.0
 * The steps of confine_enter(); nobody else includes this. */
#ifndef CONFINE_CONFINE_IMPL_H
#define CONFINE_CONFINE_IMPL_H

#include "confine/confine.h"
#include "confine/confine_places.h"

/* The runtime of AddressSanitizer starts a process of its own to look for leaks, and it traces this
 * one; ThreadSanitizer's has a thread. So what such a build cannot give up it keeps: the filter of
 * system calls, dumps, being alone. Files, capabilities and users are as ever. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define CONFINE_SANITIZED 1
#else
#define CONFINE_SANITIZED 0
#endif

/* What a step came to, where the kernel may not have it. */
enum confine_step { CONFINE_FAILED = -1, CONFINE_DONE, CONFINE_LACKING };

/* Become `user` and `group`, with the capabilities of `wish` and no others, for ever. 0, or -1. */
int confine_person(const struct confine_wish *wish, struct err *err);
/* Who that is, for the log: "user=nobody"; "" when nobody changed. */
const char *confine_person_text(void);
/* No core dumps, no debugger of the same user. */
void confine_no_dumps(void);

/* Landlock: nothing but these places, whose names are kept. `*abi`: the version of the kernel's. */
enum confine_step confine_files(const struct confine_places *places, int *abi, struct err *err);
/* seccomp: nothing but the calls of confine_calls.def. */
enum confine_step confine_calls(struct err *err);

#endif
