/* SPDX-License-Identifier: Apache-2.0
 * Words of the certificate lab, for the shell's completion. */
#include "cli/lab_words.h"

#include "certs/lab/issue_key.h"
#include "certs/lab/profiles.h"

void lab_key_words(word_cb put, void *arg)
{
    for (int kind = 0; kind < ISSUE_KEY_N; kind++)
        put(arg, issue_key_name((enum issue_key_kind)kind), NULL);
}

void lab_profile_words(word_cb put, void *arg)
{
    for (size_t i = 0; i < lab_n_profiles; i++)
        put(arg, lab_profiles[i].name, lab_profiles[i].wrong);
}

void lab_authority_words(word_cb put, void *arg)
{
    put(arg, "self", "signed with its own key");
    for (size_t i = 0; i < lab_n_authorities; i++)
        put(arg, lab_authorities[i].name, lab_authorities[i].what);
}
