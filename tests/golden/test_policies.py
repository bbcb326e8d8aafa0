#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The policy table as `nlbsim policies` shows it, against what AWS and s2n publish.

policies.csv     protocols and ciphers of the 46 policies, copied from the sources it names
policies.jsonl   the whole expansion, one line per policy, so that a changed policy is a readable diff;
                 write it anew with: python3 tests/golden/test_policies.py --write
"""
import csv, json, os, subprocess, sys, unittest

HERE = os.path.dirname(os.path.abspath(__file__))
NLBSIM = os.environ.get("NLBSIM", "build/release/nlbsim")
PREFIX = "ELBSecurityPolicy-"


def run(*args):
    p = subprocess.run([NLBSIM, "policies", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    return p.returncode, p.stdout, p.stderr


def policies(*args):
    status, out, err = run("--json", *args)
    assert status == 0, err
    return json.loads(out)


def golden_lines(rows):
    return [json.dumps(row, sort_keys=True) for row in rows]


class PolicyTable(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = policies()
        cls.by_name = {row["name"][len(PREFIX):]: row for row in cls.rows}

    def test_protocols_and_ciphers_are_those_that_aws_publishes(self):
        with open(os.path.join(HERE, "policies.csv"), encoding="utf-8") as f:
            wanted = list(csv.DictReader(line for line in f if not line.startswith("#")))
        self.assertEqual(len(wanted), 46)
        self.assertEqual([row["name"] for row in self.rows], [w["policy"] for w in wanted])
        for row, w in zip(self.rows, wanted):
            self.assertEqual(row["protocols"], w["protocols"].split(), w["policy"])
            self.assertEqual(row["ciphers"], w["ciphers"].split(), w["policy"])

    def test_expansion_is_the_golden_one(self):
        with open(os.path.join(HERE, "policies.jsonl"), encoding="utf-8") as f:
            self.assertEqual(golden_lines(self.rows), f.read().splitlines())

    def test_backend_policies(self):
        # NLB guide, "Security policies", table of backend policies, first match wins.
        for name, row in self.by_name.items():
            if "RFC9151" in name:
                backend = "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07"
            elif "FIPS-PQ" in name:
                backend = "TLS13-1-0-FIPS-PQ-2025-09"
            elif "FIPS" in name:
                backend = "TLS13-1-0-FIPS-2023-04"
            elif "-PQ-" in name:
                backend = "TLS13-1-0-PQ-2025-09"
            elif name.startswith("TLS13"):
                backend = "TLS13-1-0-2021-06"
            else:
                backend = "2016-08"
            self.assertEqual(row["backend_policy"], PREFIX + backend, name)

    def test_groups(self):
        # https://github.com/aws/s2n-tls/pull/5977, /5953, tls/s2n_security_policies.c
        nist = ["secp256r1", "secp384r1", "secp521r1"]
        hybrids = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]
        for name, row in self.by_name.items():
            if "INTEROP" in name:
                groups = ["secp384r1", "secp256r1", "secp521r1"]
            elif "RFC9151" in name:
                groups = ["secp384r1"]
            elif "FIPS" in name or name == "FS-1-2-Res-2020-10":
                groups = nist
            elif name.startswith("TLS13"):
                groups = ["x25519"] + nist
            else:
                groups = ["secp256r1", "secp384r1"]
            self.assertEqual(row["groups"], groups, name)
            self.assertEqual(row["hybrid_groups"], hybrids if "-PQ-" in name else [], name)
            self.assertEqual(row["strongly_preferred_group"], "secp384r1" if "INTEROP" in name else None, name)

    def test_signature_schemes(self):
        for name, row in self.by_name.items():
            schemes = row["signature_schemes"]
            legacy = not name.startswith("TLS13")
            self.assertEqual(any("pss" in s for s in schemes), not legacy, name)
            has_sha1 = "rsa_pkcs1_sha1" in schemes and "ecdsa_sha1" in schemes
            has_sha224 = "rsa_pkcs1_sha224" in schemes and "ecdsa_sha224" in schemes
            wide_pq = "Ext2" in name or "1-0" in name
            if "RFC9151" in name:
                want = (False, False)
            elif "FIPS-PQ" in name:
                want = (False, wide_pq)
            elif "FIPS" in name:
                want = (False, True)
            elif "-PQ-" in name:
                want = (wide_pq, wide_pq)
            else:
                want = (True, True)
            self.assertEqual((has_sha1, has_sha224), want, name)

    def test_what_this_build_lacks_is_said(self):
        for name, row in self.by_name.items():
            self.assertEqual(row["unsupported"], [c for c in row["ciphers"] if c == "DES-CBC3-SHA"], name)
        self.assertEqual(self.by_name["TLS-1-0-2015-04"]["unsupported"], ["DES-CBC3-SHA"])

    def test_every_row_has_its_sources(self):
        for row in self.rows:
            self.assertTrue(row["source"].startswith("https://"), row["name"])
            self.assertTrue(row["groups_source"].startswith("https://github.com/aws/s2n-tls/"), row["name"])
            self.assertEqual(row["groups_evidence"], "inferred")


class PoliciesVerb(unittest.TestCase):
    def test_one_policy_by_either_name(self):
        self.assertEqual(policies(PREFIX + "2016-08"), policies("2016-08"))
        self.assertEqual(len(policies("2016-08")), 1)

    def test_patterns(self):
        names = [row["name"] for row in policies("*-PQ-*")]
        self.assertEqual(len(names), 13)
        self.assertTrue(all("-PQ-" in n for n in names))
        self.assertEqual(len(policies("FS-*", PREFIX + "FS-*", "*")), 46)

    def test_unknown_name_gets_the_nearest(self):
        status, out, err = run("ELBSecurityPolicy-TLS13-1-2-2021-60")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("did you mean 'ELBSecurityPolicy-TLS13-1-2-2021-06'?", err)
        status, out, err = run("--json", "ELBSecurityPolcy-2016-08")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("did you mean 'ELBSecurityPolicy-2016-08'?", err)
        status, _, err = run("something else entirely")
        self.assertEqual(status, 2)
        self.assertNotIn("did you mean", err)

    def test_table_for_people(self):
        status, out, _ = run("TLS13-1-2-Res-PQ-2025-09")
        self.assertEqual(status, 0)
        self.assertIn("X25519MLKEM768 ", out)
        self.assertIn("toward targets      ELBSecurityPolicy-TLS13-1-0-PQ-2025-09", out)
        self.assertIn("DES-CBC3-SHA*", run("TLS-1-0-2015-04")[1])
        status, out, _ = run()
        self.assertEqual(status, 0)
        self.assertEqual(sum(line.startswith(PREFIX) for line in out.splitlines()), 46)

    def test_help_and_bad_option(self):
        status, out, _ = run("--help")
        self.assertEqual(status, 0)
        self.assertIn("example: nlbsim policies", out)
        self.assertEqual(run("--no-such-option")[0], 2)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        with open(os.path.join(HERE, "policies.jsonl"), "w", encoding="utf-8") as f:
            f.write("\n".join(golden_lines(policies())) + "\n")
        sys.exit(0)
    unittest.main()
