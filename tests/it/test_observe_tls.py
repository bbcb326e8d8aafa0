# SPDX-License-Identifier: Apache-2.0
"""TLS observed on TCP listeners: what a session that passes shows of itself, by real clients and targets."""
import contextlib
import http.client
import json
import ssl
import unittest

from nlbtest import (CERTS, RELAYS, TLS12, TLS13, Nlb, NlbTest, Pattern, Target, client_ctx, connect, connect_tls,
                     echo, half_close, hello_bytes, nlbsim, recv_all, recv_exactly, s_client, say, send_pattern,
                     server_ctx, sink, tcp_ini, tls)

HOST = "api.example.com"


def ini(target, relay="auto", listener="", nlb=""):
    return tcp_ini(target, nlb=f"relay = {relay}\n{nlb}", listener=listener)


class ObserveTls(NlbTest):
    def session(self, nlb, ctx):
        with connect_tls(nlb.address("l"), ctx, HOST) as s:
            s.sendall(b"one round")
            recv_exactly(s, 9)
            cipher = s.cipher()[0]
        return cipher, nlb.event()

    def test_rank08_tls12_shows_everything(self):
        """Hello, choice and certificate; and what a validating client would have said of it."""
        cert = CERTS.get(HOST)
        for relay in RELAYS:
            with self.subTest(relay=relay), Target(tls(server_ctx(cert, high=TLS12, alpn=["h2"]))) as target, \
                    Nlb(ini(target, relay)) as nlb:
                cipher, event = self.session(nlb, client_ctx(CERTS.root(), high=TLS12, alpn=["h2", "http/1.1"]))
                seen = event["observed"]
                self.assertEqual((seen["offer"]["sni"], seen["offer"]["alpn"]), (HOST, ["h2", "http/1.1"]))
                self.assertEqual((seen["version"], seen["cipher"], seen["alpn"]), ("TLSv1.2", cipher, "h2"))
                self.assertEqual(seen["certificates"][0]["subject"], "CN=" + HOST)
                self.assertIsNone(event["front"])
                self.assertEqual(event["spliced"], relay == "splice", "the kernel took over")

    def test_tls13_shows_the_hellos(self):
        for relay in RELAYS:
            with self.subTest(relay=relay), Target(tls(server_ctx(CERTS.get(HOST), low=TLS13))) as target, \
                    Nlb(ini(target, relay)) as nlb:
                cipher, event = self.session(nlb, client_ctx(CERTS.root()))
                seen = event["observed"]
                self.assertEqual((seen["offer"]["sni"], seen["version"], seen["cipher"]), (HOST, "TLSv1.3", cipher))
                self.assertEqual(seen["certificates"], [])
                self.assertIsNone(seen["alert_from_client"])

    def test_rank08_client_refuses_the_target_s_certificate(self):
        """The alert of a real client, and the story that is told of it."""
        cert = CERTS.get(HOST, issuer="self")
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version=version), Target(tls(server_ctx(cert))) as target, \
                    Nlb(ini(target, nlb="metrics = 127.0.0.1:0\n")) as nlb:
                s_client(nlb.address("l"), version, "-servername", HOST, "-CAfile", CERTS.root().crt,
                         "-verify_return_error")
                event = nlb.event()
                self.assertEqual(event["observed"]["alert_from_client"]["name"], "unknown_ca")
                self.assertIsNone(event["end"]["metric"], "a TCP listener has no TLS metric")
                done = nlbsim("explain", "--json", "-", data=json.dumps(event).encode())
                story, = json.loads(done.stdout)["stories"]
                self.assertEqual(story["code"], "pass_client_alert")
                self.assertIn("Behind a TCP listener the client validates the TARGET's certificate", story["todo"])
                if version == "-tls1_2":
                    self.assertIn("presented CN=" + HOST, story["what"])
                done = nlbsim("explain", "--from", "127.0.0.1:%d" % nlb.ready["metrics"]["port"])
                self.assertIn(b"pass_client_alert", done.stdout)

    def test_target_refuses_the_client(self):
        demanding = tls(server_ctx(CERTS.get(HOST), high=TLS12, client_ca=CERTS.root()))
        with Target(demanding) as target, Nlb(ini(target)) as nlb:
            with self.assertRaises(OSError):
                connect_tls(nlb.address("l"), None, HOST)
            seen = nlb.event()["observed"]
            self.assertTrue(seen["certificate_requested"])
            self.assertEqual(seen["alert_from_target"]["name"], "handshake_failure")

    def test_hello_in_many_pieces(self):
        """One byte per segment: seen all the same, and the target gets every byte."""
        hello = hello_bytes(sni=HOST)
        for relay in RELAYS:
            with self.subTest(relay=relay), Target(sink()) as target, Nlb(ini(target, relay)) as nlb:
                with connect(nlb.address("l")) as s:
                    for i in range(len(hello)):
                        s.sendall(hello[i:i + 1])
                    half_close(s)
                    recv_all(s)
                self.assertEqual(nlb.event()["observed"]["offer"]["sni"], HOST)
                self.assertEqual(target.take().count, len(hello))

    def test_what_is_no_tls_shows_nothing(self):
        """Other protocols, a server that speaks first, rubbish that begins like TLS: nothing is observed, no byte changed."""
        rubbish = b"\x16\x03\x01\x00\x05hello" + b"\xff" * 100
        for relay in RELAYS:
            for first in (b"GET / HTTP/1.1\r\n\r\n", rubbish, b"\x16", b"\x16\x03\x01\xff\xff" + b"\0" * 70000):
                with self.subTest(relay=relay, first=first[:6]), Target(echo()) as target, \
                        Nlb(ini(target, relay)) as nlb:
                    with connect(nlb.address("l")) as s:
                        s.sendall(first)
                        half_close(s)
                        self.assertEqual(recv_all(s), first)
                    self.assertIsNone(nlb.event()["observed"])
            with self.subTest(relay=relay), Target(say(b"220 ready\r\n")) as target, Nlb(ini(target, relay)) as nlb:
                with connect(nlb.address("l")) as s:
                    recv_exactly(s, 11)
                    s.sendall(hello_bytes(sni=HOST))
                    half_close(s)
                    recv_all(s)
                self.assertIsNone(nlb.event()["observed"])

    def test_bytes_after_the_handshake_are_whole(self):
        """A large transfer under TLS, through copy and splice, hashed."""
        pattern = Pattern(3 << 20)
        for relay in ("auto", *RELAYS):
            for version in (TLS12, TLS13):
                target = tls(server_ctx(CERTS.get(HOST), low=version, high=version), sink())
                with self.subTest(relay=relay, version=version.name), Target(target) as t, Nlb(ini(t, relay)) as nlb:
                    with connect_tls(nlb.address("l"), None, HOST) as s:
                        send_pattern(s, pattern)
                        with contextlib.suppress(ssl.SSLError):  # the target closes without close_notify
                            s.unwrap()
                    self.assertEqual(t.take().digest, pattern.digest())
                    self.assertEqual(nlb.event()["observed"]["offer"]["sni"], HOST)

    def test_switched_off(self):
        with Target(tls(server_ctx(CERTS.get(HOST)))) as target, \
                Nlb(ini(target, listener="observe_tls = false\n")) as nlb:
            self.assertIsNone(self.session(nlb, client_ctx(CERTS.root()))[1]["observed"])

    def test_live_flows_show_the_server_name(self):
        with Target(tls(server_ctx(CERTS.get(HOST)))) as target, \
                Nlb(ini(target, nlb="metrics = 127.0.0.1:0\n")) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                s.sendall(b"x")
                recv_exactly(s, 1)
                page = http.client.HTTPConnection("127.0.0.1", nlb.ready["metrics"]["port"])
                page.request("GET", "/flows")
                flows = json.loads(page.getresponse().read())["flows"]
                page.close()
                self.assertEqual([f["server_name"] for f in flows], [HOST])

    def test_judged_by_the_lab_s_trust_store(self):
        """A lab certificate behind a TCP listener: the event says what a validating client would say."""
        for profile, ok in (("valid", True), ("expired", False)):
            text = tcp_ini("lab:a") + f"[lab_target a]\nprotocol = HTTPS\ntls_max = 1.2\n" \
                                      f"certificate = lab:{profile}/{HOST}\n"
            with self.subTest(profile), Nlb(text) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    recv_all(s)
                verdict = nlb.event()["observed"]["validating_client"]
                self.assertEqual(verdict["ok"], ok, verdict)
                self.assertTrue(verdict["name_checked"])


if __name__ == "__main__":
    unittest.main()
