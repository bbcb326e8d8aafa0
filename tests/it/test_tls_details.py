# SPDX-License-Identifier: Apache-2.0
"""Smaller promises of a TLS listener, and of the order in which the two hops come up."""
import json
import re
import socket
import threading
import unittest

from nlbtest import (CERTS, TLS12, TLS13, NlbTest, Nlb, Target, client_ctx, connect, connect_tls, echo,
                     hello_bytes, nlbsim, recv_exactly, s_client, say, server_ctx, tls, tls_ini, until)

HOST = "api.example.com"


class TlsDetails(NlbTest):
    def setUp(self):
        self.cert = CERTS.get(HOST)
        self.target = self.enterContext(Target(echo()))

    def test_extended_master_secret(self):
        with Nlb(tls_ini(self.target, cert=self.cert)) as nlb:
            done = s_client(nlb.address("l"), "-tls1_2", "-servername", HOST)
            self.assertIn("Extended master secret: yes", done.text)

    def test_no_renegotiation(self):
        with Nlb(tls_ini(self.target, cert=self.cert)) as nlb:
            done = s_client(nlb.address("l"), "-tls1_2", "-servername", HOST, "-no_ign_eof", data=b"R\n")
            self.assertIn("RENEGOTIATING", done.text)
            self.assertRegex(done.text, r"no renegotiation|alert handshake failure|unexpected message|EOF|closed")
            self.assertAlive(nlb)

    def test_chain_is_sent_in_the_order_of_the_file(self):
        """Even when it is the wrong order, or has a certificate too many: that is a fault to reproduce."""
        inter = CERTS.get("Test Intermediate", ca=True, key="p384", issuer=CERTS.root())
        leaf = CERTS.get(HOST, issuer=inter)
        parts = []
        for c in (leaf, CERTS.root(), inter):
            with open(c.crt, encoding="ascii") as f:
                parts.append(f.read())
        with open(leaf.key, encoding="ascii") as f:
            key = f.read()
        with Nlb(tls_ini(self.target, cert="chain.pem"), {"chain.pem": "".join(parts) + key}) as nlb:
            for version in ("-tls1_2", "-tls1_3"):
                done = s_client(nlb.address("l"), version, "-servername", HOST, "-showcerts")
                subjects = re.findall(r"^ *\d s:CN ?= ?(.*)$", done.text, re.M)
                self.assertEqual(subjects, [HOST, "Test Root p256", "Test Intermediate"])

    def test_every_policy_can_be_served(self):
        """One listener per policy of the table: whatever both sides have is negotiated, nothing crashes."""
        policies = json.loads(nlbsim("policies", "--json").stdout)
        self.assertGreaterEqual(len(policies), 46)
        listeners = "".join(
            f"[listener l{i}]\nprotocol = TLS\nlisten = 127.0.0.1:0\nssl_policy = {p['name']}\ncertificate = {self.cert.pem}\n"
            f"certificate = {CERTS.get(HOST, key='p384').pem}\ntarget_group = g\n" for i, p in enumerate(policies))
        ini = listeners + f"[target_group g]\nprotocol = TCP\ntarget = {self.target.text}\n"
        with Nlb(ini) as nlb:
            for i, p in enumerate(policies):
                with self.subTest(policy=p["name"]):
                    usable = [v for v in p["protocols"] if v in ("TLSv1.2", "TLSv1.3")]
                    if not usable:
                        continue
                    # The client's own lists are wide open; only the policy decides.
                    ctx = client_ctx(ciphers="ALL:@SECLEVEL=0")
                    with connect_tls(nlb.address(f"l{i}"), ctx, HOST) as s:
                        self.assertEqual(s.version(), max(usable))
                        s.sendall(b"x")
                        recv_exactly(s, 1)
                        self.assertIn(s.cipher()[0], p["ciphers"])

    def test_target_is_connected_after_the_handshake_or_after_the_hello(self):
        """NLB's order is unknown, so both are there; the default waits for the client's handshake."""
        for setting, reached in (("after_handshake", False), ("after_hello", True)):
            with self.subTest(setting), Target(echo()) as target:
                with Nlb(tls_ini(target, cert=self.cert, nlb=f"target_connect = {setting}\n")) as nlb:
                    with connect(nlb.address("l")) as s:
                        s.sendall(hello_bytes(client_ctx(high=TLS12), sni=HOST))
                        self.assertEqual(recv_exactly(s, 1), b"\x16")
                        if reached:
                            until(lambda: target.count == 1, "the target was not reached")  # its thread may be late
                        else:
                            self.assertEqual(target.count, 0)
                    nlb.event()
                    with connect_tls(nlb.address("l"), None, HOST) as s:
                        s.sendall(b"works")
                        self.assertEqual(recv_exactly(s, 5), b"works")

    def test_server_speaks_first(self):
        for back in ("TCP", "TLS"):
            hello = say(b"220 ready\r\n")
            with self.subTest(back=back), Target(tls(server_ctx(self.cert), hello) if back == "TLS" else hello) as target:
                with Nlb(tls_ini(target, cert=self.cert, protocol=back)) as nlb:
                    for version in (TLS12, TLS13):
                        with connect_tls(nlb.address("l"), client_ctx(low=version, high=version), HOST) as s:
                            self.assertEqual(recv_exactly(s, 11), b"220 ready\r\n")

    def test_keepalives_restart_the_idle_timer(self):
        """NLB guide: TCP keepalives restart the timer, though they carry no data."""
        ini = tls_ini(self.target, cert=self.cert, nlb="time_scale = 140\n")  # 350 s are 2.5 s
        with Nlb(ini) as nlb, connect_tls(nlb.address("l"), None, HOST) as s:
            s.sendall(b"x")
            recv_exactly(s, 1)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with self.assertRaises(AssertionError, msg="the flow expired in spite of keepalives"):
                nlb.events(1, 4.5)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
            self.assertEnd(nlb.event(), "idle_timeout")

    def test_many_handshakes_at_once_on_one_worker(self):
        """Twenty clients that begin together; none waits for another's round trip."""
        errors = []
        ctx = client_ctx(CERTS.root())
        ini = tls_ini(self.target, cert=self.cert).replace("workers = 2", "workers = 1")
        with Nlb(ini) as nlb:
            start = threading.Barrier(20)

            def client():
                try:
                    start.wait(10)
                    with connect_tls(nlb.address("l"), ctx, HOST) as s:
                        s.sendall(b"x")
                        recv_exactly(s, 1)
                except Exception as e:  # pylint: disable=broad-except
                    errors.append(e)
            threads = [threading.Thread(target=client) for _ in range(20)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(30)
            self.assertEqual(errors, [])


if __name__ == "__main__":
    unittest.main()
