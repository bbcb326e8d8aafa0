/* SPDX-License-Identifier: Apache-2.0
 * Names and ids in AWS's spelling, made from what the configuration says: the same file gives the
 * same ids at every start. */
#ifndef OBSERVE_IDS_H
#define OBSERVE_IDS_H

#include <stdbool.h>
#include <stddef.h>

#define AWS_ID_TEXT  17  /* 16 hexadecimal digits and the terminator */
#define AWS_ELB_TEXT 64  /* "net/NAME/ID" */
#define AWS_ARN_TEXT 160 /* any ARN made here */

/* What names the load balancer; texts are borrowed. */
struct aws_identity {
    const char *name, *id, *region, *account;
};

/* 16 hexadecimal digits from the load balancer's id, a kind ("listener") and a name. */
void aws_id(char out[AWS_ID_TEXT], const char *elb_id, const char *kind, const char *name);
/* "net/NAME/ID": field 4 of the access log and the value of the dimension LoadBalancer.
 * Source: NLB guide, "Access logs" and "CloudWatch metrics", dimensions. */
void aws_elb(char out[AWS_ELB_TEXT], const struct aws_identity *who);
/* "targetgroup/NAME/ID": the value of the dimension TargetGroup. */
void aws_target_group(char out[AWS_ELB_TEXT], const struct aws_identity *who, const char *name);
/* "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE". */
void aws_arn(char out[AWS_ARN_TEXT], const struct aws_identity *who, const char *service,
             const char *resource);

/* What a flow's record says of its listener in AWS's words. Lives as long as the generation. */
struct record_origin {
    const char *elb;      /* "net/NAME/ID" */
    const char *cert_arn; /* what stands before a certificate's id: "arn:aws:acm:…:certificate/" */
    char listener_id[AWS_ID_TEXT];
    bool alpn; /* the listener has an ALPN policy other than None */
};

#endif
