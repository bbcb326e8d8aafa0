# SPDX-License-Identifier: Apache-2.0
"""nlbsim probe against nlbsim run: every certificate family behind both kinds of listener, the skip
flag, client certificates, breaks at every stage, and what is printed."""
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nlbtest
from nlbtest import CERTS, Nlb, Target, closed_port, nlbsim, rst_after, server_ctx, tls

CE = "Execution failed due to configuration error: "
NE = "Execution failed due to a network error communicating with endpoint: "
BUILDING = (CE + "PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: "
            "unable to find valid certification path to requested target")
VALIDATION = CE + "PKIX path validation failed: java.security.cert.CertPathValidatorException: "
VALIDITY = VALIDATION + "validity check failed"
INTERNAL = CE + "There was an internal error while executing your request"
URL = "https://api.example.com/orders"

# profile of the lab -> the whole error, None for accepted. Texts: users' execution logs, and JDK 17.
PROFILES = {
    "valid": None,
    "with-root": None,
    "wrong-order": None,
    "extra-unrelated": None,
    "no-san-cn-match": None,
    "ecdsa-384": None,
    "rsa-2048": None,
    "revoked": None,
    "expired-root": None,
    "long-chain-10": None,
    "leaf-only": BUILDING,
    "self-signed": BUILDING,
    "self-signed-ca": BUILDING,
    "self-signed-expired": BUILDING,
    "untrusted-root": BUILDING,
    "untrusted-root-sent": BUILDING,
    "private": BUILDING,
    "private-with-root": BUILDING,
    "expired-untrusted": BUILDING,
    "expired": VALIDITY,
    "not-yet-valid": VALIDITY,
    "expired-intermediate": VALIDITY,
    "bad-signature": VALIDATION + "signature check failed",
    "impostor-root": VALIDATION + "Path does not chain with any of the trust anchors",
    "intermediate-not-ca": VALIDATION + "CA key usage check failed: keyCertSign bit is not set",
    "intermediate-no-basic-constraints":
        VALIDATION + "basic constraints check failed: this is not a CA certificate",
    "pathlen-violated": VALIDATION + "basic constraints check failed: pathLenConstraint violated - this cert "
                                     "must be the last cert in the certification path",
    "name-constraints-violated": VALIDATION + "name constraints check failed",
    "unknown-critical-extension": VALIDATION + "unrecognized critical extension(s)",
    "eku-client-only": CE + "Extended key usage does not permit use for TLS server authentication",
    "ku-no-digital-signature": CE + "KeyUsage does not allow digital signatures",
    "md5": VALIDATION + "Algorithm constraints check failed on signature algorithm: MD5withRSA",
    "long-chain-11": CE + "The certificate chain length (11) exceeds the maximum allowed length (10)",
    "wrong-host": CE + "Host name 'api.example.com' does not match the certificate subject provided by the "
                       "peer (CN=other.example.net, O=nlbsim lab, C=US)",
    "cn-match-san-other": CE + "Host name 'api.example.com' does not match the certificate subject provided by "
                               "the peer (CN=api.example.com, O=nlbsim lab, C=US)",
}


def probe(nlb, listener, *args, url=URL, status=None, timeout=None):
    """One call through a listener of `nlb` (or to an address): the JSON object."""
    address = nlb if isinstance(nlb, str) else "%s:%d" % nlb.address(listener)
    done = nlbsim("probe", "--json", "--connect", address, *args, url, timeout=timeout)
    lines = done.stdout.decode().splitlines()
    if not lines:
        raise AssertionError(f"status {done.returncode}: {done.stderr.decode()}")
    j = json.loads(lines[0])
    j["exit"] = done.returncode
    if status is not None and j["status"] != status:
        raise AssertionError(json.dumps(j, indent=1))
    return j


def tls_section(name, cert, group="b", more=""):
    return (f"[listener {name}]\nprotocol = TLS\nlisten = 127.0.0.1:0\ncertificate = {cert}\n"
            f"ssl_policy = ELBSecurityPolicy-TLS13-1-2-2021-06\ntarget_group = {group}\n{more}\n")


def tcp_section(name, target, more=""):
    """A TCP listener with a group of its own."""
    return (f"[listener {name}]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = {name}-g\n{more}\n"
            f"[target_group {name}-g]\nprotocol = TCP\ntarget = {target}\n")


def lab_target(name, cert=None, more=""):
    if cert is None:
        return f"[lab_target {name}]\nprotocol = HTTP\n{more}\n"
    return f"[lab_target {name}]\nprotocol = HTTPS\ncertificate = {cert}\n{more}\n"


class FileNlb(Nlb):
    """Events go to a file; standard output has the ready lines."""

    def stop(self):
        self.process.terminate()
        self._judge(self.process.wait(nlbtest.DEADLINE_S))


def short(name):
    """Names in the file have 32 characters at most."""
    return name[:28]


def speak(data):
    """Read what comes first, say `data`, close."""
    def handler(sock, seen):
        seen.data = sock.recv(65536)
        sock.sendall(data)
    return handler


HEAD = "[nlb]\nname = t\nworkers = 1\nevents = events.jsonl\n\n"


class Base(unittest.TestCase):
    """One load balancer per class; `text` gives its file."""

    nlb = None

    @classmethod
    def text(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        if cls is Base:
            return
        cls.nlb = FileNlb(HEAD + cls.text()).__enter__()

    @classmethod
    def tearDownClass(cls):
        if cls.nlb is not None:
            cls.nlb.__exit__(None, None, None)

    def event(self, j):
        """The load balancer's event of this call."""
        with open(self.nlb.path("events.jsonl"), encoding="utf-8") as f:
            found = [e for e in map(json.loads, f) if e["client"] == j["local"]]
        self.assertTrue(found, "no event of this flow")
        return found[-1]

    def refused(self, j, error, hop, status=500):
        self.assertEqual(j["error"], error, json.dumps(j, indent=1))
        self.assertEqual((j["ok"], j["status"], j["hop"], j["exit"]), (False, status, hop, 1), json.dumps(j, indent=1))
        self.assertTrue(j["verdict"])

    def accepted(self, j, status=200):
        """The hop is the one whose certificate was found in order."""
        hop = {"TLS": "listener", "TCP": "target"}[j["listener"]["protocol"]]
        self.assertEqual((j["ok"], j["status"], j["hop"], j["error"], j["exit"]), (True, status, hop, None, 0),
                         json.dumps(j, indent=1))


class TlsListeners(Base):
    """Catalogue A: the listener's certificate decides; the target is self-signed throughout (A03, A06)."""

    @classmethod
    def text(cls):
        return ("".join(tls_section(short(p), f"lab:{p}/api.example.com") for p in PROFILES)
                + "[target_group b]\nprotocol = TLS\ntarget = lab:app\n"
                + lab_target("app", "lab:self-signed/api.example.com"))

    def test_every_family(self):
        for profile, error in PROFILES.items():
            with self.subTest(profile):
                j = probe(self.nlb, short(profile))
                if error is None:
                    self.accepted(j)
                    self.assertIn("The target's certificate", j["verdict"])
                    self.assertIn("self-signed", j["verdict"])
                else:
                    self.refused(j, error, "listener")
                    self.assertIn(f"on the TLS listener {short(profile)}", j["verdict"])
                    self.assertEqual(j["evidence"], "documented" if error in (BUILDING, VALIDITY) or
                                     "Host name" in error else "inferred")

    def test_the_alert_is_the_jdks(self):
        """Facts on Java errors, rule 13; the listener sees the number that was sent."""
        for profile, tls12 in (("expired", 45), ("not-yet-valid", 42), ("bad-signature", 42),
                               ("self-signed", 46), ("md5", 43), ("eku-client-only", 46)):
            for version, number in (("1.2", tls12), ("1.3", 46)):
                with self.subTest(profile, version=version):
                    j = probe(self.nlb, short(profile), "--tls-min", version, "--tls-max", version)
                    event = self.event(j)
                    self.assertEqual(j["tls"]["alert_sent"]["number"], number)
                    self.assertEqual(event["front"]["alert_received"]["number"], number)
                    self.assertEqual(event["end"]["metric"], "ClientTLSNegotiationErrorCount")

    def test_the_host_name_comes_after_the_handshake(self):
        j = probe(self.nlb, "wrong-host")
        event = self.event(j)
        self.assertTrue(event["front"]["handshake_completed"])
        self.assertNotEqual(event["end"]["metric"], "ClientTLSNegotiationErrorCount")
        self.assertIn("default certificate", j["verdict"])

    def test_hosts_that_are_no_server_names(self):
        """Without SNI the default certificate comes, whatever else the listener has: the remedy is about that."""
        for host, why in (("backend", "it has no dot"), ("my_api.example.com", "it has an underscore")):
            with self.subTest(host):
                j = probe(self.nlb, "valid", url=f"https://{host}/")
                event = self.event(j)
                self.assertEqual((j["ok"], j["hop"], j["tls"]["sni"]), (False, "listener", None))
                self.assertEqual(event["front"]["served"]["rule"], "default: no server name")
                self.assertIn(f"sent no server name (SNI), for {host} is a name that it does not send: {why}", j["verdict"])
                self.assertIn(f"Make the certificate for {host} the default one, or change the uri", j["verdict"])
                self.assertNotIn("into the certificate", j["verdict"])
        self.assertIn("into the certificate's subjectAltName", probe(self.nlb, "wrong-host")["verdict"])

    def test_the_store_that_was_asked(self):
        """A refusal names it: the lab's, a file, the system's."""
        for options, name in (([], "lab:public"), (["--trust-store", "lab:private"], "lab:private"),
                              (["--trust-store", CERTS.get("Some CA", ca=True).crt], CERTS.get("Some CA", ca=True).crt), (["--trust-store", "system"], "system")):
            for profile in ("self-signed", "leaf-only", "untrusted-root"):
                with self.subTest(name, profile=profile):
                    self.assertRegex(probe(self.nlb, profile, *options)["verdict"], r"\bin " + re.escape(name) + r"\b")

    def test_why_the_default_was_served(self):
        for listener, url, rule in (("valid", URL, "default: it has the name"),
                                    ("wrong-host", URL, "default: no certificate has the name")):
            with self.subTest(rule):
                self.assertEqual(self.event(probe(self.nlb, listener, url=url))["front"]["served"]["rule"], rule)

    def test_at(self):
        self.refused(probe(self.nlb, "valid", "--at", "+900d"), VALIDITY, "listener")
        self.accepted(probe(self.nlb, "not-yet-valid", "--at", "+31d"))
        self.accepted(probe(self.nlb, "expired", "--at", "-60d"))

    def test_wordings(self):
        self.refused(probe(self.nlb, "self-signed", "--wording", "classic"), CE + "General SSLEngine problem",
                     "listener")
        j = probe(self.nlb, "wrong-host", "--wording", "classic")
        self.assertIn("Host name 'api.example.com'", j["error"])

    def test_insecure_skip_verification(self):
        """Catalogue B: only the question who issued it is skipped."""
        skip = "--insecure-skip-verification"
        self.accepted(probe(self.nlb, "private-with-root", skip))                      # B01
        self.accepted(probe(self.nlb, "self-signed", skip))                            # B02
        self.assertEqual(probe(self.nlb, "self-signed", skip, "--skip-allows-plain-self-signed", "no")["ok"], False)
        self.accepted(probe(self.nlb, "self-signed-ca", skip, "--skip-allows-plain-self-signed", "no"))
        self.refused(probe(self.nlb, "private", skip), BUILDING, "listener")           # B05
        self.accepted(probe(self.nlb, "valid", skip))                                  # B08
        self.refused(probe(self.nlb, "private-with-root"), BUILDING, "listener")       # B09
        self.refused(probe(self.nlb, "self-signed-expired", skip), VALIDITY, "listener")  # B10
        self.assertIn("Host name", probe(self.nlb, "wrong-host", skip)["error"])       # B04

    def test_http_api(self):
        j = probe(self.nlb, "valid", "--http-api", "--server-name-to-verify", "api.example.com",
                  url="https://internal/orders")
        self.accepted(j)                                                               # H01
        self.assertEqual(j["tls"]["sni"], "api.example.com")
        j = probe(self.nlb, "valid", "--http-api", "--server-name-to-verify", "b.example.com")
        self.assertEqual((j["ok"], j["status"], j["body"], j["evidence"]),
                         (False, 500, '{"message":"Internal Server Error"}', "inferred"))  # H02
        self.assertEqual(j["log"], [])
        done = nlbsim("probe", "--http-api", "--insecure-skip-verification", "--connect", "127.0.0.1:1", URL)
        self.assertEqual(done.returncode, 2)                                           # H05

    def test_plain_http_on_a_tls_listener(self):
        """A40: the listener closes on plaintext."""
        j = probe(self.nlb, "valid", url="http://api.example.com/")
        self.refused(j, NE + "Connection is closed", "gateway", 504)
        self.assertIn("https://", j["verdict"])

    def test_offer(self):
        j = probe(self.nlb, "valid", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", "--tls-max", "1.2", "--groups", "P-256")
        self.accepted(j)
        event = self.event(j)
        self.assertEqual(event["front"]["offer"]["groups"], ["secp256r1"])
        self.assertEqual((event["front"]["cipher"], event["front"]["version"]),
                         ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2"))

    def test_a_jdks_hello_by_default(self):
        offer = self.event(probe(self.nlb, "valid"))["front"]["offer"]
        self.assertEqual(offer["sni"], "api.example.com")
        self.assertEqual(offer["versions"], ["TLSv1.2"])       # API Gateway: "TLS 1.2 on egress"
        self.assertEqual(offer["ciphers"][:4], ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                                "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-GCM-SHA384"])
        self.assertEqual(offer["groups"][:4], ["x25519", "secp256r1", "secp384r1", "secp521r1"])
        self.assertIsNone(offer["alpn"])
        self.assertFalse([c for c in offer["ciphers"] if c.startswith(("TLS_AES", "TLS_CHACHA"))])
        offer = self.event(probe(self.nlb, "valid", "--tls-max", "1.3"))["front"]["offer"]
        self.assertEqual(offer["versions"], ["TLSv1.3", "TLSv1.2"])
        self.assertEqual(offer["ciphers"][:4], ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
                                                "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])

    def test_stage_certificate_reaches_nobody(self):
        """A39."""
        stage = CERTS.get("ApiGateway", issuer="self")
        j = probe(self.nlb, "valid", "--client-certificate", stage.crt, "--client-key", stage.key)
        self.accepted(j)
        self.assertFalse(j["tls"]["client_certificate_sent"])
        self.assertIn("reached nobody", j["verdict"])
        self.assertIsNone(json.loads(j["body"])["tls"]["client_certificate"])


class TcpListeners(Base):
    """Catalogue C: the target's certificate decides."""

    @classmethod
    def text(cls):
        return "".join(tcp_section(short(p), f"lab:{short(p)}-t") + lab_target(f"{short(p)}-t", f"lab:{p}/api.example.com")
                       for p in PROFILES)

    def test_every_family(self):
        for profile, error in PROFILES.items():
            with self.subTest(profile):
                j = probe(self.nlb, short(profile))
                if error is None:
                    self.accepted(j)
                else:
                    self.refused(j, error, "target")
                    self.assertIn(f"behind the TCP listener {short(profile)}", j["verdict"])

    def test_skip(self):
        self.accepted(probe(self.nlb, "self-signed", "--insecure-skip-verification"))          # C07
        self.accepted(probe(self.nlb, "private-with-root", "--insecure-skip-verification"))    # C08

    def test_who_listens_need_not_be_told(self):
        j = probe(self.nlb, "expired", "--listener-protocol", "tcp")
        self.refused(j, VALIDITY, "target")


FAULTS = {
    # fault of the target: (error, status, hop), both settings of --handshake-break where they differ
    "reset-on-accept": (CE + "Connection reset by peer", NE + "Connection reset by peer"),
    "reset-after-hello": (CE + "Connection reset by peer", NE + "Connection reset by peer"),
    "close-after-hello": (CE + "closing inbound before receiving peer's close_notify", NE + "Connection is closed"),
    "close-in-flight": (CE + "closing inbound before receiving peer's close_notify", NE + "Connection is closed"),
    "truncated-record": (CE + "closing inbound before receiving peer's close_notify", NE + "Connection is closed"),
    "alert:handshake_failure": (CE + "Received fatal alert: handshake_failure",
                                NE + "Received fatal alert: handshake_failure"),
    "alert:protocol_version": (CE + "Received fatal alert: protocol_version", None),
    "alert:unrecognized_name": (CE + "Received fatal alert: unrecognized_name", None),
    "alert:close_notify": (CE + "Received close_notify during handshake", None),
    "alert:user_canceled": (CE + "Received fatal close_notify alert", None),
    "alert:internal_error": (CE + "Received fatal alert: internal_error", None),
    "warning-unrecognized-name": (CE + "received handshake warning: unrecognized_name", None),
    "garbage": (CE + "Unrecognized SSL message, plaintext connection?", None),
    "plain-http": (CE + "Unrecognized SSL message, plaintext connection?", None),
}
IN_USE = {
    "close-after-handshake": NE + "Connection is closed",
    "reset-after-handshake": NE + "Connection reset by peer",
    "close-after-request": NE + "Connection is closed",
    "reset-after-request": NE + "Connection reset by peer",
    "close-in-response": NE + "Connection is closed",
    "reset-in-response": NE + "Connection reset by peer",
}
SILENT = ["hang-on-accept", "hang-after-hello", "hang-after-handshake", "hang-after-request", "hang-in-response"]


def slug(fault):
    return fault.replace(":", "-").replace("_", "-")


class Breaks(Base):
    """Closes, resets, alerts, silence at every stage, end to end through a TCP listener."""

    @classmethod
    def text(cls):
        faults = list(FAULTS) + list(IN_USE) + SILENT + ["close-idle:50", "reset-idle:50", "status:403", "delay-response:100"]
        return "".join(tcp_section(slug(f), f"lab:{slug(f)}-t")
                       + lab_target(f"{slug(f)}-t", "lab:valid/api.example.com", f"fault = {f}") for f in faults)

    def test_in_the_handshake(self):
        for fault, (configuration, network) in FAULTS.items():
            with self.subTest(fault):
                j = probe(self.nlb, slug(fault))
                self.refused(j, configuration, "target")
                self.assertEqual(j["evidence"], "inferred")
                if network:
                    j = probe(self.nlb, slug(fault), "--handshake-break", "network")
                    self.refused(j, network, "target", 504)
                    self.assertEqual(j["body"], '{"message": "Network error communicating with endpoint"}')

    def test_the_plaintext_is_shown(self):
        self.assertIn("HTTP/1.1 400", probe(self.nlb, "plain-http")["verdict"])

    def test_in_use(self):
        for fault, error in IN_USE.items():
            with self.subTest(fault):
                j = probe(self.nlb, slug(fault))
                self.refused(j, error, "target", 504)
                self.assertEqual(j["evidence"], "reported")

    def test_silence(self):
        for fault in SILENT:
            with self.subTest(fault):
                j = probe(self.nlb, slug(fault), "--timeout", "0.3")
                self.refused(j, "Execution failed due to a timeout error", "network", 504)
                self.assertEqual(j["body"], '{"message": "Endpoint request timed out"}')
                self.assertGreaterEqual(j["latency_ms"], 300)
                self.assertLess(j["latency_ms"], 2000)

    def test_idle_connections(self):
        """C27, and a reset: the next request goes out on a connection that is gone."""
        for fault, error in (("close-idle-50", NE + "Connection is closed"),
                             ("reset-idle-50", NE + "Connection reset by peer")):
            with self.subTest(fault):
                done = nlbsim("probe", "--json", "--connect", "%s:%d" % self.nlb.address(fault), "--count", "2", "--pause",
                              "0.4", URL)
                first, second = map(json.loads, done.stdout.decode().splitlines())
                self.assertTrue(first["ok"])
                self.assertEqual((second["error"], second["status"], second["reused"], second["connection"]),
                                 (error, 504, True, 1), json.dumps(second, indent=1))
                self.assertIn("kept for the next request", second["verdict"])

    def test_idle_connections_are_closed_first(self):
        """With --keep-idle below the far side's limit no request meets a connection that is gone."""
        done = nlbsim("probe", "--json", "--connect", "%s:%d" % self.nlb.address("close-idle-50"), "--count", "2", "--pause",
                      "0.4", "--keep-idle", "0.01", URL)
        calls = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.assertEqual([(c["ok"], c["reused"], c["connection"]) for c in calls], [(True, False, 1), (True, False, 2)],
                         done.stdout)

    def test_many_at_once(self):
        """Each client is answered late, and none waits for another."""
        done = nlbsim("probe", "--json", "--connect", "%s:%d" % self.nlb.address("delay-response-100"), "--count", "30",
                      "--concurrency", "30", URL)
        calls = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.assertEqual({(c["ok"], c["status"], c["reused"]) for c in calls}, {(True, 200, False)})
        self.assertEqual(sorted(c["connection"] for c in calls), list(range(1, 31)))
        self.assertEqual(len({c["local"] for c in calls}), 30)

    def test_kept_connections(self):
        address = "%s:%d" % self.nlb.address("status-403")
        done = nlbsim("probe", "--json", "--connect", address, "--count", "6", "--concurrency", "2", URL)
        calls = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.assertEqual([c["request"] for c in calls], [1, 2, 3, 4, 5, 6])
        self.assertEqual([c["reused"] for c in calls], [False, False, True, True, True, True])
        self.assertEqual(len({c["local"] for c in calls}), 2)
        self.assertEqual({(c["ok"], c["status"]) for c in calls}, {(True, 403)})
        self.assertEqual(done.returncode, 0)

    def test_a_late_answer_in_time(self):
        self.accepted(probe(self.nlb, "delay-response-100", "--timeout", "5"))


class BehindTls(Base):
    """Hop B: what happens between the load balancer and its target, joined from both views."""

    @classmethod
    def text(cls):
        cls.held, cls.dead = closed_port()
        cls.addClassCleanup(cls.held.close)
        return (tls_section("refused", "lab:valid/api.example.com", "dead")
                + f"[target_group dead]\nprotocol = TLS\ntarget = {cls.dead}\n"
                + tls_section("plain", "lab:valid/api.example.com", "plain-g")
                + "[target_group plain-g]\nprotocol = TLS\ntarget = lab:plain-t\n" + lab_target("plain-t")
                + tls_section("wants", "lab:valid/api.example.com", "wants-g")
                + "[target_group wants-g]\nprotocol = TLS\ntarget = lab:wants-t\n"
                + lab_target("wants-t", "lab:valid/api.example.com",
                             "client_auth = require\nclient_ca = lab:client\ntls_max = 1.2")
                + tls_section("mismatch", "lab:valid/api.example.com", "mismatch-g")
                + "[target_group mismatch-g]\nprotocol = TCP\ntarget = lab:tls-t\n"
                + lab_target("tls-t", "lab:valid/api.example.com")
                + tcp_section("tcp-refused", cls.dead))

    def test_nobody_there(self):
        """D02: a user-space listener accepts first; the joined view knows that nobody was reached."""
        for listener in ("refused", "tcp-refused"):
            with self.subTest(listener):
                j = probe(self.nlb, listener)
                self.refused(j, INTERNAL, "target")
                self.assertTrue(j["listener"]["joined"])
                self.assertEqual(j["listener"]["end"], "target_refused")
                self.assertEqual(j["evidence"], "documented")
                self.assertIn("refused", j["verdict"])

    def test_target_speaks_plain_http(self):
        """A36."""
        j = probe(self.nlb, "plain")
        self.assertEqual((j["status"], j["hop"], j["exit"]), (504, "target", 1), json.dumps(j, indent=1))
        self.assertTrue(j["error"].startswith(NE + "Connection "))
        self.assertIn("Match the target group's protocol", j["verdict"])

    def test_target_wants_a_client_certificate(self):
        """A38: whatever the stage has."""
        stage = CERTS.get("ApiGateway", issuer="self")
        j = probe(self.nlb, "wants", "--client-certificate", stage.crt, "--client-key", stage.key)
        self.assertEqual((j["status"], j["hop"]), (504, "target"), json.dumps(j, indent=1))
        self.assertIn("a load balancer presents none", j["verdict"])

    def test_target_expects_tls(self):
        """A37: plain bytes to a TLS port."""
        j = probe(self.nlb, "mismatch")
        self.assertNotEqual((j["ok"], j["status"]), (True, 200))
        self.assertIn(j["status"], (400, 504))


class ClientCertificates(Base):
    """Catalogue C17-C23 through a TCP listener."""

    @classmethod
    def text(cls):
        cls.stage = CERTS.get("ApiGateway", issuer="self")
        cls.old = CERTS.get("ApiGateway old", issuer="self")
        cls.both = os.path.join(CERTS.folder, "both.crt")
        with open(cls.both, "wb") as out:
            for cert in (cls.old, cls.stage):
                with open(cert.crt, "rb") as f:
                    out.write(f.read())
        rows = {
            "asks": f"client_auth = request\nclient_ca = {cls.stage.crt}",
            "req": f"client_auth = require\nclient_ca = {cls.stage.crt}",
            "req12": f"client_auth = require\nclient_ca = {cls.stage.crt}\ntls_max = 1.2",
            "req13": f"client_auth = require\nclient_ca = {cls.stage.crt}\ntls_min = 1.3",
            "pins-old": f"client_auth = require\nclient_ca = {cls.old.crt}",
            "pins-both": f"client_auth = require\nclient_ca = {cls.both}",
            "alert-required": "fault = alert-after-handshake:certificate_required",
            "alert-expired": "fault = alert:certificate_expired",
        }
        return "".join(tcp_section(n, f"lab:{n}-t") + lab_target(f"{n}-t", "lab:valid/api.example.com", more)
                       for n, more in rows.items())

    def mine(self):
        return ["--client-certificate", self.stage.crt, "--client-key", self.stage.key]

    def test_reaches_a_target_that_asks(self):
        for listener in ("asks", "req12", "req13", "pins-both"):                       # C19, C23, rotation
            with self.subTest(listener):
                j = probe(self.nlb, listener, *self.mine(), *(("--tls-max", "1.3") if listener == "req13" else ()))
                self.accepted(j)
                self.assertTrue(j["tls"]["client_certificate_sent"])
                self.assertIn("asked for and sent", j["verdict"])
                self.assertIn("ApiGateway", json.dumps(json.loads(j["body"])["tls"]["client_certificate"]))

    def test_asked_but_not_required(self):
        j = probe(self.nlb, "asks")                                                     # C23
        self.accepted(j)
        self.assertTrue(j["tls"]["client_certificate_requested"])

    def test_required_and_none_there(self):
        j = probe(self.nlb, "req12")                                                    # C17
        self.assertEqual((j["ok"], j["status"], j["hop"]), (False, 500, "target"))
        self.assertTrue(j["error"].startswith(CE + "Received fatal alert: "), j["error"])
        self.assertIn("attach one to the stage", j["verdict"])
        self.refused(probe(self.nlb, "req"), CE + "Received fatal alert: handshake_failure", "target")    # C18
        self.refused(probe(self.nlb, "req13"), CE + "Received fatal alert: protocol_version", "target")        # C30
        j = probe(self.nlb, "alert-required", "--tls-min", "1.3")                       # no API Gateway: another client
        self.refused(j, CE + "Received fatal alert: certificate_required", "target")

    def test_withheld_when_the_target_names_another(self):
        """C20; facts on Java errors, rule 15: nothing is sent to a server that names other authorities."""
        j = probe(self.nlb, "pins-old", "--tls-max", "1.2", *self.mine())
        self.assertFalse(j["ok"])
        self.assertFalse(j["tls"]["client_certificate_sent"])
        self.assertTrue(j["tls"]["client_certificate_requested"])
        self.assertIn("none of them issued the stage's", j["verdict"])

    def test_expired(self):
        j = probe(self.nlb, "alert-expired", *self.mine())                              # C21
        self.refused(j, CE + "Received fatal alert: certificate_expired", "target")
        self.assertIn("365 days", j["verdict"])

    def test_openssl_pinning(self):
        """A server that is not ours: OpenSSL with the stage certificate as its only authority."""
        server = CERTS.get("api.example.com")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            ctx = server_ctx(server, low=version, high=version, client_ca=self.stage)
            with self.subTest(version), Target(tls(ctx, speak(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))) as t:
                common = ["--listener-protocol", "tcp", "--trust-store", CERTS.root().crt, "--tls-max", "1.3"]
                j = probe(t.text, None, *common, *self.mine())
                self.accepted(j)
                self.assertTrue(j["tls"]["client_certificate_sent"])
                j = probe(t.text, None, *common)
                self.assertEqual((j["ok"], j["hop"]), (False, "target"), json.dumps(j, indent=1))
                self.assertIn("Received fatal alert: " + ("certificate_required" if version == ssl.TLSVersion.TLSv1_3
                                                          else "handshake_failure"), j["error"])


    def test_openssl_names_another_authority(self):
        """`openssl s_server` names what it trusts, in both versions; the stage's is not among it."""
        nlbtest.needs("openssl")
        cert = CERTS.get("api.example.com")
        for version in ("1.2", "1.3"):
            for ca, sent in ((self.old, False), (self.stage, True)):
                server = subprocess.Popen(
                    ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "1", "-verify_return_error", "-CAfile",
                     ca.crt, "-cert", cert.crt, "-key", cert.key], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL)
                try:
                    accepts = next(line for line in server.stdout if line.startswith(b"ACCEPT "))
                    j = probe(accepts.split()[1].decode(), None, "--listener-protocol", "tcp", "--trust-store",
                              CERTS.root().crt, "--tls-min", version, "--tls-max", version, *self.mine())
                finally:
                    server.kill()
                    server.communicate()
                with self.subTest(version, sent=sent):
                    self.assertEqual((j["tls"]["client_certificate_sent"], j["ok"]), (sent, sent), json.dumps(j, indent=1))
                    if not sent:
                        self.assertIn("none of them issued the stage's", j["verdict"])


class Strangers(unittest.TestCase):
    """Far sides that are not nlbsim."""

    def call(self, handler, *args, url="http://api.example.com/", **more):
        with Target(handler) as t:
            return probe(t.text, None, *args, url=url, **more)

    def test_unknown_listener_protocol(self):
        cert = CERTS.get("api.example.com", issuer="self")
        with Target(tls(server_ctx(cert))) as t:
            j = probe(t.text, None, "--trust-store", CERTS.root().crt)
            self.assertEqual((j["error"], j["hop"]), (BUILDING, None))
            self.assertIn("--listener-protocol", j["verdict"])
            for name, hop in (("tls", "listener"), ("tcp", "target")):
                j = probe(t.text, None, "--trust-store", CERTS.root().crt, "--listener-protocol", name)
                self.assertEqual((j["error"], j["hop"]), (BUILDING, hop))

    def test_connection_refused(self):
        held, dead = closed_port()
        self.addCleanup(held.close)
        j = probe(dead, None, "--trust-store", CERTS.root().crt)
        self.assertEqual((j["error"], j["status"], j["hop"], j["exit"]), (INTERNAL, 500, "network", 1))
        self.assertIn("Sending request to", j["log"][-3])

    def test_invalid_endpoint_address(self):
        for url in ("https://no-such-host.invalid/", "https:///orders", "https://a b/", "https://h:99999/"):
            with self.subTest(url):
                done = nlbsim("probe", "--json", "--trust-store", CERTS.root().crt, url)
                j = json.loads(done.stdout)
                self.assertEqual((j["error"], j["status"], done.returncode), (CE + "Invalid endpoint address", 500, 1))
                self.assertNotIn("Endpoint request URI", "\n".join(j["log"]))
                self.assertNotIn("Sending request", "\n".join(j["log"]))
                self.assertEqual(j["log"][-1][-32:], "Method completed with status: 500"[-32:])

    def test_the_uri_never_routes(self):
        j = self.call(speak(b"HTTP/1.1 204 No Content\r\n\r\n"), url="http://no-such-host.invalid/")
        self.assertEqual((j["ok"], j["status"]), (True, 204))

    def test_answers(self):
        ok = b"HTTP/1.1 200 OK\r\n"
        for name, answer, want in (
                ("length", ok + b"Content-Length: 5\r\n\r\nhello", "hello"),
                ("chunked", ok + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"),
                ("until the end", ok + b"\r\nhello", "hello"),
                ("interim", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok
                 + b"Content-Length: 5\r\n\r\nhello", "hello"),
                ("http 1.0", b"HTTP/1.0 200 OK\r\n\r\nhello", "hello"),
                ("no text", ok + b"Content-Length: 3\r\n\r\n\xff\x00a", "\\xff\ufffda")):
            with self.subTest(name):
                j = self.call(speak(answer))
                self.assertEqual((j["ok"], j["status"], j["body"]), (True, 200, want))

    def test_head(self):
        j = self.call(speak(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), "--method", "HEAD")
        self.assertEqual((j["ok"], j["body"]), (True, ""))

    def test_not_http(self):
        j = self.call(speak(b"SSH-2.0-OpenSSH_9.2\r\n"))
        self.assertEqual((j["status"], j["error"]), (504, NE + "The answer is no HTTP"))
        j = self.call(speak(b"\x15\x03\x03\x00\x02\x01\x00"))
        self.assertEqual((j["status"], j["error"]), (504, NE + "Connection is closed"))

    def test_cut_answers(self):
        for answer in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel"):
            with self.subTest(answer):
                j = self.call(speak(answer))
                self.assertEqual((j["status"], j["error"]), (504, NE + "Connection is closed"))

    def test_reset(self):
        j = self.call(rst_after(1))
        self.assertEqual((j["status"], j["error"], j["hop"]), (504, NE + "Connection reset by peer", "network"))

    def test_https_page_about_plain_http(self):
        page = b"<title>400 The plain HTTP request was sent to HTTPS port</title>"
        j = self.call(speak(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)))
        self.assertEqual((j["ok"], j["status"]), (True, 400))                           # E11
        self.assertIn("expects TLS and got plain HTTP", j["verdict"])

    def test_what_is_sent(self):
        seen = []

        def handler(sock, _):
            seen.append(b"")
            while not seen[0].endswith(b'{"a":1}'):
                seen[0] += sock.recv(65536)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        j = self.call(handler, "--method", "POST", "--header", "X-Tag: a b", "--data", '{"a":1}', "--api-id", "abc123",
                      url="http://api.example.com:8080/orders?x=1&y=2#frag")
        head, body = seen[0].split(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.assertEqual(lines[0], "POST /orders?x=1&y=2 HTTP/1.1")
        for line in ("Host: api.example.com", "x-amzn-apigateway-api-id: abc123", "X-Tag: a b",
                     "User-Agent: AmazonAPIGateway_abc123", "Content-Length: 7"):
            self.assertIn(line, lines)
        self.assertEqual(body, b'{"a":1}')
        log = "\n".join(j["log"])
        self.assertIn("Method request query string: {x=1, y=2}", log)
        self.assertIn("Method request headers: {X-Tag=a b}", log)
        self.assertIn("Resource Path: /orders\n", log)

    def test_tls_versions(self):
        cert = CERTS.get("api.example.com")
        args = ["--trust-store", CERTS.root().crt, "--listener-protocol", "tcp"]
        ctx = server_ctx(cert, low=ssl.TLSVersion.TLSv1_3)
        with Target(tls(ctx)) as t:                                                     # M12
            j = probe(t.text, None, *args)
            self.assertEqual((j["error"], j["hop"]), (CE + "Received fatal alert: protocol_version", "target"))
            self.assertIn("API Gateway speaks TLS 1.2 only", j["verdict"])
        ctx = server_ctx(cert, high=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES128-GCM-SHA256")
        with Target(tls(ctx)) as t:                                                     # M13
            j = probe(t.text, None, *args)
            self.assertEqual(j["error"], CE + "Received fatal alert: handshake_failure")

    def test_certificates_that_the_library_cannot_read(self):
        """The judge has a verdict on an Ed25519 certificate, but mbedTLS can neither read its key nor offer to: no alert of
        the server is told as API Gateway's result."""
        cert = CERTS.get("api.example.com", key="ed25519", issuer="self")
        with Target(tls(server_ctx(cert))) as t:
            j = probe(t.text, None, "--trust-store", CERTS.root().crt, "--listener-protocol", "tcp")
            self.assertEqual((j["ok"], j["status"], j["exit"]), (False, None, 3))
            self.assertIn("Edwards-curve keys", j["error"])

    def test_ipv6_and_addresses(self):
        with Target(speak(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), host="::1") as t:
            self.assertTrue(probe(t.text, None, url="http://[::1]/")["ok"])
        cert = CERTS.get("127.0.0.1")
        with Target(tls(server_ctx(cert), speak(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))) as t:
            j = probe(t.text, None, "--trust-store", CERTS.root().crt, url="https://127.0.0.1/")
            self.assertTrue(j["ok"], j)
            self.assertIsNone(j["tls"]["sni"])


DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4} : "


class Text(unittest.TestCase):
    """What a person reads."""

    def test_the_log_of_a_failure(self):
        cert = CERTS.get("api.example.com", issuer="self")
        with Target(tls(server_ctx(cert))) as t:
            done = nlbsim("probe", "--connect", t.text, "--listener-protocol", "tls", "--trust-store", CERTS.root().crt, URL)
        text = done.stdout.decode()
        log, answer, verdict = text.split("\n\n", 1)[0].split("\n"), text.split("\n\n")[1:3], text.split("\n\n")[3]
        request = log[0].removeprefix("Execution log for request ")
        self.assertRegex(request, r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        for line in log[1:]:
            self.assertRegex(line, "^" + DATE)
        self.assertEqual([re.sub("^" + DATE, "", line) for line in log[1:]], [
            f"Starting execution for request: {request}",
            "HTTP Method: GET, Resource Path: /orders",
            "Method request path: {}",
            "Method request query string: {}",
            "Method request headers: {}",
            "Method request body before transformations: ",
            f"Endpoint request URI: {URL}",
            "Endpoint request headers: {x-amzn-apigateway-api-id=nlbsim0api, "
            "User-Agent=AmazonAPIGateway_nlbsim0api, Host=api.example.com}",
            "Endpoint request body after transformations: ",
            f"Sending request to {URL}",
            BUILDING,
            "Method completed with status: 500"])
        self.assertEqual(answer[0].split("\n")[0], "HTTP/1.1 500 Internal Server Error")
        self.assertIn("x-amzn-ErrorType: InternalServerErrorException", answer[0])
        self.assertIn("Content-Length: 36", answer[0])
        self.assertEqual(answer[1], '{"message": "Internal server error"}')
        self.assertIn("Decided by: listener", verdict)
        self.assertIn("Verdict: API Gateway validated the certificate on the TLS listener", verdict)
        self.assertEqual(done.returncode, 1)

    def test_the_log_of_a_success(self):
        long = "v" * 2000
        body = b'{"a":\n1}'
        answer = (f"HTTP/1.1 201 Made\r\nX-Long: {long}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
        with Target(speak(answer)) as t:
            done = nlbsim("probe", "--connect", t.text, "http://api.example.com/")
        lines = [re.sub("^" + DATE, "", line) for line in done.stdout.decode().split("\n")]
        self.assertRegex(lines[11], r"^Received response\. Status: 201, Integration latency: \d+ ms$")
        self.assertTrue(lines[12].startswith("Endpoint response headers: {X-Long=vvv"))
        self.assertTrue(lines[12].endswith("v [TRUNCATED]") or len(lines[12]) <= 1024)
        self.assertEqual(lines[13:18], ['Endpoint response body before transformations: {"a": 1}',
                                        'Method response body after transformations: {"a": 1}',
                                        lines[15], "Successfully completed execution", "Method completed with status: 201"])
        self.assertNotIn("Connection", lines[15])
        self.assertIn("HTTP/1.1 201 Made", lines)

    def test_many(self):
        with Target(speak(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")) as t:
            done = nlbsim("probe", "--connect", t.text, "--count", "3", "http://api.example.com/")
        self.assertIn("     3 x 200 passed on", done.stdout.decode())

    def test_usage(self):
        for args in ([], ["ftp://h/"], ["--no-such", URL], ["--timeout", "x", URL], ["--count", "0", URL],
                     ["--tls-min", "1.1", URL], ["--at", "soon", URL], ["--header", "nocolon", URL], [URL, URL],
                     ["--connect", "127.0.0.1", URL], ["--ciphers", "RC4-NOPE", URL], ["--client-key", "k", URL],
                     ["--wording", "loud", URL], ["https://user:pw@h/"], ["--server-name-to-verify", "x", URL]):
            with self.subTest(args):
                done = nlbsim("probe", *args)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr)
                self.assertFalse(done.stdout)
        done = nlbsim("probe", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"example:", done.stdout)

    def test_unreadable_files(self):
        with tempfile.TemporaryDirectory() as folder:
            none = os.path.join(folder, "none.pem")
            for args in (["--trust-store", none], ["--trust-store", CERTS.root().crt, "--client-certificate", none],
                         ["--data", "@" + none]):
                done = nlbsim("probe", "--connect", "127.0.0.1:1", *args, URL)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(b"none.pem", done.stderr)
        done = nlbsim("probe", "--connect", "127.0.0.1:1", "--trust-store", "lab:public", URL)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no nlbsim with such a lab", done.stderr)


if __name__ == "__main__":
    unittest.main()
