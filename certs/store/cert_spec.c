/* SPDX-License-Identifier: Apache-2.0
 * How a user writes a certificate: a PEM file, or "lab:PROFILE/HOST". */
#include "certs/store/cert_spec.h"

#include <string.h>

#include "certs/lab/lab.h"
#include "certs/lab/profiles.h"

#define LAB_PREFIX "lab:"

bool cert_spec_is_lab(const char *spec)
{
    return strncmp(spec, LAB_PREFIX, sizeof LAB_PREFIX - 1) == 0;
}

/* "lab:PROFILE/HOST" into its parts; `profile` has room for `size`. NULL with the reason. */
const char *cert_spec_split(const char *spec, char *profile, size_t size, struct err *err)
{
    const char *name = spec + sizeof LAB_PREFIX - 1, *slash = strchr(name, '/');

    if (slash == NULL || slash == name || slash[1] == '\0' || (size_t)(slash - name) >= size) {
        err_set(err, ERR_CONFIG,
                "'%.200s': a lab certificate is written lab:PROFILE/HOST, such as "
                "lab:valid/api.example.com",
                spec);
        return NULL;
    }
    memcpy(profile, name, (size_t)(slash - name));
    profile[slash - name] = '\0';
    return slash + 1;
}

int cert_spec_check(const char *spec, struct err *err)
{
    char profile[64];
    const char *host;

    if (!cert_spec_is_lab(spec))
        return 0;
    host = cert_spec_split(spec, profile, sizeof profile, err);
    if (host == NULL || lab_profile_find(profile, err) == NULL)
        return -1;
    return lab_host_check(host, err);
}
