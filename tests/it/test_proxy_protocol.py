# SPDX-License-Identifier: Apache-2.0
"""rank 23: PROXY protocol version 2 toward targets: bytes, place and time; and on health checks."""
import json
import socket
import struct
import unittest

from nlbtest import (CERTS, DEADLINE_S, RELAYS, Hello, Nlb, NlbTest, Pattern, Target, client_ctx, connect, connect_tls, crc32c,
                     echo, ending, half_close, http_get, recv_all, recv_digest, recv_exactly, reset,
                     send_pattern, server_ctx, tcp_ini, tls, tls_ini)

HOST = "api.example.com"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PROXY = "proxy_protocol_v2.enabled = true\n"
AT_ONCE = PROXY + "proxy_protocol_v2.client_to_server.header_placement = on_first_ack\n"
ENDPOINT = "vpce-08d2bf15fac5001c9"


class Header:
    """A version 2 header, read from a socket strictly: anything unexpected is an error."""

    def __init__(self, sock):
        head = recv_exactly(sock, 16)
        if head[:12] != SIGNATURE:
            raise ValueError(f"no PROXY header: {head!r}")
        self.command, family, n = struct.unpack("!BBH", head[12:])
        body = recv_exactly(sock, n)
        self.bytes = head + body
        self.size, self.tlvs = 16 + n, []
        at = 0 if self.command == 0x20 else {0x11: 12, 0x21: 36}[family]
        if at:
            ip, kind = (4, socket.AF_INET) if family == 0x11 else (16, socket.AF_INET6)
            ports = struct.unpack("!HH", body[2 * ip:at])
            self.source = socket.inet_ntop(kind, body[:ip]), ports[0]
            self.destination = socket.inet_ntop(kind, body[ip:2 * ip]), ports[1]
        zeroed = bytearray(head + body)
        while at < n:
            kind, size = struct.unpack("!BH", body[at:at + 3])
            value = body[at + 3:at + 3 + size]
            if len(value) != size:
                raise ValueError("a TLV past the end")
            self.tlvs.append((kind, value))
            if kind == 3:
                zeroed[16 + at + 3:16 + at + 7] = bytes(4)
            at += 3 + size
        if dict(self.tlvs)[3] != struct.pack("!I", crc32c(zeroed)):
            raise ValueError("the checksum is wrong")


def behind_header(handler):
    """A target that reads the header first; seen.header."""
    def wrapped(sock, seen):
        seen.header = Header(sock)
        handler(sock, seen)
    return wrapped


class Rank23(NlbTest):
    def check(self, header, client, listener, endpoint=None):
        self.assertEqual(header.command, 0x21)
        self.assertEqual(header.source, client[:2])
        self.assertEqual(header.destination, listener[:2])
        self.assertEqual(header.size, 100)
        kinds = [kind for kind, _ in header.tlvs]
        if endpoint:
            self.assertEqual(kinds, [3, 0xEA, 4])
            self.assertEqual(header.tlvs[1][1], b"\x01" + endpoint.encode())
        else:
            self.assertEqual(kinds, [3, 4])
        self.assertEqual(header.tlvs[-1][1].strip(b"\0"), b"")

    def test_rank23_header_comes_with_the_first_payload(self):
        """TCP listener: the target's connection is made at once, the header waits for the client."""
        for relay in RELAYS:
            with self.subTest(relay=relay), Target(behind_header(echo())) as target:
                with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n", group=PROXY)) as nlb:
                    with connect(nlb.address("l")) as s:
                        target.accepted()
                        (peer,) = target.live
                        peer.settimeout(0.1)
                        with self.assertRaises(TimeoutError):
                            peer.recv(1, socket.MSG_PEEK)
                        peer.settimeout(DEADLINE_S)
                        s.sendall(b"ping")
                        self.assertEqual(recv_exactly(s, 4), b"ping")
                        client = s.getsockname()
                    seen = target.take()
                    self.assertIsNone(seen.error)
                    self.check(seen.header, client, nlb.address("l"))
                    self.assertEqual(seen.data, b"ping")
                    self.assertEqual(nlb.event()["received_bytes"], 4)

    def test_rank23_a_target_that_speaks_first_waits(self):
        """A protocol in which the server speaks first stalls only at a target that waits for the header."""
        with Target(lambda sock, seen: (sock.sendall(b"220 hello"), setattr(seen, "header", Header(sock)))) as target:
            with Nlb(tcp_ini(target, group=PROXY)) as nlb, connect(nlb.address("l")) as s:
                self.assertEqual(recv_exactly(s, 9), b"220 hello")
                s.sendall(b"EHLO")
                self.assertEqual(target.take().header.source, s.getsockname())

    def test_rank23_no_payload_no_header(self):
        with Target(lambda sock, seen: setattr(seen, "data", recv_all(sock))) as target:
            with Nlb(tcp_ini(target, group=PROXY)) as nlb:
                with connect(nlb.address("l")) as s:
                    half_close(s)
                    self.assertEqual(ending(s), "eof")
                seen = target.take()
                self.assertEqual((seen.data, seen.error), (b"", None))

    def test_rank23_a_reset_before_any_payload(self):
        with Target(lambda sock, seen: setattr(seen, "data", recv_all(sock))) as target:
            with Nlb(tcp_ini(target, group=PROXY)) as nlb:
                s = connect(nlb.address("l"))
                target.accepted()
                reset(s)
                self.assertIsInstance(target.take().error, ConnectionResetError)
                self.assertEnd(nlb.event(), "client_reset")

    def test_rank23_on_first_ack(self):
        with Target(behind_header(echo())) as target:
            with Nlb(tcp_ini(target, group=AT_ONCE)) as nlb, connect(nlb.address("l")) as s:
                half_close(s)
                seen = target.take()
                self.assertIsNone(seen.error)
                self.check(seen.header, s.getsockname(), nlb.address("l"))

    def test_rank23_before_the_client_hello_of_a_tls_group(self):
        cert = CERTS.get(HOST)
        with Target(behind_header(tls(server_ctx(cert)))) as target:
            with Nlb(tls_ini(target, cert=cert, protocol="TLS", group=PROXY)) as nlb:
                with connect_tls(nlb.address("l"), client_ctx(CERTS.root()), HOST) as s:
                    s.sendall(b"ping")
                    self.assertEqual(recv_exactly(s, 4), b"ping")
                    client = s.getsockname()
                seen = target.take()
                self.check(seen.header, client, nlb.address("l"))
                self.assertIsNone(Hello(seen.hello).sni)

    def test_rank23_tls_listener_and_tcp_group(self):
        """The client has sent payload by then: its ClientHello. The header does not wait."""
        with Target(behind_header(echo())) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), group=PROXY)) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    client = s.getsockname()
                    s.sendall(b"ping")
                    self.assertEqual(recv_exactly(s, 4), b"ping")
                self.check(target.take().header, client, nlb.address("l"))

    def test_rank23_private_link(self):
        with Target(behind_header(echo())) as target:
            with Nlb(tcp_ini(target, nlb=f"vpc_endpoint_id = {ENDPOINT}\n", group=PROXY)) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(b"ping")
                    self.assertEqual(recv_exactly(s, 4), b"ping")
                    client = s.getsockname()
                self.check(target.take().header, client, nlb.address("l"), ENDPOINT)

    def test_rank23_the_clients_own_header_stays(self):
        """On a TCP listener there can be two: the client's follows as its payload."""
        with Target(behind_header(behind_header(echo()))) as target:
            with Nlb(tcp_ini(target, group=PROXY)) as nlb, connect(nlb.address("l")) as s:
                inner = (SIGNATURE + b"\x21\x11" + struct.pack("!H", 12 + 7) + bytes([10, 0, 0, 1, 10, 0, 0, 2])
                         + struct.pack("!HH", 1, 2) + b"\x03\0\x04")
                s.sendall(inner + struct.pack("!I", crc32c(inner + bytes(4))) + b"data")
                self.assertEqual(recv_exactly(s, 4), b"data")
                half_close(s)
                self.assertEqual(target.take().header.source, ("10.0.0.1", 1))

    def test_rank23_ipv6(self):
        if not socket.has_ipv6:
            self.skipTest("no IPv6")
        try:
            target = Target(behind_header(echo()), host="::1")
        except OSError as e:
            self.skipTest(f"no IPv6: {e}")
        with target, Nlb(tcp_ini(target, group=PROXY + "health_check_interval_seconds = 300\n")
                         .replace("127.0.0.1:0", "[::1]:0")) as nlb:
            with connect(("::1", nlb.port("l"))) as s:
                s.sendall(b"ping")
                self.assertEqual(recv_exactly(s, 4), b"ping")
                client = s.getsockname()
            seen = target.take()
            if seen.header.command == 0x20:
                seen = target.take()
            self.check(seen.header, client, ("::1", nlb.port("l")))

    def test_rank23_bulk_behind_the_header(self):
        pattern = Pattern(5_000_000)

        def digest(sock, seen):
            seen.count, seen.digest = recv_digest(sock)
        for relay in RELAYS:
            with self.subTest(relay=relay), Target(behind_header(digest)) as target:
                with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n", group=PROXY)) as nlb:
                    with connect(nlb.address("l")) as s:
                        send_pattern(s, pattern)
                    seen = target.take()
                    self.assertEqual((seen.count, seen.digest), (pattern.n, pattern.digest()))

    def test_rank23_tls_passes_through(self):
        """A TLS session from end to end behind the header."""
        cert = CERTS.get(HOST)
        with Target(behind_header(tls(server_ctx(cert)))) as target:
            with Nlb(tcp_ini(target, group=PROXY)) as nlb:
                with connect_tls(nlb.address("l"), client_ctx(CERTS.root()), HOST) as s:
                    s.sendall(b"ping")
                    self.assertEqual(recv_exactly(s, 4), b"ping")
                self.assertEqual(Hello(target.take().hello).sni, HOST)

    def test_a_target_that_knows_no_header(self):
        """It takes the header for a request: with TLS it breaks the handshake off, as users report."""
        with Target(tls(server_ctx(CERTS.get(HOST)))) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS", group=PROXY)) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    self.assertEqual(ending(s), "rst")
                self.assertEnd(nlb.event(), "target_tls_refused", "target_tls_closed", "target_tls_failed")

    def test_the_lab_target_tells(self):
        ini = (f"[nlb]\nvpc_endpoint_id = {ENDPOINT}\n"
               "[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\ncertificate = lab:valid/api.example.com\ntarget_group = g\n"
               f"[target_group g]\nprotocol = TLS\ntarget = lab:app\n{PROXY}[lab_target app]\ncertificate = lab:expired/x.example.com\n")
        with Nlb(ini) as nlb, connect_tls(nlb.address("l"), None, HOST) as s:
            told = json.loads(http_get(s)[2])["proxy"]
            self.assertEqual((told["version"], told["command"], told["family"]), (2, "PROXY", "TCP4"))
            self.assertEqual((told["source"]["address"], told["source"]["port"]), s.getsockname())
            self.assertEqual((told["destination"]["address"], told["destination"]["port"]), nlb.address("l"))
            self.assertEqual([t["name"] for t in told["tlvs"]], ["CRC32C", "AWS", "NOOP"])
            self.assertEqual(bytes.fromhex(told["tlvs"][1]["value"]), b"\x01" + ENDPOINT.encode())


class HealthChecks(NlbTest):
    # Recorded from an NLB (kubernetes/kubernetes#57250, pires/go-proxyproto#12).
    RECORDED = SIGNATURE + bytes.fromhex("20110054030004bce5951f04004a") + bytes(74)

    def test_checks_carry_a_local_header(self):
        """TCP, HTTP and HTTPS checks: command LOCAL, no client; before any TLS."""
        def http(sock, seen):
            seen.data = sock.recv(4096)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        for protocol, handler in (("TCP", lambda sock, seen: None), ("HTTP", http),
                                  ("HTTPS", tls(server_ctx(CERTS.get(HOST)), http))):
            with self.subTest(protocol=protocol), Target(behind_header(handler)) as target:
                with Nlb(tcp_ini(target, group=f"health_check_protocol = {protocol}\n{PROXY}")) as nlb:
                    seen = target.take()
                    self.assertIsNone(seen.error)
                    self.assertEqual(seen.header.bytes, self.RECORDED)
                    if protocol != "TCP":
                        self.assertTrue(seen.data.startswith(b"GET / HTTP/1.1\r\n"))
                    self.assertNotIn("unhealthy", nlb.stderr())

    def test_a_target_that_knows_no_header_fails_its_http_checks(self):
        def strict(sock, seen):
            ok = sock.recv(4096).startswith(b"GET ")
            sock.sendall(b"HTTP/1.1 %s x\r\nContent-Length: 0\r\n\r\n" % (b"200" if ok else b"400"))
        keys = ("health_check_protocol = HTTP\nhealth_check_interval_seconds = 5\nhealth_check_timeout_seconds = 5\n"
                "unhealthy_threshold_count = 2\n" + PROXY)
        with Target(strict) as target, Nlb(tcp_ini(target, nlb="time_scale = 100\n", group=keys)) as nlb:
            target.take()
            target.take()
            target.take()
            self.assertIn("HTTP status 400", nlb.stderr())


if __name__ == "__main__":
    unittest.main()
