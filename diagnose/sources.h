/* SPDX-License-Identifier: Apache-2.0
 * The public sources of diagnose/causes.def, under short names. */
#ifndef DIAGNOSE_SOURCES_H
#define DIAGNOSE_SOURCES_H

#define S_GATEWAY_GUIDE "docs.aws.amazon.com/apigateway/latest/developerguide/"
#define S_NLB_GUIDE     "docs.aws.amazon.com/elasticloadbalancing/latest/network/"

#define S_SSL       "repost.aws/knowledge-center/api-gateway-ssl-certificate-errors"
#define S_VPC500    "repost.aws/knowledge-center/api-gateway-500-error-vpc"
#define S_504       "repost.aws/knowledge-center/api-gateway-504-errors"
#define S_PRIVATE   "repost.aws/knowledge-center/api-gateway-private-integration-errors"
#define S_ENDPOINT  "repost.aws/knowledge-center/api-gateway-invalid-endpoint-address"
#define S_LINK      "heroween.hateblo.jp/entry/2022/08/30/065339"
#define S_TLSCONFIG S_GATEWAY_GUIDE "api-gateway-extensions-integration-tls-config.html"
#define S_EGRESS    S_GATEWAY_GUIDE "apigateway-security-policies-list.html"
#define S_LIST                                                                                     \
    S_GATEWAY_GUIDE "api-gateway-supported-certificate-authorities-for-http-endpoints.html"
#define S_CLIENTCERT S_GATEWAY_GUIDE "getting-started-client-side-ssl-authentication.html"
#define S_GROUPS     S_NLB_GUIDE "load-balancer-target-groups.html"
#define S_TROUBLE    S_NLB_GUIDE "load-balancer-troubleshooting.html"
#define S_POLICIES   S_NLB_GUIDE "describe-ssl-policies.html"
#define S_ALPN       S_NLB_GUIDE "load-balancer-listeners.html"
#define S_IDLE       S_NLB_GUIDE "update-idle-timeout.html"
#define S_SNI        "github.com/istio/istio/issues/22795"
#define S_PROXY      "github.com/pires/go-proxyproto/pull/25"
#define S_RFC7507    "www.rfc-editor.org/rfc/rfc7507"
#define S_JDK        "measured on JDK 17 (docs/judge.md)"
#define S_OURS       "this program (docs/explain.md)"

#endif
