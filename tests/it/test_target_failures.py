# SPDX-License-Identifier: Apache-2.0
"""Targets that cannot be reached or go away: what the client sees and what the event says."""
import unittest

from nlbtest import (CERTS, RELAYS, NlbTest, Nlb, Target, closed_port, connect, connect_ending, connect_tls, echo, end_metric, ending,
                     recv_exactly, tcp_ini, tls, server_ctx, tls_ini)

HOST = "api.example.com"


class TargetFailures(NlbTest):
    def test_refused_tcp_listener(self):
        keep, text = closed_port()
        with keep:
            for relay in RELAYS:
                with self.subTest(relay=relay), Nlb(tcp_ini(text, nlb=f"relay = {relay}\n")) as nlb:
                    self.assertEqual(connect_ending(nlb.address("l")), "rst")
                    event = nlb.event()
                    self.assertEnd(event, "target_refused")

    def test_refused_tls_listener(self):
        keep, text = closed_port()
        with keep:
            for back in ("TCP", "TLS"):
                with self.subTest(back=back), Nlb(tls_ini(text, cert=CERTS.get(HOST), protocol=back)) as nlb:
                    with connect_tls(nlb.address("l"), None, HOST) as s:
                        self.assertEqual(ending(s), "rst")
                    event = nlb.event()
                    self.assertEnd(event, "target_refused")
                    self.assertNotEqual(end_metric(event), "TargetTLSNegotiationErrorCount")

    def test_empty_group(self):
        ini = tcp_ini()
        with Nlb(ini) as nlb:
            self.assertEqual(connect_ending(nlb.address("l")), "rst")
            event = nlb.event()
            self.assertEnd(event, "no_target")
            self.assertEqual(end_metric(event), "RejectedFlowCount")

    def test_plain_bytes_to_a_tls_target_group_and_back(self):
        """A TLS listener with a TCP group in front of a TLS server: the server sees plain bytes and refuses."""
        cert = CERTS.get(HOST)
        with Target(tls(server_ctx(cert))) as target, Nlb(tls_ini(target, cert=cert, protocol="TCP")) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                s.sendall(b"GET / HTTP/1.1\r\n\r\n")
                # Whatever the server says to that (an alert, then its end) comes as plain bytes.
                self.assertIn(ending(s), ("data", "eof", "rst"))
            self.assertIsNotNone(target.take().error)
            self.assertNotEqual(end_metric(nlb.event()), "TargetTLSNegotiationErrorCount")

    def test_flows_spread_over_targets_and_stay(self):
        with Target(echo()) as a, Target(echo()) as b, Target(echo()) as c, Nlb(tcp_ini(a, b, c)) as nlb:
            n = 120
            for _ in range(n):
                with connect(nlb.address("l")) as s:
                    for _ in range(2):
                        s.sendall(b"x")
                        recv_exactly(s, 1)
            counts = [t.count for t in (a, b, c)]
            self.assertEqual(sum(counts), n, "one client connection is one target connection")
            self.assertGreater(min(counts), n // 12, f"the flow hash is lopsided: {counts}")
            self.assertEqual({e["back"]["target"] for e in nlb.events(n)}, {a.text, b.text, c.text})

    def test_weighted_groups(self):
        with Target(echo()) as blue, Target(echo()) as green, Target(echo()) as dark:
            ini = ("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = blue:90 green:10 dark:0\n"
                   + "".join(f"[target_group {n}]\nprotocol = TCP\ntarget = {t.text}\n"
                             for n, t in (("blue", blue), ("green", green), ("dark", dark))))
            with Nlb(ini) as nlb:
                n = 400
                for _ in range(n):
                    with connect(nlb.address("l")) as s:
                        s.sendall(b"x")
                        recv_exactly(s, 1)
                self.assertEqual(blue.count + green.count, n)
                self.assertEqual(dark.count, 0, "weight 0 gets nothing")
                # 10 % of 400 is 40; outside 12..80 is less likely than one in ten million.
                self.assertTrue(12 <= green.count <= 80, f"green got {green.count} of {n}")


if __name__ == "__main__":
    unittest.main()
