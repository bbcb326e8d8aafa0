# SPDX-License-Identifier: Apache-2.0
"""What a certificate may cost: nested identifiers, policies, constraints and keys made to be slow. Counted in CPU
time of the whole program, of which reading and starting are a part."""
import json, os, resource, subprocess, sys, tempfile, unittest

from nlbtest import missing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "jdk"))
try:
    from pki import *
except ImportError:
    tlv = None

NOW = 1767225600
SECONDS = 0.5  # the judge promises some 50 ms


def judge(chain, trust, **more):
    """Verdicts of one process, and the CPU time it took."""
    case = dict(id="x", chain=[pem(c) for c in chain], trust=[pem(c) for c in trust], host="api.lab.test", time=NOW, **more)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([os.environ["NLBSIM"], "validate", "--json", "-"], input=json.dumps(case) + "\n",
                         capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(out), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cert(subject, public, issuer, signer, exts):
    return finish(tbs(subject, public, issuer, algorithm(signer), NOW - 1000, NOW + 1000, exts), signer)


@unittest.skipIf(tlv is None, missing("cryptography"))
class Budget(unittest.TestCase):
    root_name, ca_name = name if tlv is None else name(("CN", "root")), tlv and name(("CN", "ca"))

    def chain(self, ca_exts, leaf_exts, ca_key="p256/2", leaf_sign="p256/2"):
        root = cert(self.root_name, spki("p256/1"), self.root_name, "p256/1", [basic()])
        ca = cert(self.ca_name, spki(ca_key) if isinstance(ca_key, str) else ca_key, self.root_name, "p256/1",
                  [basic()] + ca_exts)
        leaf = cert(name(("CN", "api.lab.test")), spki("p256/3"), self.ca_name, leaf_sign, [san(("dns", "api.lab.test"))] +
                    leaf_exts)
        return [leaf, ca], [root]

    def assertCheap(self, answer, code=None):
        verdict, seconds = answer
        self.assertLess(seconds, SECONDS)
        if code is not None:
            self.assertEqual(verdict["code"], code)
            self.assertFalse(verdict["ok"])
            self.assertIn("nlbsim: ", verdict["error"] + (verdict["detail"] or ""))

    def nested(self, identifier, wrap, depth):
        alg = seq(oid(identifier))
        for _ in range(depth):
            alg = seq(oid(identifier), wrap(alg))
        root = cert(self.root_name, spki("p256/1"), self.root_name, "p256/1", [basic()])
        body = tbs(name(("CN", "x")), spki("p256/3"), self.root_name, alg, NOW - 1000, NOW + 1000)
        return judge([seq(body, alg, bits(b"\0"))], [root])

    def test_nested_algorithm_identifiers(self):
        shapes = [("1.2.840.10045.4.3", lambda a: a),  # the digest of ecdsa-with-SHA2
                  ("1.2.840.113549.1.1.10", lambda a: seq(tlv(0xA0, a))),  # the digest of RSASSA-PSS
                  ("1.2.840.113549.1.1.10", lambda a: seq(tlv(0xA1, seq(oid("1.2.840.113549.1.1.8"), a))))]
        for identifier, wrap in shapes[:2]:
            with self.subTest(identifier=identifier):
                self.assertCheap(self.nested(identifier, wrap, 24))
        for identifier, wrap in shapes:
            for depth in (60, 500):
                with self.subTest(identifier=identifier, depth=depth):
                    answer = self.nested(identifier, wrap, depth)
                    if wrap is not shapes[2][1]:
                        self.assertCheap(answer, "SIMULATOR_LIMIT")
                    else:
                        self.assertCheap(answer)

    def test_policies(self):
        number = lambda j: f"1.3.{j + 1}"
        for equal, mapped in ((1500, 100), (1000, 1000), (200, 800), (1, 2000)):
            with self.subTest(policies=equal, mappings=mapped):
                exts = [policies(*["1.3"] * equal), mappings(*[("1.3", number(j)) for j in range(mapped)])]
                for leaf in (policies("2.5.29.32.0"), policies(*map(number, range(mapped)))):
                    self.assertCheap(judge(*self.chain(exts, [leaf])))

    def test_constraints(self):
        many = [("dns", f"a{i}.lab.test") for i in range(700)]
        self.assertCheap(judge(*self.chain([constraints(many + [("dns", "lab.test")], None)], [san(*many)])))
        short = lambda first, n: [("dns", first + bytes([97 + i // 60, 48 + i % 60]).decode()) for i in range(n)]
        root = cert(self.root_name, spki("p256/1"), self.root_name, "p256/1", [basic()])
        one = cert(self.ca_name, spki("p256/2"), self.root_name, "p256/1", [basic(), constraints(None, short("a", 1500))])
        two = cert(name(("CN", "CA two")), spki("p256/4"), self.ca_name, "p256/2",
                   [basic(), constraints(None, short("b", 1500))])
        leaf = cert(name(("CN", "api.lab.test")), spki("p256/3"), name(("CN", "CA two")), "p256/4", [san(*short("c", 900))])
        self.assertCheap(judge([leaf, two, one], [root]), "SIMULATOR_LIMIT")
        self.audited([leaf, two, one], root)

    def audited(self, chain, root):
        """An audit calls it neither sound nor flawed."""
        with tempfile.TemporaryDirectory() as tmp:
            for name_, certs in ("chain.pem", chain), ("root.pem", [root]):
                with open(os.path.join(tmp, name_), "w") as f:
                    f.write("".join(map(pem, certs)))
            done = subprocess.run([os.environ["NLBSIM"], "cert", "audit", "--json", "--at", f"@{NOW}", "--host", "api.lab.test",
                                   "--trust-store", os.path.join(tmp, "root.pem"), os.path.join(tmp, "chain.pem")],
                                  capture_output=True, text=True)
        found = {f["code"]: f for f in json.loads(done.stdout)["findings"]}
        self.assertEqual(found["not-judged"]["severity"], "warning", done.stdout)
        self.assertIn("more than this program spends", found["not-judged"]["message"])
        self.assertNotIn("refused", found)

    def test_slow_keys(self):
        big = (1 << 79999) + 1
        dsa = seq(seq(oid("1.2.840.10040.4.1"), seq(integer(big), integer(big - 2), integer(big - 4))), bits(integer(3)))
        rsa = seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer((1 << 3071) + 1), integer(1 << 3070))))
        for label, public, alg in (("dsa", dsa, seq(oid("2.16.840.1.101.3.4.3.2"))),
                                   ("rsa", rsa, seq(oid("1.2.840.113549.1.1.11"), NULL))):
            with self.subTest(label):
                (_, ca), trust = self.chain([], [], public)
                body = tbs(name(("CN", "x")), spki("p256/3"), self.ca_name, alg, NOW - 1000, NOW + 1000,
                           [san(("dns", "api.lab.test"))])
                signature = seq(integer(5), integer(7)) if label == "dsa" else b"\x01" * 384
                self.assertCheap(judge([seq(body, alg, bits(signature)), ca], trust))


if __name__ == "__main__":
    unittest.main()
