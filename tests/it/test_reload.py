# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: new flows follow the new file, running ones keep theirs, and no connection is lost on the way."""
import threading
import unittest

from nlbtest import (CERTS, NlbTest, Nlb, Target, client_ctx, connect, connect_tls, echo, peer_cert, recv_exactly,
                     tcp_ini, tls_ini)

HOST = "api.example.com"


def ask(sock, data=b"ping"):
    sock.sendall(data)
    return recv_exactly(sock, len(data)) == data


class Reload(NlbTest):
    def test_new_certificate_for_new_connections_only(self):
        old, new = CERTS.get(HOST), CERTS.get(HOST, key="p384")
        with Target(echo()) as target, Nlb(tls_ini(target, cert=old)) as nlb:
            port = nlb.port("l")
            with connect_tls(nlb.address("l"), client_ctx(CERTS.root()), HOST) as running:
                self.assertTrue(ask(running))
                nlb.reload(tls_ini(target, cert=new))
                self.assertEqual(nlb.port("l"), port, "the socket outlives the configuration")
                with connect_tls(nlb.address("l"), client_ctx(CERTS.root()), HOST) as s:
                    self.assertEqual(peer_cert(s), new.der())
                    self.assertTrue(ask(s))
                self.assertTrue(ask(running), "the running flow was disturbed")

    def test_new_targets_for_new_connections_only(self):
        with Target(echo()) as a, Target(echo()) as b, Nlb(tcp_ini(a)) as nlb:
            with connect(nlb.address("l")) as running:
                self.assertTrue(ask(running))
                nlb.reload(tcp_ini(b))
                with connect(nlb.address("l")) as s:
                    self.assertTrue(ask(s))
                self.assertTrue(ask(running))
            self.assertEqual((a.count, b.count), (1, 1))

    def test_a_bad_file_changes_nothing_and_says_why(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            said = nlb.reload(tcp_ini(target).replace("protocol = TCP", "protocol = TPC", 1), ok=False)
            self.assertRegex(said, r"nlb\.ini:\d+: .*TPC")
            self.assertAlive(nlb)
            nlb.reload(tls_ini(target, cert="gone.pem"), ok=False)
            self.assertAlive(nlb)

    def test_listeners_come_and_go(self):
        extra = "[listener second]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            nlb.reload(tcp_ini(target) + extra)
            self.assertAlive(nlb, "second")
            gone = nlb.address("second")
            nlb.reload(tcp_ini(target))
            self.assertNotIn("second", nlb.listeners)
            with self.assertRaises(ConnectionRefusedError):
                connect(gone).close()
            self.assertAlive(nlb)

    def test_no_connection_is_lost_under_load(self):
        """Clients without a pause, forty reloads: every one of their connections works."""
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            stop, errors, counts = threading.Event(), [], []

            def client():
                n = 0
                try:
                    while not stop.is_set():
                        with connect(nlb.address("l")) as s:
                            ask(s)
                        n += 1
                except OSError as e:
                    errors.append(e)
                counts.append(n)

            address = nlb.address("l")
            threads = [threading.Thread(target=client) for _ in range(4)]
            for t in threads:
                t.start()
            for i in range(40):
                nlb.reload(tcp_ini(target, listener=f"tcp.idle_timeout.seconds = {60 + i}"))
            stop.set()
            for t in threads:
                t.join(30)
            self.assertEqual(errors, [])
            self.assertGreater(min(counts), 0)
            self.assertEqual(nlb.address("l"), address)


if __name__ == "__main__":
    unittest.main()
