# SPDX-License-Identifier: Apache-2.0
"""The pages under pressure: who trickles, or holds connections, locks nobody out; who half-closes gets the whole page."""
import time
import unittest

from nlbtest import Nlb, NlbTest, Target, connect, echo, half_close, http_get, recv_all, tcp_ini
from test_limits import descriptors, limit_descriptors


class Admin(NlbTest):
    def start(self):
        target = self.enterContext(Target(echo()))
        nlb = self.enterContext(Nlb(tcp_ini(target, nlb="metrics = 127.0.0.1:0\n")))
        at = nlb.ready["metrics"]
        return nlb, (at["address"], at["port"])

    def assertHealthy(self, address):
        with connect(address) as s:
            status, headers, _ = http_get(s, "/healthz", "localhost")
            self.assertEqual((status, headers["x-content-type-options"]), (200, "nosniff"))

    def test_tricklers_lock_nobody_out(self):
        _, address = self.start()
        for _ in range(200):
            self.enterContext(connect(address)).sendall(b"GET /hea")
        self.assertHealthy(address)

    def test_a_half_closing_client_gets_the_whole_page(self):
        _, address = self.start()
        for path in (b"/metrics", b"/healthz"):
            with connect(address, rcvbuf=4096) as s:
                s.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                half_close(s)
                head, body = recv_all(s).split(b"\r\n\r\n", 1)
                length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line.lower())
                self.assertEqual(len(body), length)

    def test_no_descriptor_is_no_busy_loop(self):
        nlb, address = self.start()
        self.assertHealthy(address)
        limit_descriptors(nlb, descriptors(nlb))

        def cpu():
            with open(f"/proc/{nlb.process.pid}/stat", encoding="ascii") as f:
                return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
        with connect(address) as s:
            s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            before, end = cpu(), time.monotonic() + 1
            while time.monotonic() < end:
                time.sleep(0.1)
            self.assertLess(cpu() - before, 30, "hundredths of a second of CPU in a second")
            limit_descriptors(nlb, 4096)
            self.assertIn(b"200 OK", recv_all(s))


if __name__ == "__main__":
    unittest.main()
