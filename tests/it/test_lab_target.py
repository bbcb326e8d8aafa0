# SPDX-License-Identifier: Apache-2.0
"""[lab_target]: what the embedded target answers to real clients, over plain HTTP and over TLS."""
import hashlib
import json
import re
import socket
import ssl
import struct
import subprocess
import unittest

from nlbtest import (CERTS, DEADLINE_S, NLBSIM, TLS12, TLS13, Nlb, NlbTest, build_hello, client_ctx, connect,
                     connect_tls, crc32c, curl, gnutls_cli, http_get, nlbsim, peer_cert, read_records, reset, run, s_client)

HOST = "api.example.com"


def setUpModule():
    global NLB, CA
    CA = CERTS.root()
    certificate = f"protocol = HTTPS\ncertificate = lab:valid/{HOST}\n"
    client_ca = "client_ca = ca.pem\n"
    with open(CA.crt, encoding="ascii") as f:
        ca_pem = f.read()
    text = f"""
[lab_target app]
{certificate}
[lab_target plain]
protocol = HTTP
[lab_target six]
protocol = HTTP
listen = [::1]:0
[lab_target required]
{certificate}client_auth = require
{client_ca}
[lab_target requested]
{certificate}client_auth = request
{client_ca}
[lab_target asked]
{certificate}client_auth = request
[lab_target old]
{certificate}tls_max = 1.2
[lab_target new]
{certificate}tls_min = 1.3
[lab_target picky]
{certificate}ciphers = ECDHE-ECDSA-AES256-GCM-SHA384 TLS_CHACHA20_POLY1305_SHA256
[lab_target two]
{certificate}ciphers = ECDHE-ECDSA-CHACHA20-POLY1305
[lab_target protocols]
{certificate}alpn = h2 http/1.1
""" + "".join(f"[lab_target odd-{name}]\nprotocol = HTTPS\ncertificate = lab:{name}/{HOST}\n" for name in ODD) + f"""
[listener through]
protocol = TLS
listen = 127.0.0.1:0
certificate = lab:valid/{HOST}
target_group = g
[listener raw]
protocol = TCP
listen = 127.0.0.1:0
target_group = t
[target_group g]
protocol = TLS
target = lab:app
[target_group t]
protocol = TCP
target = lab:app
"""
    NLB = Nlb(text, files={"ca.pem": ca_pem})
    NLB.__enter__()


def tearDownModule():
    NLB.__exit__(None, None, None)


ODD = ("expired", "self-signed", "wrong-host", "eku-client-only", "rsa-2048", "unknown-critical-extension",
       "ecdsa-521", "wrong-order")


def address(name):
    item = next(t for t in NLB.ready["lab_targets"] if t["name"] == name)
    return item["address"], item["port"]


def ask(sock, path="/", host=HOST):
    status, headers, body = http_get(sock, path, host)
    assert headers["content-type"] == "application/json", headers
    return status, json.loads(body)


def told(name, ctx=None, sni=HOST):
    """The answer of an HTTPS target to a client with this context."""
    with connect_tls(address(name), ctx, sni) as s:
        return ask(s)[1]


def send(name, data):
    """Everything a plain target answers to these bytes, until it closes; it must close in order."""
    with connect(address(name)) as s:
        s.sendall(data)
        out = b""
        while chunk := s.recv(65536):
            out += chunk
        return out


def answers(data):
    """Split a byte stream of responses with Content-Length."""
    out = []
    while data:
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        n = int(headers.get("content-length", 0))
        out.append((int(lines[0].split()[1]), headers, data[:n]))
        data = data[n:]
    return out


class Http(NlbTest):
    def test_the_request_as_it_came(self):
        data = (b"POST /orders?id=7 HTTP/1.1\r\nHost: API.example.com:8443\r\nX-Many: one\r\nX-Many: two\r\n"
                b"X-Latin: caf\xe9\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
        (status, headers, body), = answers(send("plain", data))
        seen = json.loads(body)
        self.assertEqual((status, headers["connection"]), (200, "close"))
        self.assertEqual({k: seen[k] for k in ("target", "protocol", "method", "path", "host", "http_version",
                                               "body_bytes", "request", "tls", "proxy")},
                         {"target": "plain", "protocol": "HTTP", "method": "POST", "path": "/orders?id=7",
                          "host": "API.example.com:8443", "http_version": "1.1", "body_bytes": 5, "request": 1,
                          "tls": None, "proxy": None})
        self.assertEqual(seen["headers"]["x-many"], ["one", "two"])
        self.assertEqual(seen["headers"]["x-latin"], r"caf\xe9")

    def test_peer_address(self):
        with connect(address("plain")) as s:
            seen = ask(s)[1]
            self.assertEqual(seen["peer"], {"address": "127.0.0.1", "port": s.getsockname()[1]})
            self.assertEqual(seen["address"], "%s:%d" % s.getpeername())

    def test_ipv6(self):
        with connect(address("six")) as s:
            self.assertEqual(ask(s)[1]["peer"]["address"], "::1")

    def test_keep_alive_counts_requests(self):
        with connect(address("plain")) as s:
            first = ask(s, "/1")[1]
            second = ask(s, "/2")[1]
        self.assertEqual((first["request"], second["request"]), (1, 2))
        self.assertEqual(first["connection"], second["connection"])

    def test_pipelined_requests_are_answered_in_order(self):
        one = "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
        data = "".join(one % i for i in range(400)) + "GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"
        got = answers(send("plain", data.encode()))
        self.assertEqual([json.loads(b)["path"] for _, _, b in got], [f"/{i}" for i in range(400)] + ["/last"])
        self.assertIsNone(json.loads(got[-1][2])["host"])

    def test_http_1_0_closes_unless_asked(self):
        self.assertEqual(len(answers(send("plain", b"GET / HTTP/1.0\r\n\r\n"))), 1)
        got = answers(send("plain", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n"))
        self.assertEqual([h.get("connection") for _, h, _ in got], ["keep-alive", "close"])

    def test_head_has_no_body(self):
        with connect(address("plain")) as s:
            s.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        head, rest = data.split(b"\r\n\r\n", 1)
        self.assertRegex(head.decode(), r"Content-Length: [1-9]")
        self.assertTrue(rest.startswith(b"HTTP/1.1 200 OK\r\n"), rest[:40])

    def test_body_is_expected_before_it_is_sent(self):
        with connect(address("plain")) as s:
            s.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            self.assertEqual(s.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(b"abcGET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        self.assertEqual([json.loads(b)["body_bytes"] for _, _, b in answers(data)], [3, 0])

    def test_chunked_body_byte_by_byte(self):
        data = (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: t\r\n\r\n")
        with connect(address("plain")) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(len(data)):
                s.sendall(data[i:i + 1])
            out = b""
            while chunk := s.recv(65536):
                out += chunk
        self.assertEqual(json.loads(answers(out)[0][2])["body_bytes"], 7)

    def test_curl_sends_a_large_body(self):
        host, port = address("plain")
        done = run("curl", "-sS", "--noproxy", "*", "-T", "-", f"http://{host}:{port}/", data=b"x" * 3_000_000,
                   check=True)
        self.assertEqual(json.loads(done.stdout)["body_bytes"], 3_000_000)

    def test_what_is_no_request_is_refused_in_order(self):
        for data, status in (
                (b"\x16\x03\x01\x00\x05hello\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
                (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
                (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
                (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
                (b"GET / HTTP/1.1\r\nA: " + b"b" * 40000 + b"\r\n\r\n" + b"x" * 200000, 431),
                (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n", 413)):
            (got, headers, body), = answers(send("plain", data))
            self.assertEqual((got, headers["connection"]), (status, "close"), data[:50])
            self.assertTrue(json.loads(body)["error"])

    def test_a_connection_without_a_byte(self):
        for end in (socket.socket.close, reset):
            end(connect(address("plain")))
            end(connect(address("app")))
        with connect(address("plain")) as s:
            s.sendall(b"P")
            s.shutdown(socket.SHUT_WR)
            self.assertEqual(s.recv(100), b"")
        with connect(address("plain")) as s:
            self.assertEqual(ask(s)[0], 200)


V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, family, body, tlvs=b""):
    """A header; with `tlvs` its checksum stands between the addresses and them."""
    if not tlvs:
        return V2 + bytes([command, family]) + struct.pack("!H", len(body)) + body
    whole = V2 + bytes([command, family]) + struct.pack("!H", len(body) + 7 + len(tlvs)) + body + b"\3\0\4%s" + tlvs
    return whole % struct.pack("!I", crc32c(whole % bytes(4)))


class Proxy(NlbTest):
    ADDRESSES = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack("!HH", 40000, 443)

    def seen(self, header, pieces=1, name="plain"):
        with connect(address(name)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            step = max(1, len(header) // pieces)
            for i in range(0, len(header), step):
                s.sendall(header[i:i + step])
            if name == "app":
                s = client_ctx().wrap_socket(s, server_hostname=HOST)
            with s:
                return ask(s)[1]

    def test_version_1(self):
        for pieces in (1, 5, 1000):
            proxy = self.seen(b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n", pieces)["proxy"]
            self.assertEqual(proxy, {"version": 1, "command": "PROXY", "family": "TCP4",
                                     "source": {"address": "192.0.2.1", "port": 40000},
                                     "destination": {"address": "198.51.100.2", "port": 443}, "tlvs": []})
        proxy = self.seen(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n")["proxy"]
        self.assertEqual(proxy["source"], {"address": "2001:db8::1", "port": 1})
        self.assertIsNone(self.seen(b"PROXY UNKNOWN\r\n")["proxy"]["source"])

    def test_version_2_with_tlvs_as_aws_sends_them(self):
        vpce = b"vpce-08d2bf15fac5001c9"
        header = v2(0x21, 0x11, self.ADDRESSES, b"\xea" + struct.pack("!H", 1 + len(vpce)) + b"\1" + vpce)
        for name, pieces in (("plain", 1), ("plain", 1000), ("app", 1), ("app", 1000)):
            seen = self.seen(header, pieces, name)
            self.assertEqual(seen["proxy"]["source"], {"address": "192.0.2.1", "port": 40000})
            self.assertEqual(seen["proxy"]["tlvs"],
                             [{"type": 3, "name": "CRC32C", "value": header[31:35].hex()},
                              {"type": 0xea, "name": "AWS", "value": (b"\1" + vpce).hex()}])
            self.assertEqual(seen["peer"]["address"], "127.0.0.1")

    def test_version_2_local_and_ipv6(self):
        self.assertEqual(self.seen(v2(0x20, 0, b""))["proxy"]["command"], "LOCAL")
        check = self.seen(V2 + bytes.fromhex("20110054030004bce5951f04004a") + bytes(74))["proxy"]      # NLB's health check
        self.assertEqual((check["command"], check["source"], [t["name"] for t in check["tlvs"]]), ("LOCAL", None, ["CRC32C", "NOOP"]))
        six = socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2 + struct.pack("!HH", 1, 2)
        self.assertEqual(self.seen(v2(0x21, 0x21, six))["proxy"]["destination"], {"address": "2001:db8::1", "port": 2})

    def test_malformed_headers_close(self):
        for header in (b"PROXY TCP4 x y 1 2\r\n", b"PROXY " + b"a" * 200, b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
                       v2(0x31, 0x11, self.ADDRESSES), v2(0x21, 0x11, b"\0" * 5), v2(0x21, 0x99, b""),
                       v2(0x21, 0x11, self.ADDRESSES + b"\3\0\4wxyz"), v2(0x21, 0x11, self.ADDRESSES + b"\x01\x00\x09a"), V2 + b"\x21\x11\xff\xff"):
            with connect(address("plain")) as s:
                s.sendall(header)
                self.assertEqual(s.recv(100), b"", header)

    def test_curl_and_haproxy_protocol(self):
        host, port = address("plain")
        done = run("curl", "-sS", "--noproxy", "*", "--haproxy-protocol", f"http://{host}:{port}/", check=True)
        self.assertEqual(json.loads(done.stdout)["proxy"]["version"], 1)


class Tls(NlbTest):
    def test_what_was_negotiated(self):
        seen = told("app")["tls"]
        self.assertEqual((seen["version"], seen["sni"], seen["alpn"], seen["client_certificate"]),
                         ("TLSv1.3", HOST, None, None))
        seen = told("app", client_ctx(high=TLS12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"), sni=None)["tls"]
        self.assertEqual((seen["version"], seen["cipher"], seen["sni"]),
                         ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", None))

    def test_group(self):
        for version, group, name in (("-tls1_3", "P-256", "secp256r1"), ("-tls1_3", "P-384", "secp384r1"),
                                     ("-tls1_3", "X25519", "x25519"), ("-tls1_2", "P-256", "secp256r1")):
            done = s_client(address("app"), version, "-groups", group, "-quiet", "-ign_eof",
                            data=b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(f'"group": "{name}"', done.text)

    def test_versions(self):
        self.assertEqual(told("old")["tls"]["version"], "TLSv1.2")
        self.assertEqual(told("new")["tls"]["version"], "TLSv1.3")
        for name, ctx in (("old", client_ctx(low=TLS13)), ("new", client_ctx(high=TLS12))):
            with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                told(name, ctx)

    def test_suites(self):
        self.assertEqual(told("picky")["tls"]["cipher"], "TLS_CHACHA20_POLY1305_SHA256")
        self.assertEqual(told("picky", client_ctx(high=TLS12))["tls"]["cipher"], "ECDHE-ECDSA-AES256-GCM-SHA384")
        with self.assertRaisesRegex(ssl.SSLError, "HANDSHAKE_FAILURE"):
            told("picky", client_ctx(high=TLS12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"))
        done = s_client(address("picky"), "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256")
        self.assertIn("alert number 40", done.text)
        self.assertEqual(told("two")["tls"]["version"], "TLSv1.2")  # no suite of TLS 1.3: off
        with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
            told("two", client_ctx(low=TLS13))

    def test_alpn(self):
        for version in (TLS12, TLS13):
            self.assertEqual(told("protocols", client_ctx(high=version, alpn=["http/1.1"]))["tls"]["alpn"], "http/1.1")
            self.assertIsNone(told("protocols", client_ctx(high=version))["tls"]["alpn"])
            with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                told("protocols", client_ctx(high=version, alpn=["spdy/3"]))
        self.assertIsNone(told("app", client_ctx(alpn=["http/1.1"]))["tls"]["alpn"])

    def test_hello_without_extensions(self):
        with connect(address("odd-rsa-2048")) as s:
            s.sendall(build_hello(ciphers=(0x009C, 0x003C, 0x002F)))
            self.assertEqual(s.recv(6)[::5], b"\x16\x02")  # a ServerHello
        with connect(address("new")) as s:
            s.sendall(build_hello(ciphers=(0xC02B,)))
            self.assertEqual(read_records(s), ([(21, b"\x02\x46")], "eof"))

    def test_not_tls(self):
        with connect(address("app")) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(read_records(s), ([(21, b"\x02\x0a")], "eof"))

    def test_close_is_announced(self):
        with connect_tls(address("app"), sni=HOST) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            data = b""
            while chunk := s.recv(65536):  # a FIN without close_notify would raise here
                data += chunk
        self.assertEqual(len(answers(data)), 1)

    def test_keep_alive_over_tls(self):
        with connect_tls(address("app"), sni=HOST) as s:
            self.assertEqual([ask(s, f"/{i}")[1]["request"] for i in range(3)], [1, 2, 3])

    def test_large_body_over_tls(self):
        with connect_tls(address("app"), sni=HOST) as s:
            s.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"y" * 1000000)
            self.assertEqual(ask(s)[1]["request"], 1)

    def test_certificates_of_any_kind(self):
        for name in ODD:
            with self.subTest(name), connect_tls(address("odd-" + name), sni=HOST) as s:
                self.assertEqual(ask(s)[0], 200)
                self.assertTrue(peer_cert(s))
        ctx = client_ctx(high=TLS12)
        for name in ODD:
            with self.subTest(name), connect_tls(address("odd-" + name), ctx, HOST) as s:
                self.assertEqual(ask(s)[0], 200)

    def test_gnutls(self):
        for priority, version in (("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1.2"), ("NORMAL", "TLSv1.3")):
            done = gnutls_cli(address("app"), "--insecure", "--sni-hostname", HOST, "--priority", priority,
                              data=b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(f'"version": "{version}"', done.text)

    def test_three_hundred_connections_at_once(self):
        socks = []
        try:
            for i in range(300):
                socks.append(connect_tls(address("app"), sni=HOST) if i % 10 == 0 else connect(address("plain")))
            seen = [ask(s)[1]["request"] for s in reversed(socks)]
        finally:
            for s in socks:
                s.close()
        self.assertEqual(seen, [1] * 300)


class ClientCertificates(NlbTest):
    @classmethod
    def setUpClass(cls):
        cls.good = CERTS.get("client one", sans=["client.example.com"])
        cls.expired = CERTS.get("client late", end="20210101000000Z")
        cls.other = CERTS.get("client other", issuer="self")

    def versions(self, cert):
        return [client_ctx(low=v, high=v, cert=cert) for v in (TLS12, TLS13)]

    def test_described(self):
        for name in ("required", "requested"):
            for ctx in self.versions(self.good):
                seen = told(name, ctx)["tls"]["client_certificate"]
                self.assertEqual(seen["sha256"], hashlib.sha256(self.good.der()).hexdigest())
                self.assertEqual((seen["subject"], seen["names"], seen["not_before"], seen["not_after"],
                                  seen["chain_length"], seen["verdict"]),
                                 ("CN=client one", ["client.example.com"], "2020-01-01T00:00:00Z",
                                  "2040-01-01T00:00:00Z", 1, "ok"))
                self.assertEqual(seen["issuer"], "CN=" + CA.cn)

    def test_requested_ones_are_reported_with_their_verdict(self):
        for cert, verdict in ((self.expired, "expired"), (self.other, "not trusted")):
            for ctx in self.versions(cert):
                self.assertEqual(told("requested", ctx)["tls"]["client_certificate"]["verdict"], verdict)
        for ctx in self.versions(None):
            self.assertIsNone(told("requested", ctx)["tls"]["client_certificate"])
        for ctx in self.versions(self.good):
            self.assertEqual(told("asked", ctx)["tls"]["client_certificate"]["verdict"], "not trusted")

    def test_required_ones_refuse(self):
        for cert, number12, number13 in ((None, 40, 116), (self.expired, 45, 45), (self.other, 48, 48)):
            for version, number in (("-tls1_2", number12), ("-tls1_3", number13)):
                args = ["-cert", cert.pem] if cert else []
                done = s_client(address("required"), version, "-quiet", "-ign_eof", *args, data=b"GET / HTTP/1.0\r\n\r\n")
                self.assertIn(f"alert number {number}\n", done.text)
                self.assertNotIn("200 OK", done.text)

    def test_gnutls_is_told_too(self):
        for priority, text in (("NORMAL:-VERS-ALL:+VERS-TLS1.2", "Handshake failed"), ("NORMAL", "Certificate is required")):
            done = gnutls_cli(address("required"), "--insecure", "--priority", priority, data=b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(text, done.text)


class BehindTheLoadBalancer(NlbTest):
    def test_a_tls_listener_ends_the_clients_session(self):
        done = curl(NLB, "through", "-k")
        seen = json.loads(done.stdout)
        self.assertIsNone(seen["tls"]["sni"])
        self.assertEqual(seen["host"].split(":")[0], HOST)

    def test_a_tcp_listener_passes_it_on(self):
        seen = json.loads(curl(NLB, "raw", "-k").stdout)
        self.assertEqual(seen["tls"]["sni"], HOST)


class Alone(NlbTest):
    def test_taken_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            text = f"[lab_target a]\nprotocol = HTTP\nlisten = 127.0.0.1:{s.getsockname()[1]}\n"
            with self.assertRaises(AssertionError) as caught, Nlb(text):
                pass
        self.assertIn("lab target 'a': cannot listen", str(caught.exception))
        self.assertEqual(caught.exception.status, 3)


class Verb(NlbTest):
    """`nlbsim target`: one target by itself."""

    def start(self, *args):
        process = subprocess.Popen([NLBSIM, "target", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        line = process.stdout.readline()
        host, port = re.fullmatch(r"ready target=(\S+) protocol=(\S+) address=(.*):(\d+)\n", line).group(3, 4)
        return process, line, (host, int(port))

    def test_serves_until_told_to_stop(self):
        process, line, at = self.start("--name", "mine", "--certificate", f"lab:expired/{HOST}", "--tls-max", "1.2")
        self.assertIn("target=mine protocol=HTTPS", line)
        with connect_tls(at, sni=HOST) as s:
            seen = ask(s)[1]
        self.assertEqual((seen["target"], seen["tls"]["version"]), ("mine", "TLSv1.2"))
        process.terminate()
        self.assertEqual(process.wait(DEADLINE_S), 0)

    def test_plain_and_faulty(self):
        _, _, at = self.start("--protocol", "HTTP", "--fault", "status:503")
        with connect(at) as s:
            self.assertEqual(ask(s)[0], 503)

    def test_certificate_by_default(self):
        _, _, at = self.start("--lab-seed", "s")
        with connect_tls(at, sni="localhost") as s:
            first = peer_cert(s)
        _, _, at = self.start("--lab-seed", "s")
        with connect_tls(at, sni="localhost") as s:
            self.assertEqual(peer_cert(s), first)

    def test_what_is_wrong_is_said(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            taken = "127.0.0.1:%d" % s.getsockname()[1]
            for args, status, text in (
                    (("--fault", "reset-after-helo"), 2, "did you mean 'reset-after-hello'?"),
                    (("--fault", "none\n[nlb]"), 2, "one line"),
                    (("--protocol", "FTP"), 2, "FTP"),
                    (("--nope", "1"), 2, "--help"),
                    (("extra",), 2, "'extra' is no option"),
                    (("--protocol", "HTTP", "--certificate", "x.pem"), 2, "only for protocol = HTTPS"),
                    (("--certificate", "gone.pem"), 2, "gone.pem"),
                    (("--protocol", "HTTP", "--listen", taken), 3, "cannot listen")):
                done = nlbsim("target", *args)
                self.assertIn(text, done.stderr.decode(), args)
                self.assertEqual((done.returncode, done.stdout), (status, b""), args)

    def test_help_names_every_key(self):
        text = nlbsim("target", "--help").stdout.decode()
        for option in ("--listen", "--client-auth", "--tls-min", "--fault", "example:"):
            self.assertIn(option, text)


if __name__ == "__main__":
    unittest.main()
