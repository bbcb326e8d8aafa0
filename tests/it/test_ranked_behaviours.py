# SPDX-License-Identifier: Apache-2.0
"""What a faithful NLB must do: the ranked behaviours 1-13, 16-18, 21 and 25, each by its number.

The rank and the words are those of the facts about the NLB; docs/differences.md says where this build
cannot act as AWS does. Which of these rest on AWS's documentation and which are inferred is said there."""
import contextlib
import os
import ssl
import subprocess
import tempfile
import unittest

from nlbtest import (CERTS, HELLO_12_EXTENSIONS, TLS12, TLS13, Hello, Nlb, NlbTest, Target, alert_in, build_hello,
                     check_ini, client_ctx, connect, connect_tls, echo, end_code, end_metric, ending, needs, peer_cert,
                     read_records, recv_exactly, reset, s_client, server_ctx, tcp_ini, tls, tls_ini)

HOST = "api.example.com"
P2016 = "ELBSecurityPolicy-2016-08"
P13_12 = "ELBSecurityPolicy-TLS13-1-2-2021-06"
P13_RES = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
RSA_ONLY = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"


def ask(sock):
    """One round trip through an echo target."""
    sock.sendall(b"are you there?")
    return recv_exactly(sock, 14) == b"are you there?"


def served(nlb, sni=None, ctx=None):
    """The certificate (DER) that the listener presents for a name; the handshake must complete."""
    with connect_tls(nlb.address("l"), ctx, sni) as s:
        return peer_cert(s)


class TargetSide(NlbTest):
    def test_rank01_no_target_validation(self):
        """Self-signed, expired and wrongly named target certificates answer through a TLS listener."""
        listener_cert = CERTS.get(HOST)
        flawed = {
            "self-signed": CERTS.get("target.internal", issuer="self"),
            "expired": CERTS.get("old.internal", end="20210101000000Z"),
            "not yet valid": CERTS.get("early.internal", start="20380101000000Z"),
            "wrong name": CERTS.get("somebody.else.example.net"),
            "no name at all": CERTS.get("nameless", sans=[], ca=False),
            "unknown critical extension": CERTS.get("crit.internal", extensions=["1.2.3.4.5=critical,ASN1:UTF8String:x"]),
        }
        for policy in (P2016, P13_12):
            for flaw, cert in flawed.items():
                with self.subTest(flaw=flaw, policy=policy), Target(tls(server_ctx(cert))) as target:
                    with Nlb(tls_ini(target, cert=listener_cert, protocol="TLS", policy=policy)) as nlb:
                        with connect_tls(nlb.address("l"), client_ctx(CERTS.root()), HOST) as s:
                            self.assertTrue(ask(s))
                        event = nlb.event()
                        self.assertIsNone(end_metric(event))

    def test_rank02_no_sni_to_targets(self):
        cert = CERTS.get(HOST)
        for policy in (P2016, P13_12):
            for sni in (HOST, "something.else.example.org"):
                with self.subTest(policy=policy, sni=sni), Target(tls(server_ctx(cert))) as target:
                    with Nlb(tls_ini(target, cert=cert, protocol="TLS", policy=policy)) as nlb:
                        with connect_tls(nlb.address("l"), None, sni) as s:
                            self.assertTrue(ask(s))
                        hello = Hello(target.take().hello)
                        self.assertNotIn(0, hello.extensions, "server_name was sent to the target")

    def test_rank03_backend_policy_derived(self):
        """2016-08 on the listener: at most TLS 1.2 to targets. A TLS13 policy: 1.3, even to its 1.3-only kind."""
        cert = CERTS.get(HOST)
        with Target(tls(server_ctx(cert, low=TLS13))) as target:
            with Nlb(tls_ini(target, cert=cert, protocol="TLS", policy=P2016)) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    self.assertEqual(ending(s), "rst")
                self.assertEqual(end_metric(nlb.event()), "TargetTLSNegotiationErrorCount")
                self.assertNotIn(0x0304, Hello(target.take().hello).versions)
        for policy in (P13_12, "ELBSecurityPolicy-TLS13-1-3-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
                       "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04"):
            with self.subTest(policy=policy), Target(tls(server_ctx(cert, low=TLS13))) as target:
                with Nlb(tls_ini(target, cert=cert, protocol="TLS", policy=policy)) as nlb:
                    with connect_tls(nlb.address("l"), None, HOST) as s:
                        self.assertTrue(ask(s))
                    seen = target.take()
                    self.assertEqual(seen.version, "TLSv1.3")
        # A client held to TLS 1.3 says nothing about the target: TLS 1.2 is offered there too.
        with Target(tls(server_ctx(cert, high=TLS12))) as target:
            with Nlb(tls_ini(target, cert=cert, protocol="TLS", policy="ELBSecurityPolicy-TLS13-1-3-2021-06")) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    self.assertTrue(ask(s))
                    self.assertEqual(s.version(), "TLSv1.3")
                self.assertEqual(target.take().version, "TLSv1.2")

    def test_rank09_no_client_certificate_either_side(self):
        """No CertificateRequest from a TLS listener; a target that demands one fails there, works through TCP."""
        cert, client_cert = CERTS.get(HOST), CERTS.get("caller")
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(asks=version), Target(echo()) as target, Nlb(tls_ini(target, cert=cert)) as nlb:
                done = s_client(nlb.address("l"), version, "-servername", HOST, "-msg", data=b"")
                self.assertIn("Finished", done.text)
                self.assertNotIn("CertificateRequest", done.text)
        for version in (TLS12, TLS13):
            demanding = tls(server_ctx(cert, low=version, high=version, client_ca=CERTS.root()))
            with self.subTest(through="TLS", version=version.name), Target(demanding) as target:
                with Nlb(tls_ini(target, cert=cert, protocol="TLS")) as nlb:
                    with connect_tls(nlb.address("l"), client_ctx(cert=client_cert), HOST) as s:
                        s.settimeout(10)
                        with self.assertRaises((OSError, EOFError)):
                            ask(s)
                    event = nlb.event()
                    self.assertEqual(end_metric(event), "TargetTLSNegotiationErrorCount")
                    self.assertIsNotNone(alert_in(event, "back"))
            with self.subTest(through="TCP", version=version.name), Target(demanding) as target:
                with Nlb(tcp_ini(target)) as nlb:
                    with connect_tls(nlb.address("l"), client_ctx(CERTS.root(), cert=client_cert), HOST) as s:
                        self.assertTrue(ask(s))
                    self.assertEqual(target.take().client_cert, client_cert.der())

    def test_rank13_target_handshake_failure(self):
        """The target's failure moves the target's metric only, and the client is reset."""
        cert = CERTS.get(HOST)

        def closes(sock, seen):
            sock.recv(1)
            seen.end = "closed by us"

        def resets(sock, _seen):
            sock.recv(1)
            reset(sock)

        targets = {
            "no common suite": (tls(server_ctx(cert, high=TLS12, ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")), (40, "handshake_failure")),
            "speaks HTTP": (lambda s, _: s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None),
            "closes": (closes, None),
            "resets": (resets, None),
        }
        for name, (handler, alert) in targets.items():
            with self.subTest(target=name), Target(handler) as target:
                with Nlb(tls_ini(target, cert=cert, protocol="TLS")) as nlb:
                    with connect_tls(nlb.address("l"), client_ctx(CERTS.root()), HOST) as s:
                        self.assertEqual(ending(s), "rst")
                    event = nlb.event()
                    self.assertEqual(end_metric(event), "TargetTLSNegotiationErrorCount", event)
                    self.assertEqual(alert_in(event, "back"), alert)
                    self.assertIsNone(alert_in(event, "front"))


class CertificateChoice(NlbTest):
    def listener(self, *certs):
        return tls_ini(self.target, cert=list(certs))

    def setUp(self):
        self.target = self.enterContext(Target(echo()))

    def test_rank04_unknown_sni_gets_default(self):
        default, other = CERTS.get("default.example.com"), CERTS.get("other.example.com")
        for version in (TLS12, TLS13):
            with self.subTest(version=version.name), Nlb(self.listener(default, other)) as nlb:
                ctx = client_ctx(low=version, high=version)
                self.assertEqual(served(nlb, "nobody.example.org", ctx), default.der())
                done = s_client(nlb.address("l"), "-tls1_2" if version == TLS12 else "-tls1_3", "-servername",
                                "nobody.example.org", "-msg")
                self.assertNotIn("unrecognized_name", done.text)
                self.assertIn("Finished", done.text)

    def test_rank05_no_sni_gets_default(self):
        default, other = CERTS.get("default.example.com"), CERTS.get("other.example.com")
        with Nlb(self.listener(default, other)) as nlb:
            for version in (TLS12, TLS13):
                ctx = client_ctx(low=version, high=version)
                self.assertEqual(served(nlb, None, ctx), default.der())
                self.assertEqual(served(nlb, "other.example.com", ctx), other.der())

    def test_rank06_best_of_several_matches(self):
        """ECDSA before RSA, SHA before MD5, the longer key; limited to what the client can use."""
        default = CERTS.get("default.example.com")
        ec, ec384 = CERTS.get(HOST, key="p256"), CERTS.get(HOST, key="p384")
        rsa, rsa3072 = CERTS.get(HOST, key="rsa2048"), CERTS.get(HOST, key="rsa3072")
        md5 = CERTS.get(HOST, key="rsa2048", md="md5", issuer=CERTS.root("rsa2048"))
        only_rsa = client_ctx(high=TLS12, ciphers=RSA_ONLY)
        cases = (
            ("ECDSA before RSA", [rsa3072, ec], None, ec),
            ("ECDSA before RSA, listed first", [ec, rsa3072], None, ec),
            ("RSA for a client without ECDSA", [ec, rsa], only_rsa, rsa),
            ("SHA before MD5", [md5, rsa], None, rsa),
            ("longer RSA key", [rsa, rsa3072], None, rsa3072),
            ("longer EC key", [ec, ec384], None, ec384),
        )
        for name, certs, ctx, expected in cases:
            with self.subTest(name), Nlb(self.listener(default, *certs)) as nlb:
                self.assertEqual(served(nlb, HOST, ctx), expected.der())
        with Nlb(self.listener(default, ec, rsa)) as nlb:
            self.assertEqual(served(nlb, HOST.upper(), None), ec.der(), "names are compared without case")

    def test_rank07_wildcard_covers_one_label(self):
        default, wild = CERTS.get("default.test"), CERTS.get("wild", sans=["*.example.com"])
        exact = CERTS.get("exact.example.com")
        with Nlb(self.listener(default, wild, exact)) as nlb:
            for name, expected in (("a.example.com", wild), ("a.b.example.com", default), ("example.com", default),
                                   ("exact.example.com", exact), ("A.EXAMPLE.com", wild)):
                with self.subTest(name):
                    self.assertEqual(served(nlb, name), expected.der())

    def test_rank16_key_types(self):
        for kind in ("rsa2048", "rsa3072", "p256", "p384", "p521"):
            cert = CERTS.get(HOST, key=kind)
            with self.subTest(kind=kind), Nlb(self.listener(cert)) as nlb:
                self.assertEqual(served(nlb, HOST), cert.der())
        big = CERTS.get(HOST, key="rsa4096")
        status, text = check_ini(self.listener(big))
        self.assertEqual(status, 2, text)
        self.assertRegex(text, r"nlb\.ini:\d+:.*(RSA.?4096|4096)")
        with Nlb(tls_ini(self.target, cert=big, listener="allow_unsupported_keys = true\n")) as nlb:
            self.assertEqual(served(nlb, HOST), big.der())


class Negotiation(NlbTest):
    def setUp(self):
        self.target = self.enterContext(Target(echo()))
        self.cert = CERTS.get(HOST)

    def test_rank08_tcp_listener_is_transparent(self):
        """The client sees the target's own certificate, and mutual TLS works end to end."""
        own, caller = CERTS.get("target.internal", issuer="self"), CERTS.get("caller")
        with Target(tls(server_ctx(own, client_ca=CERTS.root()))) as target, Nlb(tcp_ini(target)) as nlb:
            with connect_tls(nlb.address("l"), client_ctx(own, cert=caller), "target.internal") as s:
                self.assertEqual(peer_cert(s), own.der())
                self.assertTrue(ask(s))
                with contextlib.suppress(ssl.SSLError):
                    s.unwrap()  # and read to the end: a close with unread bytes would be a RST
            seen = target.take()
            self.assertEqual(seen.client_cert, caller.der())
            self.assertEqual(Hello(seen.hello).sni, "target.internal")
            self.assertIsNone(end_metric(nlb.event()))
        # No access log line: only TLS listeners have one.
        with Nlb(tcp_ini(self.target, nlb="access_log = access.log\n")) as nlb:
            self.assertAlive(nlb)
            nlb.event()
            nlb.process.terminate()
            self.assertEqual(nlb.process.wait(20), 0)
            path = nlb.path("access.log")
            self.assertFalse(os.path.exists(path) and os.path.getsize(path) > 0)
        # Even bytes that are no TLS at all pass unchanged.
        with Nlb(tcp_ini(self.target)) as nlb, connect(nlb.address("l")) as s:
            s.sendall(b"\x00\xff\x16\x03\x01 plain")
            self.assertEqual(recv_exactly(s, 11), b"\x00\xff\x16\x03\x01 plain")

    def test_rank10_default_policy_is_2016_08(self):
        with Nlb(tls_ini(self.target, cert=self.cert, policy=None)) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                self.assertEqual(s.version(), "TLSv1.2")
                self.assertTrue(ask(s))
            with self.assertRaises((ssl.SSLError, OSError)):
                connect_tls(nlb.address("l"), client_ctx(low=TLS13), HOST)
            # A server without TLS 1.3 does not know supported_versions (s2n): it is the suites that do not meet.
            ends = sorted(end_code(e) for e in nlb.events(2))
            self.assertEqual(ends, ["completed", "listener_no_version"])

    def test_rank11_server_order_decides_the_cipher(self):
        order = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
        for kind, expected in (("p256", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("rsa2048", "ECDHE-RSA-AES128-GCM-SHA256")):
            with self.subTest(kind), Nlb(tls_ini(self.target, cert=CERTS.get(HOST, key=kind), policy=P13_12)) as nlb:
                with connect_tls(nlb.address("l"), client_ctx(high=TLS12, ciphers=order), HOST) as s:
                    self.assertEqual(s.cipher()[0], expected)
        with self.subTest("TLS 1.3"), Nlb(tls_ini(self.target, cert=self.cert, policy=P13_12)) as nlb:
            done = s_client(nlb.address("l"), "-tls1_3", "-servername", HOST, "-ciphersuites",
                            "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256")
            self.assertIn("Cipher is TLS_AES_128_GCM_SHA256", done.text)
            done = s_client(nlb.address("l"), "-tls1_3", "-servername", HOST, "-ciphersuites",
                            "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384")
            self.assertIn("Cipher is TLS_AES_256_GCM_SHA384", done.text)

    def test_rank12_policy_floor(self):
        """A TLS 1.1 client fails under a 1-2 policy and the client's metric rises by one."""
        with Nlb(tls_ini(self.target, cert=self.cert, policy=P13_12)) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(build_hello(version=0x0302, ciphers=(0xC009, 0xC013, 0x002F), extensions=HELLO_12_EXTENSIONS))
                records, end = read_records(s)
                self.assertIn((21, b"\x02\x46"), records, "s2n sends protocol_version for this one")
                self.assertIn(end, ("eof", "rst"))
            event = nlb.event()
            self.assertEnd(event, "listener_no_version")
            self.assertEqual(end_metric(event), "ClientTLSNegotiationErrorCount")
            # As OpenSSL sees it.
            done = s_client(nlb.address("l"), "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-servername", HOST)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual([end_metric(e) for e in nlb.events(2)], ["ClientTLSNegotiationErrorCount"] * 2)

    def test_rank12_no_common_suite(self):
        """s2n answers with close_notify at warning level, no handshake_failure."""
        with Nlb(tls_ini(self.target, cert=self.cert, policy=P13_RES)) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(build_hello(ciphers=(0xCCA9, 0xCCA8), extensions=HELLO_12_EXTENSIONS))
                records, _ = read_records(s)
                self.assertEqual([r for r in records if r[0] == 21], [(21, b"\x01\x00")])
            event = nlb.event()
            self.assertEnd(event, "listener_no_suite")
            self.assertEqual(end_metric(event), "ClientTLSNegotiationErrorCount")

    def test_rank17_alpn(self):
        """The policy's order decides; no overlap goes on without ALPN; None ignores the extension."""
        cases = (
            ("HTTP2Preferred", ["http/1.1", "h2"], "h2"), ("HTTP2Preferred", ["http/1.1"], "http/1.1"),
            ("HTTP2Optional", ["h2", "http/1.1"], "http/1.1"), ("HTTP2Optional", ["h2"], "h2"),
            ("HTTP1Only", ["h2", "http/1.1"], "http/1.1"), ("HTTP1Only", ["h2", "http/1.0"], "http/1.0"),
            ("HTTP2Only", ["http/1.1"], None), ("HTTP2Only", ["h2", "http/1.1"], "h2"),
            ("HTTP1Only", ["h2", "spdy/3"], None), ("None", ["h2", "http/1.1"], None), ("HTTP2Preferred", None, None),
        )
        for policy in sorted({c[0] for c in cases}):
            with Nlb(tls_ini(self.target, cert=self.cert, listener=f"alpn_policy = {policy}\n")) as nlb:
                for _, offer, expected in (c for c in cases if c[0] == policy):
                    for version in (TLS12, TLS13):
                        with self.subTest(policy=policy, offer=offer, version=version.name):
                            ctx = client_ctx(low=version, high=version, alpn=offer)
                            with connect_tls(nlb.address("l"), ctx, HOST) as s:
                                self.assertEqual(s.selected_alpn_protocol(), expected)
                                self.assertTrue(ask(s))

    def test_rank17_alpn_toward_the_target(self):
        """ALPN is negotiated with a TLS target too; with policy None none is offered."""
        for policy, expected in (("HTTP2Preferred", "h2"), ("None", None)):
            with self.subTest(policy), Target(tls(server_ctx(self.cert, alpn=["h2", "http/1.1"]))) as target:
                with Nlb(tls_ini(target, cert=self.cert, protocol="TLS", listener=f"alpn_policy = {policy}\n")) as nlb:
                    with connect_tls(nlb.address("l"), client_ctx(alpn=["h2", "http/1.1"]), HOST) as s:
                        self.assertEqual(s.selected_alpn_protocol(), expected)
                        self.assertTrue(ask(s))
                    seen = target.take()
                    self.assertEqual(seen.alpn, expected)
                    self.assertEqual(bool(Hello(seen.hello).alpn), expected is not None)

    def test_rank17_the_target_is_offered_what_the_client_got(self):
        """Beside an HTTP/2 target that also takes HTTP/1.1, each client is served in its own protocol."""
        with Target(tls(server_ctx(self.cert, alpn=["h2", "http/1.1"]))) as target, \
                Nlb(tls_ini(target, cert=self.cert, protocol="TLS", listener="alpn_policy = HTTP2Preferred\n")) as nlb:
            for offer, expected in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), (None, None)):
                with self.subTest(offer=offer):
                    with connect_tls(nlb.address("l"), client_ctx(alpn=offer), HOST) as s:
                        self.assertEqual(s.selected_alpn_protocol(), expected)
                        self.assertTrue(ask(s))
                    self.assertEqual(target.take().alpn, expected)


class Combinations(unittest.TestCase):
    def test_rank18_protocol_combinations(self):
        cert = CERTS.get(HOST).pem
        group = "[target_group {}]\nprotocol = {}\ntarget = 127.0.0.1:9\n"

        def ini(protocol, forward, *groups):
            tls_keys = f"certificate = {cert}\n" if protocol == "TLS" else ""
            return (f"[listener l]\nprotocol = {protocol}\nlisten = 127.0.0.1:0\n{tls_keys}target_group = {forward}\n"
                    + "".join(group.format(*g) for g in groups))

        for protocol, forward, groups in (("TCP", "a", (("a", "TCP"),)), ("TLS", "a", (("a", "TCP"),)),
                                          ("TLS", "a", (("a", "TLS"),)),
                                          ("TLS", "a:1 b:2", (("a", "TLS"), ("b", "TLS")))):
            with self.subTest(allowed=(protocol, groups)):
                status, text = check_ini(ini(protocol, forward, *groups))
                self.assertEqual(status, 0, text)
        for protocol, forward, groups, words in (
                ("TCP", "a", (("a", "TLS"),), r"nlb\.ini:\d+: .*TCP.*TLS|nlb\.ini:\d+: .*TLS.*TCP"),
                ("TLS", "a:1 b:1", (("a", "TLS"), ("b", "TCP")), r"nlb\.ini:\d+: .*protocol"),
                ("UDP", "a", (("a", "TCP"),), r"nlb\.ini:\d+: .*UDP.*simulated"),
                ("QUIC", "a", (("a", "TCP"),), r"nlb\.ini:\d+: .*QUIC.*simulated")):
            with self.subTest(refused=(protocol, groups)):
                status, text = check_ini(ini(protocol, forward, *groups))
                self.assertEqual(status, 2, text)
                self.assertRegex(text, words)


class Idle(NlbTest):
    def test_rank21_idle_attribute(self):
        """350 s fixed on TLS listeners (the attribute is refused there); 60-6000 on TCP."""
        for value in (60, 350, 6000):
            self.assertEqual(check_ini(tcp_ini("127.0.0.1:9", listener=f"tcp.idle_timeout.seconds = {value}"))[0], 0)
        for value in (59, 6001, 0):
            status, text = check_ini(tcp_ini("127.0.0.1:9", listener=f"tcp.idle_timeout.seconds = {value}"))
            self.assertEqual(status, 2)
            self.assertRegex(text, r"nlb\.ini:\d+: .*60.*6000")
        status, text = check_ini(tls_ini("127.0.0.1:9", cert=CERTS.get(HOST), listener="tcp.idle_timeout.seconds = 350"))
        self.assertEqual(status, 2)
        self.assertRegex(text, r"nlb\.ini:\d+: .*tcp\.idle_timeout\.seconds.*TLS")

    def idle(self, ini, open_one, speaker):
        """Idle past the (scaled) timeout: nothing is sent; the next data is answered with RST."""
        with Target(echo()) as target, Nlb(ini(target)) as nlb, open_one(nlb) as s:
            self.assertTrue(ask(s))
            event = nlb.event()  # comes when the timer expires, not before
            self.assertEnd(event, "idle_timeout")
            s.settimeout(0.3)
            self.assertEqual(ending(s), "timeout", "something was sent at the expiry")
            s.settimeout(10)
            speaker(s)
            self.assertEqual(ending(s), "rst")

    def test_rank21_tcp_idle_then_data_gets_rst(self):
        for relay in ("copy", "splice"):
            with self.subTest(relay=relay):
                self.idle(lambda t, r=relay: tcp_ini(t, nlb=f"relay = {r}\ntime_scale = 100\n",
                                                     listener="tcp.idle_timeout.seconds = 60"),
                          lambda nlb: connect(nlb.address("l")), lambda s: s.sendall(b"late"))

    def test_rank21_tls_idle_then_data_gets_rst(self):
        self.idle(lambda t: tls_ini(t, cert=CERTS.get(HOST), nlb="time_scale = 400\n"),
                  lambda nlb: connect_tls(nlb.address("l"), None, HOST), lambda s: s.sendall(b"late"))

    def test_rank21_traffic_restarts_the_timer(self):
        """Data from the target alone keeps the flow, too: five exchanges, each within the timeout."""
        with Target(echo()) as target:
            with Nlb(tcp_ini(target, nlb="time_scale = 60\n", listener="tcp.idle_timeout.seconds = 60")) as nlb:
                with connect(nlb.address("l")) as s:
                    s.settimeout(0.6)
                    for _ in range(4):
                        self.assertTrue(ask(s))
                        self.assertEqual(ending(s), "timeout")  # 0.6 of the 1.0 s that 60 s are here
                    self.assertTrue(ask(s))
                self.assertEnd(nlb.event(), "completed")


class Resumption(NlbTest):
    def setUp(self):
        self.target = self.enterContext(Target(echo()))

    def resumed(self, nlb, version, options=0):
        """Connect twice with one session: was the second one resumed?"""
        ctx = client_ctx(low=version, high=version)
        ctx.options |= options
        with connect_tls(nlb.address("l"), ctx, HOST) as s:
            self.assertTrue(ask(s))  # TLS 1.3 tickets come with the first bytes
            session = s.session
        with connect_tls(nlb.address("l"), ctx, HOST, session=session) as s:
            self.assertTrue(ask(s))
            return s.session_reused

    def test_rank25_tickets_with_one_certificate(self):
        with Nlb(tls_ini(self.target, cert=CERTS.get(HOST))) as nlb:
            self.assertTrue(self.resumed(nlb, TLS12))
            self.assertTrue(self.resumed(nlb, TLS13))

    def test_rank25_no_resumption_with_several_certificates(self):
        with Nlb(tls_ini(self.target, cert=[CERTS.get(HOST), CERTS.get("other.example.com")])) as nlb:
            self.assertFalse(self.resumed(nlb, TLS12))
            self.assertFalse(self.resumed(nlb, TLS13))

    def test_rank25_no_session_ids(self):
        with Nlb(tls_ini(self.target, cert=CERTS.get(HOST))) as nlb:
            self.assertFalse(self.resumed(nlb, TLS12, ssl.OP_NO_TICKET))

    def test_rank25_no_early_data(self):
        with Nlb(tls_ini(self.target, cert=CERTS.get(HOST))) as nlb, tempfile.TemporaryDirectory() as folder:
            saved, early = os.path.join(folder, "session"), os.path.join(folder, "early")
            with open(early, "wb") as f:
                f.write(b"too early")
            address, port = nlb.address("l")
            argv = [needs("openssl"), "s_client", "-connect", f"{address}:{port}", "-servername", HOST, "-tls1_3"]
            with subprocess.Popen([*argv, "-sess_out", saved], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT) as p:
                out = b""
                p.stdin.write(b"hello\n")
                p.stdin.flush()
                while b"\nhello\n" not in out:  # the echo comes after the tickets
                    chunk = p.stdout.read1(65536)
                    self.assertTrue(chunk, out)
                    out += chunk
                p.stdin.close()
                p.stdout.read()
            done = s_client((address, port), "-servername", HOST, "-tls1_3", "-sess_in", saved, "-early_data", early)
            self.assertIn("Early data was not sent", done.text)
            self.assertNotIn("Early data was accepted", done.text)
            with open(saved, encoding="ascii") as f:
                self.assertIn("BEGIN SSL SESSION", f.read())


if __name__ == "__main__":
    unittest.main()
