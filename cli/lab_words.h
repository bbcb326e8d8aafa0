/* SPDX-License-Identifier: Apache-2.0
 * Words of the certificate lab, for the shell's completion. */
#ifndef CLI_LAB_WORDS_H
#define CLI_LAB_WORDS_H

#include "cli/command.h"

void lab_key_words(word_cb put, void *arg);
void lab_profile_words(word_cb put, void *arg);
void lab_authority_words(word_cb put, void *arg);

#endif
