/* SPDX-License-Identifier: Apache-2.0
 * The facts of one failure: a flat list of names and texts (diagnose/facts.def), filled from
 * whatever there is: a call of API Gateway, a flow's event, a chain of certificates, a
 * configuration, a client's error text. Conditions and sentences of causes.def speak of them. */
#ifndef DIAGNOSE_FACTS_H
#define DIAGNOSE_FACTS_H

#include <stdbool.h>
#include <stddef.h>

struct facts;
struct facts *facts_new(void); /* NULL without memory */
void facts_free(struct facts *f);

/* `name` is a row of facts.def. An empty or missing text is no fact. A second text replaces the
 * first. Texts of peers are made harmless for a terminal. */
void facts_set(struct facts *f, const char *name, const char *text);
void facts_setf(struct facts *f, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void facts_flag(struct facts *f, const char *name, bool holds);
void facts_forget(struct facts *f, const char *name);
/* NULL when it is not known. Borrowed until the fact is set again. */
const char *facts_get(const struct facts *f, const char *name);
bool facts_is(const struct facts *f, const char *name, const char *text);
/* Memory was out, or a name is no row of facts.def: what follows from these facts counts nothing.
 */
bool facts_bad(const struct facts *f);

/*
 * Does a condition hold? Terms with blanks between them must all hold:
 *   name           it is known              !name          it is not
 *   name=a|b       it is one of the texts   name!=a|b      it is none of them, or not known
 *   name~a|b       it contains one of them ('+' stands for a blank)
 */
bool facts_match(const struct facts *f, const char *condition);
/*
 * Fill a sentence in, allocated; NULL without memory.
 *   {name}    the fact; a capital first letter makes one
 *   ((...))   left out when a fact inside is not known
 */
char *facts_fill(const struct facts *f, const char *text);
/* Is `name` (with or without capital) a row of facts.def? */
bool facts_known(const char *name, size_t n);

#endif
