# SPDX-License-Identifier: Apache-2.0
"""What an event says of both hops: the offer, the choice, the rule, the target's certificate, alerts sent."""
import os
import signal
import unittest

from nlbtest import (CERTS, HELLO_12_EXTENSIONS, TLS12, TLS13, NlbTest, Nlb, Target, build_hello, client_ctx, connect,
                     connect_tls, curl, echo, http_json, read_records, recv_exactly, server_ctx, tcp_ini, tls, tls_ini,
                     until)

HOST = "api.example.com"
PNO = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


class Events(NlbTest):
    def test_both_hops_of_a_good_flow(self):
        cert, own = CERTS.get(HOST), CERTS.get("target.internal", issuer="self", key="rsa2048")
        with Target(tls(server_ctx(own))) as target:
            ini = tls_ini(target, cert=cert, protocol="TLS", listener="alpn_policy = HTTP2Preferred\n")
            with Nlb(ini) as nlb:
                ctx = client_ctx(CERTS.root(), low=TLS13, alpn=["http/1.1", "h2"])
                with connect_tls(nlb.address("l"), ctx, HOST) as s:
                    s.sendall(b"0123456789")
                    recv_exactly(s, 10)
                    client = "%s:%d" % s.getsockname()
                event = nlb.event()
        front, back = event["front"], event["back"]
        self.assertEqual((event["listener"], event["protocol"], event["client"]), ("l", "TLS", client))
        self.assertEqual((event["received_bytes"], event["sent_bytes"]), (10, 10))
        self.assertEqual(front["policy"], "ELBSecurityPolicy-TLS13-1-2-2021-06")
        self.assertEqual(front["offer"]["sni"], HOST)
        self.assertEqual(front["offer"]["versions"], ["TLSv1.3"])
        self.assertEqual(front["offer"]["alpn"], ["http/1.1", "h2"])
        self.assertIn("TLS_AES_128_GCM_SHA256", front["offer"]["ciphers"])
        self.assertIn("x25519", front["offer"]["groups"])
        self.assertEqual((front["version"], front["cipher"], front["alpn"]), ("TLSv1.3", "TLS_AES_128_GCM_SHA256", "h2"))
        self.assertEqual(front["served"]["certificate"], cert.pem)
        self.assertTrue(front["served"]["rule"])
        self.assertEqual(back["policy"], "ELBSecurityPolicy-TLS13-1-0-2021-06")
        self.assertEqual((back["target"], back["protocol"], back["verified"]), (target.text, "TLS", False))
        self.assertEqual(back["certificates_presented"], 1)
        presented = back["certificates"][0]
        self.assertEqual((presented["subject"], presented["issuer"]), ("CN=target.internal",) * 2)
        self.assertTrue(presented["self_signed"])
        self.assertEqual(presented["key"], "RSA 2048")
        self.assertIn("target.internal", presented["names"])
        self.assertTrue(presented["not_before"].startswith("2020-01-01T00:00:00"), presented["not_before"])
        self.assertTrue(presented["not_after"].startswith("2040-01-01T00:00:00"), presented["not_after"])
        self.assertEqual((event["end"]["code"], event["end"]["metric"]), ("completed", None))

    def test_alert_sent_by_the_listener(self):
        """As s2n: close_notify in place of handshake_failure, and the event says what it stands for; or the alert."""
        hello = build_hello(ciphers=(0xCCA9,), extensions=HELLO_12_EXTENSIONS)
        for setting, alert in (("close_notify", b"\x01\x00"), ("alert", b"\x02\x28")):
            with self.subTest(setting), Target(echo()) as target:
                with Nlb(tls_ini(target, cert=CERTS.get(HOST), policy=PNO, listener=f"tls_error = {setting}\n")) as nlb:
                    with connect(nlb.address("l")) as s:
                        s.sendall(hello)
                        self.assertEqual([p for k, p in read_records(s)[0] if k == 21], [alert])
                    sent = nlb.event()["front"]["alert_sent"]
                    self.assertEqual(sent["number"], alert[1])
                    if setting == "close_notify":
                        self.assertEqual(sent["stands_for"], "handshake_failure")
                    else:
                        self.assertEqual(sent["name"], "handshake_failure")

    def test_target_hello_is_what_the_event_says(self):
        with Target(tls(server_ctx(CERTS.get(HOST), high=TLS12))) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS")) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    s.sendall(b"x")
                    recv_exactly(s, 1)
                seen, event = target.take(), nlb.event()
                self.assertEqual(event["back"]["version"], seen.version)
                self.assertEqual(event["back"]["cipher"], seen.cipher)
                self.assertEqual(event["back"]["source"], "%s:%d" % seen.peer)

    def test_spliced_is_said(self):
        for relay, expected in (("copy", False), ("splice", True)):
            with self.subTest(relay=relay), Target(echo()) as target, Nlb(tcp_ini(target, nlb=f"relay = {relay}\n")) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(b"y" * 100_000)
                    recv_exactly(s, 100_000)
                self.assertEqual(nlb.event()["spliced"], expected)

    def test_http_request_through_a_tls_listener(self):
        """curl, a real request and answer, from end to end."""
        with Target(http_json(lambda seen, request: {"head": request.decode()})) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST))) as nlb:
                done = curl(nlb, "l", "--cacert", CERTS.root().crt, path="/orders?id=7")
                self.assertEqual(done.returncode, 0, done.text)
                self.assertIn("GET /orders?id=7 HTTP/1.1", done.text)

    def test_sigusr1_opens_the_event_file_again(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="events = events.jsonl\n")) as nlb:
            path = nlb.path("events.jsonl")
            self.assertAlive(nlb)
            os.rename(path, path + ".1")
            nlb.signal(signal.SIGUSR1)
            until(lambda: os.path.exists(path), "the file was not opened again")
            self.assertAlive(nlb)
            nlb.process.terminate()
            self.assertEqual(nlb.process.wait(20), 0)
            # The first event may still be on its way when the file moves: it is then in the new one.
            lines = [[], []]
            for i, name in enumerate((path + ".1", path)):
                with open(name, encoding="utf-8") as f:
                    lines[i] = f.read().splitlines()
            self.assertEqual(len(lines[0]) + len(lines[1]), 2, "an event was lost")
            self.assertGreaterEqual(len(lines[1]), 1, "the file was not opened again")

    def test_key_log_only_when_allowed(self):
        for args, expected in (((), False), (("--allow-key-log",), True)):
            with self.subTest(args=args), Target(echo()) as target:
                ini = tls_ini(target, cert=CERTS.get(HOST))
                with Nlb(ini, args=args, env={"SSLKEYLOGFILE": "keys.log"}) as nlb:
                    with connect_tls(nlb.address("l"), client_ctx(low=TLS13), HOST) as s:
                        s.sendall(b"x")
                        recv_exactly(s, 1)
                    nlb.event()
                    self.assertEqual(os.path.exists(nlb.path("keys.log")), expected)
                    if expected:
                        with open(nlb.path("keys.log"), encoding="ascii") as f:
                            self.assertIn("CLIENT_TRAFFIC_SECRET_0", f.read())
                        self.assertEqual(os.stat(nlb.path("keys.log")).st_mode & 0o077, 0)


if __name__ == "__main__":
    unittest.main()
