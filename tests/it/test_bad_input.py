# SPDX-License-Identifier: Apache-2.0
"""Bad input on a TLS port: the flow fails with the right reason, nobody else notices, the process lives."""
import random
import socket
import struct
import unittest

from nlbtest import (CERTS, HELLO_12_EXTENSIONS, TLS12, TLS13, NlbTest, Nlb, Target, build_hello, client_ctx, connect,
                     connect_tls, echo, end_metric, fragment, hello_bytes, read_records, record, recv_exactly, reset,
                     sni_extension, tcp_ini, tls_ini)

HOST = "api.example.com"
CLIENT_METRIC = "ClientTLSNegotiationErrorCount"


class BadInput(NlbTest):
    def setUp(self):
        self.target = self.enterContext(Target(echo()))
        self.nlb = self.enterContext(Nlb(tls_ini(self.target, cert=CERTS.get(HOST))))
        self.address = self.nlb.address("l")

    def throw(self, data, then="eof"):
        """Send bytes on a fresh connection; then end it ('eof', 'rst') or wait ('wait') for its end."""
        s = connect(self.address)
        with s:
            try:
                s.sendall(data)
                if then == "eof":
                    s.shutdown(socket.SHUT_WR)
            except (ConnectionResetError, BrokenPipeError, OSError):
                pass  # it was thrown out before it had said everything
            if then == "rst":
                reset(s)
                return [], "rst"
            return read_records(s)

    def one_event(self, *codes, metric=CLIENT_METRIC):
        event = self.nlb.event()
        self.assertEnd(event, *codes)
        self.assertEqual(end_metric(event), metric)
        self.assertAlive(self.nlb)
        self.nlb.event()
        self.assertEqual(self.target.count, 1, "the bad flow reached a target")
        return event

    def test_garbage(self):
        self.throw(b"\xde\xad\xbe\xef" * 1000, "wait")
        self.one_event("client_not_tls")

    def test_plain_http_on_the_tls_port(self):
        self.throw(b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "wait")
        self.one_event("client_not_tls")

    def test_ssh_and_proxy_headers_are_not_accepted(self):
        self.throw(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + hello_bytes(sni=HOST), "wait")
        self.one_event("client_not_tls")

    def test_sslv2_hello(self):
        self.throw(b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"\x07\x00\xc0" * 7 + b"\x55" * 16, "wait")
        self.one_event("client_not_tls", "client_hello_malformed")

    def test_first_record_of_every_kind(self):
        """Alerts, change_cipher_spec, data, heartbeats, and every other handshake message in place of a hello."""
        firsts = [record(kind, payload) for kind in (20, 21, 22, 23, 24, 0, 255)
                  for payload in (b"", b"\x01", b"\x02\x28", b"\x01\x00", b"\x00" * 64)]
        firsts += [record(22, bytes([kind]) + b"\0\0\x02\0\0") for kind in range(26)]
        firsts += [record(22, b"\x01\0\0\0"), record(22, b"\x01\0\0\x01\x03"), record(22, b"") * 40]
        for then in ("eof", "rst"):
            for first in firsts:
                self.throw(first, then)
        with_events = self.nlb.events(len(firsts))  # a connection that was reset before accept() is no flow
        self.assertNotIn("elb_internal", {e["end"]["code"] for e in with_events})
        self.assertAlive(self.nlb)

    def test_alert_after_the_hello(self):
        """In the clear where it may not be, in the middle of the handshake, on both versions."""
        for version in (TLS12, TLS13):
            for alert in (b"\x02\x28", b"\x01\x00", b"\x01\x5a", b"\x02\x30", b"\x02", b"\x03\xff"):
                with self.subTest(version=version.name, alert=alert):
                    hello = hello_bytes(client_ctx(low=version, high=version), sni=HOST)
                    self.throw(hello + record(21, alert), "eof")
                    self.nlb.event()
        self.assertAlive(self.nlb)

    def test_closed_without_a_byte(self):
        self.throw(b"")
        event = self.nlb.event()
        self.assertEnd(event, "client_no_hello")
        self.assertIsNone(end_metric(event))
        self.assertAlive(self.nlb)

    def test_rst_without_a_byte(self):
        self.throw(b"", "rst")
        event = self.nlb.event()
        self.assertEnd(event, "client_no_hello", "client_reset")
        self.assertAlive(self.nlb)

    def test_hello_cut_short_by_eof(self):
        hello = hello_bytes(sni=HOST)
        for n in (1, 4, 5, 6, 9, 10, len(hello) // 2, len(hello) - 1):
            with self.subTest(n=n):
                self.throw(hello[:n])
                event = self.nlb.event()
                self.assertEnd(event, "client_no_hello", "client_hello_malformed", "client_tls_closed")
        self.assertAlive(self.nlb)

    def test_hello_cut_short_by_rst(self):
        hello = hello_bytes(sni=HOST)
        for n in (1, 5, len(hello) // 2, len(hello)):
            with self.subTest(n=n):
                self.throw(hello[:n], "rst")
                self.assertEnd(self.nlb.event(), "client_no_hello", "client_hello_malformed", "client_tls_closed", "client_reset")
        self.assertAlive(self.nlb)

    def test_record_longer_than_allowed(self):
        self.throw(struct.pack("!BHH", 22, 0x0301, 0x4801) + b"\x01" * 0x4801, "wait")
        self.one_event("client_hello_malformed", "client_not_tls")

    def test_hello_that_announces_a_megabyte(self):
        body = b"\x01" + struct.pack("!I", 1 << 20)[1:] + b"\x03\x03" + b"\x22" * ((1 << 20) - 2)
        self.throw(b"".join(record(22, body[i:i + 16384]) for i in range(0, len(body), 16384)), "wait")
        self.one_event("client_hello_malformed", "simulator_limit", metric=self.any_metric())

    def any_metric(self):
        class Any:
            def __eq__(self, other):
                return True
        return Any()

    def test_lengths_that_lie(self):
        hello = bytearray(hello_bytes(sni=HOST))
        for at, what in ((6, "handshake length"), (43, "session id"), (len(hello) - 1, "last byte")):
            with self.subTest(what):
                bad = bytearray(hello)
                bad[at] ^= 0xFF
                self.throw(bytes(bad))
                self.nlb.event()
        self.assertAlive(self.nlb)

    def test_fragmented_hello_works(self):
        """A ClientHello in many records is legal; what the TLS library cannot take must be named, not blamed."""
        hello = hello_bytes(client_ctx(low=TLS12, high=TLS12), sni=HOST)
        for size in (200, 50, 7):
            with self.subTest(size=size):
                with connect(self.address) as s:
                    s.sendall(fragment(hello, size))
                    self.assertEqual(recv_exactly(s, 1), b"\x16", "no ServerHello")
                self.nlb.event()
        for size in (3, 1):
            with self.subTest(size=size), connect(self.address) as s:
                s.sendall(fragment(hello, size))
                first = recv_exactly(s, 1)
                s.close()
                event = self.nlb.event()
                if first != b"\x16":
                    self.assertEnd(event, "simulator_limit")
        self.assertAlive(self.nlb)

    def test_big_hello_works(self):
        """12 KB of extensions, as post-quantum clients and padding make them."""
        padding = (21, b"\0" * 12000)
        with connect(self.address) as s:
            s.sendall(build_hello(extensions=HELLO_12_EXTENSIONS + (sni_extension(HOST), padding)))
            self.assertEqual(recv_exactly(s, 1), b"\x16")
        self.nlb.event()
        self.assertAlive(self.nlb)

    def test_slow_sender_holds_up_nobody(self):
        """The hello byte by byte, with whole other connections served in between."""
        hello = hello_bytes(sni=HOST)
        with connect(self.address) as slow:
            slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i, value in enumerate(hello):
                slow.sendall(bytes([value]))
                if i % 100 == 0:
                    self.assertAlive(self.nlb)
            self.assertEqual(recv_exactly(slow, 1), b"\x16")

    def test_application_data_instead_of_finished(self):
        with connect(self.address) as s:
            s.sendall(hello_bytes(client_ctx(high=TLS12), sni=HOST) + record(23, b"\0" * 40, 0x0303))
            read_records(s)
        event = self.nlb.event()
        self.assertEqual(end_metric(event), CLIENT_METRIC)
        self.assertAlive(self.nlb)

    def test_garbage_after_the_handshake(self):
        for version in (TLS12, TLS13):
            with self.subTest(version=version.name):
                s = connect_tls(self.address, client_ctx(low=version, high=version), HOST)
                s.sendall(b"x")
                recv_exactly(s, 1)
                with socket.socket(fileno=s.detach()) as raw:
                    raw.settimeout(10)
                    raw.sendall(record(23, b"\x99" * 64, 0x0303))
                    read_records(raw)
                event = self.nlb.event()
                self.assertEnd(event, "client_tls_broken")
                self.assertIsNone(end_metric(event))
        self.assertAlive(self.nlb)

    def test_mutated_hellos(self):
        """400 hellos with a few bytes changed, cut or doubled: one event each, and a process that lives."""
        rng = random.Random(20240607)
        base = [hello_bytes(client_ctx(low=v, high=v), sni=HOST) for v in (TLS12, TLS13)]
        n = 400
        for _ in range(n):
            data = bytearray(rng.choice(base))
            for _ in range(rng.randint(1, 6)):
                at = rng.randrange(len(data))
                kind = rng.randrange(4)
                if kind == 0:
                    data[at] = rng.randrange(256)
                elif kind == 1:
                    del data[at:at + rng.randint(1, 20)]
                elif kind == 2:
                    data[at:at] = data[at:at + rng.randint(1, 20)]
                else:
                    data[at:at + 2] = struct.pack("!H", rng.choice((0, 1, 0xFF, 0x7FFF, 0xFFFF)))
                if not data:
                    data = bytearray(b"\x16")
            with connect(self.address) as s:
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        self.assertEqual(len(self.nlb.events(n)), n)
        self.assertAlive(self.nlb)


class BadInputOnTcp(NlbTest):
    def test_early_rst(self):
        """RST straight after connect, 200 times: no leak of flows, no crash, and the rest works."""
        for relay in ("copy", "splice"):
            with self.subTest(relay=relay), Target(echo()) as target:
                with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n")) as nlb:
                    for _ in range(200):
                        reset(connect(nlb.address("l")))
                    self.assertAlive(nlb)
                    # A reset may come before accept(): such a connection is no flow.
                    for event in nlb.events(1):
                        self.assertIn(event["end"]["code"], ("client_reset", "completed"))


if __name__ == "__main__":
    unittest.main()
