# SPDX-License-Identifier: Apache-2.0
"""trust_store = apigateway: this machine's roots that stand on AWS's list; and nlbsim trust-store."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
HOST = "api.example.com"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
SEED = "list"


def run(*argv, bundle=None):
    env = dict(os.environ)
    env.pop("SSL_CERT_FILE", None)
    if bundle:
        env["SSL_CERT_FILE"] = bundle
    p = subprocess.run([NLBSIM, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, env=env)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


class TrustStore(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory(prefix="nlbsim-list-")
        cls.addClassCleanup(cls.dir.cleanup)
        code, _, err = run("cert", "issue", "--seed", SEED, "--profile", "valid", "--out", cls.path("valid"), HOST)
        assert code == 0, err

    @classmethod
    def path(cls, name):
        return os.path.join(cls.dir.name, name)

    def validate(self, chain, store="apigateway", bundle=None):
        code, out, err = run("validate", "--json", "--chain", chain, "--host", HOST, "--trust-store", store, bundle=bundle)
        self.assertIn(code, (0, 1), err)
        return json.loads(out)

    def test_a_root_that_browsers_trust_and_the_list_lacks(self):
        """The machine trusts the lab's root; API Gateway does not, and the verdict says so in so many words."""
        bundle = self.path("valid.root.pem")
        self.assertTrue(self.validate(self.path("valid.pem"), "system", bundle)["ok"])
        got = self.validate(self.path("valid.pem"), "apigateway", bundle)
        self.assertEqual((got["ok"], got["code"]), (False, "NOT_ON_LIST"))
        self.assertIn("unable to find valid certification path", got["error"])
        code, out, _ = run("validate", "--chain", self.path("valid.pem"), "--host", HOST, "--trust-store", "apigateway", bundle=bundle)
        self.assertEqual(code, 1)
        self.assertRegex(" ".join(out.split()), r"it leads to 'CN=nlbsim Lab [^']*', which this machine trusts and API Gateway's list of "
                                                r"authorities lacks \(list of June 2023\)")
        code, out, _ = run("cert", "audit", "--json", "--trust-store", "apigateway", self.path("valid.pem"), bundle=bundle)
        self.assertEqual([(f["code"], "API Gateway's list" in f["message"]) for f in json.loads(out)["findings"]],
                         [("untrusted-issuer", True)])

    def test_a_root_that_nobody_trusts_is_the_ordinary_refusal(self):
        code, _, err = run("cert", "issue", "--profile", "valid", "--out", self.path("other"), "--force", HOST)
        self.assertEqual(code, 0, err)
        self.assertEqual(self.validate(self.path("other.pem"), "apigateway", self.path("valid.root.pem"))["code"], "NO_PATH")

    @unittest.skipUnless(os.path.exists(BUNDLE), f"no {BUNDLE}: apt install ca-certificates")
    def test_a_listed_root_is_trusted_though_this_machine_lacks_it(self):
        """A chain that is such a root alone: trusted by the list, whatever this machine's bundle holds."""
        rows = json.loads(run("trust-store", "list", "--json")[1])["authorities"]
        listed = {r["sha256"] for r in rows if r["on_this_machine"]}
        self.assertGreater(len(listed), 50)
        for pem in re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", pathlib.Path(BUNDLE).read_text(), re.S):
            pathlib.Path(self.path("root.pem")).write_text(pem)
            shown = json.loads(run("cert", "show", "--json", self.path("root.pem"))[1])
            if shown["certificates"][0]["sha256"].replace(":", "").lower() in listed:
                break
        got = run("validate", "--json", "--chain", self.path("root.pem"), "--trust-store", "apigateway", "--at", "2023-06-01T00:00:00Z",
                  bundle=self.path("valid.root.pem"))
        self.assertTrue(json.loads(got[1])["ok"], got)

    def test_a_root_is_not_trusted_for_its_name(self):
        code, _, err = run("cert", "issue", "--authority", "self", "--ca", "--subject", "CN=GTS Root R1", "--out", self.path("fake"), HOST)
        self.assertEqual(code, 0, err)
        self.assertFalse(self.validate(self.path("fake.pem"), "apigateway", self.path("valid.root.pem"))["ok"])

    def test_list_and_diff(self):
        code, out, err = run("trust-store", "list", bundle=self.path("valid.root.pem"))
        self.assertEqual(code, 0, err)
        self.assertIn("247 authorities (AWS's list, June 2023), 0 of them on this machine", out)
        got = json.loads(run("trust-store", "diff", "--json", bundle=self.path("valid.root.pem"))[1])
        self.assertEqual(len(got["only_on_the_list"]), 247)
        self.assertEqual([x["subject"].split(",")[0] for x in got["only_on_this_machine"]], ["CN=nlbsim Lab Public Root"])

    def test_no_bundle(self):
        code, _, err = run("trust-store", "diff", bundle=self.path("no.pem"))
        self.assertEqual(code, 3)
        self.assertIn("no.pem", err)


if __name__ == "__main__":
    unittest.main()
