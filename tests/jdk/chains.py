#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Odd certificate chains by the thousand, as JSON lines for `nlbsim validate --json -` and Oracle.java.

    chains.py COUNT [SEED [FAMILY]]     families: flaws, paths, names, constraints, policies, octets
"""
import json, random, sys

from pki import *

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


FAMILIES = ["flaws", "paths", "names", "constraints", "policies", "octets"]


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
