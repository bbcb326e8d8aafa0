# SPDX-License-Identifier: Apache-2.0
"""fault = ...: every row of labtarget/faults.def acted out, as a real client sees it."""
import hashlib
import json
import re
import socket
import ssl
import time
import unittest

from nlbtest import (CERTS, TLS12, TLS13, Nlb, NlbTest, client_ctx, connect, connect_tls, ending, gnutls_cli,
                     hello_bytes, http_get, java_client, nlbsim, read_records, recv_all, recv_exactly, s_client, tls_ini)

HOST = "api.example.com"
BOTH = (TLS12, TLS13)
GET = b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n"

SILENCE_S = 0.3  # a target that says nothing for so long hangs

# protocol, fault, further keys
TARGETS = {}


def target(fault, protocol="HTTPS", more=""):
    """Name of the lab target with this fault; declared while this file is read."""
    name = f"{protocol.lower()}-{len(TARGETS)}"
    TARGETS[name] = (protocol, fault, more)
    return name


def setUpModule():
    global NLB
    with open(CERTS.root().crt, encoding="ascii") as f, open(PINNED.crt, encoding="ascii") as g:
        files = {"ca.pem": f.read(), "pinned.pem": g.read()}
    text = ""
    for name, (protocol, fault, more) in TARGETS.items():
        text += f"[lab_target {name}]\nprotocol = {protocol}\nfault = {fault}\n{more}"
        if protocol == "HTTPS":
            text += f"certificate = lab:valid/{HOST}\n"
    NLB = Nlb(text, files=files)
    NLB.__enter__()


def tearDownModule():
    NLB.__exit__(None, None, None)


PINNED = CERTS.get("ApiGateway", issuer="self")
OTHER = CERTS.get("Another ApiGateway", issuer="self")


def address(name):
    item = next(t for t in NLB.ready["lab_targets"] if t["name"] == name)
    return item["address"], item["port"]


def raw(name, data=b"", expected="eof"):
    """(every byte the target sends, how it ends: eof, rst, or timeout, which is waited for shortly)."""
    out = b""
    try:
        with connect(address(name), timeout=SILENCE_S if expected == "timeout" else None) as s:
            if data:
                s.sendall(data)
            while chunk := s.recv(65536):
                out += chunk
        return out, "eof"
    except (ConnectionResetError, BrokenPipeError):
        return out, "rst"
    except (TimeoutError, socket.timeout):
        return out, "timeout"


def handshake(name, version=TLS13, cert=None):
    return connect_tls(address(name), client_ctx(low=version, high=version, cert=cert), HOST)


def told(sock, path="/"):
    return json.loads(http_get(sock, path)[2])


class Faults(NlbTest):
    def ends(self, name, how, data=b""):
        self.assertEqual(raw(name, data, how), (b"", how), TARGETS[name])


class OnAccept(Faults):
    NAMES = [(target(f"{what}-on-accept", p), how) for p in ("HTTP", "HTTPS")
             for what, how in (("close", "eof"), ("reset", "rst"), ("hang", "timeout"))]
    DEAF = target("not-listening"), target("not-listening", "HTTP")
    LATE = target("delay-accept:300", "HTTP"), target("delay-accept:300")
    PLAIN = target("plain-http")

    def test_nothing_is_said(self):
        for name, how in self.NAMES:
            data = hello_bytes(sni=HOST) if name.startswith("https") else GET
            with self.subTest(name):
                self.ends(name, how)
                if how != "rst":
                    self.ends(name, how, data)

    def test_refused(self):
        for name in self.DEAF:
            with self.assertRaises(ConnectionRefusedError):
                connect(address(name))

    def test_late(self):
        start = time.monotonic()
        with connect(address(self.LATE[0])) as s:
            told(s)
        with handshake(self.LATE[1]) as s:
            told(s)
        self.assertGreater(time.monotonic() - start, 0.6)

    def test_plain_http_on_the_tls_port(self):
        self.assertTrue(raw(self.PLAIN, hello_bytes(sni=HOST))[0].startswith(b"HTTP/1.1 400 Bad Request\r\n"))
        with self.assertRaisesRegex(ssl.SSLError, "WRONG_VERSION_NUMBER|wrong version number"):
            handshake(self.PLAIN)
        with connect(address(self.PLAIN)) as s:
            self.assertIsNone(told(s)["tls"])


class AfterHello(Faults):
    NAMES = [(target(f"{what}-after-hello"), how)
             for what, how in (("close", "eof"), ("reset", "rst"), ("hang", "timeout"))]
    LATE = target("delay-hello:300")
    ALERTS = {target(f"alert:{name}"): (name, number) for name, number in (
        ("unexpected_message", 10), ("bad_record_mac", 20), ("record_overflow", 22), ("handshake_failure", 40),
        ("bad_certificate", 42), ("unsupported_certificate", 43), ("certificate_revoked", 44),
        ("certificate_expired", 45), ("certificate_unknown", 46), ("illegal_parameter", 47), ("unknown_ca", 48),
        ("access_denied", 49), ("decode_error", 50), ("decrypt_error", 51), ("protocol_version", 70),
        ("insufficient_security", 71), ("internal_error", 80), ("inappropriate_fallback", 86),
        ("user_canceled", 90), ("missing_extension", 109), ("unsupported_extension", 110),
        ("unrecognized_name", 112), ("unknown_psk_identity", 115), ("certificate_required", 116),
        ("no_application_protocol", 120), ("200", 200))}
    CLOSE_NOTIFY = target("alert:close_notify")
    WARNING = target("warning-unrecognized-name")
    SNI = target("refuse-unknown-sni")
    SNI_ONLY = target("refuse-unknown-sni:only.example.com")
    GARBAGE = target("garbage")

    def test_it_waits_for_the_whole_hello(self):
        hello = hello_bytes(sni=HOST)
        for name, how in self.NAMES:
            with self.subTest(name):
                self.ends(name, "timeout", hello[:-1])
                self.ends(name, how, hello)

    def test_late(self):
        start = time.monotonic()
        for version in BOTH:
            with handshake(self.LATE, version) as s:
                self.assertEqual(told(s)["request"], 1)
        self.assertGreater(time.monotonic() - start, 0.6)

    def test_every_alert(self):
        for name, (_, number) in self.ALERTS.items():
            with connect(address(name)) as s:
                s.sendall(hello_bytes(sni=HOST))
                self.assertEqual(read_records(s), ([(21, bytes([2, number]))], "eof"), name)

    def alert(self, wanted):
        return next(target for target, (name, _) in self.ALERTS.items() if name == wanted)

    def test_alerts_as_clients_tell_them(self):
        done = s_client(address(self.alert("unknown_ca")), "-servername", HOST)
        self.assertIn("alert number 48", done.text)
        done = gnutls_cli(address(self.alert("certificate_expired")), "--insecure")
        self.assertIn("Certificate is expired", done.text)

    def test_close_notify_in_the_handshake(self):
        with connect(address(self.CLOSE_NOTIFY)) as s:
            s.sendall(hello_bytes(sni=HOST))
            self.assertEqual(read_records(s), ([(21, b"\x01\x00")], "eof"))

    def test_warning_then_the_handshake_goes_on(self):
        for version in BOTH:
            with connect(address(self.WARNING)) as s:
                s.sendall(hello_bytes(client_ctx(high=version), sni=HOST))
                self.assertEqual(recv_exactly(s, 8), b"\x15\x03\x03\x00\x02\x01\x70\x16")
        with handshake(self.WARNING, TLS12) as s:
            self.assertEqual(told(s)["tls"]["version"], "TLSv1.2")

    def test_unknown_server_names(self):
        for name, known in ((self.SNI, HOST), (self.SNI_ONLY, "only.example.com")):
            for version in BOTH:
                ctx = client_ctx(low=version, high=version)
                with connect_tls(address(name), ctx, known.upper()) as s:
                    self.assertEqual(told(s)["tls"]["sni"].lower(), known)
                for sni in ("x" + known, None):
                    with self.assertRaisesRegex(ssl.SSLError, "(?i)unrecognized.name"):
                        connect_tls(address(name), ctx, sni)

    def test_garbage(self):
        data, how = raw(self.GARBAGE, hello_bytes(sni=HOST))
        self.assertEqual((data[0] in (20, 21, 22, 23), len(data) > 8, how), (False, True, "eof"))
        with self.assertRaises(ssl.SSLError):
            handshake(self.GARBAGE)


class AtBytes(Faults):
    SENT = {(what, n): target(f"{what}-in-flight:{n}") for what in ("close", "reset", "hang")
            for n in (1, 4, 5, 6, 50, 127, 128, 133, 400, 700) if what != "hang" or n % 5 == 0}
    DEFAULT = target("close-in-flight")
    PLAIN = {what: target(f"{what}-in-flight:20", "HTTP") for what in ("close", "reset", "hang")}
    GOT = {(what, n): target(f"{what}-after-received:{n}") for what in ("close", "reset", "hang") for n in (1, 5, 100)}
    LATER = target("close-after-received:4000")  # well past a hello, also one with a post-quantum share
    TRUNCATED = target("truncated-record")
    CORRUPT = {n: target(f"corrupt-byte:{n}") for n in (1, 30, 150, 500)}
    CORRUPT_HTTP = target("corrupt-byte:1", "HTTP")
    SLOW = target("slow-bytes:1"), target("slow-bytes:1", "HTTP")
    HOW = {"close": "eof", "reset": "rst", "hang": "timeout"}

    def test_after_so_many_bytes_sent(self):
        hello = hello_bytes(sni=HOST)
        for (what, n), name in self.SENT.items():
            data, how = raw(name, hello, self.HOW[what])
            self.assertEqual((len(data), how), (n, self.HOW[what]), name)
        self.assertEqual(len(raw(self.DEFAULT, hello)[0]), 200)
        for what, name in self.PLAIN.items():
            self.assertEqual(raw(name, GET, self.HOW[what]), (b"HTTP/1.1 200 OK\r\nDat", self.HOW[what]))

    def test_no_byte_of_the_first_flight_is_spared(self):
        """Every position: each needs a target of its own, so a sample through one file of targets."""
        positions = range(1, 1200, 37)
        text = "".join(f"[lab_target t{n}]\nprotocol = HTTPS\ncertificate = lab:valid/{HOST}\nfault = close-in-flight:{n}\n"
                       for n in positions)
        with Nlb(text) as nlb:
            hello = hello_bytes(sni=HOST)
            for item in nlb.ready["lab_targets"]:
                with connect((item["address"], item["port"])) as s:
                    s.sendall(hello)
                    data = b""
                    while chunk := s.recv(65536):
                        data += chunk
                self.assertEqual(len(data), int(item["name"][1:]))

    def test_after_so_many_bytes_received(self):
        hello = hello_bytes(sni=HOST)
        for (what, n), name in self.GOT.items():
            self.assertEqual(raw(name, hello[:n], self.HOW[what]), (b"", self.HOW[what]), name)
            if what == "reset":
                self.assertEqual(raw(name, hello[:n - 1], "timeout"), (b"", "timeout"), name)

    def test_received_bytes_count_past_the_handshake(self):
        with handshake(self.LATER) as s:
            s.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 4000 + b"\r\n\r\n")
            self.assertIn(ending(s), ("eof", "rst"))

    def test_truncated_record(self):
        for version in BOTH:
            data, how = raw(self.TRUNCATED, hello_bytes(client_ctx(high=version), sni=HOST))
            announced = int.from_bytes(data[3:5], "big")
            self.assertEqual((data[0], how, len(data)), (22, "eof", 5 + announced // 2))

    def test_corrupt_byte(self):
        for n, name in self.CORRUPT.items():
            for version in BOTH:
                with self.subTest(n=n, version=version), self.assertRaises(ssl.SSLError):
                    with handshake(name, version) as s:
                        told(s)
        with connect(address(self.CORRUPT_HTTP)) as s:
            s.sendall(GET)
            self.assertEqual(recv_exactly(s, 8), bytes([ord("H") ^ 0xff]) + b"TTP/1.1")

    def test_one_byte_at_a_time(self):
        start = time.monotonic()
        with connect(address(self.SLOW[0])) as s:
            s.sendall(hello_bytes(sni=HOST))
            self.assertEqual(recv_exactly(s, 150)[0], 22)
        with connect(address(self.SLOW[1])) as s:
            self.assertEqual(told(s)["request"], 1)
        self.assertGreater(time.monotonic() - start, 0.5)


class AfterHandshake(Faults):
    NAMES = {what: target(f"{what}-after-handshake") for what in ("close", "reset", "hang")}
    ALERTS = {number: target(f"alert-after-handshake:{name}") for name, number in (
        ("bad_certificate", 42), ("unknown_ca", 48), ("certificate_required", 116), ("internal_error", 80))}
    CLIENTS = "client_auth = request\nclient_ca = pinned.pem\n"
    PIN = target("pin-client-certificate", more=CLIENTS)
    PIN_ONE = target("pin-client-certificate:" + hashlib.sha256(PINNED.der()).hexdigest().upper(), more=CLIENTS)
    CA_FLAG = target("demand-ca-flag", more="client_auth = require\nclient_ca = pinned.pem\n")

    def test_ended_by(self):
        for version in BOTH:
            with handshake(self.NAMES["close"], version) as s, self.assertRaisesRegex(ssl.SSLError, "(?i)eof"):
                s.recv(1)
            with handshake(self.NAMES["hang"], version) as s:
                s.sendall(GET)
                s.settimeout(SILENCE_S)
                with self.assertRaises((TimeoutError, socket.timeout)):
                    s.recv(1)
            try:
                with handshake(self.NAMES["reset"], version) as s:
                    self.assertEqual(ending(s), "rst")
            except ConnectionResetError:  # TLS 1.2: the RST may overtake the client's reading
                self.assertEqual(version, TLS12)

    def test_alerts_are_encrypted(self):
        for number, name in self.ALERTS.items():
            for version in ("-tls1_2", "-tls1_3"):
                done = s_client(address(name), version, "-quiet", "-ign_eof", data=GET)
                self.assertIn(f"alert number {number}\n", done.text)

    def test_pinned_client_certificates(self):
        for version in ("-tls1_2", "-tls1_3"):
            for name in (self.PIN, self.PIN_ONE):
                for cert, text in ((PINNED, "200 OK"), (OTHER, "alert number 48\n"), (None, "alert number 116\n")):
                    args = ["-cert", cert.pem] if cert else []
                    done = s_client(address(name), version, "-quiet", "-ign_eof", *args,
                                    data=b"GET / HTTP/1.0\r\n\r\n")
                    self.assertIn(text, done.text)

    def test_a_verifier_that_wants_the_ca_flag(self):
        done = s_client(address(self.CA_FLAG), "-quiet", "-ign_eof", "-cert", PINNED.pem, data=b"GET / HTTP/1.0\r\n\r\n")
        self.assertIn("alert number 48\n", done.text)


class OnRequest(Faults):
    NAMES = {(what, p): target(f"{what}-after-request", p) for what in ("close", "reset", "hang")
             for p in ("HTTP", "HTTPS")}
    SECOND = {what: target(f"{what}-after-request:2", "HTTP") for what in ("close", "reset", "hang")}
    HALF = {(what, p): target(f"{what}-in-response", p) for what in ("close", "reset", "hang")
            for p in ("HTTP", "HTTPS")}
    HALF_SECOND = target("close-in-response:2", "HTTP")
    LATE = target("delay-response:300", "HTTP")
    SLOW = target("slow-response:5"), target("slow-response:5", "HTTP")
    STATUS = {n: target(f"status:{n}", p) for n, p in ((200, "HTTP"), (401, "HTTPS"), (404, "HTTP"), (429, "HTTP"),
                                                       (500, "HTTPS"), (503, "HTTP"), (599, "HTTP"))}
    HOST = target("refuse-unknown-host"), target("close-unknown-host")
    HOST_HTTP = target("refuse-unknown-host:a.example", "HTTP"), target("close-unknown-host:a.example", "HTTP")
    HOW = {"close": "eof", "reset": "rst", "hang": "timeout"}

    def test_no_answer(self):
        for (what, protocol), name in self.NAMES.items():
            if protocol == "HTTP":
                self.ends(name, "timeout", GET[:-1])
                self.ends(name, self.HOW[what], GET)
                continue
            with handshake(name) as s:
                s.sendall(GET)
                if what == "hang":
                    s.settimeout(SILENCE_S)
                self.assertEqual(ending(s), self.HOW[what])

    def test_second_request(self):
        for what, name in self.SECOND.items():
            with connect(address(name)) as s:
                self.assertEqual(told(s)["request"], 1)
                s.sendall(GET)
                if what == "hang":
                    s.settimeout(SILENCE_S)
                self.assertEqual(ending(s), self.HOW[what])

    def test_half_an_answer(self):
        for (what, protocol), name in self.HALF.items():
            with handshake(name) if protocol == "HTTPS" else connect(address(name)) as s:
                if what == "hang":
                    s.settimeout(SILENCE_S)
                s.sendall(GET)
                data = b""
                try:
                    while chunk := s.recv(65536):
                        data += chunk
                        if self.half(data) == 0 and protocol == "HTTPS":
                            break
                    how = ending(s)
                except (TimeoutError, socket.timeout):
                    how = "timeout"
                except ConnectionResetError:
                    how = "rst"
                self.assertEqual(how, self.HOW[what], TARGETS[name])
                self.assertEqual(self.half(data), 0)
        with connect(address(self.HALF_SECOND)) as s:
            self.assertEqual(told(s)["request"], 1)
            s.sendall(GET)
            self.assertEqual(self.half(recv_all(s)), 0)

    @staticmethod
    def half(data):
        """Bytes that `data` is away from half of the response, rounded down."""
        head, _, body = data.partition(b"\r\n\r\n")
        announced = re.search(rb"Content-Length: (\d+)", head)
        return len(data) - (len(head) + 4 + int(announced.group(1))) // 2 if announced and body else -1

    def test_late_and_slow(self):
        start = time.monotonic()
        with connect(address(self.LATE)) as s:
            self.assertEqual(told(s)["request"], 1)
        self.assertGreater(time.monotonic() - start, 0.3)
        with handshake(self.SLOW[0]) as s:
            start = time.monotonic()
            self.assertEqual(told(s)["request"], 1)
            self.assertGreater(time.monotonic() - start, 0.2)
        with connect(address(self.SLOW[1])) as s:
            self.assertEqual(told(s)["request"], 1)

    def test_status(self):
        for status, name in self.STATUS.items():
            with handshake(name) if name.startswith("https") else connect(address(name)) as s:
                got, _, body = http_get(s)
                self.assertEqual((got, json.loads(body)["request"]), (status, 1))

    def test_unknown_hosts(self):
        for names, known in ((self.HOST, HOST), (self.HOST_HTTP, "a.example")):
            for name, closes in zip(names, (False, True)):
                def opened():
                    return handshake(name) if name.startswith("https") else connect(address(name))
                with opened() as s:
                    self.assertEqual(http_get(s, host=known.upper() + ":8443")[0], 200)
                    if closes:
                        with self.assertRaisesRegex((EOFError, ssl.SSLError), "(?i)eof|no HTTP answer"):
                            http_get(s, host="other.example")
                    else:
                        self.assertEqual(http_get(s, host="other.example")[0], 421)
                        self.assertEqual(http_get(s, host=known)[0], 200)


class Idle(Faults):
    CLOSE = target("close-idle:100"), target("close-idle:100", "HTTP")
    RESET = target("reset-idle:100", "HTTP")

    def test_closed_when_idle(self):
        with handshake(self.CLOSE[0]) as s:
            self.assertEqual([told(s)["request"], told(s)["request"]], [1, 2])
            self.assertEqual(s.recv(1), b"")  # in order: with close_notify
        with connect(address(self.CLOSE[1])) as s:
            told(s)
            self.assertEqual(ending(s), "eof")
        with connect(address(self.RESET)) as s:
            told(s)
            self.assertEqual(ending(s), "rst")

    def test_not_before_the_first_request(self):
        with connect(address(self.CLOSE[1]), timeout=0.4) as s:
            self.assertEqual(ending(s), "timeout")


class Jdk(NlbTest):
    """What API Gateway's kind of client says to each (catalogue rows C10, C14, C15, C17, C24, C25, C30, A44);
    limited to TLS 1.2, as API Gateway is, and as other clients do."""
    REQUIRED = "client_auth = require\nclient_ca = ca.pem\n"
    CASES = (
        (target("none", more=REQUIRED), "TLSv1.2", "Received fatal alert: handshake_failure"),
        (target("none", more=REQUIRED), "TLSv1.3", "Received fatal alert: certificate_required"),
        (target("none", more="tls_min = 1.3\n"), "TLSv1.2", "Received fatal alert: protocol_version"),
        (target("none", more="ciphers = ECDHE-ECDSA-AES128-CCM8\n"), "TLSv1.2", "Received fatal alert: handshake_failure"),
        (target("refuse-unknown-sni:other.example.com"), "TLSv1.3", "Received fatal alert: unrecognized_name"),
        (target("warning-unrecognized-name"), "TLSv1.2", "received handshake warning: unrecognized_name"),
        (target("plain-http"), "TLSv1.3", "Unsupported or unrecognized SSL message"),
        (target("close-in-flight"), "TLSv1.3", "Remote host terminated the handshake"),
        (target("reset-in-flight"), "TLSv1.2", "Connection reset"),
        (target("alert:close_notify"), "TLSv1.3", "Received close_notify during handshake"),
        (target("none"), "TLSv1.3", "ok TLSv1.3"),
    )

    def test_texts(self):
        for name, version, text in self.CASES:
            with self.subTest(TARGETS[name]):
                self.assertIn(text, java_client(address(name), HOST, trust_all=True, protocols=version))

    def test_a_listener_with_tls_13_only(self):
        for error in ("close_notify", "alert"):
            ini = tls_ini("127.0.0.1:1", cert=f"lab:valid/{HOST}", policy="ELBSecurityPolicy-TLS13-1-3-2021-06",
                          listener=f"tls_error = {error}\n")
            with self.subTest(error), Nlb(ini) as nlb:
                self.assertIn("Received fatal alert: protocol_version",
                              java_client(nlb.address("l"), HOST, trust_all=True, protocols="TLSv1.2"))


class Table(NlbTest):
    def test_every_row_is_acted_out_here(self):
        """A fault that no test of this file starts would be only a name."""
        started = {fault.split(":")[0] for _, fault, _ in TARGETS.values()}
        rows = set(re.findall(r"^  ([a-z0-9-]+)", nlbsim("target", "--faults").stdout.decode(), re.M))
        self.assertGreater(len(rows), 35)
        self.assertEqual(rows - started, set())


if __name__ == "__main__":
    unittest.main()
