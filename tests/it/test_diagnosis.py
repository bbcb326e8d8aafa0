# SPDX-License-Identifier: Apache-2.0
"""The diagnosis, blind: failures put together from parts (listener x flaw x client x target), each with the
hop, the cause and the key that has to change known by how it was made. `probe` and `explain` must name all
three, and no output may contradict itself."""
import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from nlbtest import (CERTS, DEADLINE_S, TLS12, TLS13, Nlb, Target, client_ctx, closed_port, connect, connect_tls, curl,
                     ending, nlbsim, s_client, server_ctx, tls)

HOST = "api.example.com"
BATCH = 48  # listeners of one load balancer
POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


# --- targets ---------------------------------------------------------------------------------------------

def http(status, body=b"", head=b""):
    """Read a request, answer, close."""
    def handler(sock, seen):
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return
            data += more
        sock.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"
                     % (status, len(body), head, body))
        with contextlib.suppress(ssl.SSLError, OSError):
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    return handler


def raw(answer, first=False):
    """Say something that is no HTTP answer: at once, or to the first bytes that come."""
    def handler(sock, seen):
        if not first:
            sock.recv(65536)
        sock.sendall(answer)
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while sock.recv(65536):
                pass
    return handler


def close_after_request(sock, seen):
    sock.recv(65536)


def wait_for_the_client(sock, seen):
    with contextlib.suppress(OSError):
        while sock.recv(65536):
            pass


def sni_only(cert):
    ctx = server_ctx(cert)
    ctx.sni_callback = lambda _s, name, _c: None if name == HOST else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return tls(ctx, http(b"200 OK"))


GO = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
NGINX = (b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
         b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>")
TLS_ALERT = bytes((21, 3, 3, 0, 2, 2, 10))


# --- clients ---------------------------------------------------------------------------------------------

def python_client(ca):
    def call(nlb, listener):
        with contextlib.suppress(ssl.SSLError, OSError):
            with connect_tls(nlb.address(listener), client_ctx(ca), HOST) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                s.recv(100)
    return call


def curl_client(ca):
    return lambda nlb, listener: curl(nlb, listener, "--cacert", ca.crt)


def openssl_client(ca):
    return lambda nlb, listener: s_client(nlb.address(listener), "-servername", HOST, "-CAfile", ca.crt,
                                          "-verify_return_error", "-verify_hostname", HOST)


CLIENTS = {"python": python_client, "curl": curl_client, "openssl": openssl_client}


def plain(data=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
    def call(nlb, listener):
        with connect(nlb.address(listener)) as s:
            if data:
                s.sendall(data)
            else:
                s.shutdown(socket.SHUT_WR)
            ending(s)
    return call


def secure(data=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", **options):
    """A client that accepts any certificate; without `data` it goes away after the handshake."""
    def call(nlb, listener):
        with contextlib.suppress(ssl.SSLError, OSError):
            with connect_tls(nlb.address(listener), client_ctx(**options), HOST) as s:
                if data:
                    s.sendall(data)
                    s.recv(100)
    return call


H2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)


# --- the parts of a file ---------------------------------------------------------------------------------

class Parts:
    """Cases, each a listener of one file with a group and a target of its own."""

    def __init__(self):
        self.texts, self.cases, self.open = [], [], contextlib.ExitStack()

    def target(self, handler):
        return self.open.enter_context(Target(handler)).text

    def add(self, name, kind, target, client, hop, causes, key, cert=None, group="TCP", listener="", more=""):
        """`target` is a handler or an address."""
        address = target if isinstance(target, str) else self.target(target)
        text = f"[listener {name}]\nprotocol = {kind}\nlisten = 127.0.0.1:0\ntarget_group = {name}\n"
        if kind == "TLS":
            text += f"certificate = {cert or self.good.pem}\n"
            if "ssl_policy" not in listener:
                text += f"ssl_policy = {POLICY}\n"
        self.texts.append(
            f"{text}{listener}\n[target_group {name}]\nprotocol = {group}\ntarget = {address}\n{more}\n")
        self.cases.append((name, client, hop, {causes} if isinstance(causes, str) else set(causes), key))


def short(name):
    return name[:28]


def contradictions(text):
    """Sentences of one output that cannot both be true."""
    pairs = ((r"certificates? (is|are) not to blame|is no question of certificates", r"PKIX|does not accept the certificate"),
             (r"Another policy changes nothing", r"Choose a policy"),
             (r"insecureSkipVerification is set", r"or set insecureSkipVerification"),
             (r"What the target presents plays no part", r"validates the TARGET's certificate"),
             (r"nobody validates it behind a TLS listener", r"A TCP listener passes TLS through"),
             (r"is self-signed", r"the intermediate .* is missing"),
             (r"expired on", r"is not valid before"),
             (r"nothing listens on that port", r"closed the connection before it answered"),
             (r"it is accepted", r"no path leads"),
             (r"1 certificate presented", r"certificate 2 is the same"))
    return [(a, b) for a, b in pairs if re.search(a, text) and re.search(b, text)]


class Flows(unittest.TestCase):
    """What `explain` makes of the events alone: nothing is known of the scenario but its listener's name."""

    @classmethod
    def setUpClass(cls):
        p = cls.parts = Parts()
        cls.addClassCleanup(p.open.close)
        good, root = CERTS.get(HOST), CERTS.root()
        p.good = good
        other_root = CERTS.make("Other Root", issuer="self", ca=True)
        middle = CERTS.make("Middle Authority", issuer=root, ca=True)
        ok = tls(server_ctx(good), http(b"200 OK"))
        # Certificates that real clients refuse: the listener's, or the target's behind a TCP listener.
        flaws = {
            "self": (CERTS.make(HOST, issuer="self"), {"CLIENT_REFUSED_SELF_SIGNED"}),
            "expired": (CERTS.make(HOST, issuer=root, end="20210101000000Z"), {"CLIENT_REFUSED_EXPIRED"}),
            "name": (CERTS.make("other.example.net", issuer=root), {"CLIENT_WANTS_OTHER_NAME", "CLIENT_REFUSED_NAME"}),
            "private": (CERTS.make(HOST, issuer=other_root), {"CLIENT_REFUSED_LEAF_ALONE"}),
            "leaf": (CERTS.make(HOST, issuer=middle), {"CLIENT_REFUSED_LEAF_ALONE"}),
        }
        for flaw, (cert, causes) in flaws.items():
            for kind, client in CLIENTS.items():
                p.add(f"tls-{flaw}-{kind}", "TLS", http(b"200 OK"), client(root), "listener", causes, "certificate",
                      cert=cert.pem)
                p.add(f"tcp12-{flaw}-{kind}", "TCP", tls(server_ctx(cert, high=TLS12), http(b"200 OK")), client(root),
                      "target", causes, "certificate")
                p.add(f"tcp13-{flaw}-{kind}", "TCP", tls(server_ctx(cert, low=TLS13), http(b"200 OK")), client(root),
                      "target", {"CLIENT_REFUSED_HIDDEN", "CLIENT_REFUSED_UNKNOWN_CA", "CLIENT_REFUSED_BY_ALERT",
                                 "CLIENT_SILENT"}, "certificate")
        cls.add_listeners(p, ok)
        cls.add_groups(p, good, ok)
        cls.add_protocols(p, good)
        events = []
        for at in range(0, len(p.cases), BATCH):
            with Nlb("".join(p.texts[at:at + BATCH])) as nlb:
                for name, client, *_ in p.cases[at:at + BATCH]:
                    client(nlb, name)
                events += nlb.stop()
        done = nlbsim("explain", "--json", "-", data="".join(json.dumps(e) + "\n" for e in events).encode())
        cls.events, cls.document = events, json.loads(done.stdout)

    @staticmethod
    def add_listeners(p, ok):
        """The listener, or whoever configured it, has to change something."""
        rsa = CERTS.get(HOST, key="rsa2048")
        p.add("l-version", "TLS", http(b"200 OK"), secure(high=TLS12), "listener", "NO_COMMON_VERSION", "ssl_policy",
              listener="ssl_policy = ELBSecurityPolicy-TLS13-1-3-2021-06\n")
        p.add("l-rsa-client", "TLS", http(b"200 OK"), secure(high=TLS12, ciphers="ECDHE-RSA-AES128-GCM-SHA256"), "listener",
              "SUITE_NEEDS_OTHER_KEY", "certificate")
        p.add("l-ecdsa-client", "TLS", http(b"200 OK"), secure(high=TLS12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"),
              "listener", "SUITE_NEEDS_OTHER_KEY", "certificate", cert=rsa.pem)
        p.add("l-suite", "TLS", http(b"200 OK"), secure(high=TLS12, ciphers="ECDHE-ECDSA-CHACHA20-POLY1305"), "listener",
              "NO_COMMON_SUITE", "ssl_policy")
        p.add("l-http", "TLS", http(b"200 OK"), plain(), "caller", "CLIENT_NOT_TLS_HTTP", "")
        p.add("l-proxy", "TLS", http(b"200 OK"), plain(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\x16\x03\x01"), "caller",
              "CLIENT_NOT_TLS_PROXY", "")
        p.add("l-ssh", "TLS", http(b"200 OK"), plain(b"SSH-2.0-OpenSSH_9\r\n"), "caller", "CLIENT_NOT_TLS", "")
        p.add("l-grpc", "TLS", http(b"200 OK"), secure(b"", alpn=["h2"]), "listener", "GRPC_NO_ALPN", "alpn_policy")
        p.add("l-h2", "TLS", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), secure(H2, alpn=["h2"]), "listener",
              "H2_TO_HTTP1_TARGET", "alpn_policy", listener="alpn_policy = HTTP2Preferred\n")
        p.add("l-h2-closed", "TLS", close_after_request, secure(H2, alpn=["h2"]), "listener", "H2_TO_HTTP1_TARGET",
              "alpn_policy", listener="alpn_policy = HTTP2Only\n")
        p.add("l-silent", "TLS", http(b"200 OK"), secure(b""), "listener", "CLIENT_SILENT", "certificate")

    @staticmethod
    def add_groups(p, good, ok):
        """The group speaks to the target otherwise than the target does."""
        for name, answer in (("go", GO), ("nginx", NGINX)):
            p.add(f"g-{name}", "TLS", raw(answer), secure(), "target", "GROUP_NOT_TLS", "protocol")
            p.add(f"t-{name}", "TCP", raw(answer), plain(), "caller", "PLAIN_TO_TLS_TARGET", "")
        p.add("g-alert", "TLS", raw(TLS_ALERT), secure(), "target", "GROUP_NOT_TLS_ALERT", "protocol")
        p.add("t-alert", "TCP", raw(TLS_ALERT), plain(), "caller", "PLAIN_TO_TLS_TARGET_ALERT", "")
        p.add("g-silent", "TLS", close_after_request, secure(), "target", "PLAIN_TO_SILENT_TARGET_GROUP", "protocol")
        p.add("t-silent", "TCP", close_after_request, plain(), "target", "PLAIN_TO_SILENT_TARGET", "")
        p.add("g-http", "TLS", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), secure(), "target", "TARGET_PLAIN_HTTP", "protocol",
              group="TLS")
        p.add("g-ssh", "TLS", raw(b"SSH-2.0-x\r\n", first=True), secure(), "target", "TARGET_OTHER_SERVICE", "target",
              group="TLS")
        p.add("g-smtp", "TLS", raw(b"220 mail ESMTP\r\n", first=True), secure(), "target", "TARGET_OTHER_SERVICE", "target",
              group="TLS")
        p.add("t-plain", "TCP", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), secure(), "target", "TLS_TO_PLAIN_TARGET",
              "protocol")
        p.add("t-ssh", "TCP", raw(b"SSH-2.0-x\r\n", first=True), plain(), "target", "OTHER_SERVICE", "target")
        p.add("g-smtp-clear", "TLS", raw(b"220 mail ESMTP\r\n", first=True), secure(), "target", "OTHER_SERVICE", "target")
        p.add("g-sni", "TLS", sni_only(good), secure(), "target", "TARGET_WANTS_SNI", "", group="TLS")
        for version, low, high in (("12", None, TLS12), ("13", TLS13, None)):
            demanding = tls(server_ctx(good, client_ca=CERTS.root(), low=low, high=high), http(b"200 OK"))
            p.add(f"g-mtls{version}", "TLS", demanding, secure(), "target",
                  {"TARGET_WANTS_CLIENT_CERT", "TARGET_WANTS_CLIENT_CERT_13"}, "client_auth", group="TLS")
        stranger = CERTS.make("device-7", issuer=CERTS.make("Other Devices", issuer="self", ca=True))
        demanding = tls(server_ctx(good, client_ca=CERTS.root(), high=TLS12), http(b"200 OK"))
        p.add("t-mtls-none", "TCP", demanding, secure(), "caller", {"PASSED_ASKED_CLIENT_CERT", "PASSED_CLIENT_CERT_MISSING"},
              "client_certificate")
        p.add("t-mtls-stranger", "TCP", demanding, secure(cert=stranger), "target", "PASSED_CLIENT_CERT_UNKNOWN", "client_ca")
        p.add("t-version", "TCP", tls(server_ctx(good, low=TLS13)), secure(high=TLS12), "target", "PASSED_VERSION", "tls_min")

    @staticmethod
    def add_protocols(p, good):
        """Nobody there, PROXY headers, errors of the target's own."""
        for kind in ("TLS", "TCP"):
            call = secure() if kind == "TLS" else plain()
            sock, address = closed_port()
            p.open.callback(sock.close)
            p.add(f"{kind}-refused", kind, address, lambda nlb, l, call=call: _quietly(call, nlb, l), "target",
                  "TARGET_REFUSED", "port")
            p.add(f"{kind}-500", kind, http(b"503 Service Unavailable"), call, "target", "TARGET_ANSWERED_FAILURE", "")
            p.add(f"{kind}-404", kind, http(b"404 Not Found"), call, "target", "TARGET_ANSWERED_ERROR", "")
            p.add(f"{kind}-proxy", kind, http(b"400 Bad Request"), call, "target", "PROXY_HEADER_FIRST_MISSED",
                  "proxy_protocol_v2.enabled", more="proxy_protocol_v2.enabled = true\n")
            p.add(f"{kind}-proxy-closed", kind, close_after_request, call, "target", "PROXY_HEADER_DISLIKED",
                  "proxy_protocol_v2.enabled", more="proxy_protocol_v2.enabled = true\n")
        p.add("TCP-server-first", "TCP", wait_for_the_client, plain(b""), "target", "PROXY_SERVER_FIRST",
              "proxy_protocol_v2.client_to_server.header_placement", more="proxy_protocol_v2.enabled = true\n")

    def story(self, name):
        stories = [s for s in self.document["stories"] if s["listener"] == name]
        event = [e for e in self.events if e["listener"] == name]
        self.assertEqual(len(stories), 1, f"{len(stories)} stories of {json.dumps(event, indent=1)}")
        return stories[0], event

    def test_every_cause_is_named(self):
        self.assertGreaterEqual(len(self.parts.cases), 60)
        for name, _, hop, causes, key in self.parts.cases:
            with self.subTest(name):
                story, event = self.story(name)
                told = (story["hop"], story["key"])
                self.assertIn(story["cause"], causes, json.dumps([story, event], indent=1))
                self.assertEqual(told, (hop, key), json.dumps(story, indent=1))

    def test_nothing_contradicts_itself(self):
        for story in self.document["stories"]:
            text = " ".join(filter(None, (story["what"], story["todo"], story["next"], story["chain"])))
            with self.subTest(story["listener"]):
                self.assertEqual(contradictions(text), [], text)
                self.assertNotIn("?", story["what"].replace("? whether", ""), text)

    def test_summary(self):
        self.assertEqual(self.document["failed"] + self.document["odd"], len(self.parts.cases))
        # Where both peers close in order by construction; of the others it depends on whose RST comes first.
        in_order = {"TCP-proxy-closed", "TLS-proxy-closed", "TCP-server-first", "g-silent", "t-silent", "l-h2-closed"}
        odd = [s["listener"] for s in self.document["stories"] if s["odd"]]
        self.assertEqual(len(odd), self.document["odd"])
        self.assertLessEqual(in_order, set(odd))


def _quietly(call, nlb, listener):
    with contextlib.suppress(OSError):
        call(nlb, listener)


# profile of the lab -> causes behind a TLS listener (the listener's certificate) and a TCP listener (the target's)
PROFILES = {
    "expired": "EXPIRED", "not-yet-valid": "NOT_YET_VALID", "expired-intermediate": "ISSUER_EXPIRED",
    "self-signed": "SELF_SIGNED", "self-signed-ca": "SELF_SIGNED", "leaf-only": "INTERMEDIATE_MISSING",
    "private": "ROOT_UNTRUSTED", "untrusted-root": "ROOT_UNTRUSTED", "private-with-root": "PRIVATE_ROOT",
    "untrusted-root-sent": "PRIVATE_ROOT", "expired-untrusted": "ROOT_UNTRUSTED",
    "bad-signature": "BAD_SIGNATURE", "impostor-root": {"OTHER_KEY", "NO_CHAIN_TO_ANCHOR"},
    "intermediate-not-ca": "CA_NO_CERT_SIGN", "pathlen-violated": "PATH_TOO_LONG",
    "name-constraints-violated": "NAME_CONSTRAINTS", "unknown-critical-extension": "CRITICAL_EXTENSION",
    "eku-client-only": "LEAF_EKU", "ku-no-digital-signature": "LEAF_KEY_USAGE", "md5": "WEAK_ALGORITHM",
    "long-chain-11": "CHAIN_TOO_LONG", "wrong-host": {"HOST_NOT_ON_LISTENER", "HOST_MISMATCH"},
}


class Calls(unittest.TestCase):
    """What `probe` says, being API Gateway."""

    @classmethod
    def setUpClass(cls):
        text = "[nlb]\nname = d\nevents = events.jsonl\n[target_group plain]\nprotocol = TCP\ntarget = lab:plain\n"
        text += "[lab_target plain]\nprotocol = HTTP\n"
        for profile in PROFILES:
            name = short(profile)
            text += (f"[listener {name}]\nprotocol = TLS\nlisten = 127.0.0.1:0\nssl_policy = {POLICY}\n"
                     f"certificate = lab:{profile}/{HOST}\ntarget_group = plain\n"
                     f"[listener t-{name}]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = t-{name}\n"
                     f"[target_group t-{name}]\nprotocol = TCP\ntarget = lab:t-{name}\n"
                     f"[lab_target t-{name}]\nprotocol = HTTPS\ncertificate = lab:{profile}/{HOST}\n")
        cls.open = contextlib.ExitStack()
        cls.addClassCleanup(cls.open.close)
        for name, kind, handler in (("nginx", "TCP", raw(NGINX)), ("closes", "TCP", close_after_request),
                                    ("alerts", "TCP", raw(TLS_ALERT)), ("g-nginx", "TLS", raw(NGINX))):
            target = cls.open.enter_context(Target(handler))
            text += f"[listener {name}]\nprotocol = {kind}\nlisten = 127.0.0.1:0\ntarget_group = {name}\n"
            text += f"certificate = lab:valid/{HOST}\nssl_policy = {POLICY}\n" if kind == "TLS" else ""
            text += f"[target_group {name}]\nprotocol = TCP\ntarget = {target.text}\n"
        cls.nlb = cls.open.enter_context(FileNlb(text))

    def probe(self, listener, *args, url=f"https://{HOST}/"):
        args = ("--connect", "%s:%d" % self.nlb.address(listener), *args, url)
        j = json.loads(nlbsim("probe", "--json", *args).stdout)
        self.assertEqual(contradictions(j["verdict"] + " " + (j["chain"] or "")), [], j["verdict"])
        self.assertNotIn("?", j["verdict"].replace("? whether", ""))
        self.assertEqual(j["hop"], j["causes"][0]["hop"])
        return j

    def says(self, j, hop, causes, key, section=None):
        first = j["causes"][0]
        self.assertIn(first["cause"], {causes} if isinstance(causes, str) else causes, j["verdict"])
        self.assertEqual((j["hop"], first["key"]), (hop, key), j["verdict"])
        if section is not None:
            self.assertEqual(first["section"], section)

    def test_the_listener_s_certificate(self):
        for profile, causes in PROFILES.items():
            with self.subTest(profile):
                self.says(self.probe(short(profile)), "listener", causes, "certificate", f"[listener {short(profile)}]")

    def test_the_target_s_certificate(self):
        for profile, causes in PROFILES.items():
            with self.subTest(profile):
                j = self.probe("t-" + short(profile))
                self.says(j, "target", causes, "certificate")
                self.assertTrue(j["causes"][0]["section"].startswith("target 127.0.0.1:"), j["causes"][0])

    def test_what_the_flag_leaves_on(self):
        skip = "--insecure-skip-verification"
        for profile in ("expired", "not-yet-valid", "wrong-host"):
            with self.subTest(profile):
                j = self.probe(profile, skip)
                self.says(j, "listener", PROFILES[profile], "certificate")
                self.assertIn("dates and host name are still checked", j["verdict"])
                self.assertNotIn("set insecureSkipVerification", j["verdict"])
        j = self.probe("private", skip)
        self.says(j, "listener", "SKIP_NEEDS_ROOT", "certificate")

    def test_what_comes_next_is_told(self):
        self.assertIn("After that API Gateway looks at the dates, and certificate 1",
                      self.probe("expired-untrusted")["verdict"])

    def test_plain_http(self):
        url = f"http://{HOST}/"
        self.says(self.probe("wrong-host", url=url), "gateway", "URI_HTTP_ON_TLS_LISTENER", "uri")
        self.says(self.probe("t-expired", url=url), "gateway",
                  {"URI_HTTP_ON_TLS_TARGET_ALERT", "PLAIN_TO_SILENT_TARGET_CALL"}, "uri")
        self.says(self.probe("nginx", url=url), "gateway", "URI_HTTP_ON_TLS_TARGET_SAID", "uri")
        self.says(self.probe("closes", url=url), "gateway", "PLAIN_TO_SILENT_TARGET_CALL", "uri")
        self.says(self.probe("alerts", url=url), "gateway", "URI_HTTP_ON_TLS_TARGET_ALERT", "uri")
        self.says(self.probe("g-nginx"), "target", {"GROUP_NOT_TLS", "GROUP_NOT_TLS_SAID_TO_CALL"}, "protocol")

    def test_text_has_the_same(self):
        for listener in ("leaf-only", "t-self-signed"):
            done = nlbsim("probe", "--connect", "%s:%d" % self.nlb.address(listener), f"https://{HOST}/")
            text = done.stdout.decode()
            hop = "listener" if listener == "leaf-only" else "target"
            with self.subTest(listener):
                self.assertIn(f"Decided by: {hop}\n", text)
                self.assertRegex(text, r"\nChange: (\[listener leaf-only\]|target 127\.0\.0\.1:\d+) certificate\n")
                self.assertIn("Presented, leaf first:\n  1 leaf CN=api.example.com", text)
                self.assertEqual(contradictions(text), [])
        self.assertIn("  ✗ ", text)


class FileNlb(Nlb):
    """Events go to a file; standard output has the ready lines."""

    def stop(self):
        self.process.terminate()
        self._judge(self.process.wait(DEADLINE_S))


if __name__ == "__main__":
    unittest.main()
