#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The conditions of the measured JDK table that are about certificates, issued for real.

    table.py > tests/golden/judge_table.jsonl      (needs python3-cryptography; the output is kept)

Each case carries `expect`: the outermost text that was measured with a real TLS handshake on JDK 17,
null for accepted.
"""
import json

from pki import *

NOW, DAY, HOST = 1767225600, 86400, "api.lab.test"
BUILD = ("PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid "
         "certification path to requested target")
PATH = "PKIX path validation failed: java.security.cert.CertPathValidatorException: "
NOCHAIN, EXPIRED, BADSIG = PATH + "Path does not chain with any of the trust anchors", PATH + "validity check failed", \
    PATH + "signature check failed"
NC, CRIT, NOTCA = PATH + "name constraints check failed", PATH + "unrecognized critical extension(s)", \
    PATH + "basic constraints check failed: this is not a CA certificate"
NOSIGN = PATH + "CA key usage check failed: keyCertSign bit is not set"
TOOLONG = PATH + ("basic constraints check failed: pathLenConstraint violated - this cert must be the last cert in the "
                  "certification path")
DNS, KU = f"No subject alternative DNS name matching {HOST} found.", "KeyUsage does not allow digital signatures"
EKU, NS = "Extended key usage does not permit use for TLS server authentication", \
    "Netscape cert type does not permit use for SSL server"
PARSE = "Failed to parse server certificates"
SIZE = PATH + "Algorithm constraints check failed on keysize limits: "
ALG = PATH + "Algorithm constraints check failed on signature algorithm: "
ANCHOR = "PKIX path validation failed: sun.security.validator.ValidatorException: TrustAnchor with subject \"%s\" "
cases = []


def lab(cn):
    return name(("C", "US", "printable"), ("O", "Lab"), ("CN", cn))


class C:
    def __init__(self, subject, key_label, issuer=None, exts=None, start=NOW - 30 * DAY, end=NOW + 30 * DAY, **kw):
        self.subject, self.key = subject, key_label
        self.id = kw.pop("id", f"id {key_label} {len(subject)}".encode())
        up_subject = kw.pop("issuer_name", issuer.subject if issuer else subject)
        up = issuer.key if issuer else key_label
        digest, pss, broken, sig_alg = kw.pop("digest", "sha256"), kw.pop("pss", False), kw.pop("broken", False), kw.pop(
            "sig_alg", None)
        alter = kw.pop("alter", None)
        aki_ = kw.pop("aki", aki(issuer.id) if issuer else None)
        if kw.get("version", 3) == 3:
            exts = exts + [ski(self.id)] + ([aki_] if aki_ else [])
        body = tbs(subject, kw.pop("public", None) or spki(key_label), up_subject, sig_alg or algorithm(up, digest, pss),
                   start, end, exts, **kw)
        self.der = finish(body, up, digest, pss, sig_alg, broken)
        if alter:
            self.der = alter(self.der)


CA = lambda *more: [basic(), usage("keyCertSign", "cRLSign"), *more]
LEAF = lambda *more, names=(("dns", HOST),): [san(*names), usage("digitalSignature", "keyEncipherment"), eku("server"), *more]
root = C(lab("Lab Root"), "p256/root", exts=CA())
inter = C(lab("Lab Intermediate"), "p256/int", root, CA())
other = C(lab("Other Root"), "p256/other", exts=CA())
other_int = C(lab("Other Intermediate"), "p256/oint", other, CA())
unrelated = C(lab("Unrelated"), "p256/unrel", exts=CA())


def leaf(issuer=inter, exts=None, cn=HOST, key_label="p256/leaf", **kw):
    return C(kw.pop("subject", lab(cn)), key_label, issuer, exts if exts is not None else LEAF(), **kw)


def row(id_, expect, chain, trust=None, host=HOST):
    cases.append({"id": id_, "chain": [pem(c if isinstance(c, bytes) else c.der) for c in chain], "trust": [pem(
        c.der) for c in (trust if trust is not None else [root])], "host": host, "time": "2026-01-01T00:00:00Z",
        "expect": expect})


def names(id_, expect, sans=None, cn=HOST, host=HOST, subject=None, critical=False):
    exts = [san(*sans, critical=critical)] if sans is not None else []
    row(id_, expect, [leaf(exts=exts, subject=subject or lab(cn)), inter], host=host)


def ladder(n):
    path = [root]
    for i in range(n):
        path.append(C(lab(f"Ladder {i}"), f"p256/l{i % 12}", path[-1], CA(), id=f"l{i}".encode()))
    return path


def chain_rows():
    good, old = leaf(), leaf(start=NOW - 9 * DAY, end=NOW - DAY)
    row("valid-full-chain", None, [good, inter])
    row("valid-leaf-only-aia", BUILD, [good])
    row("order-root-before-int", None, [good, root, inter])
    two = ladder(2)
    below = leaf(two[2])
    row("two-ints", None, [below, two[2], two[1]])
    row("two-ints-lower-missing", BUILD, [below, two[1]])
    row("extra-unrelated-middle", None, [good, unrelated, inter])
    row("duplicate-int", None, [good, inter, inter])
    row("duplicate-root", None, [good, inter, root, root])
    row("first-cert-is-int", KU, [inter, good])
    cross = C(root.subject, root.key, other, CA(), id=root.id)
    row("cross-signed", None, [good, inter, cross])
    row("cross-signed-with-root", None, [good, inter, cross, other])
    by_other = C(inter.subject, inter.key, other, CA(), id=inter.id)
    row("int-two-issuers-good-second", None, [good, by_other, inter])
    row("int-two-issuers-good-first", None, [good, inter, by_other])
    row("int-two-issuers-only-bad", BUILD, [good, by_other])
    for n in (4, 5, 6, 8, 9):
        p = ladder(n)
        row(f"ints-{n}", None, [leaf(p[-1])] + p[:0:-1])
    for n in (10, 12):
        p = ladder(n)
        row(f"ints-{n}", "The certificate chain length (11) exceeds the maximum allowed length (10)", [leaf(p[-1])] + p[:0:-1])
    for n, expect in ((4, None), (5, None), (7, BUILD)):
        p = ladder(n)
        c = [leaf(p[-1])] + p[:0:-1]
        c[1], c[2] = c[2], c[1]
        row(f"ints-{n}-shuffled", expect, c)
    row("san-1000-names", None, [leaf(exts=LEAF(names=[("dns", f"n{i}.lab.test") for i in range(999)] + [("dns", HOST)])), inter])
    row("untrusted-root", BUILD, [leaf(other_int), other_int])
    row("untrusted-root-sent", BUILD, [leaf(other_int), other_int, other])
    impostor = C(root.subject, "p256/impostor", exts=CA())
    imp_int = C(inter.subject, "p256/impint", impostor, CA())
    row("impostor-root", NOCHAIN, [leaf(imp_int), imp_int])
    row("impostor-root-direct", NOCHAIN, [leaf(impostor)])
    row("two-same-name-roots", None, [good, inter], [impostor, root])
    fake = C(inter.subject, "p256/fake", root, CA())
    row("impostor-int", BADSIG, [good, fake])
    row("truststore-empty", "Unexpected error: java.security.InvalidAlgorithmParameterException: the trustAnchors parameter "
        "must be non-empty", [good, inter], [])
    row("untrusted-plus-lab-root", BUILD, [leaf(other_int), other_int, root])
    row("expired-leaf", EXPIRED, [old, inter])
    row("expired-leaf-leaf-only", BUILD, [old])
    row("expired-leaf-disordered", BUILD, [old, root, inter])
    row("expired-leaf-wronghost", EXPIRED, [old, inter], host="x.lab.test")
    row("notyet-leaf", EXPIRED, [leaf(start=NOW + DAY), inter])
    old_int = C(inter.subject, inter.key, root, CA(), end=NOW - DAY, id=inter.id)
    row("expired-int", EXPIRED, [good, old_int])
    row("expired-int-with-root", EXPIRED, [good, old_int, root])
    row("expired-int-disordered", BUILD, [good, root, old_int])
    row("expired-int-renewed-first", None, [good, inter, old_int])
    old_root = C(root.subject, root.key, exts=CA(), end=NOW - DAY, id=root.id)
    row("expired-root", None, [good, inter], [old_root])
    row("expired-root-disordered", BUILD, [good, unrelated, inter], [old_root])
    row("dates-reversed-spanning", EXPIRED, [leaf(start=NOW + DAY, end=NOW - DAY), inter])
    row("dates-no-seconds", None, [leaf(times=seq(tlv(0x17, b"2501010000Z"), utc(NOW + DAY))), inter])
    row("dates-offset", None, [leaf(times=seq(tlv(0x17, b"250101000000+0000"), utc(NOW + DAY))), inter])
    row("dates-garbage", PARSE, [leaf(times=seq(tlv(0x17, b"not a time!!!"), utc(NOW + DAY))), inter])
    for id_, exts, host, expect in (("selfsigned-trusted", LEAF(), HOST, None), ("selfsigned-trusted-wronghost", LEAF(
            names=[("dns", "x")]), HOST, DNS), ("selfsigned-trusted-clientauth", [san(("dns", HOST)), eku("client")], HOST, None)):
        s = C(lab(HOST), "p256/self", exts=exts)
        row(id_, expect, [s], [s], host)
    for id_, exts in (("selfsigned", LEAF()), ("selfsigned-ca-no-certsign", [basic(), usage("digitalSignature"), san(
            ("dns", HOST))]), ("selfsigned-no-san", [])):
        row(id_, BUILD, [C(lab(HOST), "p256/self", exts=exts)])
    row("leaf-pinned-expired", None, [old], [old])
    row("int-as-anchor-leaf-only", None, [good], [inter])
    row("int-as-anchor-with-root", None, [good, inter, root], [inter])
    row("int-as-anchor-expired", None, [good], [old_int])


def name_rows():
    names("san-second-matches", None, [("dns", "x.test"), ("dns", HOST)])
    names("san-mismatch-cn-match", DNS, [("dns", "x.test")])
    names("san-match-cn-mismatch", None, [("dns", HOST)], cn="x.test")
    names("no-san-cn-match", None)
    names("no-san-cn-mismatch", f"No name matching {HOST} found", cn="x.test")
    names("no-san-two-cn-last", None, subject=name(("CN", "x"), ("CN", HOST)))
    for kind in ("printable", "bmp", "t61"):
        names(f"no-san-cn-{kind}", None, subject=name(("CN", HOST, kind)))
    names("cn-url", f"No name matching {HOST} found", cn="https://api.lab.test")
    for id_, pattern, expect in (("wildcard", "*.lab.test", None), ("wildcard-two-labels", "*.test", DNS),
                                 ("wildcard-suffix", "*i.lab.test", None), ("wildcard-infix", "a*i.lab.test", None),
                                 ("wildcard-double", "*.*.test", None), ("wildcard-upper", "*.LAB.TEST", None),
                                 ("wildcard-middle", "api.*.test", None), ("wildcard-bare", "*", DNS),
                                 ("san-upper", "API.LAB.TEST", None), ("san-trailing-dot", HOST + ".", DNS)):
        names(id_, expect, [("dns", pattern)])
    names("wildcard-tld", None, [("dns", "*.test")], host="lab.test")
    names("host-trailing-dot", None, [("dns", HOST)], host=HOST + ".")
    names("wildcard-vs-idn", None, [("dns", "*.lab.test")], host="xn--bcher-kva.lab.test")
    names("wildcard-idn", "No subject alternative DNS name matching xn--bcher-kva.lab.test found.", [("dns", "xn--*.lab.test")],
          host="xn--bcher-kva.lab.test")
    names("san-idn-a-upper", None, [("dns", "XN--BCHER-KVA.lab.test")], host="xn--bcher-kva.lab.test")
    names("san-empty-list", None, [])
    for host in ("my_api.lab.test", "-api.lab.test"):
        names(f"illegal-{host}", f"Illegal given domain name: {host}", [("dns", host), ("dns", "*.lab.test")], host=host)
    for host in ("1api.lab.test", "backend", "localhost"):
        names(f"san-{host}", None, [("dns", host)], host=host)
    for kind, value in (("uri", "https://x/"), ("dir", lab("x")), ("other", "1.2.3"), ("rid", "1.2.3")):
        names(f"san-{kind}-cn-match", None, [(kind, value)])
    ip, no_ip = "127.0.0.1", "No subject alternative names matching IP address 127.0.0.1 found"
    names("ip-san-match", None, [("ip", (127, 0, 0, 1))], host=ip)
    names("ip-san-mismatch", no_ip, [("ip", (10, 0, 0, 1))], host=ip)
    names("ip-in-dns-san", no_ip, [("dns", ip)], host=ip)
    names("ip-in-cn", "No subject alternative names present", cn=ip, host=ip)
    names("ip-san-dns-host-cn-mismatch", f"No name matching {HOST} found", [("ip", (127, 0, 0, 1))], cn="x")
    names("ip6-san-match", None, [("ip", [0] * 15 + [1])], host="::1")
    names("ip4-mapped", None, [("ip", [0] * 10 + [255, 255, 127, 0, 0, 1])], host=ip)
    names("ip-san-bad-length", None, [("ip", (1, 2, 3, 4, 5)), ("dns", HOST)])
    names("empty-subject-noncritical-san", PARSE, [("dns", HOST)], subject=name())
    names("empty-subject-no-san", PARSE, subject=name())
    names("critical-san", None, [("dns", HOST)], critical=True)


def key_rows():
    subject = f"CN={HOST}, O=Lab, C=US"
    for k in ("rsa1024", "rsa4096", "p256", "p384", "k256", "ed25519", "dsa1024"):
        row(f"{k}-leaf", None, [leaf(key_label=f"{k}/leaf"), inter])
    row("rsa-1016-leaf", SIZE + f"RSA 1016 bit key used with certificate: {subject}", [leaf(key_label="rsa1016/leaf"), inter])
    row("ec-192-leaf", SIZE + f"EC 192 bit key used with certificate: {subject}", [leaf(key_label="p192/leaf"), inter])
    row("ec-explicit-leaf", PARSE, [leaf(public=seq(seq(oid("1.2.840.10045.2.1"), seq(integer(1))), bits(b"\4" + b"x" * 64))),
                                    inter])
    rroot = C(lab("RSA Root"), "rsa2048/root", exts=CA())
    for d, expect in (("md5", ALG + "MD5withRSA"), ("sha3-256", ALG + "SHA3-256withRSA"), ("sha1", None), ("sha384", None),
                      ("sha512", None)):
        row(f"sig-{d}-leaf", expect, [leaf(rroot, digest=d)], [rroot])
    for d in ("sha256", "sha512", "sha1"):
        row(f"sig-pss-{d}-leaf", None, [leaf(rroot, digest=d, pss=True)], [rroot])
    row("sig-sha1-leaf-disordered", None, [leaf(rroot, digest="sha1"), unrelated], [rroot])
    row("sig-md5-leaf-disordered", BUILD, [leaf(rroot, digest="md5"), unrelated], [rroot])
    small = C(lab("Lab Intermediate RSA 768"), "rsa768/int", root, CA())
    row("rsa-768-int", SIZE + "RSA 768 bit key used with certificate: CN=Lab Intermediate RSA 768, O=Lab, C=US",
        [leaf(small), small])
    tiny = C(lab("Tiny Root"), "rsa512/root", exts=CA())
    row("rsa-512-root", ALG + "SHA256withRSA", [leaf(tiny)], [tiny])
    md5 = C(lab("MD5 Root"), "rsa2048/md5", exts=CA(), digest="md5")
    row("sig-md5-root", None, [leaf(md5)], [md5])
    row("sig-md5-root-sent", None, [leaf(md5), md5], [md5])
    odd = C(lab("k1 Intermediate"), "k256/int", root, CA())
    row("secp256k1-int", BADSIG, [leaf(odd), odd])
    row("rsa-512-sha1-expired", SIZE + f"RSA 1016 bit key used with certificate: {subject}", [leaf(rroot, key_label="rsa1016/leaf",
        digest="sha1", end=NOW - DAY)], [rroot])


def authority_rows():
    def below(id_, expect, exts, *more, disordered=False, issuer=root, **kw):
        mid = C(lab("Mid"), "p256/mid", issuer, exts, **kw)
        lf = leaf(mid, *more)
        row(id_, expect, [lf, root, mid] if disordered else [lf, mid])
        return mid, lf

    below("int-ca-false", NOTCA, [basic(False), usage("keyCertSign")])
    below("int-no-bc", NOTCA, [usage("keyCertSign")])
    below("int-no-bc-disordered", BUILD, [usage("keyCertSign")], disordered=True)
    below("int-bc-noncritical", None, [basic(critical=False), usage("keyCertSign")])
    below("int-no-ku", None, [basic()])
    below("pathlen-0-ok", None, [basic(True, 0), usage("keyCertSign")])
    below("int-no-certsign", NOSIGN, [basic(), usage("digitalSignature")])
    zero = C(lab("Zero"), "p256/zero", root, [basic(True, 0), usage("keyCertSign")])
    sub = C(lab("Sub"), "p256/sub", zero, CA())
    row("pathlen-violated", TOOLONG, [leaf(sub), sub, zero])
    row("pathlen-violated-disordered", BUILD, [leaf(sub), zero, sub])
    rzero = C(lab("Zero Root"), "p256/rzero", exts=[basic(True, 0), usage("keyCertSign")])
    under = C(lab("Under"), "p256/under", rzero, CA())
    row("root-pathlen-violated", None, [leaf(under), under], [rzero])
    for id_, expect, args in (("nc-permitted-other", NC, ([("dns", "other.test")], None)), ("nc-permitted-match", None, ([(
            "dns", "lab.test")], None)), ("nc-excluded", NC, (None, [("dns", "lab.test")])), ("nc-dirname", NC, ([(
            "dir", name(("C", "DE", "printable")))], None))):
        below(id_, expect, CA(constraints(*args)))
    below("int-eku-clientauth", None, CA(eku("client")))
    below("int-unknown-critical", CRIT, CA(ext("1.2.3.4", NULL, True)))
    below("int-unknown-critical-disordered", BUILD, CA(ext("1.2.3.4", NULL, True)), disordered=True)
    below("int-require-explicit-policy", PATH + "non-null policy tree required and policy tree is null",
          CA(policies("1.2.3"), policy_constraints(0)))
    for id_, exts, what in (("root-ca-false", [basic(False), usage("keyCertSign")], "is not a CA certificate"), ("root-no-bc", [
            usage("keyCertSign")], "is not a CA certificate"), ("root-no-certsign", [basic(), usage("digitalSignature")],
            "does not have keyCertSign bit set in KeyUsage extension"), ("root-no-ku", [basic()], None)):
        r = C(lab(f"Lab {id_}"), "p256/odd-root", exts=exts)
        row(id_, ANCHOR % f"CN=Lab {id_}, O=Lab, C=US" + what if what else None, [leaf(r)], [r])
    v1 = C(lab("Lab v1 Root"), "p256/v1", exts=None, version=1)
    row("root-v1", None, [leaf(v1, aki=None)], [v1])
    row("same-name-int-right-first", None, [leaf(), inter, C(inter.subject, "p256/fake", root, CA())])


def leaf_rows():
    base = san(("dns", HOST))
    for id_, expect, exts in (
            ("eku-clientauth", EKU, [base, eku("client")]), ("eku-clientauth-critical", EKU, [base, eku("client", critical=True)]),
            ("eku-codesigning", EKU, [base, eku("code")]), ("eku-absent", None, [base]), ("eku-any", None, [base, eku("any")]),
            ("eku-server-critical", None, [base, eku("server", critical=True)]), ("eku-ms-sgc", None, [base, eku("mssgc")]),
            ("eku-ns-sgc", None, [base, eku("nssgc")]), ("ku-digitalsignature-only", None, [base, usage("digitalSignature")]),
            ("ku-nonrepudiation-only", KU, [base, usage("nonRepudiation")]), ("ku-certsign-only", KU, [base, usage("keyCertSign")]),
            ("ku-keyencipherment-only", KU, [base, usage("keyEncipherment")]),
            ("ku-empty", PATH + "incorrect KeyUsage extension bits", [base, usage()]),
            ("leaf-unknown-critical", CRIT, [base, ext("1.2.3.4", NULL, True)]),
            ("leaf-unknown-two-critical", CRIT, [base, ext("1.2.3.4", NULL, True), ext("1.2.3.5", NULL, True)]),
            ("leaf-ct-poison", CRIT, [base, ext("1.3.6.1.4.1.11129.2.4.3", NULL, True)]),
            ("leaf-policies-critical", None, [base, policies("1.2.3", critical=True)]),
            ("leaf-nstype-client-no-eku", NS, [base, ext("2.16.840.1.113730.1.1", bits(b"\x80", 7))]),
            ("leaf-nstype-server", None, [base, ext("2.16.840.1.113730.1.1", bits(b"\x40", 6))]),
            ("leaf-bad-san-der-critical", PARSE, [ext("2.5.29.17", b"\x30\x09\x82", True)]),
            ("leaf-bad-bc-der", PARSE, [base, ext("2.5.29.19", b"\x30\x09\x01", True)]),
            ("leaf-must-staple", None, [base, ext("1.3.6.1.5.5.7.1.24", seq(integer(5)))])):
        row(id_, expect, [leaf(exts=exts), inter])
    row("leaf-unknown-critical-disordered", BUILD, [leaf(exts=[base, ext("1.2.3.4", NULL, True)]), root, inter])
    row("leaf-v1", None, [leaf(exts=None, version=1), inter] if False else [C(lab(HOST), "p256/leaf", inter, None, version=1), inter])
    row("leaf-v1-with-extensions", PARSE, [C(lab(HOST), "p256/leaf", inter, LEAF(), version=1), inter])
    row("serial-zero", None, [leaf(serial=0), inter])
    row("serial-one", None, [leaf(serial=1), inter])
    flip = lambda der: der.replace(b"api.lab.test", b"bpi.lab.test", 1)
    row("bad-tbs", BADSIG, [leaf(alter=flip), inter])
    row("bad-signature-int-with-root", BADSIG, [leaf(), C(inter.subject, inter.key, root, CA(), broken=True, id=inter.id), root])
    row("sigalg-mismatch", PARSE, [leaf(inner_alg=seq(oid(EC_OIDS["sha384"]))), inter])
    row("sigalg-unknown", BADSIG, [leaf(sig_alg=seq(oid("1.3.6.1.4.1.99999.9.9"))), inter])
    row("akid-wrong-leaf-from-root", NOCHAIN, [leaf(root, aki=aki(b"wrong"))])
    row("akid-issuer-serial-wrong", None, [leaf(aki=aki(None, inter.subject, 77)), inter])
    row("akid-absent", None, [leaf(aki=None), inter])
    row("akid-wrong-int-disordered", None, [leaf(), root, C(inter.subject, inter.key, root, CA(), aki=aki(b"wrong"), id=inter.id)])
    row("issuer-name-case", None, [leaf(issuer_name=name(("C", "us", "printable"), ("O", "LAB"), ("CN", "lab intermediate"))),
                                   inter])
    row("issuer-name-encoding", None, [leaf(issuer_name=name(("C", "US", "printable"), ("O", "Lab", "printable"), ("CN",
        "Lab Intermediate", "printable"))), inter])
    row("trailing-data", None, [leaf().der + b"\1\2\3\4", inter])
    row("garbage-int", PARSE, [leaf(), b"this is not DER"])
    row("subject-nonascii", None, [leaf(subject=name(("O", "L\u00e4b"), ("CN", HOST))), inter])
    row("subject-64-plus", None, [leaf(cn="x" * 80), inter])


def pair_rows():
    def pair(id_, expect, int_exts=None, int_end=NOW + 30 * DAY, int_broken=False, **kw):
        mid = C(lab("Mid"), "p256/mid", root, int_exts or CA(), end=int_end, broken=int_broken)
        row(id_, expect, [leaf(mid, **kw), mid], host=HOST)

    clientauth = [san(("dns", HOST)), eku("client")]
    pair("two-int-ca-false-leaf-expired", NOTCA, [basic(False), usage("keyCertSign")], end=NOW - DAY)
    pair("two-int-ca-false-expired", NOTCA, [basic(False), usage("keyCertSign")], int_end=NOW - DAY)
    pair("two-int-ca-false-no-certsign", NOSIGN, [basic(False), usage("digitalSignature")])
    pair("two-int-expired-leaf-badsig", EXPIRED, int_end=NOW - DAY, broken=True)
    pair("two-int-expired-leaf-notyet", EXPIRED, int_end=NOW - DAY, start=NOW + DAY)
    pair("two-int-badsig-expired", EXPIRED, int_end=NOW - DAY, int_broken=True)
    pair("two-nc-unknown-critical", NC, CA(constraints([("dns", "other.test")])), exts=[san(("dns", HOST)), ext("1.2.3", NULL,
         True)])
    pair("two-expired-clientauth", EXPIRED, exts=clientauth, end=NOW - DAY)
    pair("two-unknown-critical-clientauth", CRIT, exts=clientauth + [ext("1.2.3", NULL, True)])
    pair("two-clientauth-nstype", EKU, exts=clientauth + [ext("2.16.840.1.113730.1.1", bits(b"\x80", 7))])
    pair("two-ku-nstype", KU, exts=[san(("dns", HOST)), usage("keyEncipherment"), ext("2.16.840.1.113730.1.1", bits(b"\x80", 7))])
    pair("two-badsig-wrong-host", BADSIG, exts=LEAF(names=[("dns", "x")]), broken=True)
    old = leaf(end=NOW - DAY)
    row("two-expired-extra-unrelated", BUILD, [old, inter, unrelated])
    row("two-expired-duplicate-int", BUILD, [old, inter, inter])


if __name__ == "__main__":
    for rows in (chain_rows, name_rows, key_rows, authority_rows, leaf_rows, pair_rows):
        rows()
    for c in cases:
        print(json.dumps(c))
