# SPDX-License-Identifier: Apache-2.0
"""Clients and targets that do anything at any time: one event per flow, no descriptor left, the process lives."""
import contextlib
import os
import random
import socket
import ssl
import threading
import unittest

from nlbtest import (CERTS, RELAYS, NlbTest, Nlb, Target, client_ctx, connect, half_close, hello_bytes, reset,
                     server_ctx, tcp_ini, tls, tls_ini)

HOST = "api.example.com"
THREADS, ROUNDS = 8, 40


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def any_target(seed):
    """A target that decides by a die what it does with a connection."""
    rng, lock = random.Random(seed), threading.Lock()

    def handler(sock, seen):
        with lock:
            what, n = rng.randrange(7), rng.randrange(1, 200_000)
        sock.settimeout(0.5)
        seen.end = f"case {what}"
        if what == 0:
            reset(sock)
        elif what == 1:
            return
        elif what == 2:
            sock.sendall(os.urandom(n))
        elif what == 3:
            sock.recv(1)
            reset(sock)
        elif what == 4:
            sock.sendall(os.urandom(n))
            reset(sock)
        elif what == 5:
            if not isinstance(sock, ssl.SSLSocket):
                half_close(sock)
            while sock.recv(65536):
                pass
        else:
            while chunk := sock.recv(65536):
                sock.sendall(chunk)
    return handler


def any_client(address, rng, secure):
    """One connection that does one thing; errors are part of it."""
    what, n = rng.randrange(8), rng.randrange(1, 200_000)
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(connect(address, timeout=0.5))
        if secure and what == 0:
            s.sendall(hello_bytes(sni=HOST)[:rng.randrange(1, 300)])
            return reset(s)
        if secure and what == 1:
            return s.sendall(os.urandom(rng.randrange(1, 600)))
        if secure:
            ctx = client_ctx(high=rng.choice((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)))
            s = stack.enter_context(ctx.wrap_socket(s, server_hostname=HOST))
        if what == 2:
            return reset(s)
        if what == 3:
            s.sendall(os.urandom(n))
            return reset(s)
        if what == 4:
            s.sendall(os.urandom(n))
            return s.close()
        if what == 5:
            s.recv(n)
            return s.close()
        s.sendall(os.urandom(n))
        if not secure:
            half_close(s)
        while s.recv(65536):
            pass
    return None


class Chaos(NlbTest):
    def storm(self, ini, secure):
        with Nlb(ini) as nlb:
            baseline = descriptors(nlb.process.pid)

            def client(seed):
                rng = random.Random(seed)
                for _ in range(ROUNDS):
                    try:
                        any_client(nlb.address("l"), rng, secure)
                    except (OSError, ValueError):
                        pass
            threads = [threading.Thread(target=client, args=(seed,)) for seed in range(THREADS)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(120)
            self.assertFalse(any(t.is_alive() for t in threads))
            # A connection that was reset before accept() is no flow, hence at most.
            last = self.settle(nlb)
            self.assertLessEqual(len(last), THREADS * ROUNDS)
            self.assertGreater(len(last), THREADS * ROUNDS * 3 // 4)
            self.assertNotIn("elb_internal", {e["end"]["code"] for e in last})
            self.assertEqual(len({e["flow"] for e in last}), len(last), "one event per flow")
            left = descriptors(nlb.process.pid)
            self.assertLessEqual(left, baseline + 8, "descriptors are left open (pipes of the pool aside)")

    def settle(self, nlb):
        """Every flow has ended once nothing more comes for a while; the last ones end by closing both sides."""
        n = 0
        while True:
            try:
                n = len(nlb.events(n + 1, 2.0))
            except AssertionError:
                return nlb.events(n)

    def test_tcp(self):
        for relay in RELAYS:
            with self.subTest(relay=relay), Target(any_target(1)) as target:
                self.storm(tcp_ini(target, nlb=f"relay = {relay}\n"), secure=False)

    def test_tls_to_tcp(self):
        with Target(any_target(2)) as target:
            self.storm(tls_ini(target, cert=CERTS.get(HOST)), secure=True)

    def test_tls_to_tls(self):
        cert = CERTS.get(HOST)
        with Target(tls(server_ctx(cert), any_target(3))) as target:
            self.storm(tls_ini(target, cert=cert, protocol="TLS"), secure=True)


if __name__ == "__main__":
    unittest.main()
