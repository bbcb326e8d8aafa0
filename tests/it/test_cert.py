# SPDX-License-Identifier: Apache-2.0
"""nlbsim cert show, issue, audit and client as a user meets them, checked with OpenSSL."""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import ssl
import string
import subprocess
import tempfile
import threading
import time
import unittest

import nlbtest

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
HOST = "api.example.com"
base = pki = None


def run(*argv, cwd=None, env=None):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120, cwd=cwd,
                       env=env)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def cert(*argv, **kw):
    return run(NLBSIM, "cert", *argv, **kw)


def setUpModule():
    global base, pki
    base = tempfile.mkdtemp(prefix="nlbsim-cert-")
    pki = os.path.join(base, "pki")
    code, _, err = run(NLBSIM, "lab", "--no-large-rsa", "--host", HOST, pki)
    assert code == 0, err


def tearDownModule():
    shutil.rmtree(base)


def server(name):
    return os.path.join(pki, "server", name + ".pem")


class InTemp(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(dir=base)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_text(text)
        return self.path(name)


@contextlib.contextmanager
def tls_server(certfile, keyfile, **settings):
    """A TLS server on a free port, in a thread; yields the port and a list of the SNI names it saw."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(certfile, keyfile)
    seen = []
    ctx.sni_callback = lambda sock, name, _: seen.append(name)
    for key, value in settings.items():
        setattr(ctx, key, value)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError, ssl.SSLError), raw:
                    raw.settimeout(10)
                    with ctx.wrap_socket(raw, server_side=True) as s:
                        s.recv(1)
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], seen
        listener.shutdown(socket.SHUT_RDWR)


class Show(InTemp):
    def show(self, *argv):
        code, out, err = cert("show", "--json", *argv)
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def test_facts_agree_with_openssl(self):
        for name in ("valid", "rsa-2048", "expired", "ecdsa-521", "no-subject", "v1-leaf", "wildcard", "ip-san"):
            c = self.show(server(name))["certificates"][0]
            text = run("openssl", "x509", "-in", server(name), "-noout", "-serial", "-dates", "-fingerprint", "-sha256",
                       "-subject", "-nameopt", "RFC2253,sep_comma_plus_space")[1]
            self.assertIn("serial=" + c["serial"].replace(":", "") + "\n", text)
            self.assertIn("Fingerprint=" + c["sha256"] + "\n", text)
            for key, when in (("not_before", "notBefore"), ("not_after", "notAfter")):
                t = time.strptime(re.search(when + "=(.*) GMT", text)[1], "%b %d %H:%M:%S %Y")
                self.assertEqual(c[key], time.strftime("%Y-%m-%dT%H:%M:%SZ", t))
            self.assertIn("subject=" + c["subject"].replace(", ", ", ") + "\n", text)

    def test_json_fields(self):
        doc = self.show("--trust-store", os.path.join(pki, "public.pem"), server("valid"))
        leaf, issuer = doc["certificates"]
        self.assertEqual(leaf["names"], [HOST])
        self.assertEqual((leaf["key"], leaf["key_bits"], leaf["curve"]), ("EC", 256, "secp256r1"))
        self.assertEqual(leaf["signature"], "SHA256withECDSA")
        self.assertEqual(leaf["key_usage"], ["digitalSignature"])
        self.assertEqual(leaf["extended_key_usage"], ["serverAuth"])
        self.assertIn({"name": "keyUsage", "critical": True}, leaf["extensions"])
        self.assertTrue(issuer["ca"])
        self.assertEqual(issuer["path_length"], 0)
        self.assertEqual(leaf["authority_key_id"], issuer["subject_key_id"])
        self.assertEqual([c["from"] for c in doc["chain_built"]], ["presented", "presented", "trust store"])
        self.assertTrue(doc["chain_complete"])
        self.assertIn(leaf["days_left"], (196, 197))

    def test_days_left_at_another_time(self):
        self.assertLess(self.show("--at", "+400d", server("valid"))["certificates"][0]["days_left"], -199)

    def test_the_chain_as_presented_and_as_built(self):
        doc = self.show("--trust-store", os.path.join(pki, "public.pem"), server("wrong-order"))
        self.assertEqual(len(doc["certificates"]), 3)
        self.assertEqual([c["name"] for c in doc["chain_built"]],
                         [HOST, "nlbsim Lab Public Issuing", "nlbsim Lab Public Root"])
        self.assertFalse(self.show(server("leaf-only"))["chain_complete"])
        self.assertFalse(self.show("--trust-store", os.path.join(pki, "public.pem"), server("private-with-root"))["chain_complete"])

    def test_text(self):
        code, out, _ = cert("show", server("expired"))
        self.assertEqual(code, 0)
        self.assertIn(f"[0] CN={HOST}, O=nlbsim lab, C=US", out)
        self.assertRegex(out, r"ended 3[01] days ago")
        self.assertIn("it does not reach a root", out)

    def test_every_profile_can_be_shown(self):
        for p in json.loads(run(NLBSIM, "lab", "--list", "--json")[1])["profiles"]:
            path = os.path.join(pki, p["side"], p["profile"] + ".pem")
            if os.path.exists(path):
                self.assertEqual(len(self.show(path)["certificates"]), len(p["chain"]), p["profile"])

    def test_der_and_revocation_lists(self):
        der = self.path("leaf.der")
        run("openssl", "x509", "-in", server("valid"), "-outform", "DER", "-out", der)
        self.assertEqual(len(self.show(der)["certificates"]), 1)
        crl = self.show(os.path.join(pki, "crl", "issuing.pem"))
        serial = self.show(server("revoked"))["certificates"][0]["serial"]
        self.assertEqual([r["serial"] for r in crl["revoked"]], [serial])
        self.assertIn("1 revoked", cert("show", os.path.join(pki, "crl", "issuing.pem"))[1])

    @nlbtest.needs_localhost
    def test_a_server(self):
        for name in ("valid", "self-signed", "expired", "rsa-2048", "wrong-order"):
            with tls_server(server(name), server(name)[:-4] + ".key") as (port, seen):
                doc = self.show(f"localhost:{port}")
                self.assertEqual([c["sha256"] for c in doc["certificates"]],
                                 [c["sha256"] for c in self.show(server(name))["certificates"]])
                self.assertEqual(doc["tls"]["protocol"], "TLSv1.3")
                self.assertTrue(doc["tls"]["handshake_finished"])
                self.assertEqual(doc["tls"]["server_name"], "localhost")
                self.assertEqual(seen, ["localhost"])

    @nlbtest.needs_localhost
    def test_the_server_name_is_a_choice(self):
        with tls_server(server("valid"), server("valid")[:-4] + ".key") as (port, seen):
            self.show("--sni", HOST, f"127.0.0.1:{port}")
            self.show("--sni", "", f"localhost:{port}")
            self.show(f"127.0.0.1:{port}")
            self.assertEqual(seen, [HOST, None, None])

    def test_a_tls_1_2_server(self):
        with tls_server(server("valid"), server("valid")[:-4] + ".key", maximum_version=ssl.TLSVersion.TLSv1_2) as (port, _):
            doc = self.show(f"127.0.0.1:{port}")
            self.assertEqual(doc["tls"]["protocol"], "TLSv1.2")
            self.assertRegex(doc["tls"]["cipher"], "^ECDHE-ECDSA-")

    def test_a_server_that_wants_a_client_certificate_shows_its_own_all_the_same(self):
        with tls_server(server("valid"), server("valid")[:-4] + ".key", verify_mode=ssl.CERT_REQUIRED,
                        maximum_version=ssl.TLSVersion.TLSv1_2) as (port, _):
            doc = self.show(f"127.0.0.1:{port}")
            self.assertEqual(len(doc["certificates"]), 2)
            self.assertFalse(doc["tls"]["handshake_finished"])
            self.assertIn("handshake_failure", doc["tls"]["trouble"])

    def test_servers_that_are_none(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]

            def serve():
                for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
                    c, _ = s.accept()
                    c.recv(10)
                    c.sendall(answer)
                    c.close()
            threading.Thread(target=serve, daemon=True).start()
            for _ in range(2):
                code, out, err = cert("show", f"127.0.0.1:{port}")
                self.assertEqual((code, out), (3, ""), err)
                self.assertIn("no certificate", err)
        code, _, err = cert("show", f"127.0.0.1:{port}")
        self.assertEqual(code, 3)
        self.assertIn("Connection refused", err)
        self.assertEqual(cert("show", "no.such.host.invalid:443")[0], 3)

    def test_a_silent_server_does_not_hold_us(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            began = time.monotonic()
            code, _, err = cert("show", "--timeout", "1", f"127.0.0.1:{s.getsockname()[1]}")
            self.assertEqual(code, 3)
            self.assertIn("in time", err)
            self.assertLess(time.monotonic() - began, 10)

    def test_usage(self):
        self.assertEqual(cert("show")[0], 2)
        self.assertEqual(cert("show", "nowhere.pem")[0], 3)
        self.assertEqual(cert("show", self.write("x.pem", "nothing"))[0], 2)
        self.assertEqual(cert("show", "--timeout", "x", server("valid"))[0], 2)
        self.assertEqual(cert("show", "--at", "never", server("valid"))[0], 2)
        self.assertEqual(cert("shwo", "x")[0], 2)
        self.assertIn("did you mean 'show'", cert("shwo", "x")[2])
        for command in ([], ["show"], ["issue"], ["audit"], ["client"]):
            code, out, _ = cert(*command, "--help")
            self.assertEqual(code, 0)
            self.assertIn("example: nlbsim cert", out)


class Issue(InTemp):
    def issue(self, *argv, expect=0):
        code, out, err = cert("issue", *argv, cwd=self.dir)
        self.assertEqual(code, expect, err)
        return err

    def verify(self, name, *argv):
        return run("openssl", "verify", *argv, "-untrusted", self.path(name + ".pem"), self.path(name + ".pem"))[1:]

    def test_by_flags_for_a_lab_directory(self):
        self.issue("--lab", pki, "--days", "20", "--out", "one", HOST, "www.example.com", "10.0.0.1")
        for host in (["-verify_hostname", "www.example.com"], ["-verify_ip", "10.0.0.1"], ["-verify_hostname", HOST]):
            out, err = self.verify("one", "-x509_strict", "-CAfile", os.path.join(pki, "public.pem"), "-purpose", "sslserver", *host)
            self.assertIn("one.pem: OK", out, err)
        c = json.loads(cert("show", "--json", self.path("one.pem"))[1])["certificates"][0]
        self.assertIn(c["days_left"], (18, 19))
        self.assertEqual(c["names"], [HOST, "www.example.com", "10.0.0.1"])
        self.assertEqual(os.stat(self.path("one.key")).st_mode & 0o777, 0o600)

    def test_by_profile(self):
        self.issue("--lab", pki, "--profile", "expired", "--out", "two", HOST)
        self.assertIn("certificate has expired", "".join(self.verify("two", "-CAfile", os.path.join(pki, "public.pem"))))
        self.issue("--lab", pki, "--profile", "name-constraints-excluded", "--out", "three", "new.example.com")
        self.assertIn("excluded subtree", "".join(self.verify("three", "-CAfile", os.path.join(pki, "public.pem"))))

    def test_valid_verifies_for_random_hosts(self):
        """The property test of tests/unit/certs/lab/test_lab.c with another implementation as the judge."""
        roll = random.Random(3)
        letters = string.ascii_letters + string.digits
        for i in range(25):
            host = ".".join("".join(roll.choice(letters) for _ in range(roll.randint(1, 20))) for _ in range(roll.randint(1, 7)))
            host = roll.choice([host, host, host, "*." + host, f"10.{roll.randint(0, 255)}.0.7", f"2001:db8::{roll.randint(1, 9999):x}"])
            self.issue("--lab", pki, "--profile", "valid", "--force", "--out", "random", host)
            check = ["-verify_ip", host] if re.fullmatch(r"[0-9.]+|.*:.*", host) else ["-verify_hostname", host.replace("*", "any", 1)]
            out, err = self.verify("random", "-x509_strict", "-CAfile", os.path.join(pki, "public.pem"), "-purpose", "sslserver", *check)
            self.assertIn("random.pem: OK", out, host + err)

    def test_alone_it_brings_its_root(self):
        self.issue(HOST)
        self.assertIn("OK", self.verify(HOST, "-CAfile", self.path(HOST + ".root.pem"))[0])

    def test_a_seed_names_the_same_authorities(self):
        seeded = self.path("seeded")
        run(NLBSIM, "lab", "--seed", "s", "--no-large-rsa", seeded)
        self.issue("--seed", "s", HOST)
        self.assertIn("OK", self.verify(HOST, "-CAfile", os.path.join(seeded, "public.pem"))[0])

    def test_key_hash_usage_and_authority(self):
        for key, text in (("rsa-2048", "2048 bit"), ("ecdsa-384", "384 bit"), ("rsa-1024", "1024 bit")):
            self.issue("--lab", pki, "--key", key, "--out", key, HOST)
            self.assertIn(text, run("openssl", "x509", "-in", self.path(key + ".pem"), "-noout", "-text")[1])
        self.issue("--lab", pki, "--hash", "sha512", "--usage", "client", "--authority", "private-issuing", "--out", "c", HOST)
        text = run("openssl", "x509", "-in", self.path("c.pem"), "-noout", "-text")[1]
        self.assertIn("ecdsa-with-SHA512", text)
        self.assertIn("TLS Web Client Authentication", text)
        self.assertIn("OK", self.verify("c", "-CAfile", os.path.join(pki, "private.pem"), "-purpose", "sslclient")[0])

    def test_self_signed_and_authority(self):
        self.issue("--authority", "self", "--out", "s", HOST)
        self.assertIn("OK", self.verify("s", "-CAfile", self.path("s.pem"))[0])
        self.issue("--authority", "self", "--ca", "--subject", "C=DE,CN=My Root", "--out", "ca", "ca.example.com")
        self.assertIn("CA:TRUE", run("openssl", "x509", "-in", self.path("ca.pem"), "-noout", "-text")[1])

    def test_nothing_is_overwritten_without_force(self):
        self.issue(HOST)
        before = pathlib.Path(self.path(HOST + ".key")).read_text()
        self.assertIn("--force", self.issue(HOST, expect=2))
        self.assertEqual(pathlib.Path(self.path(HOST + ".key")).read_text(), before)
        self.issue("--force", HOST)
        self.assertNotEqual(pathlib.Path(self.path(HOST + ".key")).read_text(), before)

    def test_usage(self):
        for argv in ([], ["a b"], ["--key", "dsa", HOST], ["--hash", "crc", HOST], ["--days", "0", HOST], ["--usage", "x", HOST],
                     ["--authority", "nobody", HOST], ["--profile", "vaild", HOST], ["--profile", "valid", "--days", "3", HOST],
                     ["--lab", self.dir, HOST], ["--lab", pki, "--seed", "s", HOST]):
            self.issue(*argv, expect=2)
        self.assertEqual(os.listdir(self.dir), [])


class Audit(InTemp):
    def audit(self, *argv, expect=1):
        code, out, err = cert("audit", "--json", *argv)
        self.assertEqual(code, expect, err + out)
        return json.loads(out)["findings"]

    def codes(self, *argv, expect=1):
        return sorted({f["code"] for f in self.audit(*argv, expect=expect)})

    def lab(self, name, *argv, store="public", expect=1):
        return self.codes("--trust-store", os.path.join(pki, store + ".pem"), "--host", HOST, *argv, server(name), expect=expect)

    def test_a_good_chain_has_no_findings(self):
        for name in ("valid", "with-root", "wildcard", "rsa-2048", "ecdsa-521", "sha384", "sha512", "long-chain-10"):
            self.assertEqual(self.lab(name, expect=0), [], name)

    CASES = {
        "expired": ["expired"], "not-yet-valid": ["not-yet-valid"], "expired-intermediate": ["issuer-expired"],
        "leaf-only": ["chain-incomplete"], "wrong-order": ["chain-order"], "extra-unrelated": ["chain-extra"],
        "self-signed": ["self-signed"], "self-signed-ca": ["self-signed"], "untrusted-root": ["untrusted-issuer"],
        "private-with-root": ["untrusted-issuer"], "rsa-1024": ["key-weak"], "md5": ["hash-refused"], "sha1": ["hash-weak"],
        "no-san-cn-match": ["name-missing"], "wrong-host": ["name-mismatch"], "ip-san": ["name-mismatch"],
        "bad-signature": ["refused"], "name-constraints-violated": ["refused"], "eku-client-only": ["refused"],
        "unknown-critical-extension": ["refused"], "impostor-root": ["refused"], "pathlen-violated": ["refused"],
        "expired-untrusted": ["expired", "untrusted-issuer"], "expired-leaf-only": ["chain-incomplete", "expired"],
    }

    def test_each_flaw_has_its_code(self):
        for name, codes in self.CASES.items():
            self.assertEqual(self.lab(name), codes, name)

    def test_the_rotation_threshold(self):
        self.assertEqual(self.lab("valid", "--days", "300"), ["expires-soon"])
        self.assertEqual(self.lab("valid", "--at", "+170d"), ["expires-soon"])
        self.assertEqual(self.lab("valid", "--at", "+160d", expect=0), [])
        self.assertEqual(self.lab("valid", "--at", "+720d"), ["expired", "issuer-expires-soon"])
        self.assertEqual(self.lab("valid", "--days", "0", expect=0), [])

    def test_keys(self):
        def copy(name, key=None, mode=0o600):
            shutil.copy(server(name), self.path("x.pem"))
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.path("x.key"))
            if key:
                shutil.copy(server(key)[:-4] + ".key", self.path("x.key"))
                os.chmod(self.path("x.key"), mode)
            return ["--trust-store", os.path.join(pki, "public.pem"), self.path("x.pem")]
        self.assertEqual(self.codes(*copy("valid", "valid"), expect=0), [])
        self.assertEqual(self.codes(*copy("valid", "valid", 0o644)), ["key-exposed"])
        self.assertEqual(self.codes(*copy("valid", "expired")), ["key-mismatch"])
        self.assertEqual(self.codes(*copy("valid"), expect=0), [])

    def test_a_key_that_an_nlb_does_not_take(self):
        cert("issue", "--lab", pki, "--key", "rsa-4096", "--out", self.path("big"), HOST)
        self.assertEqual(self.codes("--trust-store", os.path.join(pki, "public.pem"), self.path("big.pem")), ["nlb-key-unsupported"])

    def test_a_key_and_a_certificate_that_no_client_takes(self):
        run("openssl", "req", "-x509", "-newkey", "rsa:512", "-nodes", "-keyout", self.path("k.key"), "-out", self.path("k.pem"),
            "-subj", "/CN=x", "-addext", "subjectAltName=DNS:x")
        self.assertIn("key-refused", self.codes("--trust-store", "none", self.path("k.pem")))
        text = pathlib.Path(server("valid")).read_text().splitlines()
        self.write("cut.pem", "\n".join(text[:4] + text[5:]) + "\n")
        self.assertEqual(self.codes("--trust-store", "none", self.path("cut.pem")), ["unreadable"])

    def test_every_code_has_a_case(self):
        rules = json.loads(cert("audit", "--sarif", "--trust-store", "none", server("valid"))[1])["runs"][0]["tool"]["driver"]["rules"]
        covered = {c for codes in self.CASES.values() for c in codes} | {
            "expires-soon", "issuer-expires-soon", "key-exposed", "key-mismatch", "nlb-key-unsupported", "key-refused",
            "unreadable", "anchor-expired", "anchor-expires-soon",
            "client-refused", "client-expires-soon", "truststore-limit", "truststore-entry", "truststore-expires-soon",  # below
            "key-unusable", "file-refused",  # test_files.py
            "not-judged"}  # test_judge_budget.py
        self.assertEqual({r["id"] for r in rules}, covered)

    def test_a_finding_says_what_happens_and_what_to_do(self):
        f, = self.audit("--trust-store", os.path.join(pki, "public.pem"), "--host", HOST, server("expired"))
        self.assertEqual(f["file"], server("expired"))
        self.assertEqual((f["code"], f["severity"], f["subject"]), ("expired", "error", HOST))
        self.assertIn("expired on", f["message"])
        self.assertIn("API Gateway answers 500", f["effect"])
        self.assertIn("Renew", f["remedy"])

    def test_without_a_store_only_what_no_store_could_cure(self):
        self.assertEqual(self.codes("--trust-store", "none", server("untrusted-root"), expect=0), [])
        self.assertEqual(self.codes("--trust-store", "none", server("leaf-only")), ["chain-incomplete"])
        self.assertEqual(self.codes("--trust-store", "none", server("self-signed")), ["self-signed"])

    def test_directories(self):
        found = self.audit("--trust-store", os.path.join(pki, "all.pem"), pki)
        files = {os.path.relpath(f["file"], pki) for f in found}
        self.assertIn("server/expired.pem", files)
        self.assertIn("client/client-expired.pem", files)
        self.assertIn("public.pem", files)  # the expired root in it
        self.assertNotIn("server/valid.pem", files)
        self.assertFalse([f for f in files if f.startswith("crl/") or f.endswith(".key")])

    def test_trust_stores_are_looked_at_for_their_dates_only(self):
        store = os.path.join(pki, "public.pem")
        self.assertEqual(self.codes("--trust-store", "none", store), ["anchor-expired"])
        self.assertEqual(self.codes("--trust-store", "none", "--at", "+1800d", store), ["anchor-expired", "anchor-expires-soon"])
        self.assertEqual(self.codes("--trust-store", "none", os.path.join(pki, "private.pem"), expect=0), [])

    def test_sarif(self):
        code, out, _ = cert("audit", "--sarif", "--trust-store", os.path.join(pki, "public.pem"), server("expired"), server("sha1"))
        self.assertEqual(code, 1)
        doc = json.loads(out)
        self.assertEqual(doc["version"], "2.1.0")
        r, = doc["runs"]
        self.assertEqual([(x["ruleId"], x["level"]) for x in r["results"]], [("expired", "error"), ("hash-weak", "warning")])
        for x in r["results"]:
            self.assertEqual(r["tool"]["driver"]["rules"][x["ruleIndex"]]["id"], x["ruleId"])
            place = x["locations"][0]["physicalLocation"]
            self.assertTrue(place["artifactLocation"]["uri"].endswith(".pem"))
            self.assertEqual(place["region"]["startLine"], 1)

    def test_text_and_status(self):
        code, out, _ = cert("audit", "--trust-store", os.path.join(pki, "public.pem"), server("expired"), server("valid"))
        self.assertEqual(code, 1)
        self.assertIn("2 chains looked at: 1 error, 0 warnings, 0 notes", out)
        code, out, _ = cert("audit", "--trust-store", os.path.join(pki, "public.pem"), server("valid"))
        self.assertEqual((code, out), (0, "1 chain looked at: 0 errors, 0 warnings, 0 notes\n"))

    def test_usage(self):
        for argv, status in (([], 2), (["--days", "x", pki], 2), (["nowhere.pem"], 3), (["--json", "--sarif", pki], 2),
                             ([server("valid")[:-4] + ".key"], 2), (["--trust-store", "lab:nope", pki], 2)):
            self.assertEqual(cert("audit", *argv)[0], status, argv)


class AuditMutualTls(InTemp):
    """A custom domain's truststore, and what its door says to whom."""

    def audit(self, store, *clients, expect=1):
        code, out, err = cert("audit", "--json", "--truststore", store, *clients)
        self.assertEqual(code, expect, err + out)
        return {os.path.basename(f["file"]): f for f in json.loads(out)["findings"]}

    def client(self, name):
        return os.path.join(pki, "client", name + ".pem")

    def test_each_client_gets_the_reason_of_the_execution_log(self):
        names = ["client", "client-expired", "client-untrusted", "client-sha1", "client-self-signed", "client-revoked"]
        found = self.audit(os.path.join(pki, "client.pem"), *map(self.client, names))
        reasons = {n: f["message"].split(";")[0] for n, f in found.items()}
        self.assertEqual(reasons, {
            "client-expired.pem": "Access denied. Reason: certificate has expired (the words are inferred)",
            "client-untrusted.pem": "Access denied. Reason: Could not find issuer for certificate",
            "client-sha1.pem": "Access denied. Reason: Client cert using an insecure Signature Algorithm",
            "client-self-signed.pem": "Access denied. Reason: self signed certificate"})
        self.assertEqual({f["code"] for f in found.values()}, {"client-refused"})
        self.assertIn('403 {"message":"Forbidden"}', found["client-sha1.pem"]["effect"])
        self.assertIn("SHA-256", found["client-sha1.pem"]["remedy"])

    def test_a_self_signed_client_that_is_in_the_truststore_gets_in(self):
        self.assertEqual(self.audit(self.client("client-self-signed"), self.client("client-self-signed"), expect=0), {})

    def test_four_authorities_above_a_client_are_the_most(self):
        found = self.audit(os.path.join(pki, "client-five-levels.pem"), self.client("client-five-levels"))
        self.assertIn("certificate chain too long", found["client-five-levels.pem"]["message"])

    def test_a_chain_made_with_openssl(self):
        """Root, subordinate, client, as the article on mutual TLS makes them; the truststore without its root lets nobody in."""
        def openssl(*argv):
            code, _, err = run("openssl", *argv, cwd=self.dir)
            self.assertEqual(code, 0, err)
        self.write("ca.ext", "basicConstraints=critical,CA:TRUE\n")
        for name, subject in (("root", "/O=Test/CN=Root"), ("sub", "/O=Test/CN=Subordinate"), ("me", "/CN=client-1/O=Test")):
            openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject)
        openssl("x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-days", "3650", "-sha256", "-extfile", "ca.ext", "-out", "root.pem")
        openssl("x509", "-req", "-in", "sub.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "365",
                "-sha256", "-extfile", "ca.ext", "-out", "sub.pem")
        openssl("x509", "-req", "-in", "me.csr", "-CA", "sub.pem", "-CAkey", "sub.key", "-CAcreateserial", "-days", "90", "-sha256",
                "-out", "me.pem")
        sub, root = (pathlib.Path(self.path(n)).read_text() for n in ("sub.pem", "root.pem"))
        self.assertEqual(self.audit(self.write("truststore.pem", sub + root), self.path("me.pem"), expect=0), {})
        found = self.audit(self.write("rootless.pem", sub), self.path("me.pem"))
        self.assertEqual({n: f["code"] for n, f in found.items()}, {"rootless.pem": "truststore-entry", "me.pem": "client-refused"})
        self.assertIn("its issuer 'CN=Root, O=Test' is not in the truststore", found["rootless.pem"]["message"])
        self.assertIn("its issuer 'CN=Root, O=Test' is not in the truststore", found["me.pem"]["message"])

    def test_dates(self):
        store = os.path.join(pki, "client.pem")
        self.assertEqual(cert("audit", "--truststore", store, "--days", "1")[0], 0)
        code, out, _ = cert("audit", "--json", "--truststore", store, "--days", "36500", self.client("client"))
        self.assertEqual(({f["code"] for f in json.loads(out)["findings"]}, code),
                         ({"truststore-expires-soon", "client-expires-soon"}, 1))

    def test_limits(self):
        pem = pathlib.Path(self.client("client-self-signed")).read_text()
        big = self.write("big.pem", pem * 1001)
        self.assertEqual(self.audit(big)["big.pem"]["code"], "truststore-limit")

    def test_no_client_and_no_truststore_is_misuse(self):
        code, _, err = cert("audit")
        self.assertEqual(code, 2)
        self.assertIn("FILE, DIR or INI is missing", err)


class AuditIni(InTemp):
    INI = """
[listener https]
protocol = TLS
listen = 127.0.0.1:0
certificate = lab:{listener}/{host}
certificate = lab:valid/other.example.com
target_group = tls
[listener pass]
protocol = TCP
listen = 127.0.0.1:0
target_group = tcp
[target_group tls]
protocol = TLS
target = lab:behind
[target_group tcp]
protocol = TCP
target = lab:open
[lab_target behind]
protocol = HTTPS
certificate = lab:expired/behind.example.com
[lab_target open]
protocol = HTTPS
certificate = lab:{target}/{host}
[integration a]
uri = https://{host}/
listener = https
[integration b]
uri = https://{host}/
listener = pass
insecure_skip_verification = {skip}
"""

    def audit(self, listener="valid", target="valid", host=HOST, skip="false", extra=""):
        path = self.write("nlb.ini", self.INI.format(listener=listener, target=target, host=host, skip=skip) + extra)
        code, out, err = cert("audit", "--json", path)
        self.assertEqual(code, 1, err)  # the target behind the TLS listener is always found
        return {(f["where"], f["code"], f["severity"]): f for f in json.loads(out)["findings"]}

    BEHIND = ("lab_target behind", "expired", "note")

    def test_each_certificate_is_judged_in_its_place(self):
        found = self.audit()
        self.assertEqual(set(found), {self.BEHIND})
        self.assertIn("validates no target", found[self.BEHIND]["effect"])
        self.assertEqual(found[self.BEHIND]["line"], self.INI.splitlines().index("certificate = lab:expired/behind.example.com") + 1)

    def test_an_ini_is_known_by_what_is_in_it(self):
        """Through standard input, a pipe or a file of another name: the same findings; a directory's files go by their names."""
        path = self.write("nlb.ini", "; what we run\n\n" + self.INI.format(listener="expired", target="valid", host=HOST, skip="false"))
        wanted = [(f["where"], f["code"], f["line"]) for f in json.loads(cert("audit", "--json", path)[1])["findings"]]
        self.assertEqual(len(wanted), 2)
        text = pathlib.Path(path).read_bytes()
        said = [nlbtest.nlbsim("cert", "audit", "--json", "-", data=text).stdout,
                nlbtest.nlbsim("cert", "audit", "--json", "/dev/stdin", data=text).stdout,
                cert("audit", "--json", self.write("nlb.conf", text.decode()))[1]]
        for out in said:
            self.assertEqual([(f["where"], f["code"], f["line"]) for f in json.loads(out)["findings"]], wanted)
        slip = nlbtest.nlbsim("cert", "audit", "-", data=b"[nlb]\nname = x\nworker = 2\n")
        self.assertEqual(slip.returncode, 2)
        self.assertIn(b"-:3: ", slip.stderr)

    def test_the_listeners_certificate_is_api_gateways_affair(self):
        self.assertEqual(set(self.audit(listener="expired")), {self.BEHIND, ("listener https", "expired", "error")})
        self.assertEqual(set(self.audit(listener="wrong-host")), {self.BEHIND, ("listener https", "name-mismatch", "error")})

    def test_so_is_a_target_behind_a_tcp_listener(self):
        self.assertEqual(set(self.audit(target="leaf-only")), {self.BEHIND, ("lab_target open", "chain-incomplete", "error")})

    def test_the_skip_flag_allows_a_private_authority(self):
        self.assertEqual(set(self.audit(target="private-with-root")), {self.BEHIND, ("lab_target open", "untrusted-issuer", "error")})
        self.assertEqual(set(self.audit(target="private-with-root", skip="true")), {self.BEHIND})

    def test_the_skip_flag_leaves_dates_host_and_root_to_be_checked(self):
        for target, code in (("private-expired", "expired"), ("private-wrong-host", "name-mismatch"), ("private", "refused")):
            self.assertEqual(set(self.audit(target=target, skip="true")), {self.BEHIND, ("lab_target open", code, "error")})

    def test_a_client_certificate_is_looked_at_for_its_dates(self):
        extra = "client_certificate = lab:stage-client-expired/x\n"
        self.assertEqual(set(self.audit(extra=extra)), {self.BEHIND, ("integration b", "expired", "error")})

    def test_every_scenario_file_can_be_audited(self):
        folder = pathlib.Path(__file__).resolve().parents[2] / "scenarios"
        for path in sorted(folder.glob("*.ini")):
            code, out, err = cert("audit", "--json", str(path))
            self.assertIn(code, (0, 1), err)
            self.assertGreater(json.loads(out)["chains"], 0, path)

    def test_a_bad_file_is_a_configuration_error(self):
        code, _, err = cert("audit", self.write("bad.ini", "[listener x]\nprotocol = UDP\n"))
        self.assertEqual(code, 2)
        self.assertIn("bad.ini:2", err)


class Revocation(InTemp):
    def test_a_lab_target_that_reads_a_revocation_list(self):
        ini = """
[nlb]
lab_seed = crl
[listener pass]
protocol = TCP
listen = 127.0.0.1:0
target_group = t
[target_group t]
protocol = TCP
target = lab:app
[lab_target app]
protocol = HTTPS
certificate = lab:valid/api.example.com
client_auth = require
client_ca = lab:client
"""
        seeded = self.path("seeded")
        self.assertEqual(run(NLBSIM, "lab", "--seed", "crl", "--no-large-rsa", "--host", "ci.example.com", seeded)[0], 0)
        crl = pathlib.Path(seeded, "crl", "private-issuing.pem").read_text()
        cases = (("", True), ("client_crl = lab:client-revoked/ci.example.com\n", False), ("client_crl = crl.pem\n", False))
        for line, served in cases:
            with nlbtest.Nlb(ini + line, files={"crl.pem": crl}) as nlb:
                for version in ("1.2", "1.3"):
                    def call(profile):
                        base = os.path.join(seeded, "client", profile)
                        return run("curl", "-sS", "--tlsv" + version, "--tls-max", version, "--cacert",
                                   os.path.join(seeded, "public.pem"), "--cert", base + ".pem", "--key", base + ".key",
                                   "--connect-to", f"{HOST}:443:127.0.0.1:{nlb.port('pass')}", f"https://{HOST}/")
                    self.assertEqual(call("client")[0], 0)
                    code, _, err = call("client-revoked")
                    self.assertEqual(code == 0, served, line + version + err)
                    if not served:
                        self.assertIn("certificate revoked", err)

    def test_what_is_wrong_with_a_list_is_said(self):
        head = "[lab_target app]\ncertificate = lab:valid/x\nclient_auth = require\nclient_ca = lab:client\n"
        for value, text in (("gone.pem", "cannot read"), ("lab:client-revokd/x", "did you mean 'client-revoked'"),
                            ("lab:self-signed/x", "self-signed"), ("junk.pem", "the revocation list")):
            self.write("junk.pem", "junk")
            path = self.write("n.ini", head + f"client_crl = {value}\n")
            code, _, err = run(NLBSIM, "check", path)
            self.assertEqual(code, 2, err)
            self.assertIn("n.ini:5", err)
            self.assertIn(text, err)


class Client(InTemp):
    def client(self, *argv, expect=0):
        code, out, err = cert("client", *argv, "--dir", self.path("stage"))
        self.assertEqual(code, expect, err)
        return json.loads(out) if out else err

    def read(self, name):
        return pathlib.Path(self.path("stage"), name).read_text()

    def test_fields_and_shape_are_api_gateways(self):
        made = self.client("generate", "--description", "for orders")
        self.assertEqual(set(made), {"clientCertificateId", "createdDate", "expirationDate", "pemEncodedCertificate", "description"})
        self.assertRegex(made["clientCertificateId"], "^[a-z0-9]{6}$")
        self.assertEqual(made["expirationDate"] - made["createdDate"], 365 * 86400)
        self.assertAlmostEqual(made["createdDate"], time.time(), delta=60)
        text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=made["pemEncodedCertificate"].encode(),
                              stdout=subprocess.PIPE).stdout.decode()
        self.assertRegex(text, r"Subject: C ?= ?US, L ?= ?Seattle, CN ?= ?ApiGateway")
        self.assertIn("(2048 bit)", text)
        self.assertNotIn("X509v3", text)
        self.assertNotIn("PRIVATE KEY", json.dumps(made))

    def test_list_get_delete(self):
        ids = [self.client("generate", "--at", f"-{d}d")["clientCertificateId"] for d in (3, 2, 1)]
        self.assertEqual([c["clientCertificateId"] for c in self.client("list")["items"]], ids)
        self.assertEqual(self.client("get", ids[1])["clientCertificateId"], ids[1])
        self.assertEqual(self.client("delete", ids[1]), "")
        self.client("get", ids[1], expect=2)
        self.client("delete", ids[1], expect=2)
        self.client("get", "../../etc", expect=2)
        self.assertEqual(len(self.client("list")["items"]), 2)
        self.assertFalse([f for f in os.listdir(self.path("stage")) if f.startswith(ids[1])])

    def test_keys_are_private(self):
        self.client("rotate", "--all")
        for name in os.listdir(self.path("stage")):
            text = self.read(name)
            if "PRIVATE KEY" in text:
                self.assertEqual(os.stat(self.path("stage/" + name)).st_mode & 0o777, 0o600, name)

    def test_rotation_step_by_step(self):
        self.assertEqual(self.client("rotate")["step"], "accept")
        self.assertEqual(self.client("rotate")["step"], "switch")
        old = self.client("rotate")
        self.assertEqual((old["step"], len(old["accepted"])), ("accept", 2))
        self.assertEqual(self.read("accepted.pem").count("BEGIN CERT"), 2)
        before = self.read("current.pem")
        new = self.client("rotate")
        self.assertEqual((new["step"], new["current"], new["previous"]), ("switch", old["next"], old["current"]))
        self.assertNotEqual(self.read("current.pem"), before)
        self.client("delete", new["previous"], expect=2)  # still accepted
        done = self.client("rotate")
        self.assertEqual((done["step"], done["accepted"]), ("remove", [new["current"]]))
        self.assertEqual([c["clientCertificateId"] for c in self.client("list")["items"]], [new["current"]])
        self.client("delete", new["current"], expect=2)

    def test_rotation_takes_what_generate_made(self):
        first = self.client("generate", "--description", "by hand")["clientCertificateId"]
        self.assertEqual(self.client("rotate")["next"], first)
        self.assertEqual(self.client("rotate")["current"], first)
        ids = [self.client("generate", "--at", at)["clientCertificateId"]
               for at in ("-100d", "+2h", "+3h", "-400d")]  # older than the current one, two new ones, an expired one
        state = self.client("rotate")
        self.assertEqual((state["step"], state["next"]), ("accept", ids[2]))
        self.assertEqual(self.client("rotate")["current"], ids[2])
        self.assertEqual(self.client("rotate")["step"], "remove")
        left = {c["clientCertificateId"] for c in self.client("list")["items"]}
        self.assertEqual(left, {ids[0], ids[1], ids[2], ids[3]})
        made = self.client("rotate", "--description", "another")["next"]
        self.assertNotIn(made, ids)
        self.assertEqual(self.client("get", made)["description"], "another")

    def test_the_first_rotation_has_nothing_to_remove(self):
        for step in ("accept", "switch"):
            done = subprocess.run([NLBSIM, "cert", "client", "rotate", "--dir", self.path("stage")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
            self.assertIn(step.encode(), done.stderr)
        self.assertNotIn(b"remove the old one", done.stderr)

    def test_current_pem_works_as_a_certificate_of_an_ini_file(self):
        self.client("rotate", "--all")
        self.assertEqual(cert("audit", "--trust-store", "none", self.path("stage/current.pem"))[0], 0)

    def test_a_reload_command_that_fails_stops_the_rotation_before_the_switch(self):
        self.client("rotate", "--all")
        before = self.read("current.pem")
        code, _, err = cert("client", "rotate", "--dir", self.path("stage"), "--reload", "exit 3")
        self.assertEqual(code, 1)
        self.assertIn("status 3", err)
        self.assertEqual(self.read("current.pem"), before)
        self.assertEqual(self.read("accepted.pem").count("BEGIN CERT"), 2)
        code, out, err = cert("client", "rotate", "--dir", self.path("stage"), "--reload", "true")
        self.assertEqual((code, json.loads(out)["step"]), (0, "remove"), err)
        self.assertNotEqual(self.read("current.pem"), before)

    def test_the_backend_accepts_the_stage_at_every_moment(self):
        """A server that pins accepted.pem anew for each connection, a client that presents current.pem, and
        rotations all the while."""
        self.client("rotate", "--all")
        stage = self.path("stage")
        refused, done, tries = [], threading.Event(), [0]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            def serve():
                while True:
                    raw, _ = listener.accept()
                    if done.is_set():
                        raw.close()
                        return
                    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    ctx.load_cert_chain(server("valid"), server("valid")[:-4] + ".key")
                    with open(stage + "/accepted.pem", encoding="ascii") as pinned:
                        ctx.load_verify_locations(cadata=pinned.read())
                    ctx.verify_mode = ssl.CERT_REQUIRED
                    # Both certificates have one name. Without this flag OpenSSL looks at one of them only.
                    ctx.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
                    ctx.maximum_version = ssl.TLSVersion.TLSv1_2
                    raw.settimeout(10)
                    with contextlib.suppress(OSError):
                        with ctx.wrap_socket(raw, server_side=True):
                            pass
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()

            def connect():
                while not done.is_set():
                    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
                    # OpenSSL opens the file once for the certificate and once for the key, and between the two it may
                    # be replaced by another whole one: load what one reading gave.
                    with open(stage + "/current.pem", "rb") as now, tempfile.NamedTemporaryFile() as mine:
                        mine.write(now.read())
                        mine.flush()
                        ctx.load_cert_chain(mine.name)
                    try:
                        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, ctx.wrap_socket(raw):
                            tries[0] += 1
                    except OSError as e:
                        if not done.is_set():  # then the server closes whatever comes
                            refused.append(e)
            caller = threading.Thread(target=connect)
            caller.start()
            for _ in range(2):
                # Stop after each step, as a user does who lets backend and stage reload in between.
                for step in ("accept", "switch", "remove"):
                    at = tries[0]
                    while tries[0] < at + 3 and not refused:
                        done.wait(0.01)
                    self.assertEqual(self.client("rotate")["step"], step)
            done.set()
            caller.join()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=10).close()
            thread.join(10)
        self.assertEqual(refused, [])
        self.assertGreater(tries[0], 15)

    def test_a_lab_target_accepts_both_during_a_rotation(self):
        """Through a TCP listener, where a stage certificate does reach the target."""
        self.client("rotate", "--all")
        shutil.copy(self.path("stage/current.pem"), self.path("old.pem"))
        self.client("rotate")
        accepted = self.read("accepted.pem")
        self.client("rotate")
        ini = """
[nlb]
lab_seed = rotation
[listener pass]
protocol = TCP
listen = 127.0.0.1:0
target_group = t
[target_group t]
protocol = TCP
target = lab:app
[lab_target app]
protocol = HTTPS
certificate = lab:valid/api.example.com
client_auth = require
client_ca = accepted.pem
"""
        seeded = self.path("seeded")
        self.assertEqual(run(NLBSIM, "lab", "--seed", "rotation", "--no-large-rsa", seeded)[0], 0)
        stranger = self.path("stranger")
        cert("client", "rotate", "--all", "--dir", stranger)
        with nlbtest.Nlb(ini, files={"accepted.pem": accepted}) as nlb:
            for pem, served in (("old.pem", True), ("stage/current.pem", True), ("stranger/current.pem", False)):
                code, out, err = run("curl", "-sS", "--cacert", os.path.join(seeded, "public.pem"), "--cert", self.path(pem),
                                     "--connect-to", f"{HOST}:443:127.0.0.1:{nlb.port('pass')}", f"https://{HOST}/")
                self.assertEqual(code == 0, served, pem + ": " + err)
                if served:
                    self.assertEqual(json.loads(out)["target"], "app")

    def test_a_directory_that_is_no_store_is_never_touched(self):
        os.mkdir(self.path("stage"))
        self.write("stage/mine.txt", "x")
        for argv in (["generate"], ["rotate"], ["list"]):
            self.client(*argv, expect=2)
        self.assertEqual(os.listdir(self.path("stage")), ["mine.txt"])

    def test_quota(self):
        made = self.client("generate")
        for i in range(59):
            name = f"aaa{i:03d}"
            self.write(f"stage/{name}.json", json.dumps(dict(made, clientCertificateId=name)))
        err = self.client("generate", expect=2)
        self.assertIn("60 client certificates", err)

    def test_usage(self):
        for argv in ([], ["generate", "x"], ["get"], ["nonsense"], ["list", "--all"], ["generate", "--at", "x"]):
            self.assertEqual(cert("client", *argv, cwd=self.dir)[0], 2, argv)
        self.assertEqual(os.listdir(self.dir), [])


if __name__ == "__main__":
    unittest.main()
