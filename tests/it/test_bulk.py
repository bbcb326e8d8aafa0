# SPDX-License-Identifier: Apache-2.0
"""1 GiB, hashed, in each direction through each kind of listener and both relay modes."""
import os
import unittest

from nlbtest import (CERTS, RELAYS, NlbTest, Nlb, Pattern, Target, client_ctx, close_tls, connect, connect_tls,
                     half_close, recv_digest, send_pattern, server_ctx, sink, source, tcp_ini, tls, tls_ini)

N_BYTES = int(os.environ.get("NLBTEST_BULK_BYTES", 1 << 30))


class Bulk(NlbTest):
    @classmethod
    def setUpClass(cls):
        cls.pattern = Pattern(N_BYTES, seed=7)
        cls.expected = (N_BYTES, cls.pattern.digest())

    def up(self, nlb, target, sock):
        with sock:
            sock.settimeout(120)
            send_pattern(sock, self.pattern)
            close_tls(sock) if hasattr(sock, "version") else half_close(sock)
            seen = target.take(120)
        self.assertEqual((seen.count, seen.digest), self.expected)
        self.assertEqual(nlb.event()["received_bytes"], N_BYTES)

    def down(self, nlb, sock):
        with sock:
            sock.settimeout(120)
            self.assertEqual(recv_digest(sock), self.expected)
        self.assertEqual(nlb.event()["sent_bytes"], N_BYTES)

    def test_tcp_listener(self):
        for relay in RELAYS:
            with self.subTest(relay=relay, direction="up"), Target(sink()) as target:
                with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n")) as nlb:
                    self.up(nlb, target, connect(nlb.address("l")))
            with self.subTest(relay=relay, direction="down"), Target(source(self.pattern)) as target:
                with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n")) as nlb:
                    self.down(nlb, connect(nlb.address("l")))

    def test_tls_listener(self):
        cert = CERTS.get("api.example.com")
        ctx = client_ctx(CERTS.root())
        for back in ("TCP", "TLS"):
            def wrap(handler, tls_back=back == "TLS"):
                return tls(server_ctx(cert), handler) if tls_back else handler
            with self.subTest(back=back, direction="up"), Target(wrap(sink())) as target:
                with Nlb(tls_ini(target, cert=cert, protocol=back)) as nlb:
                    self.up(nlb, target, connect_tls(nlb.address("l"), ctx, "api.example.com"))
            with self.subTest(back=back, direction="down"), Target(wrap(source(self.pattern))) as target:
                with Nlb(tls_ini(target, cert=cert, protocol=back)) as nlb:
                    self.down(nlb, connect_tls(nlb.address("l"), ctx, "api.example.com"))


if __name__ == "__main__":
    unittest.main()
