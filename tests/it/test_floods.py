# SPDX-License-Identifier: Apache-2.0
"""Peers that talk without an end: nothing that one connection sends keeps a worker from the others, makes it hold
more and more, or outlives a timeout. One worker in each test, so that whoever is kept waiting shows."""
import contextlib
import ctypes
import ctypes.util
import hmac
import os
import socket
import ssl
import struct
import tempfile
import threading
import unittest

from nlbtest import (CERTS, TLS12, TLS13, Nlb, NlbTest, Target, client_ctx, connect, connect_tls, echo, end_code,
                     hello_bytes, recv_exactly, server_ctx, tcp_ini, tls, tls_ini)
from test_health import QUICK, FAST, said
from test_probe import probe

HOST = "api.example.com"
AES128 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
GROWTH_KIB = 16 * 1024
CPU_S = 3  # of a whole run that has nothing else to do, with a sanitizer


def rss_kib(nlb):
    with open(f"/proc/{nlb.process.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def cpu_s(nlb):
    with open(f"/proc/{nlb.process.pid}/stat", encoding="ascii") as f:
        ticks = f.read().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def one_worker(ini):
    return ini.replace("workers = 2", "workers = 1")


class Crypto:
    """AES-128-GCM, from the library that python's ssl uses."""
    lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm"):
        getattr(lib, name).restype = ctypes.c_void_p

    @classmethod
    def seal(cls, key, nonce, aad, plain):
        lib, ctx, n = cls.lib, ctypes.c_void_p(cls.lib.EVP_CIPHER_CTX_new()), ctypes.c_int()
        out, tag = ctypes.create_string_buffer(len(plain) + 16), ctypes.create_string_buffer(16)
        try:
            ok = (lib.EVP_EncryptInit_ex(ctx, ctypes.c_void_p(lib.EVP_aes_128_gcm()), None, key, nonce)
                  and lib.EVP_EncryptUpdate(ctx, None, ctypes.byref(n), aad, len(aad))
                  and lib.EVP_EncryptUpdate(ctx, out, ctypes.byref(n), plain, len(plain))
                  and lib.EVP_EncryptFinal_ex(ctx, None, ctypes.byref(n))
                  and lib.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag))
        finally:
            lib.EVP_CIPHER_CTX_free(ctx)
        if not ok:
            raise AssertionError("AES-GCM")
        return out.raw[:len(plain)] + tag.raw


class Raw12:
    """A TLS 1.2 session made by python's ssl, whose next records we make ourselves: any type, any content."""

    def __init__(self, sock, ctx, server_side):
        fd, path = tempfile.mkstemp(prefix="nlbtest-keys-")
        os.close(fd)
        try:
            ctx.keylog_filename = path
            self.shake(sock, ctx, server_side)
            with open(path, encoding="ascii") as f:
                secrets = [line.split() for line in f if line.startswith("CLIENT_RANDOM")]
        finally:
            os.unlink(path)
        random, master = (bytes.fromhex(part) for part in secrets[-1][1:])
        block = self.prf(master, b"key expansion" + self.server_random + random, 40)
        self.key, self.salt = (block[16:32], block[36:40]) if server_side else (block[:16], block[32:36])
        self.number = 1  # Finished was number 0

    def shake(self, sock, ctx, server_side):
        incoming, outgoing, sent, got = ssl.MemoryBIO(), ssl.MemoryBIO(), b"", b""
        obj = ctx.wrap_bio(incoming, outgoing, server_side=server_side, server_hostname=None if server_side else HOST)
        while True:
            try:
                obj.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            sent += (data := outgoing.read())
            sock.sendall(data)
            if done:
                break
            chunk = sock.recv(65536)
            if not chunk:
                raise EOFError("closed inside the handshake")
            got += chunk
            incoming.write(chunk)
        self.server_random = (sent if server_side else got)[11:43]

    @staticmethod
    def prf(secret, seed, n):
        out, a = b"", seed
        while len(out) < n:
            a = hmac.digest(secret, a, "sha256")
            out += hmac.digest(secret, a + seed, "sha256")
        return out

    def record(self, kind, content):
        explicit = struct.pack("!Q", self.number)
        self.number += 1
        aad = explicit + struct.pack("!BHH", kind, 0x0303, len(content))
        body = explicit + Crypto.seal(self.key, self.salt + explicit, aad, content)
        return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def flood(sock, make, records):
    """Send until it is done or the peer has had enough. True: the peer took everything."""
    try:
        for _ in range(records):
            sock.sendall(make())
        return True
    except (ConnectionError, socket.timeout):
        return False


HELLOS = b"\1\0\0\0" * 4000
HELLO_REQUESTS = b"\0\0\0\0" * 4000
WARNING = b"\1\x5a"  # user_canceled


class AfterTheHandshake(NlbTest):
    def frozen_out(self, nlb, before):
        """The others are served, and nothing was hoarded."""
        self.assertAlive(nlb, "other")
        self.assertLess(rss_kib(nlb) - before, GROWTH_KIB, "KiB more than before the flood")

    @staticmethod
    def ini(target, front="TLS"):
        cert = CERTS.get(HOST)
        more = f"[listener other]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = e\n[target_group e]\nprotocol = TCP\n"
        return one_worker(tls_ini(target, cert=cert, protocol=front)) + more + "target = {}\n"

    def test_renegotiations_of_a_client_that_never_reads(self):
        with Target(echo()) as target, Nlb(self.ini(target, "TCP").format(target.text)) as nlb:
            before = rss_kib(nlb)
            with connect(nlb.address("l"), rcvbuf=4096) as s:
                raw = Raw12(s, client_ctx(high=TLS12, ciphers=AES128), False)
                self.assertFalse(flood(s, lambda: raw.record(22, HELLOS), 10000), "the flood was taken to its end")
                self.frozen_out(nlb, before)
            event = next(e for e in iter(nlb.event, None) if e["listener"] == "l")
            self.assertEnd(event, "client_tls_broken")
            self.assertIn("renegotiations", event["end"]["detail"])

    def test_one_refused_renegotiation_is_no_flood(self):
        with Target(echo()) as target, Nlb(self.ini(target, "TCP").format(target.text)) as nlb:
            with connect(nlb.address("l")) as s:
                raw = Raw12(s, client_ctx(high=TLS12, ciphers=AES128), False)
                s.sendall(raw.record(22, HELLOS[:4]))
                alert = recv_exactly(s, 5 + 26)  # a ticket may come first, in the clear: not here, it came before
                self.assertEqual(alert[0], 21)
                s.sendall(raw.record(23, b"still there"))
                self.assertEqual(recv_exactly(s, 5)[0], 23)

    def test_hello_requests_of_a_target(self):
        taken = []

        def target_floods(sock, _):
            raw = Raw12(sock, server_ctx(CERTS.get("t"), high=TLS12, ciphers=AES128, tickets=False), True)
            taken.append(flood(sock, lambda: raw.record(22, HELLO_REQUESTS), 10000))
        with Target(target_floods) as target, Target(echo()) as other:
            with Nlb(self.ini(target).format(other.text)) as nlb:
                before = rss_kib(nlb)
                with connect_tls(nlb.address("l"), sni=HOST):
                    self.assertFalse(target.take() is None or taken[0], "the flood was taken to its end")
                    self.frozen_out(nlb, before)
                    event = next(e for e in iter(nlb.event, None) if e["listener"] == "l")
                    self.assertEnd(event, "target_tls_broken")
                    self.assertIn("renegotiations", event["end"]["detail"])

    def test_warning_alerts_do_no_harm(self):
        """They need no answer: as much work as their bytes, in turns, and the session goes on."""
        with Target(echo()) as target, Nlb(self.ini(target, "TCP").format(target.text)) as nlb:
            before = rss_kib(nlb)
            with connect(nlb.address("l")) as s:
                raw = Raw12(s, client_ctx(high=TLS12, ciphers=AES128), False)
                for _ in range(40):
                    s.sendall(b"".join(raw.record(21, WARNING) for _ in range(250)))
                    self.frozen_out(nlb, before)
                s.sendall(raw.record(23, b"still there"))
                self.assertEqual(recv_exactly(s, 5)[0], 23)

    def test_tickets_of_a_target(self):
        ctx = server_ctx(CERTS.get("t"), low=TLS13)
        ctx.num_tickets = 3000
        with Target(tls(ctx)) as target, Target(echo()) as other:
            with Nlb(self.ini(target).format(other.text)) as nlb:
                before = rss_kib(nlb)
                with connect_tls(nlb.address("l"), sni=HOST) as s:
                    s.sendall(b"hello")
                    self.frozen_out(nlb, before)
                    self.assertEqual(recv_exactly(s, 5), b"hello")


def der(tag, body):
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body


def nested_certificate(identifier, wrap, depth):
    """Nothing but a signature algorithm, each the parameter of the one around it."""
    algorithm = der(0x30, identifier)
    for _ in range(depth):
        algorithm = der(0x30, identifier + wrap(algorithm))
    return der(0x30, der(0x30, b"") + algorithm + der(3, b"\0"))


def presents(certificate):
    """A target that answers any hello with a TLS 1.2 ServerHello and this certificate: no key, no cryptography."""
    def message(kind, body):
        return bytes([kind]) + len(body).to_bytes(3, "big") + body

    def record(data):
        return b"".join(b"\x16\3\3" + struct.pack("!H", len(data[i:i + 16000])) + data[i:i + 16000] for i in range(0, len(data), 16000))

    def handler(sock, _):
        sock.recv(16384)
        one = len(certificate).to_bytes(3, "big") + certificate
        sock.sendall(record(message(2, b"\3\3" + os.urandom(32) + b"\0\xc0\x2f\0" + struct.pack("!H", 9) + b"\xff\1\0\1\0\0\x17\0\0"))
                     + record(message(11, len(one).to_bytes(3, "big") + one)) + record(message(14, b"")))
        while sock.recv(65536):
            pass
    return handler


ECDSA, PSS = (der(6, bytes.fromhex(text)) for text in ("2a8648ce3d0403", "2a864886f70d01010a"))


class Certificates(NlbTest):
    CASES = {"the digest of ecdsa-with-SHA2": nested_certificate(ECDSA, lambda a: a, 60),
             "the digest of RSASSA-PSS": nested_certificate(PSS, lambda a: der(0x30, der(0xa0, a)), 400),
             "deeper than a message is long": nested_certificate(PSS, lambda a: der(0x30, der(0xa0, a)), 20000)}

    def test_of_a_target(self):
        """Read by a hop of ours, and as it passes through a TCP listener."""
        for what, certificate in self.CASES.items():
            for front in ("TLS", "TCP"):
                with self.subTest(what=what, listener=front), Target(presents(certificate)) as target, Target(echo()) as other:
                    ini = (tls_ini(target, cert=CERTS.get(HOST), protocol="TLS") if front == "TLS" else tcp_ini(target)) + (
                        "[listener other]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = e\n"
                        f"[target_group e]\nprotocol = TCP\ntarget = {other.text}\n")
                    with Nlb(one_worker(ini)) as nlb:
                        with connect(nlb.address("l")) as s:
                            if front == "TLS":
                                with contextlib.suppress(OSError, EOFError):
                                    with client_ctx().wrap_socket(s, server_hostname=HOST) as secure:
                                        secure.recv(1)
                            else:
                                s.sendall(hello_bytes(sni=HOST))
                                recv_exactly(s, min(len(certificate), 16000))
                        self.assertAlive(nlb, "other")
                        event = next(e for e in iter(nlb.event, None) if e["listener"] == "l")
                        if front == "TLS":
                            self.assertIn(event["end"]["code"], ("target_tls_failed", "simulator_limit"), event)
                        self.assertLess(cpu_s(nlb), CPU_S)


def endless(first, more):
    """Answer every request with `first`, then `more` until the other side has had enough."""
    def handler(sock, seen):
        sock.recv(65536)
        sock.sendall(first)
        while True:
            sock.sendall(more)
    return handler


CONTINUES = b"HTTP/1.1 100 Continue\r\n\r\n" * 4000
HEADERS = b"X-Filler: " + b"x" * 1000 + b"\r\n"


class Answers(NlbTest):
    CASES = {"interim answers": (b"", CONTINUES, "more than 8 interim"),
             "a head": (b"HTTP/1.1 200 OK\r\n", HEADERS * 60, "too large")}

    def test_health_checks(self):
        """The target fails its check for a reason that is told, and nobody else waits."""
        for what, (first, more, reason) in self.CASES.items():
            with self.subTest(what=what), Target(endless(first, more)) as evil, Target(echo()) as target:
                ini = one_worker(tcp_ini(target, nlb=FAST)) + (
                    "[listener evil]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = evil\n"
                    f"[target_group evil]\nprotocol = TCP\ntarget = {evil.text}\nhealth_check_protocol = HTTP\n" + QUICK)
                with Nlb(ini) as nlb:
                    end = said(nlb, r"group=evil \S+ state=unhealthy .*").group()
                    self.assertIn(reason, end)
                    self.assertAlive(nlb)

    def test_probe(self):
        """It ends by what came, or by its time: not never."""
        for what, (first, more, reason) in self.CASES.items():
            with self.subTest(what=what), Target(endless(first, more)) as evil:
                j = probe(evil.text, "l", url=f"http://{evil.text}/")
                self.assertEqual(j["status"], 504, j)
                self.assertIn(reason, j["verdict"])

    def test_probe_and_a_body_without_end(self):
        body = endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10)
        with Target(body) as evil:
            j = probe(evil.text, "l", "--timeout", "0.3", url=f"http://{evil.text}/")
            self.assertEqual(j["status"], 504, j)


if __name__ == "__main__":
    unittest.main()
