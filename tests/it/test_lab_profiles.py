# SPDX-License-Identifier: Apache-2.0
"""Every profile of the certificate lab, judged by OpenSSL, GnuTLS and a JDK: each must see what the
profile's row says, and nothing else."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from nlbtest import open_terminal

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "api.example.com"
PROFILES = json.loads(subprocess.run([NLBSIM, "lab", "--list", "--json"], stdout=subprocess.PIPE, check=True).stdout)["profiles"]

# What `openssl verify -x509_strict -auth_level 2 -purpose …` finds: the numbers of its errors
# (X509_V_ERR_*), and the depth. A profile that is not here must pass.
UNTRUSTED, SELF, SELF_IN_CHAIN, NAME = "20", "18", "19", "62"
OPENSSL = {
    "leaf-only": {(UNTRUSTED, 0)}, "self-signed": {(SELF, 0)}, "self-signed-ca": {(SELF, 0)},
    "self-signed-expired": {(SELF, 0), ("10", 0)}, "untrusted-root": {(UNTRUSTED, 1)},
    "untrusted-root-sent": {(SELF_IN_CHAIN, 2)}, "private": {(UNTRUSTED, 1)}, "private-with-root": {(SELF_IN_CHAIN, 2)},
    "private-expired": {("10", 0)}, "private-wrong-host": {(NAME, 0)}, "private-root-not-ca": {(SELF_IN_CHAIN, 1)},
    "private-root-no-keycertsign": {(SELF_IN_CHAIN, 1)}, "impostor-root": {(UNTRUSTED, 1)}, "bad-signature": {("7", 0)},
    "bad-signature-intermediate": {("7", 1)}, "expired": {("10", 0)}, "not-yet-valid": {("9", 0)},
    "expired-untrusted": {(UNTRUSTED, 1)}, "expired-leaf-only": {(UNTRUSTED, 0)}, "expired-intermediate": {("10", 1)},
    "expired-root": {("10", 2)},  # OpenSSL looks at the dates of a root, a JDK does not
    "wrong-host": {(NAME, 0)}, "no-san-cn-other": {(NAME, 0)}, "cn-match-san-other": {(NAME, 0)},
    "wildcard-two-labels": {(NAME, 0)}, "intermediate-not-ca": {("79", 1), ("26", 1), ("32", 1)},
    "intermediate-no-basic-constraints": {("79", 1), ("82", 1)},
    "intermediate-no-keycertsign": {("79", 1), ("26", 1), ("32", 1)}, "pathlen-violated": {("25", 2)},
    "name-constraints-violated": {("47", 0)}, "name-constraints-violated-noncritical": {("47", 0)},
    "name-constraints-excluded": {("48", 0)}, "name-constraints-excluded-noncritical": {("48", 0)},
    "eku-client-only": {("26", 0)}, "ku-no-digital-signature": {("26", 0)}, "unknown-critical-extension": {("34", 0)},
    "unknown-critical-extension-intermediate": {("34", 1)}, "sha1": {("68", 0)}, "md5": {("68", 0)},
    "sha1-intermediate": {("68", 1)}, "rsa-1024": {("66", 0)}, "rsa-1024-intermediate": {("67", 1)},
    "stage-client": {(SELF, 0)}, "stage-client-expired": {(SELF, 0), ("10", 0)}, "client-expired": {("10", 0)},
    "client-untrusted": {(UNTRUSTED, 1)}, "client-sha1": {("68", 0)}, "client-self-signed": {(SELF, 0)},
}

ISSUER, EXPIRED, OTHER = "issuer is unknown", "uses expired certificate", "does not match the expected"
WEAK, LIMITS, CRITICAL = "uses insecure algorithm", "violates the signer's constraints", "unknown critical extension"
# What `certtool --verify` says. A profile that is not here must pass.
GNUTLS = {
    "leaf-only": ISSUER, "self-signed": ISSUER, "self-signed-ca": ISSUER, "self-signed-expired": ISSUER,
    "untrusted-root": ISSUER, "untrusted-root-sent": ISSUER, "private": ISSUER, "private-with-root": ISSUER,
    "private-expired": EXPIRED, "private-wrong-host": OTHER, "private-root-not-ca": ISSUER,
    "private-root-no-keycertsign": ISSUER, "impostor-root": ISSUER, "bad-signature": "signature in the certificate is invalid",
    "bad-signature-intermediate": "signature in the certificate is invalid", "expired": EXPIRED,
    "not-yet-valid": "not yet valid", "expired-untrusted": ISSUER, "expired-leaf-only": ISSUER,
    "expired-intermediate": EXPIRED, "expired-root": EXPIRED, "wrong-host": OTHER, "no-san-cn-other": OTHER,
    "cn-match-san-other": OTHER, "wildcard-two-labels": OTHER, "intermediate-not-ca": "issuer is not a CA",
    "intermediate-no-basic-constraints": "issuer is not a CA", "intermediate-no-keycertsign": LIMITS,
    "pathlen-violated": LIMITS, "name-constraints-violated": LIMITS, "name-constraints-violated-noncritical": LIMITS,
    "name-constraints-excluded": LIMITS, "name-constraints-excluded-noncritical": LIMITS,
    "eku-client-only": "does not match the intended purpose", "unknown-critical-extension": CRITICAL,
    "unknown-critical-extension-intermediate": CRITICAL, "sha1": WEAK, "md5": WEAK, "sha1-intermediate": WEAK,
    "ip-san": OTHER,  # GnuTLS does not fall back to the CN beside a SAN that holds addresses only
    "stage-client": ISSUER, "stage-client-expired": ISSUER, "client-expired": EXPIRED, "client-untrusted": ISSUER,
    "client-sha1": WEAK, "client-self-signed": ISSUER,
}

BUILDING = "PKIX path building failed"
# Where the JDK's trust manager alone, without handshake and host name, says something other than
# the row's `says`: None for accepted.
JDK = {
    "wrong-host": None, "private-wrong-host": None, "no-san-cn-other": None, "cn-match-san-other": None,
    "wildcard-two-labels": None, "ip-san": None,       # names are looked at after the chain
    "sans-10000": None, "long-chain-11": None,         # limits of the handshake
    "stage-client": BUILDING, "stage-client-expired": BUILDING, "client-untrusted": BUILDING,
    "client-self-signed": BUILDING, "client-expired": "validity check failed",
    "client-sha1": None, "client-five-levels": None,   # API Gateway's own rules
}

lab = jdk = None


def run(*argv, data=None):
    p = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return p.returncode, p.stdout.decode(errors="replace")


def file_of(p, ending="pem"):
    return os.path.join(lab, p["side"], f"{p['profile']}.{ending}")


def store_of(p):
    return os.path.join(lab, p["trust_store"] + ".pem")


def setUpModule():
    global lab, jdk
    lab = tempfile.mkdtemp(prefix="nlbsim-lab-")
    code, out = run(NLBSIM, "lab", "--host", HOST, os.path.join(lab, "x"))
    lab = os.path.join(lab, "x")
    assert code == 0, out
    if shutil.which("java") and run("java", "--version")[0] == 0:
        lines = "".join(f"{p['profile']}\t{file_of(p)}\t{store_of(p)}\t{p['side']}\n" for p in PROFILES)
        p = subprocess.run(["java", os.path.join(HERE, "JdkTrust.java")], input=lines.encode(), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=300)
        if p.returncode == 0:  # a JRE cannot run a source file
            jdk = dict(line.split("\t", 1) for line in p.stdout.decode().splitlines())


def tearDownModule():
    shutil.rmtree(os.path.dirname(lab))


class Profiles(unittest.TestCase):
    maxDiff = None


def openssl_case(p):
    def test(self):
        argv = ["openssl", "verify", "-x509_strict", "-auth_level", "2", "-trusted", store_of(p), "-untrusted", file_of(p),
                "-purpose", "ssl" + p["side"]]
        if p["side"] == "server":
            argv += ["-verify_hostname", HOST]
        code, out = run(*argv, file_of(p))
        found = {(n, int(d)) for n, d in re.findall(r"error (\d+) at (\d+) depth", out)}
        self.assertEqual(found, OPENSSL.get(p["profile"], set()), out)
        self.assertEqual(code == 0, not found, out)
    return test


def gnutls_case(p):
    def test(self):
        argv = ["certtool", "--verify", "--load-ca-certificate", store_of(p), "--infile", file_of(p),
                "--verify-purpose", "1.3.6.1.5.5.7.3." + ("1" if p["side"] == "server" else "2")]
        if p["side"] == "server":
            argv += ["--verify-hostname", HOST]
        code, out = run(*argv)
        verdict = re.findall(r"Chain verification output: (.*)", out)[-1]
        expected = GNUTLS.get(p["profile"])
        if expected is None:
            self.assertIn("Verified. The certificate is trusted.", verdict)
        else:
            self.assertIn("Not verified", verdict)
            self.assertIn(expected, verdict)
        self.assertEqual(code == 0, expected is None, out)
    return test


def jdk_case(p):
    def test(self):
        if jdk is None:
            self.skipTest("no JDK 11 or later here (Debian: default-jdk-headless)")
        expected = JDK.get(p["profile"], p["says"])
        if expected is None:
            self.assertEqual(jdk[p["profile"]], "OK")
        else:
            self.assertIn(expected, jdk[p["profile"]])
    return test


def judge_case(p):
    def test(self):
        code, out = run(NLBSIM, "validate", "--chain", file_of(p), "--trust-store", store_of(p), "--host", HOST, "--json")
        verdict = json.loads(out)
        if p["says"] is None:
            self.assertEqual((code, verdict["ok"]), (0, True), out)
        else:
            self.assertEqual((code, verdict["ok"]), (1, False), out)
            self.assertIn(p["says"], verdict["error"])
    return test


for row in PROFILES:
    if row["side"] == "server":
        setattr(Profiles, "test_judge_" + row["profile"].replace("-", "_"), judge_case(row))
    name = row["profile"].replace("-", "_")
    setattr(Profiles, f"test_openssl_{name}", openssl_case(row))
    setattr(Profiles, f"test_gnutls_{name}", gnutls_case(row))
    setattr(Profiles, f"test_jdk_{name}", jdk_case(row))


class Expectations(unittest.TestCase):
    def test_only_profiles_that_exist_are_expected_to_fail(self):
        names = {p["profile"] for p in PROFILES}
        for table in (OPENSSL, GNUTLS, JDK):
            self.assertEqual(set(table) - names, set())

    def test_each_flaw_is_seen_by_two_of_the_three(self):
        """A row that says something is wrong with the certificate itself must not rest on one opinion."""
        limits = {"sans-10000", "long-chain-11", "client-five-levels", "ip-san"}  # rules of one client only
        for p in PROFILES:
            name = p["profile"]
            if p["says"] is None or name in limits:
                continue
            seen = (name in OPENSSL) + (name in GNUTLS) + (JDK.get(name, p["says"]) is not None)
            self.assertGreaterEqual(seen, 2, name)


class Revocation(unittest.TestCase):
    """The lists that belong to the revoked profiles."""

    def crl(self, name):
        return os.path.join(lab, "crl", name + ".pem")

    def verify(self, side, profile, store, crl):
        chain = os.path.join(lab, side, profile + ".pem")
        return run("openssl", "verify", "-crl_check", "-CRLfile", self.crl(crl), "-trusted", os.path.join(lab, store + ".pem"),
                   "-untrusted", chain, chain)

    def test_openssl_sees_the_revoked_certificate(self):
        self.assertIn("error 23 at 0", self.verify("server", "revoked", "public", "issuing")[1])
        self.assertIn("error 23 at 0", self.verify("client", "client-revoked", "private", "private-issuing")[1])

    def test_openssl_lets_the_others_pass(self):
        self.assertEqual(self.verify("server", "valid", "public", "issuing")[0], 0)
        self.assertEqual(self.verify("client", "client", "private", "private-issuing")[0], 0)

    def test_certtool_sees_the_revoked_certificate(self):
        code, out = run("certtool", "--verify", "--load-ca-certificate", os.path.join(lab, "public.pem"), "--load-crl",
                        self.crl("issuing"), "--infile", os.path.join(lab, "server", "revoked.pem"))
        self.assertNotEqual(code, 0)
        self.assertIn("revoked", out)

    def test_both_accept_the_signature_of_every_list(self):
        for name in os.listdir(os.path.join(lab, "crl")):
            ca = os.path.join(lab, "ca", name)
            code, out = run("openssl", "crl", "-in", os.path.join(lab, "crl", name), "-CAfile", ca, "-noout", "-verify")
            self.assertIn("verify OK", out, name)
            code, out = run("certtool", "--verify-crl", "--load-ca-certificate", ca, "--infile", os.path.join(lab, "crl", name))
            self.assertEqual(code, 0, out)


class Directory(unittest.TestCase):
    """nlbsim lab as a user meets it."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="nlbsim-labdir-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.pki = os.path.join(self.dir, "pki")

    def lab(self, *argv):
        return run(NLBSIM, "lab", "--no-large-rsa", *argv)

    def files(self):
        return {os.path.relpath(os.path.join(at, n), self.pki): os.path.join(at, n)
                for at, _, names in os.walk(self.pki) for n in names}

    def test_keys_are_private_and_fit_their_certificates(self):
        self.assertEqual(self.lab(self.pki)[0], 0)
        keys = [path for name, path in self.files().items() if name.endswith(".key")]
        self.assertGreater(len(keys), 100)
        for path in keys:
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)
        for name in ("server/valid", "server/rsa-2048", "client/stage-client", "ca/root"):
            base = os.path.join(self.pki, name)
            public = run("openssl", "pkey", "-in", base + ".key", "-pubout")[1]
            self.assertEqual(public, run("openssl", "x509", "-in", base + ".pem", "-pubkey", "-noout")[1], name)

    def test_manifest_names_files_that_exist(self):
        self.assertEqual(self.lab("--host", "x.test", self.pki)[0], 0)
        manifest = json.loads(pathlib.Path(self.pki, "lab.json").read_text())
        self.assertEqual(manifest["host"], "x.test")
        files = self.files()
        for p in manifest["profiles"]:
            for what in ("certificate", "key", "root", "trust_store"):
                self.assertIn(p[what], files)
        for a in manifest["authorities"]:
            self.assertIn(a["certificate"], files)
            self.assertIn(a.get("crl", a["key"]), files)
        for s in manifest["stores"]:
            self.assertIn(s["file"], files)
        self.assertNotIn("seed", manifest)

    def test_a_seed_and_a_time_repeat_every_byte(self):
        seen = []
        for _ in range(2):
            self.assertEqual(self.lab("--seed", "golden", "--at", "2026-01-02T03:04:05Z", "--force", self.pki)[0], 0)
            seen.append({n: pathlib.Path(p).read_bytes() for n, p in self.files().items()})
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(self.lab("--seed", "other", "--at", "2026-01-02T03:04:05Z", "--force", self.pki)[0], 0)
        self.assertNotEqual(seen[0]["server/valid.key"], pathlib.Path(self.files()["server/valid.key"]).read_bytes())

    def test_at_moves_the_dates(self):
        self.assertEqual(self.lab("--at", "2030-06-01T00:00:00Z", self.pki)[0], 0)
        out = run("openssl", "x509", "-in", os.path.join(self.pki, "server/expired.pem"), "-noout", "-enddate")[1]
        self.assertIn("May  2 00:00:00 2030 GMT", out)

    def test_a_directory_that_is_no_lab_is_never_touched(self):
        os.mkdir(self.pki)
        real = os.path.join(self.pki, "ca.key")
        pathlib.Path(real).write_text("precious")
        for argv in ([self.pki], ["--force", self.pki]):
            code, out = self.lab(*argv)
            self.assertEqual(code, 2)
            self.assertIn("no certificate lab; nothing was written", out)
        self.assertEqual(os.listdir(self.pki), ["ca.key"])

    def test_a_lab_is_replaced_only_by_force(self):
        self.assertEqual(self.lab(self.pki)[0], 0)
        before = pathlib.Path(self.files()["server/valid.key"]).read_text()
        code, out = self.lab(self.pki)
        self.assertEqual(code, 2)
        self.assertIn("--force", out)
        self.assertEqual(pathlib.Path(self.files()["server/valid.key"]).read_text(), before)
        self.assertEqual(self.lab("--force", self.pki)[0], 0)
        self.assertNotEqual(pathlib.Path(self.files()["server/valid.key"]).read_text(), before)
        self.assertFalse([n for n in self.files() if n.endswith(".tmp")])

    def test_what_is_left_out_does_not_stay_from_before(self):
        self.assertEqual(run(NLBSIM, "lab", self.pki)[0], 0)
        self.assertIn("server/rsa-4096.key", self.files())
        self.assertEqual(self.lab("--force", self.pki)[0], 0)
        self.assertFalse([n for n in self.files() if "rsa-4096" in n or "rsa-3072" in n])

    def test_no_progress_without_a_terminal(self):
        code, out = run(NLBSIM, "lab", self.pki)
        self.assertEqual(code, 0)
        self.assertNotIn("\r", out)
        self.assertEqual(len(out.splitlines()), 1)

    def test_progress_on_a_terminal(self):
        master, slave = open_terminal()
        p = subprocess.Popen([NLBSIM, "lab", self.pki], stderr=slave, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(slave)
        seen = b""
        try:
            while chunk := os.read(master, 4096):
                seen += chunk
        except OSError:  # the other end is closed
            pass
        os.close(master)
        self.assertEqual(p.wait(60), 0)
        self.assertIn(b"rsa-4096", seen)
        self.assertRegex(seen, rb"\r\[#+ *\] \d+/\d+ ")
        self.assertTrue(seen.rstrip().endswith(b"says what is what"), seen[-100:])

    def test_authorities_with_other_keys(self):
        self.assertEqual(self.lab("--ca-key", "ecdsa-384", self.pki)[0], 0)
        for name, key in (("root", "384 bit"), ("issuing", "384 bit"), ("rsa-1024-issuing", "1024 bit")):
            self.assertIn(key, run("openssl", "x509", "-in", os.path.join(self.pki, "ca", name + ".pem"), "-noout", "-text")[1])
        valid = os.path.join(self.pki, "server", "valid.pem")
        self.assertEqual(run("openssl", "verify", "-trusted", os.path.join(self.pki, "public.pem"), "-untrusted", valid, valid)[0], 0)
        code, out = run(NLBSIM, "cert", "issue", "--lab", self.pki, "--out", os.path.join(self.dir, "more"), HOST)
        self.assertEqual(code, 0, out)
        more = os.path.join(self.dir, "more.pem")
        self.assertEqual(run("openssl", "verify", "-trusted", os.path.join(self.pki, "public.pem"), "-untrusted", more, more)[0], 0)
        self.assertEqual(self.lab("--ca-key", "rsa-9", self.pki)[0], 2)

    def test_usage_errors(self):
        for argv in ([], [self.pki, "more"], ["--at", "yesterday", self.pki], ["--host", "a b", self.pki], ["--json", self.pki],
                     ["--list", self.pki], ["--nonsense"]):
            code, out = run(NLBSIM, "lab", *argv)
            self.assertEqual(code, 2, (argv, out))
        code, out = run(NLBSIM, "lab", "/proc/nowhere/pki")
        self.assertEqual(code, 3, out)

    def test_help_has_an_example(self):
        code, out = run(NLBSIM, "lab", "--help")
        self.assertEqual(code, 0)
        self.assertIn("example:", out)


if __name__ == "__main__":
    unittest.main()
