# SPDX-License-Identifier: Apache-2.0
"""The relay: byte-exact, half-close, RST both ways, back-pressure; TCP cases in both relay modes."""
import functools
import os
import signal
import socket
import threading
import unittest

from nlbtest import (NLBSIM, RELAYS, CERTS, TLS12, TLS13, NlbTest, Nlb, Pattern, Target, client_ctx, close_tls, connect,
                     connect_tls, digest_of, echo, end_metric, ending, exchange, half_close, paused, recv_all, recv_digest,
                     recv_exactly, reset, rst_after, say, send_pattern, server_ctx, sink, source, tcp_ini, tls, tls_ini)

MIB = 1 << 20
# What one blocked connection may add to our memory; a sanitizer's shadow and quarantine add their own.
GROWTH = 8 * MIB if "san-" not in NLBSIM else 64 * MIB


def in_thread(work, *args):
    """Run beside the test; join() gives the error back."""
    class Work(threading.Thread):
        error = result = None

        def run(self):
            try:
                self.result = work(*args)
            except Exception as e:  # pylint: disable=broad-except
                self.error = e

        def done(self):
            self.join(30)
            if self.is_alive():
                raise AssertionError("the other direction does not end")
            if self.error:
                raise self.error
            return self.result

    t = Work(daemon=True)
    t.start()
    return t


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fill(sock):
    """Send until the socket takes no more for a while: the number of bytes it took."""
    block, sent = b"\xa5" * 65536, 0
    sock.settimeout(1.0)
    try:
        while sent < 256 * MIB:
            sent += sock.send(block)
    except (TimeoutError, socket.timeout):
        pass
    sock.settimeout(20)
    return sent


def fill_then_reset(sock, seen):
    seen.count = fill(sock)
    reset(sock)
    seen.end = "reset by us"


def each_relay(handler):
    """Run the test once per relay mode: a TCP listener in front of a target of handler()."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for relay in RELAYS:
                with self.subTest(relay=relay), Target(handler()) as target:
                    with Nlb(tcp_ini(target, nlb=f"relay = {relay}\n")) as nlb:
                        test(self, target, nlb)
        return run
    return decorate


def each_kind(handler):
    """Run the test per TLS version and kind of target behind a TLS listener; ctx is the client's."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            cert = CERTS.get("api.example.com")
            for back in ("TCP", "TLS"):
                for version in (TLS12, TLS13):
                    wrapped = tls(server_ctx(cert), handler()) if back == "TLS" else handler()
                    with self.subTest(back=back, version=version.name), Target(wrapped) as target:
                        with Nlb(tls_ini(target, cert=cert, protocol=back)) as nlb:
                            test(self, target, nlb, client_ctx(CERTS.root(), low=version, high=version))
        return run
    return decorate


def describe_count():
    return sink(lambda seen: f"{seen.count} {seen.digest}".encode())


def read_then_reset():
    def serve(sock, seen):
        recv_all(sock)
        reset(sock)
        seen.end = "reset by us"
    return serve


def echo_once_then_ending():
    """One exchange, then only how the client's side ends, seen beneath TLS where there is TLS."""
    def serve(sock, seen):
        sock.sendall(sock.recv(1))
        seen.end = ending(sock)
    return serve


def send_and_reset_while_stopped():
    """Echo one byte; at the gate data and RST at once, while the load balancer is stopped."""
    def serve(sock, seen):
        sock.sendall(sock.recv(1))
        gate.wait(20)
        sock.sendall(b"last words")
        reset(sock)
        seen.end = "reset by us"
    gate = serve.gate = threading.Event()
    return serve


def echo_once_then_read():
    def serve(sock, seen):
        sock.sendall(sock.recv(1))
        seen.data = recv_all(sock)
        seen.end = "eof"
    return serve


def echo_once_then_paused():
    def serve(sock, seen):
        sock.sendall(sock.recv(1))
        gate.wait(20)
        seen.data = recv_all(sock)
        seen.end = "eof"
    gate = serve.gate = threading.Event()
    return serve


def end_in_order_then_reset():
    """Echo one byte and end in order; RST at the gate."""
    def serve(sock, seen):
        sock.sendall(sock.recv(1))
        close_tls(sock)
        gate.wait(20)
        reset(sock)
        seen.end = "reset by us"
    gate = serve.gate = threading.Event()
    return serve


PATTERN = Pattern(2 * MIB + 7)


class TcpRelay(NlbTest):
    """Each case once per relay mode, on a TCP listener."""

    @each_relay(echo)
    def test_every_byte_both_directions_at_once(self, target, nlb):
        pattern = Pattern(24 * MIB + 12345, seed=1)
        with connect(nlb.address("l")) as s:
            def send():
                send_pattern(s, pattern)
                half_close(s)
            sender = in_thread(send)
            self.assertEqual(recv_digest(s), (pattern.n, pattern.digest()))
            sender.done()
        event = nlb.event()
        self.assertEnd(event, "completed")
        self.assertEqual((event["received_bytes"], event["sent_bytes"]), (pattern.n, pattern.n))

    @each_relay(echo)
    def test_single_bytes(self, target, nlb):
        with connect(nlb.address("l")) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for value in range(256):
                s.sendall(bytes([value]))
                self.assertEqual(recv_exactly(s, 1), bytes([value]))

    @each_relay(describe_count)
    def test_half_close_by_client_then_answer(self, target, nlb):
        pattern = Pattern(3 * MIB + 1)
        with connect(nlb.address("l")) as s:
            send_pattern(s, pattern)
            half_close(s)
            self.assertEqual(recv_all(s).decode(), f"{pattern.n} {pattern.digest()}")
        self.assertEqual(target.take().end, "eof")
        self.assertEnd(nlb.event(), "completed")

    @each_relay(lambda: source(PATTERN))
    def test_half_close_by_target_then_client_goes_on(self, target, nlb):
        late = b"sent after the target's end"
        with connect(nlb.address("l")) as s:
            self.assertEqual(recv_digest(s), (PATTERN.n, PATTERN.digest()))
            s.sendall(late)
            half_close(s)
            seen = target.take()
        self.assertEqual((seen.data, seen.end), (late, "eof"))
        self.assertEnd(nlb.event(), "completed")

    @each_relay(lambda: say(b"220 ready\r\n"))
    def test_server_speaks_first(self, target, nlb):
        with connect(nlb.address("l")) as s:
            self.assertEqual(recv_exactly(s, 11), b"220 ready\r\n")

    @each_relay(echo)
    def test_client_rst_reaches_target_as_rst(self, target, nlb):
        s = connect(nlb.address("l"))
        s.sendall(b"x")
        recv_exactly(s, 1)
        reset(s)
        self.assertEqual(target.take().end, "rst")
        event = nlb.event()
        self.assertEnd(event, "client_reset")
        self.assertEqual(end_metric(event), "TCP_Client_Reset_Count")

    @each_relay(lambda: rst_after(4))
    def test_target_rst_reaches_client_as_rst(self, target, nlb):
        with connect(nlb.address("l")) as s:
            s.sendall(b"ping")
            self.assertEqual(ending(s), "rst")
        event = nlb.event()
        self.assertEnd(event, "target_reset")
        self.assertEqual(end_metric(event), "TCP_Target_Reset_Count")

    @each_relay(read_then_reset)
    def test_rst_after_half_close(self, _target, nlb):
        """The client has ended its direction; the target's RST must still arrive as one."""
        with connect(nlb.address("l")) as s:
            half_close(s)
            self.assertEqual(ending(s), "rst")
        self.assertEnd(nlb.event(), "target_reset")

    @each_relay(lambda: paused(echo()))
    def test_client_rst_while_target_does_not_read(self, target, nlb):
        """Under back-pressure nobody reads the client's socket, and its RST must be seen all the same."""
        s = connect(nlb.address("l"))
        fill(s)
        reset(s)
        self.assertEnd(nlb.event(), "client_reset")
        target.handler.gate.set()
        self.assertEqual(target.take().end, "rst")

    def send_while_stopped(self, nlb, action):
        """The load balancer sees all of it in one edge."""
        os.kill(nlb.process.pid, signal.SIGSTOP)
        try:
            action()
        finally:
            os.kill(nlb.process.pid, signal.SIGCONT)

    @each_relay(send_and_reset_while_stopped)
    def test_target_rst_right_behind_its_data(self, target, nlb):
        with connect(nlb.address("l")) as s:
            s.sendall(b"x")
            recv_exactly(s, 1)
            self.send_while_stopped(nlb, lambda: (target.handler.gate.set(), target.take()))
            self.assertEnd(nlb.event(), "target_reset")
            # What came before it may or may not be delivered, as on any network; the RST is.
            self.assertIn(self.rest(s), ("rst",))

    @staticmethod
    def rest(s):
        while (end := ending(s)) == "data":
            pass
        return end

    @each_relay(echo_once_then_read)
    def test_client_rst_right_behind_its_data(self, target, nlb):
        s = connect(nlb.address("l"))
        s.sendall(b"x")
        recv_exactly(s, 1)
        self.send_while_stopped(nlb, lambda: (s.sendall(b"last words"), reset(s)))
        self.assertEnd(nlb.event(), "client_reset")
        self.assertEqual(target.take().end, "rst")

    @each_relay(lambda: say(b"bye"))
    def test_fin_right_behind_data(self, target, nlb):
        with connect(nlb.address("l")) as s:
            recv_exactly(s, 3)
            self.send_while_stopped(nlb, lambda: (s.sendall(b"last words"), half_close(s)))
            seen = target.take()
            self.assertEqual((seen.data, seen.end), (b"last words", "eof"))
        self.assertEnd(nlb.event(), "completed")

    @each_relay(lambda: fill_then_reset)
    def test_target_rst_while_client_does_not_read(self, target, nlb):
        with connect(nlb.address("l"), rcvbuf=4096) as s:
            self.assertEnd(nlb.event(), "target_reset")
            with self.assertRaises(ConnectionResetError):
                recv_all(s)

    @each_relay(lambda: paused(sink()))
    def test_back_pressure_holds_the_sender_and_our_memory(self, target, nlb):
        pattern = Pattern(96 * MIB)
        with connect(nlb.address("l")) as s:
            before = resident_bytes(nlb.process.pid)
            sent = fill(s)
            self.assertLess(sent, 48 * MIB, "the load balancer swallows what the target does not read")
            self.assertLess(resident_bytes(nlb.process.pid) - before, GROWTH)
            target.handler.gate.set()
            send_pattern(s, pattern)
            half_close(s)
            seen = target.take()
        self.assertEqual(seen.count, sent + pattern.n)

    @each_relay(lambda: paused(sink()))
    def test_eof_with_bytes_still_queued(self, target, nlb):
        """FIN comes while bytes wait for a slow target: every byte first, then the end."""
        pattern = Pattern(256 * 1024 + 3)
        with connect(nlb.address("l")) as s:
            send_pattern(s, pattern)
            half_close(s)
            target.accepted()
            target.handler.gate.set()
            seen = target.take()
        self.assertEqual((seen.count, seen.digest), (pattern.n, pattern.digest()))

    def test_ipv6_listener_and_target(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 loopback here")
        with Target(echo(), host="::1") as target:
            with Nlb(tcp_ini(target).replace("127.0.0.1:0", "[::1]:0")) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(b"six")
                    self.assertEqual(recv_exactly(s, 3), b"six")


class TlsRelay(NlbTest):
    """The same promises behind a TLS listener, toward plain and TLS targets."""

    @each_kind(echo)
    def test_every_byte_both_directions_at_once(self, target, nlb, ctx):
        pattern = Pattern(6 * MIB + 12345, seed=2)
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            self.assertEqual(exchange(s, pattern), (pattern.n, pattern.digest()))
        event = nlb.event()
        self.assertEqual((event["received_bytes"], event["sent_bytes"]), (pattern.n, pattern.n))

    @each_kind(echo)
    def test_single_bytes(self, target, nlb, ctx):
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            for value in range(64):
                s.sendall(bytes([value]))
                self.assertEqual(recv_exactly(s, 1), bytes([value]))

    @each_kind(lambda: source(PATTERN))
    def test_target_closes_in_order_client_sees_close_notify(self, target, nlb, ctx):
        """suppress_ragged_eofs is off: an end without close_notify would raise."""
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            self.assertEqual(recv_digest(s), (PATTERN.n, PATTERN.digest()))
        self.assertEnd(nlb.event(), "completed")

    @each_kind(sink)
    def test_client_close_notify_reaches_target_as_its_end(self, target, nlb, ctx):
        pattern = Pattern(MIB + 9)
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            send_pattern(s, pattern)
            close_tls(s)
            seen = target.take()
        self.assertEqual((seen.end, seen.count, seen.digest), ("eof", pattern.n, pattern.digest()))
        self.assertEnd(nlb.event(), "completed")

    @each_kind(lambda: rst_after(4))
    def test_target_rst_resets_client(self, target, nlb, ctx):
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            s.sendall(b"ping")
            self.assertEqual(ending(s), "rst")
        self.assertEnd(nlb.event(), "target_reset")

    @each_kind(echo_once_then_ending)
    def test_client_rst_resets_target(self, target, nlb, ctx):
        s = connect_tls(nlb.address("l"), ctx, "api.example.com")
        s.sendall(b"x")
        recv_exactly(s, 1)
        reset(s)
        self.assertEqual(target.take().end, "rst")
        self.assertEnd(nlb.event(), "client_reset")

    @each_kind(echo_once_then_read)
    def test_client_rst_behind_its_close_notify(self, target, nlb, ctx):
        """What was sent in order arrives; the flow ends at the RST and not at the idle timeout."""
        s = connect_tls(nlb.address("l"), ctx, "api.example.com")
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the RST throws away what waits for an ACK
        s.sendall(b"x")
        recv_exactly(s, 1)
        s.sendall(b"last words")
        close_tls(s)
        target.accepted()
        reset(s)
        seen = target.take()
        self.assertEqual((seen.data, seen.end), (b"last words", "eof"))
        # a target that is quick has ended, too, before the RST is there
        self.assertEnd(nlb.event(), "client_reset", "completed")

    @each_kind(echo_once_then_paused)
    def test_client_rst_behind_its_close_notify_and_a_target_that_does_not_read(self, target, nlb, ctx):
        s = connect_tls(nlb.address("l"), ctx, "api.example.com")
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the RST throws away what waits for an ACK
        s.sendall(b"x")
        recv_exactly(s, 1)
        s.sendall(b"last words")
        close_tls(s)
        reset(s)
        self.assertEnd(nlb.event(), "client_reset")
        target.handler.gate.set()
        seen = target.take()
        self.assertEqual((seen.data, seen.end), (b"last words", "eof"))

    @each_kind(end_in_order_then_reset)
    def test_target_rst_behind_its_end(self, target, nlb, ctx):
        """The client says nothing more: the flow ends at the RST all the same, the client's side in order."""
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            s.sendall(b"x")
            recv_exactly(s, 1)
            target.handler.gate.set()
            self.assertEnd(nlb.event(), "target_reset")

    @each_kind(lambda: paused(sink()))
    def test_back_pressure_holds_the_sender_and_our_memory(self, target, nlb, ctx):
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            before = resident_bytes(nlb.process.pid)
            sent = 0
            s.settimeout(0.5)
            try:
                while sent < 128 * MIB:
                    sent += s.send(b"\x5a" * 16384)
            except (TimeoutError, socket.timeout):
                pass
            self.assertLess(sent, 48 * MIB)
            self.assertLess(resident_bytes(nlb.process.pid) - before, GROWTH)
            target.handler.gate.set()
        self.assertIsNotNone(target.take())

    @each_kind(echo)
    def test_big_records_from_a_client_that_coalesces(self, target, nlb, ctx):
        """Many records in one segment: what waits inside the engine must not be forgotten."""
        data = bytes(range(256)) * 256
        with connect_tls(nlb.address("l"), ctx, "api.example.com") as s:
            s.sendall(data)
            self.assertEqual(digest_of([recv_exactly(s, len(data))]), digest_of([data]))


if __name__ == "__main__":
    unittest.main()
