# SPDX-License-Identifier: Apache-2.0
"""2,000 connections open at the same time, each with bytes of its own, through TCP and TLS listeners."""
import contextlib
import os
import resource
import selectors
import socket
import struct
import threading
import unittest

from nlbtest import CERTS, RELAYS, NlbTest, Nlb, client_ctx, connect, connect_tls, recv_exactly, tcp_ini, tls_ini

FLOWS = 2000


class EchoLoop:
    """An echo target for thousands of connections: one thread, one selector."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.text = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.wake, self.waker = socket.socketpair()
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake:
                    return
                if key.fileobj is self.listener:
                    sock, _ = self.listener.accept()
                    self.selector.register(sock, selectors.EVENT_READ)
                    continue
                try:
                    data = key.fileobj.recv(4096)
                    if data:
                        key.fileobj.sendall(data)
                        continue
                except OSError:
                    pass
                self.selector.unregister(key.fileobj)
                key.fileobj.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.waker.send(b"x")
        self.thread.join(10)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
        self.waker.close()


class Concurrency(NlbTest):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        need = 3 * FLOWS + 200  # clients and target's ends here; the child has 2 per flow and pipes
        if hard != resource.RLIM_INFINITY and hard < need:
            raise unittest.SkipTest(f"only {hard} descriptors allowed here, {need} needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))

    def exchange(self, nlb, open_one):
        socks = [open_one() for _ in range(FLOWS)]
        try:
            for turn in range(2):
                for n, s in enumerate(socks):
                    s.sendall(struct.pack("!QQQQ", n, turn, n * n, ~n & 0xFFFFFFFF))
                for n, s in enumerate(socks):
                    self.assertEqual(recv_exactly(s, 32), struct.pack("!QQQQ", n, turn, n * n, ~n & 0xFFFFFFFF))
        finally:
            for s in socks:
                s.close()
        events = nlb.events(FLOWS, 60)
        self.assertEqual(len(events), FLOWS)
        self.assertEqual({e["received_bytes"] for e in events}, {64})

    def test_2000_through_tcp_listener(self):
        for relay in RELAYS:
            with self.subTest(relay=relay), EchoLoop() as target:
                with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n")) as nlb:
                    self.exchange(nlb, lambda a=nlb.address("l"): connect(a))

    def test_2000_through_tls_listener(self):
        ctx = client_ctx(CERTS.root())
        with EchoLoop() as target, Nlb(tls_ini(target, cert=CERTS.get("api.example.com"))) as nlb:
            self.exchange(nlb, lambda: connect_tls(nlb.address("l"), ctx, "api.example.com"))


class Exhaustion(NlbTest):
    def test_no_descriptor_left(self):
        """More connections than descriptors: those that fit are served, the rest wait or fail, and it recovers."""
        for ini in (lambda t: tcp_ini(t, nlb="relay = splice\n"), lambda t: tls_ini(t, cert=CERTS.get("api.example.com"))):
            with self.subTest(ini=ini), EchoLoop() as target, Nlb(ini(target)) as nlb:
                used = len(os.listdir(f"/proc/{nlb.process.pid}/fd"))
                soft, hard = resource.prlimit(nlb.process.pid, resource.RLIMIT_NOFILE)
                resource.prlimit(nlb.process.pid, resource.RLIMIT_NOFILE, (used + 20, hard))
                socks = []
                for _ in range(60):
                    with contextlib.suppress(ConnectionResetError):
                        socks.append(connect(nlb.address("l")))
                for s in socks:
                    s.close()
                resource.prlimit(nlb.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
                self.assertAlive(nlb)
                # Full means full, not busy: a process that spins on accept() burns a whole core.
                self.assertLess(cpu_seconds(nlb.process.pid), 5.0)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
