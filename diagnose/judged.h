/* SPDX-License-Identifier: Apache-2.0
 * A chain that was judged by itself, without a connection, as facts: for validate, check and
 * doctor. */
#ifndef DIAGNOSE_JUDGED_H
#define DIAGNOSE_JUDGED_H

#include "diagnose/chain.h"

/* All of it is borrowed. */
struct judged_chain {
    const struct verdict *verdict;
    const struct trust_request *request;    /* what was judged, and how */
    const struct cert_list *anchors;        /* NULL: not known */
    const char *store;                      /* their name; NULL: "the trust store" */
    const char *validated, *section, *file; /* listener or target, and where; all NULL: a file */
    const char *integration;                /* "[integration orders]"; NULL: none is known */
    bool no_flag;                           /* an HTTP API, which has no insecureSkipVerification */
};
/* New facts, with facts_free(); NULL without memory. */
struct facts *judged_facts(const struct judged_chain *j);
/* The chain of it, for drawing. */
struct chain *judged_drawing(const struct judged_chain *j);

#endif
