# SPDX-License-Identifier: Apache-2.0
"""The pages under pressure: who trickles, or holds connections, locks nobody out; who half-closes gets the whole page."""
import time
import unittest

from nlbtest import Nlb, NlbTest, Target, check_ini, connect, echo, half_close, http_get, recv_all, tcp_ini
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


class Names(NlbTest):
    """Who asks under a name that nobody listed may be a page of the web whose name was made to resolve to this machine."""
    SERVED = ("localhost", "LOCALHOST:9901", "localhost.", "127.0.0.1", "127.0.0.1:80", "[::1]:9901", "192.0.2.7", "nlb.test.svc",
              "NLB.test.svc:80", "nlb")
    REFUSED = ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "nlb.test", "nlb.test.svc.evil.example", "xlocalhost",
               "", "127.1", "[::1", "localhost:80.evil.example")

    def status(self, address, request):
        with connect(address) as s:
            s.sendall(request)
            half_close(s)
            answer = recv_all(s)
        self.assertNotIn(b"access-control", answer.lower())
        return int(answer.split()[1]), answer

    def test_hosts(self):
        hosts = "metrics_host = nlb.test.svc\nmetrics_host = nlb\n"
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="metrics = 127.0.0.1:0\n" + hosts)) as nlb:
            at = nlb.ready["metrics"]
            address = at["address"], at["port"]
            for path in ("/", "/metrics", "/flows", "/targets", "/events", "/healthz"):
                for host in self.SERVED:
                    ask = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\n\r\n".encode()
                    self.assertEqual(self.status(address, ask)[0], 200, ask)
                for host in self.REFUSED:
                    status, answer = self.status(address, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                    self.assertEqual(status, 421, host)
                    self.assertIn(b"metrics_host = NAME", answer)
            two = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
            self.assertEqual(self.status(address, two)[0], 421)
            self.assertEqual(self.status(address, b"GET / HTTP/1.0\r\n\r\n")[0], 200)

            # and a reload lists others
            nlb.reload(tcp_ini(target, nlb="metrics = 127.0.0.1:0\nmetrics_host = other\n"))
            for host, status in (("nlb", 421), ("other", 200)):
                self.assertEqual(self.status(address, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())[0], status)

    def test_an_address_for_others_is_asked_for(self):
        ini = "[nlb]\nmetrics = {}\n{}[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\nprotocol = TCP\n"
        for address, instead in (("0.0.0.0:9901", "127.0.0.1:9901"), ("[::]:9901", "[::1]:9901"), ("192.0.2.1:0", "127.0.0.1:0")):
            status, said = check_ini(ini.format(address, ""))
            self.assertEqual(status, 2)
            self.assertIn(f"nlb.ini:2: metrics = {address} shows ", said)
            self.assertIn(f"write {instead}, or, where that is meant, add metrics_public = true", said)
            self.assertEqual(check_ini(ini.format(address, "metrics_public = true\n"))[0], 0)
        for address in ("127.0.0.1:0", "127.8.0.1:0", "[::1]:0"):
            self.assertEqual(check_ini(ini.format(address, ""))[0], 0)
        status, said = check_ini(ini.format("127.0.0.1:0", "metrics_host = http://nlb:9901/\n"))
        self.assertEqual(status, 2)
        self.assertIn("nlb.ini:3: bad value 'http://nlb:9901/' for metrics_host (a host name without a port", said)


if __name__ == "__main__":
    unittest.main()
