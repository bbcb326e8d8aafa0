# SPDX-License-Identifier: Apache-2.0
"""Ceilings: each is reached, told once with the name of its key, counted, and service goes on afterwards. And when
descriptors run out, what is over already is given up first."""
import contextlib
import itertools
import json
import os
import re
import resource
import select
import socket
import struct
import time
import unittest

from nlbtest import (CERTS, HELLO_12_EXTENSIONS, Deadline, Nlb, NlbTest, Target, build_hello, client_ctx, connect,
                     connect_tls, echo, end_code, ending, fragment, http_get, recv_all, recv_exactly, tcp_ini, tls_ini)
from test_concurrency import EchoLoop
from test_floods import rss_kib
from test_limits import SANITIZED, ask, descriptors, eventually, limit_descriptors
from test_metrics import get

HOST = "api.example.com"
METRICS = "metrics = 127.0.0.1:0\n"


def reached(nlb):
    """{key: how often}, of the limits that were."""
    found = re.findall(r'nlbsim_limit_reached_total\{.*limit="(\w+)"\} (\d+)', get(nlb, "/metrics")[2])
    return {key: int(n) for key, n in found if n != "0"}


def told(nlb, key):
    return re.findall(rf"warn limit key={key} .*", nlb.stderr())


def refused(open_one):
    """Is the connection reset at once?"""
    try:
        with open_one() as s:
            s.sendall(b"?")
            s.recv(1)
            return False
    except (ConnectionResetError, BrokenPipeError):
        return True


class Connections(NlbTest):
    def full(self, nlb, key, limit, flows, open_one):
        """Three more are reset, told once, counted; the others live, and one that ends makes room."""
        for _ in range(3):
            self.assertTrue(refused(open_one), "not refused")
        for s in flows:
            self.assertTrue(ask(s), "a flow was disturbed")
        lines = told(nlb, key)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], rf"limit={limit} times=1 .*are reset until")
        self.assertEqual(reached(nlb), {key: 3})
        self.assertRegex(get(nlb, "/metrics")[2], r"nlb_rejected_flows_total\{[^}]*\} 3\n")
        flows.pop().close()

        def again():
            with contextlib.suppress(OSError, EOFError), open_one() as s:
                return ask(s)
        eventually(again, "no room although a flow has ended")

    def test_in_all(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS + "max_connections = 4\n")) as nlb, \
                contextlib.ExitStack() as stack:
            def open_one():
                return connect(nlb.address("l"))
            flows = [stack.enter_context(open_one()) for _ in range(4)]
            self.assertTrue(all(ask(s) for s in flows))
            self.full(nlb, "max_connections", 4, flows, open_one)

    def test_of_one_source(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS + "max_connections_per_source = 2\n")) as nlb, \
                contextlib.ExitStack() as stack:
            flows = [stack.enter_context(connect(nlb.address("l"), source=f"127.0.0.{i}")) for i in (2, 2, 3, 3, 4)]
            self.assertTrue(all(ask(s) for s in flows))
            self.full(nlb, "max_connections_per_source", 2, flows[:2], lambda: connect(nlb.address("l"), source="127.0.0.2"))
            self.assertIn("source=127.0.0.2 ", told(nlb, "max_connections_per_source")[0])

    def test_handshakes(self):
        """Silent clients are bounded; who has finished the handshake does not count, nor does a TCP listener."""
        tcp = "[listener plain]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
        with Target(echo()) as target, \
                Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS + "max_handshakes = 3\n") + tcp) as nlb, \
                contextlib.ExitStack() as stack:
            flows = [stack.enter_context(connect_tls(nlb.address("l"))) for _ in range(5)]
            self.assertTrue(all(ask(s) for s in flows))
            silent = [stack.enter_context(connect(nlb.address("l"))) for _ in range(3)]
            flows += [stack.enter_context(connect(nlb.address("plain"))) for _ in range(3)]
            # the ceiling is reached once all three are accepted
            eventually(lambda: get(nlb, "/flows")[2].count("front_handshake") == 3, "not accepted")
            for _ in range(3):
                self.assertTrue(refused(lambda: connect(nlb.address("l"))))
            self.assertTrue(all(ask(s) for s in flows))
            self.assertEqual(reached(nlb), {"max_handshakes": 3})
            self.assertRegex("\n".join(told(nlb, "max_handshakes")), r"^.*limit=3 times=1 .*until handshakes are done$")
            silent.pop().close()

            def again():
                with contextlib.suppress(OSError, EOFError), connect_tls(nlb.address("l")) as s:
                    return ask(s)
            eventually(again, "no room although a handshake has ended")

    def test_a_reload_raises_it(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="max_connections = 1\n")) as nlb, connect(nlb.address("l")) as s:
            self.assertTrue(ask(s))
            self.assertTrue(refused(lambda: connect(nlb.address("l"))))
            self.assertNotIn("restart", nlb.reload(tcp_ini(target, nlb="max_connections = 2\n")))
            with connect(nlb.address("l")) as t:
                self.assertTrue(ask(t) and ask(s))
                self.assertTrue(refused(lambda: connect(nlb.address("l"))))


def vector(width, data):
    return struct.pack("!I", len(data))[4 - width:] + data


def long_hello(padding=0):
    """A ClientHello that no policy suits, with lists as long as are kept, and padding behind."""
    groups = b"".join(struct.pack("!H", 0x0100 + i) for i in range(512))
    extensions = [(10, vector(2, groups)), (13, vector(2, b"\x08\x04" * 512)), (21, b"\0" * padding)]
    return build_hello(ciphers=(0xC0AC,) * 512, extensions=extensions)


def waiting(port):
    """What the kernel holds unread for each connection to the port."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    return [int(r[4].split(":")[1], 16) for r in rows if r[1].endswith(f":{port:04X}") and r[3] == "01"]


class Memory(NlbTest):
    def ini(self, target, nlb=""):
        return tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS + nlb).replace("workers = 2", "workers = 1")

    def refuse(self, nlb, hello, n=1):
        """n refused hellos; the events of them."""
        for _ in range(n):
            with connect(nlb.address("l")) as s:
                s.sendall(hello)
                with contextlib.suppress(ConnectionResetError):
                    recv_all(s)
        return [nlb.event() for _ in range(n)]

    def assertServed(self, nlb):
        with connect_tls(nlb.address("l")) as s:
            self.assertTrue(ask(s))
        self.assertEnd(nlb.event(), "completed", "client_reset")

    def test_a_hello(self):
        """Refused from its length alone; in the event it is the client's doing, in the log the key is named."""
        with Target(echo()) as target, Nlb(self.ini(target, "max_hello_bytes = 2000\n")) as nlb:
            for event in self.refuse(nlb, fragment(long_hello(), 1000)[:1005], 3):
                self.assertEnd(event, "client_hello_malformed")
                self.assertEqual(event["front"]["first_bytes"], "ClientHello too large")
            self.assertEqual(reached(nlb), {"max_hello_bytes": 3})
            self.assertEqual(len(told(nlb, "max_hello_bytes")), 1)
            self.assertRegex(told(nlb, "max_hello_bytes")[0], r"limit=2000 times=1 the ClientHello is refused")
            self.assertServed(nlb)

    def test_a_hello_that_aws_reads(self):
        """Up to 64 KiB, in whatever records; mbedTLS takes 16, and alone it is told as this simulator's limit."""
        ciphers = (0xC02B, 0xC02F, 0xC023)
        big = build_hello(ciphers=ciphers, extensions=HELLO_12_EXTENSIONS + ((21, b"\0" * 30000),))
        with Target(echo()) as target, Nlb(self.ini(target)) as nlb:
            for size in (16000, 1):
                with connect(nlb.address("l")) as s:
                    s.sendall(fragment(big, size))
                    answer = recv_exactly(s, 6)
                self.assertEqual((answer[0], answer[5]), (22, 2), "no ServerHello")
                self.assertEqual(nlb.event()["front"]["tls_library"], "openssl")
        with Target(echo()) as target, Nlb(self.ini(target, "tls_library = mbedtls\n")) as nlb:
            for size in (16000, 1):
                event, = self.refuse(nlb, fragment(big, size))
                self.assertEnd(event, "simulator_limit")
                self.assertIn("ClientHello over 16 KiB", event["front"]["not_simulated"])
                self.assertEqual(len(event["front"]["offer"]["ciphers"]), 3)
            self.assertEqual(reached(nlb), {})
            self.assertServed(nlb)

    @unittest.skipIf(SANITIZED, "a sanitizer's allocator keeps what is freed")
    def test_what_a_hello_costs(self):
        """60 KiB of one in records of one octet: its bytes, and not several times that."""
        n, size = 40, 60000
        part = fragment(long_hello(65000 - 5000), 1)[:6 * size]
        with Target(echo()) as target, Nlb(self.ini(target)) as nlb, contextlib.ExitStack() as stack:
            self.assertServed(nlb)
            before = rss_kib(nlb)
            for _ in range(n):
                stack.enter_context(connect(nlb.address("l"))).sendall(part)
            eventually(lambda: waiting(nlb.port("l")) == [0] * n, "it is not read")
            each = (rss_kib(nlb) - before) / n
            self.assertLess(each, 100, "KiB for one hello of 60")
            self.assertServed(nlb)

    def test_an_event(self):
        with Target(echo()) as target, Nlb(self.ini(target, "max_event_bytes = 8192\n")) as nlb:
            for event in self.refuse(nlb, long_hello(), 3):
                self.assertEqual((event["front"]["offer"], event["left_out"]), (None, ["front.offer"]))
                self.assertEnd(event, "listener_no_group")
            self.assertEqual(reached(nlb), {"max_event_bytes": 3})
            self.assertRegex(told(nlb, "max_event_bytes")[0], "limit=8192 times=1 the event says less")
            self.assertTrue(all(len(line) <= 8192 for line in nlb.out.wait(3)))
            self.assertServed(nlb)

    def test_the_recent_events(self):
        with Target(echo()) as target, Nlb(self.ini(target, "max_recent_bytes = 100000\n")) as nlb:
            events = self.refuse(nlb, long_hello(), 10)
            size = max(len(line) for line in nlb.out.wait(10))
            self.assertGreater(10 * size, 150000, "too short to prove anything")
            text = get(nlb, "/events")[2]
            self.assertLessEqual(len(text), 100000)
            kept = [json.loads(line)["flow"] for line in text.splitlines()]
            self.assertEqual(kept, [e["flow"] for e in events[-len(kept):]])
            self.assertGreaterEqual(len(kept), 100000 // size - 1)
            self.assertEqual(list(reached(nlb)), ["max_recent_bytes"])
            self.assertRegex(told(nlb, "max_recent_bytes")[0], "limit=100000 times=1 /events forgets earlier")

    @unittest.skipIf(SANITIZED, "a sanitizer's allocator keeps what is freed")
    def test_slow_readers_of_large_events(self):
        """500 large events and 64 readers that do not read: what they cost is bounded, and others are served."""
        with Target(echo()) as target, Nlb(self.ini(target)) as nlb, contextlib.ExitStack() as stack:
            before = rss_kib(nlb)
            self.refuse(nlb, long_hello(), 500)
            at = nlb.ready["metrics"]
            for _ in range(64):
                s = stack.enter_context(connect((at["address"], at["port"]), rcvbuf=4096))
                s.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(s.recv(12), b"HTTP/1.1 200")
            self.assertEqual(get(nlb, "/healthz")[0], 200)
            self.assertLess(rss_kib(nlb) - before, 100 * 1024, "KiB")
            self.assertIn("max_metrics_bytes", reached(nlb))
            self.assertServed(nlb)


    @unittest.skipIf(SANITIZED, "a sanitizer's allocator keeps what is freed")
    def test_what_many_flows_used_is_given_back(self):
        n, ctx = 600, client_ctx()
        with EchoLoop() as target, Nlb(self.ini(target)) as nlb, contextlib.ExitStack() as stack:
            self.assertServed(nlb)
            before = rss_kib(nlb)
            flows = [stack.enter_context(connect_tls(nlb.address("l"), ctx)) for _ in range(n)]
            self.assertTrue(all(ask(s) for s in flows))
            grown = rss_kib(nlb) - before
            self.assertGreater(grown, 5 * n, "KiB: flows that cost nothing prove nothing")
            stack.close()
            nlb.events(n + 1)
            eventually(lambda: rss_kib(nlb) - before < grown / 2, f"of {grown} KiB more than half are kept")
            self.assertServed(nlb)

    def test_answers_that_wait(self):
        """The first of two that do not read goes; the second has its answer whole."""
        with Target(echo()) as target, Nlb(self.ini(target, "max_metrics_bytes = 65536\n")) as nlb:
            self.refuse(nlb, long_hello(), 130)
            at = nlb.ready["metrics"]
            with connect((at["address"], at["port"]), rcvbuf=4096) as first, \
                    connect((at["address"], at["port"]), rcvbuf=4096) as second:
                for s in (first, second):
                    s.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    self.assertEqual(s.recv(12), b"HTTP/1.1 200")
                head, body = recv_all(second).split(b"\r\n\r\n", 1)
                length = int(re.search(rb"Content-Length: (\d+)", head)[1])
                self.assertEqual(len(body), length)
                self.assertGreater(length, 2 << 20, "too short to wait anywhere but in the program")
                self.assertLess(len(recv_all(first)), length)
            self.assertEqual(reached(nlb), {"max_metrics_bytes": 1})
            self.assertRegex(told(nlb, "max_metrics_bytes")[0], "limit=65536 times=1 who has not read an answer")


class Pages(NlbTest):
    def test_connections(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS + "max_metrics_connections = 4\n")) as nlb, \
                contextlib.ExitStack() as stack:
            at = nlb.ready["metrics"]
            tricklers = [stack.enter_context(connect((at["address"], at["port"]))) for _ in range(5)]
            for s in tricklers[1:]:
                s.sendall(b"GET /heal")
            self.assertEqual(ending(tricklers[0]), "eof")
            self.assertEqual(get(nlb, "/healthz")[0], 200)
            self.assertRegex(told(nlb, "max_metrics_connections")[0], "limit=4 times=1 .*not answered for longest is closed")
            self.assertIn(reached(nlb), [{"max_metrics_connections": n} for n in (2, 3)])  # the fifth, and ours


EXPIRE = "time_scale = 100\n" + METRICS
IDLE = "tcp.idle_timeout.seconds = 60\n"


class Expired(NlbTest):
    """Flows past their idle timeout hold descriptors only to answer with RST."""

    def expire(self, nlb, stack, n, room=None):
        """n flows of which nothing is left but descriptors."""
        before = descriptors(nlb)
        flows = [stack.enter_context(connect(nlb.address("l"))) for _ in range(n)]
        self.assertTrue(all(ask(s) for s in flows))
        events = [nlb.event() for _ in range(n)]
        self.assertEqual([end_code(e) for e in events], ["idle_timeout"] * n)
        self.assertGreaterEqual(descriptors(nlb), before + 2 * n - 2)
        if room is not None:
            limit_descriptors(nlb, descriptors(nlb) + room)
        return flows

    def ini(self, target, workers, more=""):
        return tcp_ini(target, nlb=EXPIRE + more, listener=IDLE).replace("workers = 2", f"workers = {workers}")

    def test_they_go_first_when_descriptors_run_out(self):
        for workers in (1, 2):
            for room in (0, 1, 2):
                with self.subTest(workers=workers, room=room), Target(echo()) as target, \
                        Nlb(self.ini(target, workers)) as nlb, contextlib.ExitStack() as stack:
                    flows = self.expire(nlb, stack, 20, room)
                    for _ in range(5):
                        with connect(nlb.address("l")) as s:
                            self.assertTrue(ask(s))
                    gone = select.select(flows, [], [], Deadline().left())[0]  # one worker's, or both's
                    self.assertEqual({ending(s) for s in gone}, {"rst"})
                    self.assertEqual(reached(nlb), {})

    def test_the_pages_are_served_beside_them(self):
        with Target(echo()) as target, Nlb(self.ini(target, 2)) as nlb, contextlib.ExitStack() as stack:
            self.expire(nlb, stack, 20, 0)
            self.assertEqual(get(nlb, "/healthz")[0], 200)

    def test_no_more_are_kept_than_there_may_be_connections(self):
        with Target(echo()) as target, Nlb(self.ini(target, 1, "max_connections = 10\n")) as nlb, contextlib.ExitStack() as stack:
            before = descriptors(nlb)
            flows = self.expire(nlb, stack, 10)
            more = [stack.enter_context(connect(nlb.address("l"))) for _ in range(10)]
            self.assertTrue(all(ask(s) for s in more))
            for _ in more:
                self.assertEqual(end_code(nlb.event()), "idle_timeout")
            self.assertEqual([ending(s) for s in more], ["rst"] * 10)
            eventually(lambda: descriptors(nlb) <= before + 22, "they are kept")
            for s in flows:  # the first ten still are
                with self.assertRaises((ConnectionResetError, BrokenPipeError, EOFError)):
                    ask(s)


class Descriptors(NlbTest):
    def test_the_soft_limit_is_raised_at_the_start(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            self.assertEqual(resource.prlimit(nlb.process.pid, resource.RLIMIT_NOFILE), (hard, hard))

    def test_none_left_is_told_and_counted(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb, contextlib.ExitStack() as stack:
            self.assertAlive(nlb)
            flows = [stack.enter_context(connect(nlb.address("l"))) for _ in range(4)]
            self.assertTrue(all(ask(s) for s in flows))
            page = connect((nlb.ready["metrics"]["address"], nlb.ready["metrics"]["port"]))
            stack.enter_context(page)
            self.assertEqual(http_get(page, "/healthz", "localhost")[0], 200)
            limit = next(n for n in itertools.count() if not os.path.exists(f"/proc/{nlb.process.pid}/fd/{n}"))
            limit_descriptors(nlb, limit)
            for _ in range(3):
                self.assertTrue(refused(lambda: connect(nlb.address("l"))))
            self.assertTrue(all(ask(s) for s in flows))
            lines = told(nlb, "descriptors")
            self.assertEqual(len(lines), 1, lines)
            self.assertRegex(lines[0], rf"limit={limit} times=1 no file descriptor is left: .*raise ulimit -n$")
            self.assertIn('limit="descriptors"} 3\n', http_get(page, "/metrics", "localhost")[2].decode())
            limit_descriptors(nlb, 4096)
            self.assertAlive(nlb)

    def test_the_signpost_does_not_spin(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            self.assertAlive(nlb)
            address, port = nlb.address("l")
            limit_descriptors(nlb, 3)

            def cpu():
                with open(f"/proc/{nlb.process.pid}/stat", encoding="ascii") as f:
                    return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(Deadline().left())
                s.connect(f"\0nlbsim-about-{address}:{port}")
                before, end = cpu(), time.monotonic() + 1
                while time.monotonic() < end:
                    time.sleep(0.1)
                self.assertLess(cpu() - before, 30, "hundredths of a second of CPU in a second")
                limit_descriptors(nlb, 4096)
                self.assertIn(b'"listener"', recv_all(s))


if __name__ == "__main__":
    unittest.main()
