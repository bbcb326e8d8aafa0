# SPDX-License-Identifier: Apache-2.0
"""The judge beside what was measured: the JDK table (issued by tests/jdk/table.py) and recorded answers of a JDK 17
and of Apache HttpClient 4.5.14 to generated chains (tests/jdk/chains.py). Texts are compared exactly."""
import json, os, ssl, subprocess, tempfile, unittest

HERE = os.path.dirname(os.path.abspath(__file__))
NLBSIM = os.environ["NLBSIM"]


def judge(lines, *args):
    run = subprocess.run([NLBSIM, "validate", "--json", "-", *args], input="".join(lines), capture_output=True, text=True,
                         check=True)
    return {d["id"]: d for d in map(json.loads, run.stdout.splitlines())}


class Golden(unittest.TestCase):
    def compare(self, file, least, client="jdk"):
        with open(os.path.join(HERE, file), encoding="utf-8") as f:
            lines = f.readlines()
        self.assertGreaterEqual(len(lines), least)
        ours = judge(lines, "--client", client)
        wrong = []
        for c in map(json.loads, lines):
            o = ours[c["id"]]
            self.assertEqual(o["ok"], o["error"] is None)
            if o["error"] != c["expect"]:
                wrong.append(f"{c['id']}\n  expected {c['expect']}\n  got      {o['error']}")
        self.assertFalse(wrong, "\n".join(wrong))

    def test_the_measured_table(self):
        self.compare("judge_table.jsonl", 200)

    def test_recorded_answers_of_a_jdk(self):
        self.compare("judge_jdk.jsonl", 400)

    def test_recorded_answers_of_apache_httpclient(self):
        self.compare("judge_apache.jsonl", 150, "apache")

    def test_the_size_of_the_message_comes_first_and_depends_on_the_version(self):
        with open(os.path.join(HERE, "judge_table.jsonl"), encoding="utf-8") as f:
            case = next(c for c in map(json.loads, f) if c["id"] == "valid-full-chain")
        leaf = case["chain"][0]
        size = len(ssl.PEM_cert_to_DER_cert(leaf))
        limit = "The size of the handshake message (%d) exceeds the maximum allowed size (32768)"
        for client, tls, head, each in (("jdk", None, 4, 5), ("jdk", "1.2", 3, 3), ("apache", None, 3, 3), ("apache", "1.3", 4, 5)):
            for n, expect in ((100, limit % (head + 100 * (each + size))),
                              (11, "The certificate chain length (11) exceeds the maximum allowed length (10)")):
                with self.subTest(client=client, tls=tls, n=n):
                    line = json.dumps(dict(case, chain=[leaf] * n, **({"tls": tls} if tls else {}))) + "\n"
                    self.assertEqual(judge([line], "--client", client)["valid-full-chain"]["error"], expect)

    def test_a_certificate_of_no_octets(self):
        with open(os.path.join(HERE, "judge_table.jsonl"), encoding="utf-8") as f:
            case = next(c for c in map(json.loads, f) if c["id"] == "valid-full-chain")
        nothing = "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n"
        line = json.dumps(dict(case, chain=[nothing] + case["chain"])) + "\n"
        self.assertEqual(judge([line], "--client", "jdk")["valid-full-chain"]["error"],
                         "Invalid Certificate message: empty cert_data")


class CommandLine(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(HERE, "judge_table.jsonl"), encoding="utf-8") as f:
            self.cases = {c["id"]: c for c in map(json.loads, f)}
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def files(self, case):
        c = self.cases[case]
        paths = []
        for kind in ("chain", "trust"):
            paths.append(os.path.join(self.dir.name, kind))
            with open(paths[-1], "w", encoding="utf-8") as f:
                f.write("some text\n" + "".join(c[kind]))
        return paths

    def validate(self, case, *args, host="api.lab.test"):
        chain, trust = self.files(case)
        return subprocess.run([NLBSIM, "validate", "--chain", chain, "--trust-store", trust, "--host", host, "--at",
                               "2026-01-01T00:00:00Z", *args], capture_output=True, text=True)

    def test_exit_statuses(self):
        self.assertEqual(self.validate("valid-full-chain").returncode, 0)
        self.assertEqual(self.validate("expired-leaf").returncode, 1)
        self.assertEqual(self.validate("valid-full-chain", "--at", "soon").returncode, 2)
        self.assertEqual(subprocess.run([NLBSIM, "validate"], capture_output=True).returncode, 2)
        self.assertEqual(subprocess.run([NLBSIM, "validate", "--chain", "/nowhere", "--trust-store", "/nowhere"],
                                        capture_output=True).returncode, 3)
        self.assertIn("example:", subprocess.run([NLBSIM, "validate", "--help"], capture_output=True, text=True).stdout)

    def test_api_gateway_words_a_wrong_host_in_its_own_way(self):
        run = self.validate("valid-full-chain", "--json", host="x.lab.test")
        self.assertEqual(run.returncode, 1)
        d = json.loads(run.stdout)
        self.assertEqual(d["error"], "Host name 'x.lab.test' does not match the certificate subject provided by the peer "
                                     "(CN=api.lab.test, O=Lab, C=US)")
        self.assertEqual((d["code"], d["evidence"], d["alert"]), ("HOST_MISMATCH", "documented", {"tls12": None, "tls13": None}))
        jdk = self.validate("valid-full-chain", "--json", "--client", "jdk", host="x.lab.test")
        self.assertEqual(json.loads(jdk.stdout)["error"], "No subject alternative DNS name matching x.lab.test found.")

    def test_the_skip_flag(self):
        for case, error in (("untrusted-root-sent", None), ("selfsigned", None), ("untrusted-root", "building failed"),
                            ("valid-full-chain", None), ("expired-leaf", "validity check failed"),
                            ("leaf-pinned-expired", "validity check failed")):
            run = self.validate(case, "--insecure-skip-verification", "--json")
            d = json.loads(run.stdout)
            self.assertEqual(d["ok"], error is None, case)
            if error:
                self.assertIn(error, d["error"])
        run = self.validate("selfsigned", "--insecure-skip-verification", "--skip-allows-plain-self-signed", "no", "--json")
        self.assertIn("is not a CA certificate", json.loads(run.stdout)["error"])

    def test_public_authorities_are_held_to_more(self):
        run = self.validate("sig-sha1-leaf", "--public-authorities", "--json", "--client", "jdk")
        self.assertEqual(json.loads(run.stdout)["error"],
                         "PKIX path validation failed: java.security.cert.CertPathValidatorException: Usage constraint "
                         "TLSServer check failed: SHA1 used with certificate: CN=api.lab.test, O=Lab, C=US")

    def test_a_bad_line_is_told_and_the_others_are_judged(self):
        lines = [json.dumps(self.cases["valid-full-chain"]) + "\n", "{\n", json.dumps({"id": 7, "chain": 5}) + "\n",
                 json.dumps(self.cases["expired-leaf"]) + "\n"]
        run = subprocess.run([NLBSIM, "validate", "--json", "-"], input="".join(lines), capture_output=True, text=True)
        said = [json.loads(l) for l in run.stdout.splitlines()]
        self.assertEqual([(c["id"], c["ok"], c.get("line")) for c in said],
                         [("valid-full-chain", True, None), (None, False, 2), (7, False, 3), ("expired-leaf", False, None)])
        self.assertIn("not a JSON object", said[1]["error"])
        self.assertEqual({said[1]["code"], said[2]["code"]}, {"UNREADABLE_CASE"})
        self.assertEqual(run.returncode, 2)
        self.assertIn("line 2", run.stderr)
        self.assertIn("line 3", run.stderr)


if __name__ == "__main__":
    unittest.main()
