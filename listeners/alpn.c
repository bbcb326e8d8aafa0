/* SPDX-License-Identifier: Apache-2.0
 * ALPN policies of a TLS listener and the choice among what a client offers. */
#include "listeners/alpn.h"

#include <string.h>

#include "core/suggest.h"

static const struct alpn_policy alpn_policies[] = {
#define ALPN(name, ...) { name, { __VA_ARGS__ } },
#include "listeners/alpn.def"
#undef ALPN
};

const struct alpn_policy *alpn_all(size_t *count)
{
    *count = sizeof alpn_policies / sizeof alpn_policies[0];
    return alpn_policies;
}

const struct alpn_policy *alpn_find(const char *name)
{
    size_t n;
    const struct alpn_policy *all = alpn_all(&n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    }
    return NULL;
}

const char *alpn_nearest(const char *name)
{
    struct suggest near = suggest_for(name);
    size_t n;
    const struct alpn_policy *all = alpn_all(&n);

    for (size_t i = 0; i < n; i++)
        suggest_try(&near, all[i].name);
    return suggest_best(&near);
}

const char *alpn_choose(const struct alpn_policy *p, const struct tls_offer *offer)
{
    for (const char *const *name = p->protocols; *name != NULL; name++) {
        if (tls_offer_has_alpn(offer, *name))
            return *name;
    }
    return NULL;
}
