#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Odd certificate chains by the thousand, as JSON lines for `nlbsim validate --json -` and Oracle.java.

    chains.py COUNT [SEED [FAMILY]]     families: see FAMILIES
"""
import json, random, sys

from pki import *
from pki import _serial

NOW = 1767225600  # 2026-01-01
DAY = 86400
HOST = "api.lab.test"


class Cert:
    """One certificate and what its children need."""

    def __init__(self, der, subject, label, key_id):
        self.der, self.subject, self.label, self.key_id = der, subject, label, key_id


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.odds = 0.04  # of each flaw

    def flaw(self, odds=None):
        return self.rng.random() < (self.odds if odds is None else odds)

    def key(self, ca):
        r = self.rng
        if self.flaw():
            return r.choice(["rsa1024/1", "rsa768/1", "rsa512/1", "rsa2048/1", "p384/1", "p521/1", "p224/1", "p192/1",
                             "k256/1", "bp256/1", "ed25519/1", "ed448/1", "dsa1024/1", "dsa2048/1"] +
                            ([] if ca else ["x25519/1"]))
        return f"p256/{r.randrange(12)}"

    def dates(self):
        r = self.rng
        if self.flaw():
            return r.choice([(NOW - 90 * DAY, NOW - DAY), (NOW + DAY, NOW + 90 * DAY), (NOW + DAY, NOW - DAY),
                             (NOW, NOW + DAY), (NOW - DAY, NOW), (NOW + 1, NOW + 2), (NOW - 2, NOW - 1),
                             (NOW - DAY, NOW + 30 * 365 * DAY), (-DAY, NOW + DAY)])
        return NOW - 30 * DAY, NOW + 30 * DAY

    def sig(self, issuer_key):
        if not self.flaw():
            return {}
        d = self.rng.choice(["sha1", "sha384", "sha512", "md5", "sha224", "sha3-256"])
        pss = issuer_key.startswith("rsa") and self.rng.random() < 0.4 and d in DIGEST_OIDS
        if issuer_key.startswith(("rsa512", "rsa768")):
            d, pss = self.rng.choice(["sha1", "sha256"]), False
        if pss and (issuer_key.startswith("rsa1024") and d == "sha512" or d == "md5"):
            pss = False
        return {"digest": d, "pss": pss}

    def ca_name(self, i):
        r = self.rng
        cn = f"CA {i}"
        if self.flaw():
            return r.choice([name(("C", "US"), ("O", "Lab"), ("CN", cn.upper())), name(("CN", cn)),
                             name(("C", "US"), ("O", "Lab  "), ("CN", cn, "printable")),
                             name(("C", "US"), ("O", "Läb, \"x\" + y"), ("CN", cn)),
                             name(("DC", "test", "ia5"), ("DC", "lab", "ia5"), ("CN", cn)),
                             name(("C", "US"), [("O", "Lab"), ("OU", "a")], ("CN", cn, "bmp"))])
        return name(("C", "US", "printable"), ("O", "Lab"), ("CN", cn))

    def ca_exts(self, key_id, issuer_id, path=None):
        r, out = self.rng, []
        if not self.flaw():
            out.append(basic(not self.flaw(), path if path is not None else (r.randrange(3) if self.flaw() else None),
                             not self.flaw()))
        if not self.flaw(0.3):
            bits_ = ["keyCertSign", "cRLSign"]
            if self.flaw():
                bits_ = r.choice([["digitalSignature"], ["cRLSign"], [], ["encipherOnly"], ["keyCertSign",
                                  "decipherOnly"]])
            out.append(usage(*bits_, critical=not self.flaw()))
        if not self.flaw(0.1):
            out.append(ski(key_id if not self.flaw() else b"other", self.flaw(0.01)))
        if issuer_id is not None and not self.flaw(0.1):
            out.append(aki(issuer_id if not self.flaw() else b"wrong", critical=self.flaw(0.01)))
        if self.flaw():
            out.append(ext("1.2.3.4.5", b"\x05\0", self.flaw(0.6)))
        if self.flaw():
            out.append(constraints(*r.choice([([("dns", "lab.test")], None), ([("dns", "other.test")], None),
                                              (None, [("dns", "lab.test")]), ([], []),
                                              ([("dir", name(("C", "US")))], None)]), critical=not self.flaw(0.3)))
        if self.flaw():
            out.append(eku(r.choice(["server", "client", "any"])))
        if self.flaw():
            out.append(r.choice(out) if out else ext("1.2.3.4", b""))
        r.shuffle(out)
        return out

    def ca(self, i, issuer=None, label=None, subject=None, path=None):
        r = self.rng
        label = label or self.key(True)
        subject = subject or self.ca_name(i)
        key_id = (f"id {label}").encode()
        up = issuer.label if issuer else label
        start, end = self.dates()
        sig = self.sig(up)
        version = 3 if not self.flaw(0.02) else r.choice([1, 2, 4])
        exts = self.ca_exts(key_id, issuer.key_id if issuer else (key_id if r.random() < 0.5 else None), path)
        body = tbs(subject, spki(label), issuer.subject if issuer else subject, algorithm(up, **sig), start, end,
                   exts if version == 3 else None, version)
        return Cert(finish(body, up, **sig, break_it=self.flaw(0.03)), subject, label, key_id)

    def leaf_names(self):
        r = self.rng
        if not self.flaw(0.15):
            return [("dns", HOST)]
        pool = [("dns", HOST), ("dns", "*.lab.test"), ("dns", "other.test"), ("ip", (127, 0, 0, 1)), ("dns", "*"),
                ("uri", "https://api.lab.test/"), ("mail", "a@lab.test"), ("dns", "API.lab.test"), ("dns", ""),
                ("dir", name(("CN", "d"))), ("uri", "https://my_host/"), ("uri", "no scheme"), ("other", "1.2.3.4"),
                ("rid", "1.2.3"), ("dns", "a*.lab.test"), ("ip", (1, 2, 3)), ("mail", ""), ("dns", HOST + ".")]
        return [r.choice(pool) for _ in range(r.randrange(1, 4))]

    def leaf(self, issuer, label=None, exts=None, subject=None, names=None):
        r = self.rng
        label = label or self.key(False)
        if issuer is None and label.startswith("x"):
            label = "p256/1"
        subject = subject or (name(("C", "US"), ("O", "Lab"), ("CN", HOST if not self.flaw(0.1) else "other.test"))
                              if not self.flaw(0.02) else name())
        start, end = self.dates()
        up = issuer.label if issuer else label
        sig = self.sig(up)
        if exts is None:
            exts = [] if self.flaw(0.05) else [san(*(names or self.leaf_names()), critical=self.flaw(0.1))]
            if r.random() < 0.5:
                exts.append(usage(*r.choice([["digitalSignature"], ["digitalSignature", "keyEncipherment"]]
                                            if not self.flaw(0.1) else [["keyEncipherment"], [], ["keyCertSign"],
                                                                        ["decipherOnly"], ["keyAgreement"]])))
            if r.random() < 0.5:
                exts.append(eku(*(["server"] if not self.flaw(0.1) else r.choice(
                    [["client"], ["any"], ["mssgc"], ["nssgc"], ["odd"], ["client", "server"], []])),
                    critical=self.flaw()))
            if r.random() < 0.7:
                exts.append(ski(f"id {label}".encode()))
            if issuer and r.random() < 0.8:
                exts.append(aki(issuer.key_id if not self.flaw(0.1) else b"wrong",
                                *((issuer.subject, r.choice([1, 1001])) if self.flaw() else ())))
            if r.random() < 0.3:
                exts.append(basic(self.flaw(0.1), None, r.random() < 0.5))
            if self.flaw():
                exts.append(ext(r.choice(["1.2.3.4.5", "2.5.29.99", "1.3.6.1.4.1.11129.2.4.3", "2.5.29.9",
                                          "2.5.29.16", "2.5.29.31", "2.5.29.18", "1.3.6.1.5.5.7.1.1",
                                          "2.16.840.1.113730.1.1", "1.3.6.1.5.5.7.1.24"]),
                                r.choice([b"\x05\0", b"\x30\0", b"", b"\x03\x02\x06\x40", b"\x03\x02\x06\x80"]),
                                self.flaw(0.5)))
            r.shuffle(exts)
        version = 3 if exts else r.choice([1, 3])
        body = tbs(subject, spki(label), issuer.subject if issuer else subject, algorithm(up, **sig), start, end,
                   exts if exts else None, version)
        return Cert(finish(body, up, **sig, break_it=self.flaw(0.03)), subject, label, f"id {label}".encode())

    # --- families ------------------------------------------------------------------------------
    def arrange(self, chain):
        """Perhaps another order, something left out, something twice."""
        r = self.rng
        x = r.random()
        if x < 0.6 or len(chain) < 2:
            return chain
        rest = chain[1:]
        if x < 0.75:
            r.shuffle(rest)
        elif x < 0.85:
            rest.pop(r.randrange(len(rest)))
        elif x < 0.93:
            rest.insert(r.randrange(len(rest) + 1), r.choice(chain))
        else:
            rest.insert(r.randrange(len(rest) + 1), self.ca(99))
        return chain[:1] + rest

    def flaws(self):
        r = self.rng
        root = self.ca(0)
        path = [root]
        for i in range(r.choice([0, 0, 1, 1, 1, 2, 2, 3, 6])):
            path.append(self.ca(i + 1, path[-1]))
        leaf = self.leaf(path[-1] if not self.flaw(0.05) else None)
        chain = [leaf] + path[:0:-1]
        if r.random() < 0.3:
            chain.append(root)
        trust = [root]
        if self.flaw(0.1):
            trust = r.choice([[self.ca(50)], [], [leaf], [path[-1]], [root, self.ca(0)], [self.ca(0, label="p256/11")]])
        return self.arrange(chain), trust

    def paths(self):
        """A mesh of few names and few keys: cross-signing, loops, doubles, rollovers."""
        r = self.rng
        self.odds = 0.01
        n = r.randrange(2, 5)
        subjects = [name(("CN", f"N{i}")) if r.random() < 0.7 else name(("O", "Lab"), ("CN", f"N{i}")) for i in range(n)]
        keys = [f"p256/{i}" for i in range(n + 1)]
        ident = [Cert(None, subjects[i], keys[i], f"id {keys[i]}".encode()) for i in range(n)]
        if r.random() < 0.3:
            ident.append(Cert(None, subjects[r.randrange(n)], keys[n], f"id {keys[n]}".encode()))
        pool = []
        for _ in range(r.randrange(3, 9)):
            me, up = r.choice(ident), r.choice(ident)
            pool.append(self.ca(0, up if me is not up or r.random() < 0.2 else None, me.label, me.subject,
                                r.choice([None, None, None, 0, 1, 2])))
        leaf = self.leaf(r.choice(ident))
        trust = [r.choice(pool) for _ in range(r.choice([1, 1, 1, 2, 3]))]
        chain = r.sample(pool, r.randrange(0, len(pool) + 1))
        return [leaf] + chain[:9], trust

    def names(self):
        """Host names and what certificates say."""
        r = self.rng
        self.odds = 0.0
        hosts = ["api.lab.test", "lab.test", "a.b.lab.test", "127.0.0.1", "::1", "xn--bcher-kva.lab.test", "API.LAB.TEST",
                 "my_api.lab.test", "-a.lab.test", "a-.lab.test", "localhost", "lab.com", "lab.co.uk", "api.lab.test.",
                 "1.2.3.4", "[::1]", "a..b", "", "1.2", "::ffff:127.0.0.1", "x.execute-api.us-east-1.amazonaws.com",
                 "9api.lab.test", "a" * 64 + ".lab.test", "foo.blogspot.com", "xn--a.lab.test", "10.0.0.256", "lab",
                 "fe80::1", "a.api.lab.test", "b\u00fccher.lab.test", "api lab.test", "ab.lab.test", "aab.lab.test"]
        pats = ["api.lab.test", "*.lab.test", "*.test", "a*.lab.test", "*i.lab.test", "a*i.lab.test", "*.*.test", "*",
                "*.", "lab.test", "API.lab.TEST", "api.lab.test.", ".lab.test", "xn--bcher-kva.lab.test", "xn--*.lab.test",
                "*.com", "*.co.uk", "localhost", "127.0.0.1", "api.*.test", "api.lab.*", "my_api.lab.test", "", " ",
                "a**b.lab.test", "*a*b*.lab.test", "-a.lab.test", "**.lab.test", "b\xfccher.lab.test", "api.lab.test\0x",
                "*.execute-api.us-east-1.amazonaws.com", "*.lab", "a.b.lab.test", "api..lab.test", "http://api.lab.test",
                "a" * 64 + ".lab.test", "*.xn--bcher-kva.lab.test", "xn--bcher-kva*.lab.test", "*.amazonaws.com", "1.2",
                "*.blogspot.com", "aab*.lab.test", "*.0.0.1", "::1", "ap?.lab.test", "api.lab.test "]
        host, cn = r.choice(hosts), r.choice(pats)
        if r.random() < 0.5:
            cn = host if all(ord(c) < 256 for c in host) else cn
        sans = []
        for _ in range(r.choice([0, 0, 1, 1, 2, 3])):
            sans.append(r.choice([("dns", r.choice(pats)), ("dns", r.choice(pats)), ("dns", host.encode("ascii",
                        "ignore").decode()), ("ip", r.choice([(127, 0, 0, 1), (1, 2, 3, 4), [0] * 15 + [1], (1, 2, 0, 0),
                        [0] * 10 + [255, 255, 127, 0, 0, 1], (1, 2, 3, 4, 255, 255, 255, 255)])),
                        ("uri", r.choice(["https://api.lab.test/", "urn:x:y", "https://a_b/", "http://[::1]/", "//x",
                        "http://[::g]/", "x:", "http://a b/", "http://1.2.3.4:80/?q#f", "mailto:a@b", "http://%41/",
                        "http://user@h:1x/", "ldap:///o=x", "http://-a/", "http://a-/", "http://1a/", "http://a.1/"])),
                        ("mail", r.choice(["a@b", "@", "", "a@", "x", "a@.", "a@.b"])), ("dir", name(("CN", "x")))]))
        pairs = [("O", "Lab"), ("CN", cn, r.choice(["utf8", "utf8", "printable", "t61", "bmp", "ia5", "universal"]))]
        if r.random() < 0.2:
            pairs.insert(r.randrange(3), ("CN", r.choice(pats)))
        if r.random() < 0.1:
            pairs = [pairs]
        subject = name(*pairs) if r.random() < 0.9 else name(("O", "Lab"))
        root = self.ca(0)
        exts = [san(*sans, critical=r.random() < 0.05)] if sans or r.random() < 0.05 else None
        leaf = self.leaf(root, exts=exts or [], subject=subject)
        return [leaf], [root], host

    def subtree(self):
        r = self.rng
        kind = r.choice(["dns", "dns", "dns", "mail", "uri", "ip", "dir", "dir", "rid", "other"])
        if kind == "dns":
            v = r.choice(["lab.test", ".lab.test", "test", "api.lab.test", "other.test", "b.test", "", ".", "LAB.test",
                          "*.lab.test", "x.lab.test"])
        elif kind == "mail":
            v = r.choice(["lab.test", ".lab.test", "a@lab.test", "b.test", "a@b.test"])
        elif kind == "uri":
            v = r.choice(["lab.test", ".lab.test", "api.lab.test", "b.test", "", "http://x", "1.2.3.4"])
        elif kind == "ip":
            v = r.choice([(127, 0, 0, 0, 255, 0, 0, 0), (127, 0, 0, 1, 255, 255, 255, 255), (10, 0, 0, 0, 255, 0, 0, 0),
                          (0,) * 8, (0,) * 32, (127, 0, 0, 1), (127, 0, 0, 1, 255, 0, 0, 0), (10, 1, 0, 0, 255, 255, 0, 0),
                          (1,) * 16 + (255,) * 16, (1, 2, 3)])
        elif kind == "dir":
            v = r.choice([name(("C", "US")), name(("C", "US"), ("O", "Lab")), name(("C", "DE")), name(("C", "us")), name(),
                          name(("C", "US"), ("O", "Lab"), ("CN", HOST)), name(("O", "Lab"))])
        else:
            v = r.choice(["1.2.3", "1.2.4"])
        extra = () if r.random() < 0.97 else (r.choice([tlv(0x80, b"\x01"), tlv(0x81, b"\x01"), tlv(0x80, b"\0")]),)
        return (kind, v) + extra

    def constraints(self):
        r = self.rng
        self.odds = 0.005
        trees = lambda: [self.subtree() for _ in range(r.choice([0, 1, 1, 1, 2, 2, 3]))]
        root = self.ca(0)
        path = [root]
        for i in range(r.randrange(1, 4)):
            label = f"p256/{i + 1}"
            exts = [basic(), usage("keyCertSign")]
            if r.random() < 0.7:
                exts.append(constraints(trees() if r.random() < 0.7 else None, trees() if r.random() < 0.4 else None,
                                        r.random() < 0.8))
            subject = name(("C", "US"), ("O", "Lab"), ("CN", f"CA {i + 1}"))
            if r.random() < 0.15:
                subject = path[-1].subject
            if r.random() < 0.2:
                exts.append(san(("dns", r.choice(["lab.test", "ca.other.test"]))))
            up = path[-1]
            body = tbs(subject, spki(label), up.subject, algorithm(up.label), NOW - DAY, NOW + DAY, exts)
            path.append(Cert(finish(body, up.label), subject, label, b""))
        names = []
        for _ in range(r.choice([0, 1, 1, 2, 3])):
            names.append(r.choice([("dns", HOST), ("dns", "x.lab.test"), ("dns", "b.test"), ("mail", "a@lab.test"),
                                   ("mail", "a@x.lab.test"), ("uri", "https://api.lab.test/"), ("uri", "urn:a:b"),
                                   ("uri", "https://b.test/"), ("uri", "https://1.2.3.4/"), ("ip", (127, 0, 0, 1)),
                                   ("ip", (0,) * 15 + (1,)), ("dir", name(("C", "US"), ("O", "Lab"))), ("rid", "1.2.3"),
                                   ("other", "1.2.3"), ("dns", "*.lab.test"), ("dns", ""), ("mail", "A@LAB.test")]))
        pairs = [("C", "US"), ("O", "Lab"), ("CN", r.choice([HOST, "b.test", "not a name", "127.0.0.1", "*.lab.test",
                                                             "::1", "api.lab.test."]))]
        if r.random() < 0.2:
            pairs.insert(2, ("E", r.choice(["a@lab.test", "a@b.test", "x"]), "ia5"))
        if r.random() < 0.1:
            pairs = pairs[:2]
        leaf = self.leaf(path[-1], label="p256/9", subject=name(*pairs), exts=[san(*names)] if names else [])
        chain = [leaf] + path[:0:-1]
        if r.random() < 0.15:
            rest = chain[1:]
            r.shuffle(rest)
            chain = chain[:1] + rest + ([self.ca(98)] if r.random() < 0.5 else [])
        return chain, [root], r.choice([HOST, HOST, HOST, "127.0.0.1"])

    def policies(self):
        r = self.rng
        self.odds = 0.0
        pool = ["1.2.3", "1.2.4", "1.2.5", "2.5.29.32.0"]
        some = lambda: [r.choice(pool) for _ in range(r.choice([1, 1, 2, 3]))]
        root = self.ca(0)
        path = [root]
        for i in range(r.randrange(1, 5)):
            label, up = f"p256/{i + 1}", path[-1]
            exts = [basic(), usage("keyCertSign")]
            if r.random() < 0.85:
                exts.append(policies(*some(), critical=r.random() < 0.3))
            if r.random() < 0.4:
                exts.append(mappings(*[(r.choice(pool[:3 if r.random() < 0.95 else 4]), r.choice(
                    pool[:3 if r.random() < 0.95 else 4])) for _ in range(r.choice([1, 1, 2]))],
                    critical=r.random() < 0.3))
            if r.random() < 0.4:
                exts.append(policy_constraints(r.choice([None, 0, 0, 1, 2]), r.choice([None, None, 0, 1]),
                                               r.random() < 0.8))
            if r.random() < 0.25:
                exts.append(ext("2.5.29.54", integer(r.choice([0, 0, 1, 2, -1])), r.random() < 0.9))
            subject = up.subject if r.random() < 0.15 else name(("CN", f"P{i}"))
            body = tbs(subject, spki(label), up.subject, algorithm(up.label), NOW - DAY, NOW + DAY, exts)
            path.append(Cert(finish(body, up.label), subject, label, b""))
        exts = [san(("dns", HOST))]
        if r.random() < 0.8:
            exts.append(policies(*some()))
        if r.random() < 0.2:
            exts.append(policy_constraints(r.choice([0, 1]), None))
        leaf = self.leaf(path[-1], exts=exts)
        return [leaf] + path[:0:-1], [root]

    def octets(self):
        """Octets changed somewhere, before or after signing."""
        r = self.rng
        self.odds = 0.01
        root = self.ca(0, label="p256/0")
        mid = self.ca(1, root, label="p256/1")
        good = self.leaf(mid, label=r.choice(["p256/2", "rsa1024/2", "ed25519/2", "dsa1024/2"]))
        target = r.choice([good, good, mid])
        issuer = mid if target is good else root
        der = bytearray(target.der)
        # the part to be signed, cut out and signed again
        head = 4 if der[1] == 0x82 else 3 if der[1] == 0x81 else 2
        size = int.from_bytes(der[head + 2:head + 4], "big") + 4 if der[head + 1] == 0x82 else der[head + 2] + 3
        body = bytearray(der[head:head + size])
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            at = r.randrange(4, len(body))
            how = r.random()
            if how < 0.7:
                body[at] = r.choice([body[at] ^ (1 << r.randrange(8)), r.randrange(256), 0, 0x80, 0xFF, body[at] + 1 & 255])
            elif how < 0.85:
                del body[at]
            else:
                body.insert(at, r.randrange(256))
        if r.random() < 0.6:  # put the length right again
            inner = bytes(body[4 if body[1] == 0x82 else 3:])
            body = bytearray(seq(inner))
        target.der = finish(bytes(body), issuer.label, break_it=r.random() < 0.05)
        chain = [good, mid]
        if r.random() < 0.2:
            chain.append(root)
        return chain, [root]


    def long_form(self, der):
        """The same element with a length longer than it needs (BER)."""
        r = self.rng
        head = 2 + (der[1] & 127 if der[1] & 128 else 0)
        body = der[head:]
        width = r.choice([1, 2, 3, 4])
        if len(body) >> (8 * width):
            width = 4
        return bytes([der[0], 0x80 | width]) + len(body).to_bytes(width, "big") + body

    def odd_name(self):
        r = self.rng
        cn = r.choice(["CA", "ca", " CA", "C A", "C  A", "\u00c4", "A\u0308", "\ufb01", "fi", "\u00df", "ss", "CA ", "#CA", "C,A",
                       "\u0130", "\u03a3", "\u03c2", "C\tA", "\u212b", "\u00e5", "I", "\u0131"])
        kind = r.choice(["utf8", "utf8", "printable", "t61", "ia5", "bmp", "universal", "general"])
        try:
            cn.encode(STRINGS[kind][1])
        except UnicodeEncodeError:
            kind = "utf8"
        pairs = [("O", r.choice(["Lab", "LAB", "lab "]), r.choice(["utf8", "printable"])), (r.choice(["CN", "CN", "X", "SN"]),
                 cn, kind)]
        if r.random() < 0.3:
            pairs = [[("O", "Lab"), ("OU", "x")] if r.random() < 0.5 else [("OU", "x"), ("O", "Lab")], pairs[1]]
        if r.random() < 0.05:
            pairs.append([])
        return name(*pairs)

    def chaining(self):
        """When are an issuer and a subject the same name?"""
        r = self.rng
        self.odds = 0.0
        a, b = self.odd_name(), self.odd_name()
        if r.random() < 0.5:
            b = a
        root = self.ca(0)
        mid = Cert(None, a, "p256/1", b"x")
        body = tbs(a, spki("p256/1"), root.subject, algorithm(root.label), NOW - DAY, NOW + DAY,
                   [basic(), ski(b"x")] + ([constraints([("dir", self.odd_name())])] if r.random() < 0.2 else []))
        mid.der = finish(body, root.label)
        leaf = self.leaf(Cert(None, b, "p256/1", b"x"), label="p256/2", names=[("dns", r.choice([HOST, "x.test"]))],
                         subject=self.odd_name() if r.random() < 0.5 else None)
        trust = [root] if r.random() < 0.7 else [mid]
        return [leaf, mid][:r.choice([1, 2, 2, 2])], trust

    def odd_key(self, label):
        r = self.rng
        good = spki(label)
        n, e = 0, 0
        if label.startswith("rsa"):
            pub = key(label).public_key().public_numbers()
            n, e = pub.n, pub.e
            return r.choice([
                seq(seq(oid("1.2.840.113549.1.1.1")), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), seq()), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(n), integer(e)), r.randrange(8))),
                seq(seq(oid("1.2.840.113549.1.1.10")), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.10"), pss_params("sha256", 32)), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.11"), NULL), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("2.5.8.1.1"), NULL), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(n), integer(r.choice([1, 2, 3, 0, n, n + 2]))))),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(n), integer(e), integer(1)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(n), integer(e)) + b"x")),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL, NULL), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), b"\x05\x01\0"), bits(seq(integer(n), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(tlv(2, n.to_bytes(128, "big")), integer(e)))),
                seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(n), integer(e))), NULL)])
        if label.startswith("p256"):
            point = good[-65:]
            ec_alg = lambda *p: seq(oid("1.2.840.10045.2.1"), *p)
            return r.choice([
                seq(ec_alg(), bits(point)), seq(ec_alg(NULL), bits(point)), seq(ec_alg(seq()), bits(point)),
                seq(ec_alg(oid("1.2.3.4")), bits(point)), seq(ec_alg(oid("1.3.132.0.10")), bits(point)),
                seq(ec_alg(oid("1.3.132.0.34")), bits(point)), seq(ec_alg(oid("1.2.840.10045.3.1.1")), bits(point[:49])),
                seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(b"\2" + point[1:33])),
                seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(b"\4" + b"\1" * 64)),
                seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(b"\6" + point[1:])),
                seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(point + b"\0")),
                seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(b"")), seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(b"\0")),
                seq(ec_alg(oid("1.2.840.10045.3.1.7")), bits(point, 3)),
                seq(seq(oid("1.3.132.1.12"), oid("1.2.840.10045.3.1.7")), bits(point)),
                seq(ec_alg(oid("1.3.132.0.27")), bits(b"\4" + b"\1" * 60))])
        if label.startswith("dsa"):
            y = bits(integer(key(label).public_key().public_numbers().y))
            return r.choice([seq(seq(oid("1.2.840.10040.4.1")), y), seq(seq(oid("1.2.840.10040.4.1"), NULL), y),
                             seq(seq(oid("1.2.840.10040.4.1"), seq(integer(5))), y),
                             seq(seq(oid("1.2.840.10040.4.1"), seq(integer(5), integer(3), integer(2))), y),
                             seq(seq(oid("1.3.14.3.2.12"), seq(integer(5), integer(3), integer(2))), y)])
        return r.choice([seq(seq(oid("1.3.101.112"), NULL), bits(good[-32:])), seq(seq(oid("1.3.101.112")), bits(good[-31:])),
                         seq(seq(oid("1.3.101.113")), bits(good[-32:])), seq(seq(oid("1.2.3.4.5.6")), bits(good[-32:])),
                         seq(seq(oid("1.3.101.112")), bits(good[-32:], 1)), seq(seq(oid("1.3.101.110")), bits(good[-32:])),
                         seq(seq(oid("1.2.840.113549.1.3.1"), seq(integer(2 ** 511 + 1), integer(2))), bits(integer(7))),
                         seq(seq(oid("1.2.840.113549.1.3.1"), seq(integer(2 ** 1023 + 1), integer(2))), bits(integer(7))),
                         seq(seq(oid("1.2.840.113549.1.3.1")), bits(integer(7)))])

    def odd_time(self):
        r = self.rng
        texts = [b"250101000000Z", b"2501010000Z", b"250101000000+0000", b"2501010000+0000", b"250101000000-0100", b"250101",
                 b"25010100000Z", b"251301000000Z", b"250100000000Z", b"250132000000Z", b"250231000000Z", b"250101240000Z",
                 b"250101006000Z", b"250101000060Z", b"250101000000", b"250101000000z", b"2501010000000Z", b"490101000000Z",
                 b"500101000000Z", b"000101000000Z", b"250101000000+2400", b"250101000000+0060", b"250101000000.5Z", b"", b"Z"]
        general_ = [b"20250101000000Z", b"202501010000Z", b"20250101000000.5Z", b"20250101000000,5Z", b"20250101000000.Z",
                    b"20250101000000.123456Z", b"99991231235959Z", b"00000101000000Z", b"20250101000000+0100",
                    b"20250101000000.1+0100", b"2025010100Z", b"20250101000000.5", b"20260101000000Z", b"20260101000000.1Z",
                    b"20251231235959.9Z", b"20250101000000", b"30000101000000Z"]
        if r.random() < 0.5:
            return tlv(0x17, r.choice(texts))
        return tlv(r.choice([0x18, 0x18, 0x18, 0x17, 0x16]), r.choice(general_))

    def odd_ext(self):
        r = self.rng
        crit = r.random() < 0.5
        gn = lambda: general(*r.choice([("dns", HOST), ("dns", ""), ("mail", "x@"), ("mail", "a@b"), ("uri", "http://x/"),
                                        ("uri", "x y"), ("ip", (1, 2, 3, 4)), ("ip", (1,)), ("rid", "1.2.3"),
                                        ("dir", name(("CN", "x"))), ("other", "1.2.3")]))
        raw = r.choice([b"", NULL, seq(), seq(NULL), seq(integer(1)), integer(5), octets(b"x"), bits(b"\x80"), bits(b"", 0),
                        tlv(3), bits(b"\x80", 9), seq(boolean(True)), tlv(4, bits(b"\x80", 7)), seq(oid("1.2.3")),
                        seq(oid("1.2.3"), octets(b"")), seq(gn()), seq(gn(), gn()), seq(seq(gn())), seq(seq(oid("1.2"), gn())),
                        seq(seq(tlv(0xA0, tlv(0xA0, gn())))), seq(seq(tlv(0xA2, gn()))), seq(seq(tlv(0x81, b"\1\2"))),
                        seq(tlv(0x80, b"20250101000000Z")), seq(tlv(0x80, b"\1")), seq(tlv(0x82, b"")), seq(tlv(0xA0, seq())),
                        seq(tlv(0x80, b"x"), tlv(0x80, b"y")), seq(seq(oid("1.2.3"), seq())), seq(seq(oid("1.2.3"), seq(seq(
                        oid("1.2.3"))))), seq(boolean(True), integer(-1)), seq(boolean(True), integer(2 ** 40)),
                        seq(boolean(False), integer(3)), seq(integer(3)), seq(tlv(1, b"\1\1")), seq(boolean(True), NULL),
                        seq(boolean(True), integer(0), NULL), tlv(0x0A, b"\1"), seq(tlv(0xA1, seq(gn()))),
                        tlv(0x31, gn()), seq(tlv(0xA1, gn()), tlv(0x82, b"\1")), seq(tlv(0xA0, seq(gn()))) + b"\0",
                        seq(seq(oid("1.2.3"), oid("1.2.4"))), seq(tlv(0x80, b"\0"), tlv(0x81, b"\0"))])
        which = r.choice(["2.5.29.%d" % n for n in (9, 14, 15, 16, 17, 18, 19, 20, 21, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37,
                                                     46, 54)] + ["1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11",
                         "1.3.6.1.5.5.7.48.1.5", "2.16.840.1.113730.1.1"])
        out = r.random()
        if out < 0.9:
            return ext(which, raw, crit)
        return r.choice([seq(oid(which), octets(raw), boolean(True)), seq(oid(which), boolean(False), octets(raw)),
                         seq(oid(which)), seq(oid(which), integer(1), octets(raw)), tlv(0x31, oid(which), octets(raw)),
                         seq(oid(which), tlv(1, b"\7"), octets(raw)), NULL, seq(tlv(6), octets(raw)),
                         seq(tlv(6, b"\x80\1"), octets(raw)), seq(oid(which), tlv(0x24, octets(raw)))])

    def odd_algorithm(self, label):
        r = self.rng
        if label.startswith("rsa"):
            p = lambda *parts: seq(oid("1.2.840.113549.1.1.10"), seq(*parts))
            sha = seq(oid(DIGEST_OIDS["sha256"]), NULL)
            mgf = tlv(0xA1, seq(oid("1.2.840.113549.1.1.8"), sha))
            return r.choice([(seq(oid(RSA_OIDS["sha256"])), False), (seq(oid(RSA_OIDS["sha256"]), seq()), False),
                             (seq(oid(RSA_OIDS["sha256"]), integer(1)), False), (p(), True), (seq(oid(
                             "1.2.840.113549.1.1.10")), True), (p(tlv(0xA0, sha), mgf, tlv(0xA2, integer(32))), True),
                             (p(tlv(0xA0, sha), mgf, tlv(0xA2, integer(20))), True), (p(tlv(0xA0, sha)), True),
                             (p(tlv(0xA0, sha), mgf, tlv(0xA2, integer(32)), tlv(0xA3, integer(2))), True),
                             (p(tlv(0xA0, sha), mgf, tlv(0xA2, integer(-1))), True), (p(tlv(0xA0, sha), mgf, tlv(0xA2,
                             integer(500))), True), (p(tlv(0xA0, seq(oid(DIGEST_OIDS["md5"]))), mgf), True),
                             (p(tlv(0xA0, seq(oid("1.2.3")))), True), (p(tlv(0xA1, seq(oid("1.2.3"), sha))), True),
                             (p(tlv(0xA1, seq(oid("1.2.840.113549.1.1.8")))), True), (p(NULL), True),
                             (seq(oid("1.3.14.3.2.29")), False), (seq(oid("1.2.840.113549.1.1.1"), NULL), False)])
        if label.startswith("p256"):
            return r.choice([(seq(oid(EC_OIDS["sha256"]), NULL), False), (seq(oid(EC_OIDS["sha256"]), oid(
                             "1.2.840.10045.3.1.7")), False), (seq(oid(EC_OIDS["sha256"]), oid("1.3.132.0.34")), False),
                             (seq(oid("1.2.840.10045.4.3"), seq(oid(DIGEST_OIDS["sha256"]))), False), (seq(oid(
                             "1.2.840.10045.4.3")), False), (seq(oid("1.2.840.10045.2.1")), False), (seq(oid("1.2.3")), False),
                             (seq(oid(EC_OIDS["sha256"]), seq()), False), (seq(oid(RSA_OIDS["sha256"]), NULL), False)])
        return r.choice([(seq(oid("1.3.101.112"), NULL), False), (seq(oid("1.3.101.113")), False),
                         (seq(oid("1.3.101.112"), seq()), False), (seq(oid("1.2.840.10040.4.1")), False),
                         (seq(oid(DSA_OIDS["sha256"]), NULL), False), (seq(oid(DSA_OIDS["sha256"]), seq()), False)])

    def odd(self):
        """One thing at a time that no sane authority writes, signed as it stands."""
        r = self.rng
        self.odds = 0.0
        up = r.choice(["p256/0", "p256/0", "rsa1024/3", "ed25519/3", "dsa1024/3"])
        root = self.ca(0, label=up)
        label = r.choice(["p256/1", "rsa1024/1", "ed25519/1", "dsa1024/1"])
        subject = name(("O", "Lab"), ("CN", HOST))
        exts = [san(("dns", HOST)), ski(b"leaf"), aki(root.key_id)]
        public, alg, pss, inner, version, serial, extra, times = spki(label), algorithm(up), False, None, 3, None, b"", None
        what = r.choice(["key", "alg", "time", "ext", "ext", "ext", "serial", "unique", "version", "inner", "long", "double",
                         "subject", "signature"])
        signature = None
        if what == "key":
            public = self.odd_key(label)
        elif what == "alg":
            alg, pss = self.odd_algorithm(up)
        elif what == "time":
            times = seq(self.odd_time(), utc(NOW + DAY)) if r.random() < 0.4 else seq(utc(NOW - 9000 * DAY), self.odd_time())
            if r.random() < 0.1:
                times = r.choice([seq(), seq(utc(NOW)), seq(utc(NOW - DAY), utc(NOW + DAY), NULL), NULL])
        elif what == "ext":
            exts = [self.odd_ext() for _ in range(r.choice([1, 1, 2]))] + (exts if r.random() < 0.7 else [])
        elif what == "serial":
            serial = r.choice([0, -1, 2 ** 200, -2 ** 80])
        elif what == "unique":
            extra = r.choice([tlv(0x81, b"\0x"), tlv(0x82, b"\0x"), tlv(0x81, b""), tlv(0x81, b"\x09x"), tlv(0x81, b"\0x") +
                              tlv(0x82, b"\0y"), tlv(0xA1, b"\0"), tlv(0x84, b"x"), NULL])
        elif what == "version":
            version = r.choice([1, 2, 4, 0, 300])
            exts = exts if r.random() < 0.6 else None
        elif what == "inner":
            inner = r.choice([seq(oid(RSA_OIDS["sha384"]), NULL), seq(oid("1.2.3")), NULL, algorithm(up) + b""])
        elif what == "double":
            exts.append(r.choice([r.choice(exts), ext("2.5.29.17", b"\x30", False), ext("2.5.29.17", seq(), False)]))
        elif what == "subject":
            subject = r.choice([seq(), seq(tlv(0x31)), seq(NULL), seq(tlv(0x31, seq(oid("2.5.4.3")))), tlv(0x31),
                                seq(tlv(0x31, seq(oid("2.5.4.3"), string("x"), NULL))), name(("CN", "x"), [])
                                , seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(0x1E, b"\xd8\0\0x")))),
                                seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(0x1E, b"\0x\0")))),
                                seq(tlv(0x31, seq(oid("2.5.4.3"), integer(5)))), seq(tlv(0x31, seq(oid("2.5.4.3"), seq())))])
            exts[0] = san(("dns", HOST), critical=r.random() < 0.7)
            if r.random() < 0.4:
                exts.pop(0)
        body = tbs(subject, public, root.subject, alg, NOW - DAY, NOW + DAY, exts, version, serial, inner, extra, times)
        if what == "long":
            body = self.long_form(body)
        plain = body if what != "long" else tbs(subject, public, root.subject, alg, NOW - DAY, NOW + DAY, exts)
        if what == "long":
            _serial[0] -= 1
            plain = tbs(subject, public, root.subject, alg, NOW - DAY, NOW + DAY, exts)
            body = self.long_form(plain)
        digest = "sha1" if pss and b"\xa0" not in alg else "sha256"
        signature = sign(up, plain, digest, pss)
        unused = 0
        if what == "signature":
            unused = r.choice([0, 0, 1, 8])
            signature = r.choice([b"", b"\0" + signature, signature + b"\0", signature[:-1], signature, b"\0" * len(signature),
                                  seq(integer(0), integer(0)), seq(integer(1), integer(-1)), b"\xff" * len(signature)])
        der = seq(body, alg, bits(signature, unused))
        if what == "long" and r.random() < 0.3:
            der = self.long_form(der)
        if r.random() < 0.05:
            der = r.choice([der + b"trailing", seq(body, alg, bits(signature), NULL), seq(body, alg), b"\x30\x80" + der[4:] +
                            b"\0\0", b"", b"0", b"garbage", tlv(0x31, der[4:])])
        leaf = Cert(der, subject, label, b"leaf")
        return [leaf], [root]

    def qualifiers(self):
        """Certificate policies with qualifiers, critical or not, anywhere in the path."""
        r = self.rng
        self.odds = 0.0
        cps = seq(oid("1.3.6.1.5.5.7.2.1"), string("https://cps.test/", "ia5"))
        notice = seq(oid("1.3.6.1.5.5.7.2.2"), seq(string("notice")))
        bare = seq(oid("1.3.6.1.5.5.7.2.1"))

        def information():
            who = r.choice(["1.2.3", "1.2.4", "2.5.29.32.0"])
            quals = r.choice([None, None, [cps], [notice], [cps, notice], [bare], [cps, cps], [], [NULL]])
            return seq(oid(who), seq(*quals) if quals is not None else b"")

        def extras():
            out = []
            if r.random() < 0.85:
                out.append(ext("2.5.29.32", seq(*[information() for _ in range(r.choice([1, 1, 2, 3]))]), r.random() < 0.6))
            if r.random() < 0.15:
                out.append(policy_constraints(0, None))
            if r.random() < 0.15:
                out.append(mappings(("1.2.3", "1.2.4")))
            return out

        root = self.ca(0)
        path = [root]
        for i in range(r.randrange(1, 3)):
            label, up, subject = f"p256/{i + 1}", path[-1], name(("CN", f"Q{i}"))
            body = tbs(subject, spki(label), up.subject, algorithm(up.label), NOW - DAY, NOW + DAY, [basic()] + extras())
            path.append(Cert(finish(body, up.label), subject, label, b""))
        leaf = self.leaf(path[-1], label="p256/9", exts=[san(("dns", HOST))] + extras())
        return self.arrange([leaf] + path[:0:-1]), [root]

    def any_general(self):
        """A GeneralName of any form, sane or not, as its octets."""
        r = self.rng
        ds = lambda t: tlv(0x0C, t.encode())
        return r.choice([
            # EDIPartyName: partyName explicit, implicit, alone, with an assigner, none, doubled, no string
            lambda: tlv(0xA5, tlv(0xA1, ds("party"))), lambda: tlv(0xA5, tlv(0x81, ds("party"))),
            lambda: tlv(0xA5, tlv(0xA0, ds("who")), tlv(0xA1, ds("party"))),
            lambda: tlv(0xA5, tlv(0x80, ds("who")), tlv(0x81, ds("party"))), lambda: tlv(0xA5, tlv(0x80, ds("who"))),
            lambda: tlv(0xA5, tlv(0x81, b"party")), lambda: tlv(0xA5), lambda: tlv(0xA5, tlv(0x81, NULL)),
            lambda: tlv(0xA5, tlv(0x81, ds("a")), tlv(0x81, ds("b"))), lambda: tlv(0xA5, ds("x")),
            lambda: tlv(0xA5, tlv(0x81, ds(""))), lambda: tlv(0x85, tlv(0x81, ds("x"))),
            lambda: tlv(0xA5, tlv(0x80, tlv(0x81, ds("inner")))), lambda: tlv(0xA5, tlv(0x80, ds("a")), tlv(0x80, ds("b"))),
            lambda: tlv(0xA5, tlv(0x81, ds("a")), tlv(0x80, ds("b"))), lambda: tlv(0xA5, tlv(0x81, integer(5))),
            lambda: tlv(0xA5, tlv(0x80, integer(5)), tlv(0x81, ds("p"))), lambda: tlv(0xA5, tlv(0x81, ds("p") + ds("q"))),
            # directory names: explicit, implicit, empty in two ways, not a name
            lambda: tlv(0xA4, name(("CN", "d"))), lambda: tlv(0xA4, name()), lambda: tlv(0xA4),
            lambda: tlv(0xA4, name(("CN", "d"))[2:]), lambda: tlv(0xA4, NULL), lambda: tlv(0xA4, tlv(0x31)),
            lambda: tlv(0xA4, name(("CN", "d")), name(("CN", "e"))), lambda: tlv(0x84, name(("CN", "d"))),
            lambda: tlv(0xA4, octets(b"")), lambda: tlv(0xA4, seq(seq())), lambda: tlv(0xA4, b"\x30"),
            lambda: tlv(0xA4, tlv(0x31, seq(oid("2.5.4.3"), ds("d"))), tlv(0x31, seq(oid("2.5.4.10"), ds("o")))),
            # X.400
            lambda: tlv(0xA3, seq()), lambda: tlv(0xA3), lambda: tlv(0x83), lambda: tlv(0xA3, b"junk"),
            # otherName
            lambda: tlv(0xA0, oid("1.2.3"), tlv(0xA0, ds("x"))), lambda: tlv(0xA0, oid("1.3.6.1.4.1.311.20.2.3"),
            tlv(0xA0, ds("u@lab.test"))), lambda: tlv(0xA0, oid("1.2.3")), lambda: tlv(0xA0), lambda: tlv(0xA0, oid("1.2.3"), NULL),
            lambda: tlv(0xA0, oid("1.2.3"), tlv(0xA0)), lambda: tlv(0xA0, oid("1.2.3"), tlv(0xA0, ds("x")), NULL),
            lambda: tlv(0x80, oid("1.2.3")), lambda: tlv(0xA0, ds("x")), lambda: tlv(0xA0, oid("1.2.3"), tlv(0xA0, ds("y"))),
            # registeredID
            lambda: tlv(0x88, oid("1.2.3")[2:]), lambda: tlv(0x88), lambda: tlv(0x88, b"\x80\x01"),
            lambda: tlv(0x88, oid("1.2.4")[2:]), lambda: tlv(0xA8, oid("1.2.3")), lambda: tlv(0x88, b"\x2a\x83"),
            # the plain ones and no tags at all
            lambda: general("dns", "lab.test"), lambda: general("mail", "a@lab.test"), lambda: general("uri", "https://lab.test/"),
            lambda: general("ip", (127, 0, 0, 1)), lambda: tlv(0x89, b"x"), lambda: tlv(0xA9, NULL), lambda: NULL,
            lambda: tlv(0xA2, ds("x")), lambda: tlv(0x82), lambda: tlv(0x86), lambda: tlv(0x87), lambda: tlv(0x81),
        ])()

    def generals(self):
        """Every form of GeneralName in every place where one may stand."""
        r = self.rng
        self.odds = 0.0
        forms = lambda: [self.any_general() for _ in range(r.choice([1, 1, 1, 2]))]
        dns = [general("dns", HOST)] if r.random() < 0.8 else []
        where, critical = r.choice(["san", "san", "san+nc", "san+nc", "ian", "nc", "aia", "crl", "aki", "same"]), r.random() < 0.5
        root = self.ca(0)
        ca_exts, leaf_exts = [basic()], []
        trees = lambda names: b"".join(seq(n) for n in names)
        both = forms()
        if "nc" in where or where == "same":
            limits = both if where == "same" else forms()
            if r.random() < 0.3:
                limits.append(general("dns", "lab.test"))
            value = r.choice([seq(tlv(0xA0, trees(limits))), seq(tlv(0xA1, trees(limits))),
                              seq(tlv(0xA0, trees(limits)), tlv(0xA1, trees(forms())))])
            ca_exts.append(ext("2.5.29.30", value, critical))
        names = dns + (both if "san" in where or where == "same" else [])
        r.shuffle(names)
        if names:
            leaf_exts.append(ext("2.5.29.17", seq(*names), r.random() < 0.5))
        if where == "ian":
            leaf_exts.append(ext("2.5.29.18", seq(*both), critical))
        if where == "aia":
            leaf_exts.append(ext("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.1"), both[0])), critical))
        if where == "crl":
            leaf_exts.append(ext("2.5.29.31", seq(seq(tlv(0xA0, tlv(0xA0, *both)))), critical))
        if where == "aki":
            leaf_exts.append(ext("2.5.29.35", seq(tlv(0xA1, *both), tlv(0x82, b"\x05")), critical))
        mid_name = name(("CN", "G 1"))
        body = tbs(mid_name, spki("p256/1"), root.subject, algorithm(root.label), NOW - DAY, NOW + DAY, ca_exts)
        mid = Cert(finish(body, root.label), mid_name, "p256/1", b"")
        subject = name() if r.random() < 0.2 else name(("CN", r.choice([HOST, "not a name"])))
        leaf = self.leaf(mid, label="p256/9", subject=subject, exts=leaf_exts)
        return self.arrange([leaf, mid]), [root], r.choice([HOST, HOST, "127.0.0.1", "my_api.lab.test"])

    def rsa(self):
        """RSA keys of both identifiers, PKCS#1 and PSS signatures of every digest, parameters that fit or do not."""
        r = self.rng
        self.odds = 0.0
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding
        known = {"sha1": (hashes.SHA1, "1.3.14.3.2.26", 5), "sha224": (hashes.SHA224, "2.16.840.1.101.3.4.2.4", 14),
                 "sha256": (hashes.SHA256, "2.16.840.1.101.3.4.2.1", 11), "sha384": (hashes.SHA384, "2.16.840.1.101.3.4.2.2", 12),
                 "sha512": (hashes.SHA512, "2.16.840.1.101.3.4.2.3", 13), "md5": (hashes.MD5, "1.2.840.113549.2.5", 4),
                 "sha512/224": (hashes.SHA512_224, "2.16.840.1.101.3.4.2.5", 15),
                 "sha512/256": (hashes.SHA512_256, "2.16.840.1.101.3.4.2.6", 16),
                 "sha3-256": (hashes.SHA3_256, "2.16.840.1.101.3.4.2.8", None),
                 "sha3-512": (hashes.SHA3_512, "2.16.840.1.101.3.4.2.10", None)}
        digest = lambda d: seq(oid(known[d][1]), *([NULL] if r.random() < 0.6 else []))

        def pss(d, mgf, salt, trailer=None):
            part = lambda tag, default, value: b"" if default and r.random() < 0.3 else tlv(tag, value)
            return seq(part(0xA0, d == "sha1", digest(d)),
                       part(0xA1, mgf == "sha1", seq(oid("1.2.840.113549.1.1.8"), digest(mgf))),
                       part(0xA2, salt == 20, integer(salt)), tlv(0xA3, integer(trailer)) if trailer is not None else b"")

        some = lambda: r.choice(list(known) + ["sha256", "sha256", "sha384"])
        label = r.choice(["rsa2048/1", "rsa2048/1", "rsa2048/2", "rsa1024/1"])
        k = key(label)
        inner = spki(label)
        key_bits = inner[inner.index(b"\x03\x81" if label == "rsa1024/1" else b"\x03\x82", 10):]
        d, salt = some(), r.choice([None, None, None, 0, 20, 32, 11])
        mgf = d if r.random() < 0.8 else some()
        salt = known[d][0]().digest_size if salt is None else salt
        kind = r.choice(["rsa", "pss", "pss", "pss+params", "pss+params", "pss+null", "rsa+params"])
        fits = [] if kind in ("rsa", "pss") else [NULL] if kind == "pss+null" else [
            pss(d if r.random() < 0.8 else some(), mgf if r.random() < 0.8 else some(), r.choice([salt, salt, 0, 20, 32, 64]),
                r.choice([None, None, 1]))]
        public = seq(seq(oid("1.2.840.113549.1.1." + ("10" if kind.startswith("pss") else "1")), *(fits or
                     ([NULL] if kind == "rsa" else []))), key_bits)
        pkcs1 = r.random() < 0.45 and known[d][2] is not None or d == "md5"
        if pkcs1:
            alg = seq(oid(f"1.2.840.113549.1.1.{known[d][2]}"), *r.choice([[NULL], [NULL], [], [pss(d, mgf, salt)]]))
        else:
            alg = seq(oid("1.2.840.113549.1.1.10"), *r.choice([[pss(d, mgf, salt, r.choice([None, None, None, 1, 2]))]] * 6 +
                      [[], [NULL], [seq()], [pss(some(), some(), salt)], [pss(d, mgf, salt + 1)], [pss(d, mgf, -1)]]))
        root = self.ca(0)
        mid_name = name(("CN", "R 1"))
        body = tbs(mid_name, public, root.subject, algorithm(root.label), NOW - DAY, NOW + DAY, [basic()])
        mid = Cert(finish(body, root.label), mid_name, label, b"")
        subject = name(("CN", HOST))
        body = tbs(subject, spki("p256/9"), mid_name, alg, NOW - DAY, NOW + DAY, [san(("dns", HOST))])
        try:
            signature = k.sign(body, padding.PKCS1v15() if pkcs1 else padding.PSS(padding.MGF1(known[mgf][0]()), salt),
                               known[d][0]())
        except Exception:  # the key is too short, or this library's has no such digest
            signature = bytes(r.randrange(256) for _ in range(k.key_size // 8))
        if r.random() < 0.1:
            signature = r.choice([signature[1:], b"\0" + signature, signature[:-1] + bytes([signature[-1] ^ 1]), b""])
        leaf = Cert(seq(body, alg, bits(signature)), subject, "p256/9", b"")
        return self.arrange([leaf, mid]), [root]

    def hosts(self):
        """Hosts of every shape beside wildcards over every kind of suffix; sane certificates."""
        r = self.rng
        self.odds = 0.0
        tops = ["internal", "local", "lan", "corp", "home", "test", "example", "localhost", "com", "net", "co.uk", "uk", "ck", "www.ck",
                "kawasaki.jp", "city.kawasaki.jp", "jp", "bd", "er", "github.io", "blogspot.com", "amazonaws.com",
                "us-east-1.elb.amazonaws.com", "compute.amazonaws.com", "execute-api.us-east-1.amazonaws.com", "s3.amazonaws.com",
                "appspot.com", "dev", "io", "cloudfront.net", "xn--p1ai", "xn--fiqs8s", "sch.uk", "nom.br", "compute-1.amazonaws.com",
                "lab.test", "a.b.internal", "1", "0.1", "0.0.1", "arpa", "in-addr.arpa", "k12.ma.us", "pvt.k12.ma.us"]
        top = r.choice(tops)
        labels = ["a", "foo", "*", "a*", "*a", "www", "x-y", "f*o", "1", "*.*", "*.foo", "foo.*", "a.b", ""]
        join = lambda l, t: f"{l}.{t}" if l else t
        ips = ["127.0.0.1", "127.1", "127.0.1", "127.000.000.001", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.1.", "0.0.0.0",
               "0.1.2.3", "1.2.3", "1.2.3.4", "01.2.3.4", "256.1.1.1", "1.2.3.256", "10.0.0.010", "::1", "[::1]", "0:0:0:0:0:0:0:1",
               "::ffff:127.0.0.1", "[::ffff:7f00:1]", "::FFFF:7F00:1", "[127.0.0.1]", "fe80::1", "1::2::3", "[::1", "::1]", "::",
               "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::1%lo", "[name]", "[api.lab.test]", "1.2.3.4.5", "12.34", "1e1.2.3.4"]
        host = join(r.choice(["a", "foo", "foo", "www", "a.foo", "x-y", "FOO", ""]), top) if r.random() < 0.7 else r.choice(ips)
        if r.random() < 0.05:
            host += "."
        text = lambda: r.choice([join(r.choice(labels), r.choice([top, top, top, r.choice(tops)])), host, host.upper(),
                                 r.choice(ips), "api.lab.test"])
        kinds = ["utf8"] * 6 + ["printable", "ia5", "t61", "bmp", "universal", "general"]
        cn = lambda: ("CN", text(), r.choice(kinds))
        subject = r.choice([lambda: [cn()], lambda: [("O", "Lab"), cn()], lambda: [cn(), ("O", "Lab")], lambda: [cn(), cn()],
                            lambda: [[cn(), cn()]], lambda: [[("OU", "x"), cn()]], lambda: [[cn(), cn(), cn()], ("O", "Lab")],
                            lambda: [("O", "Lab")], lambda: [("CN", "")], lambda: [cn(), ("CN", " " + host)], lambda: [[cn(), ("CN",
                            host.upper())]]])()
        addresses = [(127, 0, 0, 1), (1, 2, 3, 4), [0] * 15 + [1], [0] * 10 + [255, 255, 127, 0, 0, 1], [0] * 16, (0, 1, 2, 3),
                     (127, 0, 0, 1, 255, 255, 255, 255), (10, 0, 0, 10), (10, 0, 0, 8), list(range(16)),
                     [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]]
        sans = [r.choice([("dns", text()), ("dns", text()), ("ip", r.choice(addresses)), ("mail", "a@b"), ("uri", "https://x/"),
                          ("rid", "1.2.3")]) for _ in range(r.choice([0, 0, 1, 1, 1, 2, 3]))]
        root = self.ca(0)
        return [self.leaf(root, label="p256/9", subject=name(*subject), exts=[san(*sans)] if sans else [])], [root], host

    def idn(self):
        """International hosts and names: IDNA 2003 as java.net.IDN has it, and what it refuses."""
        r = self.rng
        self.odds = 0.0
        import encodings.idna
        words = ["b\u00fccher", "B\u00dcCHER", "stra\u00dfe", "\u03b2\u03cc\u03bb\u03bf\u03c2", "\u4f8b\u3048", "\u0440\u0444",
                 "\U0001f600", "a\U0001f600b", "\u0378", "\u1e9e", "\u2c6f", "\ufb01x", "\uff41pi", "\u2460", "\u00ad", "a\u00adb",
                 "\u200d", "a\u200db", "\u05d0", "\u05d0a", "a\u05d0", "\u05d01", "\u0627\u0660", "\u0130", "\u0131", "\u017f", "\u00b5",
                 "e\u0301", "\u00e9", "\u0301e", "\u00a0x", "x\u3000", "\u2028", "\ue000", "\ufffd", "\u2024a", "\u2100", "\u212b", "-\u00fc",
                 "\u00fc-", "\u00fc_x", "\u00fc x", "_\u00fc", "xn--\u00fc", "xn--bcher-kva", "XN--BCHER-KVA", "xn--bcher-KVA", "xn--a",
                 "xn--", "xn--test--wg5h0h", "xn--strae-oqa", "xn--e-0fa", "xn--bcher-kva8", "xn--*", "xn--e28h", "a--b", "ab--c",
                 "\u00fc" * 57, "\u00fc" * 58, "\u00fc" * 63, "a" * 63, "a" * 64, "\U00010400", "\U00010428", "\u1100\u1161", "\u0149", "\u2011",
                 "\u30fb", "\u00b7l", "\u0660", "\u0966", "\u3007", "\u9fff", "\u0220", "\u0221", "\U00020000", "\u0e33", "api", "*", "\u00fc*", "*\u00fc"]
        dots = [".", ".", ".", ".", "\u3002", "\uff0e", "\uff61"]

        def ascii_of(text):
            out = []
            for label in text.split("."):
                try:
                    out.append(encodings.idna.ToASCII(label).decode() if label else "")
                except UnicodeError:
                    out.append(label)
            return ".".join(out)

        word = r.choice(words)
        host = word + r.choice(dots) + r.choice(["lab.test", "lab.test", "example.com", r.choice(words) + ".test"])
        if r.random() < 0.1:
            host += r.choice([".", "\u3002", ".."])
        if r.random() < 0.05:
            host = r.choice([".", "\u3002", "", "\u00fc", "." + word, word + "..test"])
        star = "*." + host.split(".", 1)[1] if "." in host else "*"
        pats = [ascii_of(host), ascii_of(host), host, ascii_of(star), star, ascii_of(host).upper(), r.choice(words) + ".lab.test",
                ascii_of(r.choice(words) + ".lab.test"), host + ".", "*" + host[1:], ascii_of(host)[:-4] + "*"]
        octets = lambda t: t.encode("utf-8").decode("latin-1") if r.random() < 0.5 else t.encode("ascii", "ignore").decode()
        kind = r.choice(["utf8", "utf8", "utf8", "bmp", "universal"])
        cn = r.choice(pats)
        if kind == "bmp" and any(ord(c) > 0xffff for c in cn):
            kind = "utf8"
        subject = name(("O", "Lab"), ("CN", cn, kind))
        sans = [("dns", octets(r.choice(pats))) for _ in range(r.choice([0, 0, 1, 1, 2]))]
        root = self.ca(0)
        return [self.leaf(root, label="p256/9", subject=subject, exts=[san(*sans)] if sans else [])], [root], host


FAMILIES = ["flaws", "paths", "names", "constraints", "policies", "octets", "chaining", "odd", "qualifiers", "generals",
            "rsa", "hosts", "idn"]


def case(number, seed, family):
    rng = random.Random(f"{seed}/{number}/{family}")
    maker = Maker(rng)
    made = getattr(maker, family)()
    chain, trust = made[0], made[1]
    host = made[2] if len(made) > 2 else (HOST if rng.random() < 0.95 else "other.lab.test")
    return {"id": f"{family}-{seed}-{number}", "chain": [pem(c.der) for c in chain], "trust": [pem(c.der) for c in trust],
            "host": host, "time": "2026-01-01T00:00:00Z"}


def main():
    count = int(sys.argv[1])
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    families = [sys.argv[3]] if len(sys.argv) > 3 else FAMILIES
    for i in range(count):
        print(json.dumps(case(i, seed, families[i % len(families)])))


if __name__ == "__main__":
    main()
