/* SPDX-License-Identifier: Apache-2.0
 * Names and ids in AWS's spelling, made from what the configuration says. */
#include "observe/ids.h"

#include <stdint.h>
#include <stdio.h>

/* FNV-1a; the terminator is hashed too, so that ("ab", "c") and ("a", "bc") differ. */
static uint64_t mix(uint64_t h, const char *text)
{
    do {
        h = (h ^ (unsigned char)*text) * 0x100000001b3U;
    } while (*text++ != '\0');
    return h;
}

void aws_id(char out[AWS_ID_TEXT], const char *elb_id, const char *kind, const char *name)
{
    uint64_t h = mix(mix(mix(0xcbf29ce484222325U, elb_id), kind), name);

    /* The finaliser of MurmurHash3: names that differ in one letter give ids that look unlike. */
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdU;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53U;
    snprintf(out, AWS_ID_TEXT, "%016llx", (unsigned long long)(h ^ (h >> 33)));
}

void aws_elb(char out[AWS_ELB_TEXT], const struct aws_identity *who)
{
    snprintf(out, AWS_ELB_TEXT, "net/%.32s/%.16s", who->name, who->id);
}

void aws_target_group(char out[AWS_ELB_TEXT], const struct aws_identity *who, const char *name)
{
    char id[AWS_ID_TEXT];

    aws_id(id, who->id, "target_group", name);
    snprintf(out, AWS_ELB_TEXT, "targetgroup/%.32s/%s", name, id);
}

void aws_arn(char out[AWS_ARN_TEXT], const struct aws_identity *who, const char *service,
             const char *resource)
{
    snprintf(out, AWS_ARN_TEXT, "arn:aws:%.24s:%.32s:%.12s:%.80s", service, who->region,
             who->account, resource);
}
