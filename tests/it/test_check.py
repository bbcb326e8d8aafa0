#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nlbsim check`: exit status, streams, messages with file and line, -v, --json."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from nlbtest import check_ini, nlbsim, run

GOOD = """\
[listener https]
protocol = TLS
listen = 127.0.0.1:0
certificate = certs/api.pem
target_group = backend

[target_group backend]
protocol = TLS
target = lab:app

[lab_target app]
certificate = lab:expired/api.example.com

[integration orders]
uri = https://api.example.com/orders
listener = https
"""


def certificate(folder, *kind):
    """A self-signed certificate with its key in api.key beside it."""
    os.makedirs(os.path.join(folder, "certs"), exist_ok=True)
    at = os.path.join(folder, "certs", "api")
    run("openssl", "req", "-x509", "-newkey", *(kind or ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")), "-nodes",
        "-subj", "/CN=api.example.com", "-keyout", at + ".key", "-out", at + ".pem", check=True)


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nlbtest-")
        self.addCleanup(self.folder.cleanup)
        self.ini = os.path.join(self.folder.name, "nlb.ini")

    def check(self, text, *args, cwd=None):
        with open(self.ini, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return nlbsim("check", *args, self.ini, cwd=cwd)

    def test_good_file(self):
        certificate(self.folder.name)
        done = self.check(GOOD, cwd="/")
        self.assertEqual(done.returncode, 0)
        said = done.stderr.decode()
        self.assertRegex(said, rf"^{re.escape(self.ini)}:\d+: warning: integration 'orders' will fail: The certificate of "
                               r"\[listener https\] \(CN=api\.example\.com\): no path leads .* \(it is self-signed\)")
        self.assertEqual(said.count("\n"), 1, said)
        self.assertEqual(self.check(GOOD, "--strict").returncode, 2)
        self.assertEqual(self.check(GOOD, "--no-load", "--strict").stderr, b"")
        self.assertEqual(done.stdout.decode(), self.ini + ": ok: 1 listener, 1 target_group, 1 lab_target, 1 integration\n")

    def test_paths_count_from_the_file(self):
        certificate(self.folder.name)
        with open(self.ini, "w", encoding="utf-8") as f:
            f.write(GOOD)
        for cwd, path in ((self.folder.name, "nlb.ini"), ("/", self.ini),
                          (os.path.join(self.folder.name, "certs"), "../nlb.ini")):
            self.assertEqual(nlbsim("check", path, cwd=cwd).returncode, 0, path)

    def test_standard_input(self):
        done = nlbsim("check", "-", data=GOOD.replace("certs/api.pem", "lab:valid/x").encode())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_missing_certificate_is_named_with_its_line(self):
        done = self.check(GOOD)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertRegex(done.stderr.decode(), rf"^{self.ini}:4: .*{self.folder.name}/certs/api\.pem: .*No such file")

    def test_certificates_can_be_left_alone(self):
        self.assertEqual(self.check(GOOD, "--no-load").returncode, 0)

    def test_key_of_another_certificate(self):
        certificate(self.folder.name)
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-out", os.path.join(self.folder.name, "certs/api.key"), check=True)
        done = self.check(GOOD)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), rf"^{self.ini}:4: certificate = certs/api\.pem: .*key")

    def test_keys_that_nlb_refuses(self):
        """Ranked behaviour: RSA 4096 is no NLB key; the way out is allow_unsupported_keys."""
        certificate(self.folder.name, "rsa:4096")
        done = self.check(GOOD)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), rf"^{self.ini}:4: .*RSA key of 4096 bits; NLB takes RSA 1024, 2048 and 3072"
                                               r".*https://docs\.aws\.amazon\.com.*allow_unsupported_keys = true")
        done = self.check(GOOD.replace("[target_group", "allow_unsupported_keys = true\n[target_group"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_unusual_curve_is_refused(self):
        certificate(self.folder.name, "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")
        done = self.check(GOOD)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), rf"^{self.ini}:4: ")

    def test_all_problems_in_one_go_sorted_by_line(self):
        done = self.check("[nlb]\nworkers = 0\n[listner a]\nx = 1\n[listener b]\nprotocol = UDP\nlisten = 1\n"
                          "target_group = c\n  indented = 1\nnonsense\nssl_policy = x ; comment\n[target_group c\n")
        lines = done.stderr.decode().splitlines()
        numbers = [int(line[len(self.ini) + 1:].split(":")[0]) for line in lines]
        self.assertEqual(done.returncode, 2)
        self.assertEqual(numbers, sorted(numbers))
        self.assertLessEqual({2, 3, 6, 7, 8, 9, 10, 12}, set(numbers))
        self.assertIn(f"{self.ini}:3: unknown section [listner]; did you mean 'listener'?", lines)

    def test_what_inih_would_misread(self):
        for text, line, part in ((b"[nlb]\nname = a\0b\n", 2, "NUL"),
                                 (b"[nlb]\nname = " + b"x" * 300 + b"\n", 2, "307 characters; at most 198"),
                                 (b"[nlb] junk\n", 1, "'junk' after ']'"),
                                 (b"[listener " + b"x" * 60 + b"]\n", 1, "at most 49"),
                                 (b"[nlb]\nname = a\n b = c\n", 3, "indented line 'b = c'"),
                                 (b"[nlb]\nname = \xff\n", 2, "UTF-8"),
                                 (b"\xff\xfe[\0n\0l\0b\0]\0\n\0", 1, "UTF-16")):
            done = self.check(text)
            self.assertEqual(done.returncode, 2, text)
            self.assertRegex(done.stderr.decode(), rf"(?m)^{self.ini}:{line}: .*{part}", text)

    def test_line_ends_and_byte_order_mark(self):
        text = GOOD.replace("certs/api.pem", "lab:valid/api.example.com")
        self.assertEqual(self.check(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()).returncode, 0)

    def test_environment(self):
        self.assertEqual(nlbsim("check", self.ini + "x").returncode, 3)
        self.assertEqual(nlbsim("check", self.folder.name).returncode, 3)
        with open("/dev/zero", "rb") as endless:
            done = subprocess.run([os.environ["NLBSIM"], "check", "-"] if "NLBSIM" in os.environ else
                                  ["build/release/nlbsim", "check", "-"], stdin=endless, capture_output=True,
                                  timeout=20, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"larger than 1 MiB", done.stderr)

    def test_usage(self):
        self.assertEqual(nlbsim("check").returncode, 2)
        self.assertEqual(nlbsim("check", "a", "b").returncode, 2)
        self.assertEqual(nlbsim("check", "--nonsense", "a").returncode, 2)
        done = nlbsim("check", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"example: nlbsim check", done.stdout)

    def test_verbose(self):
        certificate(self.folder.name)
        done = self.check(GOOD, "-v")
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("not acted out", text)
        self.assertIn("\nssl_policy = ELBSecurityPolicy-2016-08 ; default\n", text)
        self.assertIn("\ncertificate = certs/api.pem\n", text)
        self.assertNotIn("tcp.idle_timeout.seconds", text)
        self.assertIn("; [target_group backend] one node checks health", text)
        self.assertIn("; [integration orders] checked, not acted on", text)
        text = self.check(GOOD.replace("protocol = TLS\n", "protocol = TLS\nssl_policy = ELBSecurityPolicy-TLS-1-0-2015-04\n", 1),
                          "-v").stdout.decode()
        self.assertRegex(text, r"; \[listener https\] ssl_policy ELBSecurityPolicy-TLS-1-0-2015-04: not acted out: .*DES-CBC3-SHA")

    def test_verbose_output_is_a_configuration(self):
        certificate(self.folder.name)
        text = self.check(GOOD, "-v").stdout.decode().split("\n", 1)[1]
        done = self.check(text)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_json(self):
        certificate(self.folder.name)
        done = self.check(GOOD, "--json", "-v")
        doc = json.loads(done.stdout)
        self.assertEqual((done.returncode, doc["ok"], doc["problems"], doc["file"]), (0, True, [], self.ini))
        by_name = {(s["section"], s["name"]): s for s in doc["configuration"]}
        https = by_name["listener", "https"]
        self.assertEqual(https["line"], 1)
        self.assertEqual(https["keys"]["certificate"], ["certs/api.pem"])
        self.assertEqual(https["keys"]["ssl_policy"], "ELBSecurityPolicy-2016-08")
        self.assertEqual(by_name["target_group", "backend"]["keys"]["deregistration_delay.timeout_seconds"], "300")
        self.assertTrue(any(d["section"] == "[integration orders]" for d in doc["differences"]))

    def test_what_no_vpc_link_can_reach(self):
        """API Gateway speaks TLS 1.2 only toward backends: a TLS 1.3 listener behind an integration is a warning."""
        text = GOOD.replace("certs/api.pem", "lab:valid/api.example.com").replace("protocol = TLS\nlisten", "protocol = TLS\n{}listen", 1)
        for policy, warned in (("ELBSecurityPolicy-TLS13-1-3-2021-06", True), ("ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", True),
                               ("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", True),
                               ("ELBSecurityPolicy-TLS13-1-2-2021-06", False), ("ELBSecurityPolicy-2016-08", False)):
            with self.subTest(policy):
                ini = text.format(f"ssl_policy = {policy}\n")
                done = self.check(ini)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(done.stderr.decode().startswith(f"{self.ini}:3: warning: listener 'https' has TLS 1.3 only"), warned)
                self.assertEqual(bool(done.stderr), warned)
                self.assertEqual(bool(json.loads(self.check(ini, "--json").stdout)["warnings"]), warned)
                for other in (ini.replace("uri = https", "uri = http"), ini[:ini.index("[integration")]):
                    self.assertEqual(self.check(other).stderr, b"")

    def test_certificates_in_their_places(self):
        """Judged as the client there would: the listener's, the target's behind a TCP listener, what nobody is known to judge."""
        tls = ("[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\ncertificate = lab:{}/x.example\ntarget_group = g\n"
               "[target_group g]\nprotocol = TCP\ntarget = lab:t\n[lab_target t]\nprotocol = HTTP\n")
        tcp = ("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\nprotocol = TCP\n"
               "target = lab:t\n[lab_target t]\ncertificate = lab:{}/x.example\n")
        call = "[integration i]\nuri = https://x.example/\nlistener = l\n"
        for text, profile, line, part in (
                (tls + call, "expired", 4, r"integration 'i' will fail: The certificate of \[listener l\] .*: it expired on 20"),
                (tls + call, "leaf-only", 4, r"Append the intermediate \"CN=nlbsim Lab Public Issuing"),
                (tls + call, "wrong-host", 4, r"it is not for the host asked for, x\.example"),
                (tls, "expired", 4, r"^The certificate of \[listener l\]: certificate 1 .* expired on"),
                (tls, "self-signed", 4, r"it is self-signed"), (tls, "leaf-only", 4, r"only the leaf is presented"),
                (tcp + call, "private", 9, r"The certificate of \[lab_target t\] .*by its name a root"),
                (tls + call, "valid", 0, None), (tls, "valid", 0, None), (tcp, "expired", 0, None),
                (tls + call + "insecure_skip_verification = true\n", "private-with-root", 0, None),
                (tls + call + "expect = PKIX path building failed\n", "self-signed", 0, None)):
            with self.subTest(profile, text=text[-60:]):
                said = self.check(text.format(profile)).stderr.decode()
                if part is None:
                    self.assertEqual(said, "")
                    continue
                self.assertTrue(said.startswith(f"{self.ini}:{line}: warning: "), said)
                self.assertRegex(said[len(f"{self.ini}:{line}: warning: "):], part)
                self.assertEqual(said.count("\n"), 1, said)

    def test_timeouts_of_integrations(self):
        """REST: 29,000 ms, more where the quota was raised; HTTP APIs: 30,000 and no more. 50 at least."""
        text = GOOD.replace("certs/api.pem", "lab:valid/x")
        rest, http = text, text + "api_type = HTTP\nserver_name_to_verify = api.example.com\n"
        for base, keys, part in (
                (rest, "timeout_in_millis = 29000", None), (rest, "timeout_in_millis = 50", None),
                (rest, "timeout_in_millis = 49", "allowed: 50-300000"), (rest, "timeout_in_millis = 300001", "allowed: 50-300000"),
                (rest, "timeout_in_millis = 29001", "write timeout_quota_in_millis = 29001"),
                (rest, "timeout_quota_in_millis = 300000\ntimeout_in_millis = 300000", None),
                (rest, "timeout_quota_in_millis = 28999", "allowed: 29000-300000"),
                (http, "timeout_in_millis = 30000", None), (http, "timeout_in_millis = 30001", "at most 30000 ms"),
                (http, "timeout_quota_in_millis = 60000", "is only for api_type = REST")):
            with self.subTest(keys):
                done = self.check(base + keys + "\n")
                self.assertEqual(done.returncode, 2 if part else 0, done.stderr)
                self.assertIn(part or "", done.stderr.decode())
        for base, default in ((rest, "29000"), (http, "30000")):
            self.assertIn(f"timeout_in_millis = {default} ; default\n", self.check(base, "-v").stdout.decode())

    def test_targets_that_no_vpc_link_can_reach(self):
        tcp = ("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\nprotocol = TCP\n"
               "target = lab:t\n[lab_target t]\ncertificate = lab:valid/x.example\n{}[integration i]\nuri = https://x.example/\nlistener = l\n")
        done = self.check(tcp.format("tls_min = 1.3\n"))
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"{self.ini}:10: warning: lab target 't' has TLS 1.3 only", done.stderr.decode())
        self.assertEqual(self.check(tcp.format("")).stderr, b"")

    def test_json_with_problems(self):
        done = self.check("[nlb]\nworkers = 0\n", "--json")
        doc = json.loads(done.stdout)
        self.assertEqual((done.returncode, doc["ok"], done.stderr), (2, False, b""))
        self.assertEqual(doc["problems"][0]["line"], 2)
        self.assertIn("bad value '0' for workers", doc["problems"][0]["message"])

    def test_run_refuses_what_check_refuses(self):
        with open(self.ini, "w", encoding="utf-8") as f:
            f.write("[listener a]\nprotocol = UDP\n")
        done = nlbsim("run", self.ini)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), rf"(?m)^{self.ini}:2: protocol = UDP: not simulated")

    def test_product_page_example(self):
        """The example of the documentation is a configuration."""
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/configuration.md"),
                  encoding="utf-8") as f:
            text = f.read().split("```ini\n")[1].split("```")[0]
        status, output = check_ini(text)
        self.assertEqual(status, 0, output)


class Slips(unittest.TestCase):
    """Slips of the pen get one sentence that says what was meant, and no other about that line."""

    def said(self, *changes):
        text = GOOD.replace("certs/api.pem", "lab:valid/api.example.com")
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        status, out = check_ini(text)
        return status, [line.split(": ", 1)[1] for line in out.splitlines() if ": " in line]

    def assertOne(self, pattern, *changes):
        status, said = self.said(*changes)
        self.assertEqual(status, 2, said)
        self.assertEqual(len(said), 1, said)
        self.assertRegex(said[0], pattern)

    def test_comments(self):
        self.assertOne(r"protocol = TLS # terminate: behind a value a comment begins with ' ;'",
                       ("protocol = TLS\n", "protocol = TLS # terminate\n"))
        self.assertOne(r"protocol = TLS;terminate: a comment needs a blank before its ';'",
                       ("protocol = TLS\n", "protocol = TLS;terminate\n"))
        self.assertEqual(self.said(("protocol = TLS\n", "protocol = TLS ; terminate\n"))[0], 0)

    def test_a_missing_equals_sign(self):
        self.assertOne(r"is the '=' missing behind 'at'\?", ("uri = https", "at 2027-01-31T10:00:00Z\nuri = https"))
        self.assertOne(r"is the '=' missing behind 'requests'\?", ("uri = https", "requests 2\nuri = https"))

    def test_ports(self):
        self.assertOne(r"listen = 443 is a port without an address: write 127\.0\.0\.1:443 .* or 0\.0\.0\.0:443",
                       ("listen = 127.0.0.1:0", "listen = 443"))
        status, said = self.said(("listen = 127.0.0.1:0", "port = 443"))
        self.assertEqual((status, said[-1]), (2, "unknown key 'port': write listen = ADDRESS:PORT"))

    def test_expectations(self):
        self.assertOne(r"expect = 502: .* expect_status = 502$", ("listener = https\n", "listener = https\nexpect = 502\n"))
        self.assertOne(r"expect = OK: success is written ok", ("listener = https\n", "listener = https\nexpect = OK\n"))

    def test_lists(self):
        self.assertOne(r"target = 127\.0\.0\.1:2, 127\.0\.0\.1:1: one value a line; write 'target = \.\.\.' once for each",
                       ("target = lab:app", "target = 127.0.0.1:2, 127.0.0.1:1"))
        self.assertOne(r"one certificate a line", ("lab:valid/api.example.com", "lab:valid/a.example, lab:valid/b.example"))
        self.assertOne(r"expect_status = 200, 201: it takes one value, not a list",
                       ("listener = https\n", "listener = https\nexpect_status = 200, 201\n"))

    def test_https_in_capitals_is_https(self):
        """One rule for every reader of a uri: the audit judges its listener too."""
        text = GOOD.replace("certs/api.pem", "lab:expired/api.example.com").replace("https://", "HTTPS://")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "nlb.ini")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            self.assertEqual(nlbsim("check", path).returncode, 0)
            self.assertIn(b"expired", nlbsim("cert", "audit", path).stdout)


if __name__ == "__main__":
    unittest.main()
