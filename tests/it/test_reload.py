# SPDX-License-Identifier: Apache-2.0
"""SIGHUP under load: flows in transit keep their configuration, new ones get the new one, sockets survive."""
import contextlib
import hashlib
import os
import resource
import signal
import socket
import ssl
import threading
import time
import unittest

from nlbtest import (CERTS, DEADLINE_S, NLBSIM, Nlb, NlbTest, Target, connect, connect_tls, echo, end_code, free_port,
                     half_close, recv_exactly, say, tcp_ini, tls_ini, write_ini)
from test_concurrency import EchoLoop

HOST = "api.example.com"


def ask(address):
    """One connection, one answer: what the target says first."""
    with connect(address) as s:
        return s.recv(16)


class Load:
    """Short connections, one after the other, on several threads; every one has to be answered."""

    def __init__(self, address, threads=3, allowed=(b"old", b"new")):
        self.address, self.allowed, self.stop = address, allowed, threading.Event()
        self.answers, self.errors = {}, []
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def _run(self):
        while not self.stop.is_set():
            try:
                answer = ask(self.address)
                if answer not in self.allowed:
                    raise AssertionError(f"answer {answer!r}")
                self.answers[answer] = self.answers.get(answer, 0) + 1
            except (OSError, AssertionError) as e:
                self.errors.append(repr(e))
                return

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join(20)


def passes(s):
    s.sendall(b"still here")
    return recv_exactly(s, 10) == b"still here"


class Reload(NlbTest):
    def test_new_target_for_new_flows_only(self):
        with Target(echo()) as old, Target(say(b"new")) as new, Nlb(tcp_ini(old)) as nlb:
            port = nlb.port("l")
            with connect(nlb.address("l")) as s:
                self.assertTrue(passes(s))
                said = nlb.reload(tcp_ini(new))
                self.assertIn("new flows follow the new configuration", said)
                self.assertEqual(nlb.port("l"), port)  # port 0 stays the one that was picked
                self.assertEqual(ask(nlb.address("l")), b"new")
                self.assertTrue(passes(s))  # in transit: as it began
                nlb.reload(tcp_ini(new).replace("name = t", "name = again"))
                self.assertTrue(passes(s))  # two generations ago
            events = nlb.events(2)
            self.assertEqual({e["end"]["code"] for e in events}, {"completed"})

    def test_new_certificate_for_new_handshakes_only(self):
        first, second = CERTS.get(HOST), CERTS.get("second.example.com")
        with Target(echo()) as target, Nlb(tls_ini(target, cert=first)) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                self.assertEqual(s.getpeercert(binary_form=True), first.der())
                nlb.reload(tls_ini(target, cert=second))
                with connect_tls(nlb.address("l"), None, HOST) as t:
                    self.assertEqual(t.getpeercert(binary_form=True), second.der())
                    self.assertTrue(passes(t))
                self.assertTrue(passes(s))

    def test_hello_before_handshake_after(self):
        """A client that had connected, but had not spoken yet, gets the configuration it connected under."""
        first, second = CERTS.get(HOST), CERTS.get("second.example.com")
        with Target(echo()) as target, Nlb(tls_ini(target, cert=first)) as nlb:
            with connect(nlb.address("l")) as early:
                with connect_tls(nlb.address("l"), None, HOST):
                    pass  # the early one has been accepted as well by now, unless another worker is slow
                nlb.reload(tls_ini(target, cert=second))
                ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
                with ctx.wrap_socket(early, server_hostname=HOST) as s:
                    self.assertIn(s.getpeercert(binary_form=True), (first.der(), second.der()))
                    self.assertTrue(passes(s))

    def test_bad_file_changes_nothing_and_says_why(self):
        with Target(say(b"old")) as target, Nlb(tcp_ini(target)) as nlb:
            for text, why in (
                (tcp_ini(target).replace("target_group = g", "target_gruop = g"), "target_gruop"),
                (tcp_ini(target).replace("protocol = TCP", "protocol = UDP"), "UDP"),
                (tls_ini(target, cert="missing.pem"), "missing.pem"),
                ("", ""),
            ):
                said = nlb.reload(text, ok=False)
                self.assertIn("nothing changed", said)
                self.assertIn(why, said)
                if why:
                    self.assertRegex(said, r"nlb\.ini:\d+: ")
                self.assertEqual(ask(nlb.address("l")), b"old")
            os.unlink(nlb.ini)
            before = len(nlb.stderr())
            nlb.signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while "nothing changed" not in nlb.stderr()[before:]:
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual(ask(nlb.address("l")), b"old")

    def test_the_service_manager_is_told(self):
        """Type=notify-reload: RELOADING=1 with the moment first, READY=1 at the end, for a refused file too."""
        def told(nlb):
            nlb.notify.settimeout(DEADLINE_S)
            return dict(line.split("=", 1) for line in nlb.notify.recv(4096).decode().split("\n"))

        with Target(say(b"old")) as target, Nlb(tcp_ini(target)) as nlb:
            for text, status in ((tcp_ini(target), "reloaded"), ("[nlb]\nworker = 3\n", "the last reload changed nothing: see the log"),
                                 (tcp_ini(target), "reloaded")):
                write_ini(nlb.folder, text, events="-")
                before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
                nlb.signal(signal.SIGHUP)
                first = told(nlb)
                self.assertEqual(first.keys(), {"RELOADING", "MONOTONIC_USEC"})
                self.assertEqual(first["RELOADING"], "1")
                self.assertIn(int(first["MONOTONIC_USEC"]),
                              range(before, time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000 + 1))
                self.assertEqual(told(nlb), {"READY": "1", "STATUS": status})
            nlb.process.terminate()
            self.assertEqual(told(nlb), {"STOPPING": "1"})

    def test_address_that_cannot_be_bound_changes_nothing(self):
        """Whole or not at all: the first new listener could be opened, the second could not."""
        with Target(say(b"old")) as target, Target(say(b"new")) as new, Nlb(tcp_ini(target)) as nlb, \
                socket.create_server(("127.0.0.1", 0)) as taken:
            free = ("127.0.0.1", free_port())
            more = (f"\n[listener fine]\nprotocol = TCP\nlisten = 127.0.0.1:{free[1]}\ntarget_group = g\n"
                    f"[listener busy]\nprotocol = TCP\nlisten = 127.0.0.1:{taken.getsockname()[1]}\ntarget_group = g\n")
            said = nlb.reload(tcp_ini(new) + more, ok=False)
            self.assertIn(str(taken.getsockname()[1]), said)
            self.assertEqual(ask(nlb.address("l")), b"old")
            with self.assertRaises(ConnectionRefusedError):
                connect(free).close()

    def test_listener_added_and_removed(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            address = ("127.0.0.1", free_port())
            more = f"\n[listener second]\nprotocol = TCP\nlisten = 127.0.0.1:{address[1]}\ntarget_group = g\n"
            with self.assertRaises(ConnectionRefusedError):
                connect(address).close()
            nlb.reload(tcp_ini(target) + more)
            self.assertEqual(nlb.address("second"), ("127.0.0.1", address[1]))
            with connect(address) as s, connect(nlb.address("l")) as first:
                self.assertTrue(passes(s))
                nlb.reload(tcp_ini(target))
                self.assertNotIn("second", nlb.listeners)
                with self.assertRaises(ConnectionRefusedError):
                    connect(address).close()
                self.assertTrue(passes(s))  # its flows go on
                self.assertTrue(passes(first))
            nlb.reload(tcp_ini(target) + more)  # and back again on the same port
            with connect(address) as s:
                self.assertTrue(passes(s))

    def test_listener_renamed_keeps_its_socket(self):
        with Target(say(b"old")) as target, Nlb(tcp_ini(target)) as nlb:
            text = tcp_ini(target).replace("127.0.0.1:0", f"127.0.0.1:{free_port()}")
            nlb.reload(text)
            address = nlb.address("l")
            with Load(address) as load:
                for i in range(6):
                    nlb.reload(text.replace("[listener l]", f"[listener l{i}]"))
            self.assertEqual(load.errors, [])
            self.assertEqual(nlb.address("l5"), address)

    def test_no_connection_is_lost_on_a_kept_listener(self):
        """Sockets survive a reload: closing one of several SO_REUSEPORT sockets would reset what is queued on it."""
        with Target(say(b"old")) as old, Target(say(b"new")) as new, Nlb(tcp_ini(old)) as nlb:
            with Load(nlb.address("l")) as load:
                for i in range(20):
                    nlb.reload(tcp_ini(new if i % 2 == 0 else old))
                nlb.reload(tcp_ini(new))
                self.assertEqual(ask(nlb.address("l")), b"new")
            self.assertEqual(load.errors, [])
            self.assertGreater(load.answers.get(b"old", 0), 0)
            self.assertGreater(load.answers.get(b"new", 0), 0)

    def test_a_thousand_flows_through_twenty_reloads(self):
        """Every flow sends a piece between reloads and gets every byte back, in order."""
        count, piece = 1000, 257
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with EchoLoop() as one, EchoLoop() as other, Nlb(tcp_ini(one)) as nlb, contextlib.ExitStack() as stack:
            flows = [stack.enter_context(connect(nlb.address("l"))) for _ in range(count)]
            sent, back = [hashlib.blake2b() for _ in flows], [hashlib.blake2b() for _ in flows]
            for turn in range(20):
                for i, s in enumerate(flows):
                    data = hashlib.shake_256(f"{turn} {i}".encode()).digest(piece)
                    sent[i].update(data)
                    s.sendall(data)
                nlb.reload(tcp_ini(other if turn % 2 == 0 else one))
                for i, s in enumerate(flows):
                    back[i].update(recv_exactly(s, piece))
            self.assertEqual([h.digest() for h in sent], [h.digest() for h in back])
            for s in flows:
                half_close(s)
            self.assertEqual({s.recv(1) for s in flows}, {b""})
        self.assertEqual({end_code(e) for e in nlb.events(count)}, {"completed"})

    def test_queued_connections_are_served(self):
        """Connections that wait in the backlog while the configuration changes."""
        with Target(say(b"old")) as old, Target(say(b"new")) as new, Nlb(tcp_ini(old)) as nlb:
            nlb.signal(signal.SIGSTOP)  # nobody accepts
            waiting = [socket.create_connection(nlb.address("l")) for _ in range(60)]
            nlb.signal(signal.SIGCONT)
            nlb.reload(tcp_ini(new))
            answers = set()
            for s in waiting:
                with s:
                    s.settimeout(20)
                    answers.add(s.recv(16))
            self.assertLessEqual(answers, {b"old", b"new"})

    def test_nothing_piles_up(self):
        """A generation goes with its last flow: thirty reloads with TLS configurations leave the memory where it was."""
        cert = CERTS.get(HOST)
        with Target(echo()) as target, Nlb(tls_ini(target, cert=cert)) as nlb:
            def resident():
                with open(f"/proc/{nlb.process.pid}/statm", encoding="ascii") as f:
                    return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

            def files():
                return len(os.listdir(f"/proc/{nlb.process.pid}/fd"))

            for _ in range(5):
                nlb.reload(tls_ini(target, cert=cert))
            memory, descriptors = resident(), files()
            for _ in range(30):
                nlb.reload(tls_ini(target, cert=cert))
                self.assertAlive(nlb)
            self.assertLessEqual(files(), descriptors + 2)  # a lingering or a checking one may be there just now
            if "san-" not in NLBSIM:
                self.assertLess(resident() - memory, 4 << 20)


if __name__ == "__main__":
    unittest.main()
