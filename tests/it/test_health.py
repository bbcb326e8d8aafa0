# SPDX-License-Identifier: Apache-2.0
"""Health checks by real targets, and what they do to flows: ranks 19, 20, 22 and 24, deregistration, reload.

Simulated time runs a hundred times faster, so a check every five seconds is one every 50 ms. Whether a
target passes is decided on a port of its own (Switch), so its flows go on meanwhile."""
import re
import socket
import threading
import time
import unittest

from nlbtest import (CERTS, DEADLINE_S, TLS12, TLS13, Deadline, Hello, Nlb, NlbTest, Target, connect, connect_ending, connect_tls, echo,
                     end_code, end_metric, ending, recv_exactly, server_ctx, tcp_ini, tls, tls_ini)

HOST = "api.example.com"
FAST = "time_scale = 100\n"
LONG = "tcp.idle_timeout.seconds = 6000\n"
QUICK = "health_check_interval_seconds = 5\nhealth_check_timeout_seconds = 5\nhealthy_threshold_count = 2\nunhealthy_threshold_count = 2\n"


class Switch:
    """A port that accepts connections when on and refuses them when off; the same one every time."""

    def __init__(self, host="127.0.0.1", port=0, on=True):
        self.host, self.port, self.listener, self.thread = host, port, None, None
        self.on()
        if not on:
            self.off()

    def on(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.host, self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(256)
        self.thread = threading.Thread(target=self._accept, args=(self.listener,), daemon=True)
        self.thread.start()

    def _accept(self, listener):
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return

    def off(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        self.listener = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.listener:
            self.off()


def said(nlb, pattern, times=1):
    """Wait until standard error matches; the last match."""
    deadline = Deadline()
    while len(found := list(re.finditer(pattern, nlb.stderr()))) < times:
        if not deadline.left():
            raise AssertionError(f"not said {times} times: {pattern}\n{nlb.stderr()}")
        time.sleep(0.005)
    return found[-1]


def state(nlb, target, name, times=1):
    """Wait until the target has turned to that state so many times."""
    return said(nlb, rf"info health group=\S+ target={re.escape(getattr(target, 'text', target))} state={re.escape(name)} .*", times)


def http(answer, requests=None):
    """An HTTP target of one request a connection: answer() is the status."""
    def handler(sock, seen):
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = sock.recv(4096)
            if not chunk:
                return
            head += chunk
        seen.data = head
        if requests is not None:
            requests.append(head.decode())
        sock.sendall(b"HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\nok" % answer())
    return handler


def ask(sock, data=b"are you there?"):
    sock.sendall(data)
    return recv_exactly(sock, len(data)) == data


def two_targets(**options):
    """Two echo targets of one port number on two addresses, each with its switch on another port."""
    a = Target(echo(), host="127.0.0.1")
    while True:
        try:
            a_switch = Switch("127.0.0.1", on=options.get("a", True))
            b_switch = Switch("127.0.0.2", a_switch.port, on=options.get("b", True))
            return a, Target(echo(), host="127.0.0.2"), a_switch, b_switch
        except OSError:
            continue


class Pair:
    """two_targets() with a load balancer in front."""

    def __init__(self, group="", nlb="", listener=LONG, **options):
        self.a, self.b, self.a_switch, self.b_switch = two_targets(**options)
        self.keys = QUICK + f"health_check_port = {self.a_switch.port}\n" + group
        self.nlb_keys, self.listener = FAST + nlb, listener
        self.nlb = Nlb(self.ini(self.a, self.b))

    def ini(self, *targets, group=""):
        return tcp_ini(*targets, nlb=self.nlb_keys, listener=self.listener, group=self.keys + group)

    def __enter__(self):
        self.nlb.__enter__()
        return self

    def __exit__(self, *exc):
        try:
            return self.nlb.__exit__(*exc)
        finally:
            for part in (self.a, self.b, self.a_switch, self.b_switch):
                part.__exit__()

    def flow_to(self, target):
        """An established flow to this target."""
        for _ in range(200):
            before = target.count
            s = connect(self.nlb.address("l"))
            if ask(s) and target.count > before:
                return s
            s.close()
        raise AssertionError("no flow reaches " + target.text)

    def reached(self, n=40):
        """How many of n flows each target got."""
        before = self.a.count, self.b.count
        for _ in range(n):
            with connect(self.nlb.address("l")) as s:
                ask(s)
        return self.a.count - before[0], self.b.count - before[1]


class Propagation(NlbTest):
    """What AWS's data plane hears late: settings, since only users report how late."""

    def all_from_a(self, p):
        """Wait until 20 flows in a row pass b by."""
        deadline = Deadline()
        while p.reached(20)[1]:
            self.assertTrue(deadline.left())

    def test_a_deregistered_target_gets_new_flows_for_a_while(self):
        with Pair(nlb="deregistration_propagation_seconds = 3600\n") as p:
            state(p.nlb, p.a, "healthy")
            state(p.nlb, p.b, "healthy")
            p.nlb.reload(p.ini(p.a))
            state(p.nlb, p.b, "draining")
            self.assertTrue(all(p.reached()))
            p.nlb.reload(p.ini(p.a))            # another generation still knows
            self.assertTrue(all(p.reached()))
            p.nlb_keys = FAST                   # without the setting it is forgotten at once
            p.nlb.reload(p.ini(p.a))
            self.assertEqual(p.reached(), (40, 0))

    def test_then_it_gets_none(self):
        for delay in (0, 300):
            with self.subTest(delay), Pair(nlb="deregistration_propagation_seconds = 100\n",
                                           group=f"deregistration_delay.timeout_seconds = {delay}\n") as p:
                state(p.nlb, p.a, "healthy")
                state(p.nlb, p.b, "healthy")
                p.nlb.reload(p.ini(p.a))
                self.all_from_a(p)
                self.assertEqual(p.reached(), (40, 0))

    def test_registered_again_meanwhile(self):
        with Pair(nlb="deregistration_propagation_seconds = 3600\n") as p:
            state(p.nlb, p.a, "healthy")
            state(p.nlb, p.b, "healthy")
            p.nlb.reload(p.ini(p.a))
            state(p.nlb, p.b, "draining")
            p.nlb.reload(p.ini(p.a, p.b))
            state(p.nlb, p.b, "healthy", 2)
            self.assertTrue(all(p.reached()))

    def test_without_the_setting_a_deregistered_target_gets_none(self):
        with Pair() as p:
            state(p.nlb, p.b, "healthy")
            p.nlb.reload(p.ini(p.a))
            state(p.nlb, p.b, "draining")
            self.assertEqual(p.reached(), (40, 0))

    def test_an_unhealthy_target_gets_flows_for_a_while(self):
        with Pair(nlb="health_propagation_seconds = 3600\n") as p:
            state(p.nlb, p.a, "healthy")
            state(p.nlb, p.b, "healthy")
            with p.flow_to(p.b) as s:
                p.b_switch.off()
                state(p.nlb, p.b, "unhealthy")
                self.assertTrue(all(p.reached()))
                self.assertTrue(ask(s))
                p.b_switch.on()
                state(p.nlb, p.b, "healthy", 2)
                self.assertTrue(ask(s))

    def test_then_its_flows_end(self):
        with Pair(nlb="health_propagation_seconds = 100\n") as p:
            state(p.nlb, p.a, "healthy")
            state(p.nlb, p.b, "healthy")
            with p.flow_to(p.b) as s:
                p.b_switch.off()
                state(p.nlb, p.b, "unhealthy")
                next(e for e in iter(p.nlb.event, None) if end_code(e) == "target_unhealthy")
                self.assertEqual(p.reached(), (40, 0))
                self.assertRaises(OSError, lambda: [ask(s) for _ in range(3)])


class ConnectivityTests(NlbTest):
    def test_connections_without_data(self):
        """Off by default; on, the targets of TLS listeners get them, those of TCP listeners do not."""
        for key, listener, expected in (("", tls_ini, False), ("connectivity_tests = true\n", tls_ini, True),
                                        ("connectivity_tests = true\n", tcp_ini, False)):
            seen = []

            def handler(sock, _, seen=seen):
                data = sock.recv(4096)
                if data:
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                seen.append(bool(data))

            options = {"cert": f"lab:valid/{HOST}"} if listener is tls_ini else {}
            with self.subTest(key=key, listener=listener.__name__), Target(handler) as target, \
                    Nlb(listener(target, nlb=FAST + key, group=QUICK + "health_check_protocol = HTTP\n", **options)) as nlb:
                deadline = Deadline()
                while seen.count(True) < 4 and deadline.left():
                    time.sleep(0.005)
                self.assertGreaterEqual(seen.count(True), 4)
                self.assertEqual(seen.count(False) > 0, expected)
                self.assertNotIn("state=unhealthy", nlb.stderr())


class Rank19(NlbTest):
    CHECK = QUICK + "health_check_protocol = HTTPS\nhealth_check_path = /health?deep=1\n"

    def test_rank19_https_check_validates_nothing_and_has_no_tls13(self):
        cert, requests = CERTS.get("old.internal", issuer="self", end="20210101000000Z"), []
        with Target(tls(server_ctx(cert), http(lambda: 200, requests))) as target:
            with Nlb(tcp_ini(target, nlb=FAST, group=self.CHECK)) as nlb:
                state(nlb, target, "healthy")
                seen = target.take()
                hello = Hello(seen.hello)
                self.assertEqual(seen.version, "TLSv1.2")
                self.assertNotIn(0x0304, hello.versions)
                self.assertNotIn(43, hello.extensions, "supported_versions is a TLS 1.3 extension")
                self.assertIsNone(hello.sni)
                self.assertIn("GET /health?deep=1 HTTP/1.1\r\n", requests[0])
                self.assertIn(f"\r\nHost: 127.0.0.1:{nlb.port('l')}\r\n", requests[0])
                self.assertIn("\r\nConnection: close\r\n", requests[0])

    def test_rank19_a_target_with_tls13_only_fails(self):
        """Even where the listener's policy would let flows use TLS 1.3."""
        with Target(tls(server_ctx(CERTS.get(HOST), low=TLS13), http(lambda: 200))) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS", nlb=FAST, group=self.CHECK)) as nlb:
                line = state(nlb, target, "unhealthy").group(0)
                self.assertIn("reason=Target.FailedHealthChecks", line)
                self.assertRegex(line, "protocol_version|TLS handshake")
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 200"))

    def test_rank19_host_of_a_wildcard_listener_is_the_nodes_address(self):
        requests = []
        with Target(http(lambda: 200, requests)) as target:
            ini = tcp_ini(target, nlb=FAST, group=QUICK + "health_check_protocol = HTTP\n")
            with Nlb(ini.replace("listen = 127.0.0.1:0", "listen = 0.0.0.0:0")) as nlb:
                state(nlb, target, "healthy")
                self.assertIn(f"\r\nHost: 127.0.0.1:{nlb.port('l')}\r\n", requests[0])

    def test_matcher_and_what_is_no_http(self):
        status = [302]
        with Target(http(lambda: status[0])) as target:
            with Nlb(tcp_ini(target, nlb=FAST, group=QUICK + "health_check_protocol = HTTP\nmatcher = 200,301-302\n")) as nlb:
                state(nlb, target, "healthy")
                status[0] = 300
                self.assertIn("HTTP status 300, expected 200,301-302", state(nlb, target, "unhealthy").group(0))
                status[0] = 301
                state(nlb, target, "healthy", 2)

        def garbage(sock, seen):
            sock.recv(100)
            sock.sendall(b"220 mail.example.com ESMTP\r\n")
        with Target(garbage) as target:
            with Nlb(tcp_ini(target, nlb=FAST, group=QUICK + "health_check_protocol = HTTP\n")) as nlb:
                self.assertIn("no HTTP answer", state(nlb, target, "unhealthy").group(0))
        with Target(lambda sock, seen: None) as target:
            with Nlb(tcp_ini(target, nlb=FAST, group=QUICK + "health_check_protocol = HTTP\n")) as nlb:
                self.assertRegex(state(nlb, target, "unhealthy").group(0), "closed|reset")

    def test_an_answer_in_pieces_after_100_continue(self):
        def handler(sock, seen):
            sock.recv(4096)
            for piece in (b"HTTP/1.1 100 Continue\r\n\r\nHT", b"TP/1.1 20", b"4 No Content\r", b"\n\r\n"):
                sock.sendall(piece)
                time.sleep(0.002)
            sock.recv(1)
        with Target(handler) as target:
            with Nlb(tcp_ini(target, nlb=FAST, group=QUICK + "health_check_protocol = HTTP\nmatcher = 204\n")) as nlb:
                state(nlb, target, "healthy")

    def test_a_silent_target_times_out(self):
        """The smallest timeout there is: simulated time does not make a network faster."""
        with Target(lambda sock, seen: sock.recv(4096) and sock.recv(1)) as target:
            with Nlb(tcp_ini(target, nlb=FAST, group=QUICK + "health_check_protocol = HTTP\n")) as nlb:
                self.assertIn("no answer in time", state(nlb, target, "unhealthy").group(0))


class Rank20(NlbTest):
    def test_rank20_tcp_check_passes_though_tls_is_broken(self):
        def no_tls(sock, seen):
            if sock.recv(100):
                sock.sendall(b"I do not speak TLS\n")
        with Target(no_tls) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS", nlb=FAST, group=QUICK)) as nlb:
                state(nlb, target, "healthy")
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    self.assertEqual(ending(s), "rst")
                self.assertEqual(end_metric(nlb.event()), "TargetTLSNegotiationErrorCount")
                before = target.count
                deadline = Deadline()
                while target.count < before + 5 and deadline.left():
                    time.sleep(0.01)
                self.assertGreaterEqual(target.count, before + 5, "checks go on")
                self.assertNotIn("state=unhealthy", nlb.stderr())

    def test_checks_go_to_the_configured_port(self):
        with Target(echo()) as target, Switch(on=False) as other:
            with Nlb(tcp_ini(target, nlb=FAST, group=QUICK + f"health_check_port = {other.port}\n")) as nlb:
                state(nlb, target, "unhealthy")
                self.assertEqual(target.count, 0)
                other.on()
                state(nlb, target, "healthy")
                self.assertEqual(target.count, 0)


class Rank22(NlbTest):
    def test_rank22_fail_open_and_one_healthy_target_stops_it(self):
        with Pair(a=False, b=False) as p:
            state(p.nlb, p.a, "unhealthy")
            state(p.nlb, p.b, "unhealthy")
            self.assertTrue(all(p.reached()), "with all unhealthy, all get traffic")
            p.b_switch.on()
            state(p.nlb, p.b, "healthy")
            self.assertEqual(p.reached(), (0, 40))
            p.a_switch.on()
            state(p.nlb, p.a, "healthy")
            self.assertTrue(all(p.reached()))

    def test_rank22_flows_work_before_the_first_check(self):
        """initial: nobody is healthy yet, so the load balancer fails open."""
        with Target(echo()) as target, Switch(on=False) as switch:
            with Nlb(tcp_ini(target, group=f"health_check_port = {switch.port}\n")) as nlb:
                self.assertAlive(nlb)
                self.assertNotIn("info health", nlb.stderr(), "the second check comes after half a minute")

    def test_a_new_target_gets_traffic_after_its_first_passing_check(self):
        """healthy_threshold_count is no matter; until then only the healthy ones get any."""
        with Pair(b=False) as p:
            p.nlb.reload(p.ini(p.a))
            state(p.nlb, p.a, "healthy")
            p.nlb.reload(p.ini(p.a, p.b))
            self.assertEqual(p.reached()[1], 0)
            p.b_switch.on()
            state(p.nlb, p.b, "healthy")
            self.assertGreater(p.reached()[1], 0)

    def test_minimum_healthy_targets(self):
        keys = ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage = 60\n"
                "target_group_health.dns_failover.minimum_healthy_targets.percentage = 60\n")
        with Pair(group=keys, b=False) as p:
            state(p.nlb, p.a, "healthy")
            state(p.nlb, p.b, "unhealthy")
            self.assertTrue(all(p.reached()), "one of two is below 60 percent: all get traffic")

    def test_a_group_that_no_listener_uses_is_not_checked(self):
        with Target(echo()) as used, Target(echo()) as unused:
            ini = tcp_ini(used, nlb=FAST, group=QUICK)
            with Nlb(ini + f"[target_group spare]\nprotocol = TCP\ntarget = {unused.text}\n{QUICK}") as nlb:
                for _ in range(4):
                    used.take()
                self.assertEqual(unused.count, 0)
                # in use from now on
                nlb.reload(ini.replace("target_group = g", "target_group = spare")
                           + f"[target_group spare]\nprotocol = TCP\ntarget = {unused.text}\n{QUICK}")
                state(nlb, unused, "healthy")
                state(nlb, used, "unused")


class Rank24(NlbTest):
    def test_rank24_unhealthy_target_loses_its_flows(self):
        with Pair() as p:
            with p.flow_to(p.a) as s, p.flow_to(p.b) as other:
                p.a_switch.off()
                state(p.nlb, p.a, "unhealthy")
                event = next(e for e in iter(p.nlb.event, None) if end_code(e) != "completed")
                self.assertEqual(end_code(event), "target_unhealthy")
                s.sendall(b"the next packet")
                self.assertEqual(ending(s), "rst")
                self.assertTrue(ask(other), "the flows of the other target live")

    def test_rank24_the_target_is_told_as_well(self):
        with Pair() as p:
            with p.flow_to(p.a) as s:
                accepted = p.a.live.copy()
                p.a_switch.off()
                state(p.nlb, p.a, "unhealthy")
                s.sendall(b"the next packet")
                self.assertEqual(ending(s), "rst")
                seen = next(x for x in iter(p.a.take, None) if x.end == "rst" or x.error)
                self.assertIsInstance(seen.error, ConnectionResetError)
                self.assertTrue(accepted)

    def test_rank24_not_while_failing_open_but_afterwards(self):
        with Pair(b=False) as p:
            state(p.nlb, p.a, "healthy")
            with p.flow_to(p.a) as s:
                p.a_switch.off()
                state(p.nlb, p.a, "unhealthy")
                self.assertTrue(ask(s), "nobody is healthy: the load balancer fails open")
                p.b_switch.on()
                state(p.nlb, p.b, "healthy")
                event = next(e for e in iter(p.nlb.event, None) if end_code(e) != "completed")
                self.assertEqual(end_code(event), "target_unhealthy")
                s.sendall(b"the next packet")
                self.assertEqual(ending(s), "rst")

    def test_rank24_termination_off_keeps_flows_and_shows_draining(self):
        keys = ("target_health_state.unhealthy.connection_termination.enabled = false\n"
                "target_health_state.unhealthy.draining_interval_seconds = 60\n")
        with Pair(group=keys) as p:
            with p.flow_to(p.a) as s:
                p.a_switch.off()
                state(p.nlb, p.a, "unhealthy.draining")
                self.assertEqual(p.reached()[0], 0, "no new flows")
                self.assertTrue(ask(s))
                line = state(p.nlb, p.a, "unhealthy").group(0)
                self.assertIn("was=unhealthy.draining", line)
                self.assertTrue(ask(s), "the interval's end does not end flows")
                p.a_switch.on()
                state(p.nlb, p.a, "healthy", 2)
                self.assertTrue(ask(s))

    def test_rank24_recovery_within_the_interval(self):
        keys = ("target_health_state.unhealthy.connection_termination.enabled = false\n"
                "target_health_state.unhealthy.draining_interval_seconds = 360000\n")
        with Pair(group=keys) as p:
            state(p.nlb, p.a, "healthy")
            p.a_switch.off()
            state(p.nlb, p.a, "unhealthy.draining")
            p.a_switch.on()
            self.assertIn("was=unhealthy.draining", state(p.nlb, p.a, "healthy", 2).group(0))

    def test_rank24_idle_flows_are_lost_silently(self):
        """Nothing is sent when the target turns unhealthy; only the next packet is answered."""
        with Pair() as p:
            with p.flow_to(p.a) as s:
                p.a_switch.off()
                state(p.nlb, p.a, "unhealthy")
                next(e for e in iter(p.nlb.event, None) if end_code(e) == "target_unhealthy")
                s.settimeout(0.05)
                self.assertEqual(ending(s), "timeout")
                s.settimeout(DEADLINE_S)
                s.sendall(b"x")
                self.assertEqual(ending(s), "rst")


class Deregistration(NlbTest):
    def test_existing_flows_go_on_and_outlive_the_delay(self):
        with Pair(group="deregistration_delay.timeout_seconds = 30\n") as p:
            with p.flow_to(p.a) as s:
                p.nlb.reload(p.ini(p.b))
                state(p.nlb, p.a, "draining")
                self.assertEqual(p.reached()[0], 0)
                self.assertTrue(ask(s))
                self.assertIn("reason=Target.NotRegistered", state(p.nlb, p.a, "unused").group(0))
                self.assertTrue(ask(s), "without termination they may outlive the delay")

    def test_connection_termination(self):
        keys = ("deregistration_delay.timeout_seconds = 30\n"
                "deregistration_delay.connection_termination.enabled = true\n")
        with Pair(group=keys) as p:
            with p.flow_to(p.a) as s, p.flow_to(p.b) as other:
                p.nlb.reload(p.ini(p.b))
                state(p.nlb, p.a, "draining")
                self.assertTrue(ask(s))
                self.assertEqual(ending(s), "rst")
                state(p.nlb, p.a, "unused")
                event = next(e for e in iter(p.nlb.event, None) if end_code(e) != "completed")
                self.assertEqual((end_code(event), end_metric(event)), ("target_deregistered", "TCP_ELB_Reset_Count"))
                self.assertTrue(ask(other))

    def test_registered_again_while_draining(self):
        keys = ("deregistration_delay.timeout_seconds = 3600\n"
                "deregistration_delay.connection_termination.enabled = true\n")
        with Pair(group=keys) as p:
            with p.flow_to(p.a) as s:
                p.nlb.reload(p.ini(p.b))
                state(p.nlb, p.a, "draining")
                p.nlb.reload(p.ini(p.a, p.b))
                state(p.nlb, p.a, "healthy", 2)
                self.assertTrue(ask(s))
                self.assertTrue(all(p.reached()))

    def test_health_survives_a_reload(self):
        """A target that stays keeps its state, and its settings may change."""
        with Pair(b=False) as p:
            state(p.nlb, p.a, "healthy")
            state(p.nlb, p.b, "unhealthy")
            said_so_far = p.nlb.stderr().count("info health")
            for _ in range(5):
                p.nlb.reload(p.ini(p.a, p.b))
                self.assertEqual(p.reached(5), (5, 0))
            self.assertEqual(p.nlb.stderr().count("info health"), said_so_far)
            p.nlb.reload(p.ini(p.b, p.a).replace("health_check_interval_seconds = 5", "health_check_interval_seconds = 6"))
            self.assertEqual(p.reached(5), (5, 0))

    def test_a_reload_in_the_middle_of_a_check(self):
        gate = threading.Event()

        def slow(sock, seen):
            sock.recv(4096)
            gate.wait(DEADLINE_S)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        with Target(slow) as target:
            ini = tcp_ini(target, group="health_check_protocol = HTTP\nhealth_check_path = /a\n")
            with Nlb(ini) as nlb:
                target.accepted()
                nlb.reload(ini.replace("/a", "/b") + "[target_group more]\nprotocol = TCP\n")
                gate.set()
                state(nlb, target, "healthy")

    def test_weights_change_at_run_time(self):
        with Target(echo()) as blue, Target(echo()) as green:
            def ini(weights):
                return (f"[nlb]\nworkers = 2\n[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = {weights}\n"
                        f"[target_group blue]\nprotocol = TCP\ntarget = {blue.text}\n"
                        f"[target_group green]\nprotocol = TCP\ntarget = {green.text}\n")
            with Nlb(ini("blue:1 green:0")) as nlb:
                def share():
                    before = blue.count, green.count
                    for _ in range(60):
                        with connect(nlb.address("l")) as s:
                            ask(s)
                    return blue.count - before[0], green.count - before[1]
                self.assertEqual(share(), (60, 0))
                nlb.reload(ini("blue:500 green:500"))
                self.assertTrue(all(n > 10 for n in share()))
                nlb.reload(ini("blue:0 green:999"))
                self.assertEqual(share(), (0, 60))


class Zones(NlbTest):
    def ini(self, a, b, port, nlb="", group=""):
        return (f"[nlb]\nworkers = 2\n{FAST}{nlb}\n"
                "[listener la]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\nzone = a\n" + LONG +
                "[listener lb]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\nzone = b\n" + LONG +
                f"[target_group g]\nprotocol = TCP\ntarget = {a.text} zone=a\ntarget = {b.text} zone=b\n"
                f"{QUICK}health_check_port = {port}\n{group}")

    def setUp(self):
        self.a, self.b, self.sa, self.sb = two_targets()
        for part in (self.a, self.b, self.sa, self.sb):
            self.addCleanup(part.__exit__)

    def reached(self, nlb, listener):
        before = self.a.count, self.b.count
        for _ in range(20):
            with connect(nlb.address(listener)) as s:
                ask(s)
        return self.a.count - before[0], self.b.count - before[1]

    def test_cross_zone_off_is_the_default(self):
        with Nlb(self.ini(self.a, self.b, self.sa.port)) as nlb:
            state(nlb, self.a, "healthy")
            state(nlb, self.b, "healthy")
            self.assertEqual(self.reached(nlb, "la"), (20, 0))
            self.assertEqual(self.reached(nlb, "lb"), (0, 20))
            # a's address leaves DNS while b serves: requests to it fail
            self.sa.off()
            state(nlb, self.a, "unhealthy")
            self.assertEqual(connect_ending(nlb.address("la")), "rst")
            event = next(e for e in iter(nlb.event, None) if end_code(e) != "completed")
            self.assertEqual((end_code(event), end_metric(event)), ("zone_withdrawn", "RejectedFlowCount"))
            # with every zone unhealthy each fails open
            self.sb.off()
            state(nlb, self.b, "unhealthy")
            self.assertEqual(self.reached(nlb, "la"), (20, 0))

    def test_cross_zone_on(self):
        for nlb_keys, group in (("load_balancing.cross_zone.enabled = true", ""),
                                ("", "load_balancing.cross_zone.enabled = true\n")):
            with self.subTest(group=group), Nlb(self.ini(self.a, self.b, self.sa.port, nlb_keys, group)) as nlb:
                state(nlb, self.a, "healthy")
                state(nlb, self.b, "healthy")
                self.assertTrue(all(self.reached(nlb, "la")))

    def test_a_zone_without_listener_is_not_enabled(self):
        ini = self.ini(self.a, self.b, self.sa.port)
        with Nlb(re.sub(r"(?s)\[listener lb\].*?(?=\[target_group)", "", ini)) as nlb:
            state(nlb, self.a, "healthy")
            self.assertIn("reason=Target.NotInUse", state(nlb, self.b, "unused").group(0))
            self.assertEqual(self.reached(nlb, "la"), (20, 0))


class Stickiness(NlbTest):
    def test_one_source_address_reaches_one_target(self):
        with Target(echo()) as a, Target(echo()) as b:
            with Nlb(tcp_ini(a, b, group="stickiness.enabled = true\n")) as nlb:
                state(nlb, a, "healthy")
                state(nlb, b, "healthy")
                used = set()
                for host in range(2, 22):
                    before = a.count, b.count
                    for _ in range(5):
                        with connect(nlb.address("l"), source=f"127.0.0.{host}") as s:
                            ask(s)
                    got = a.count - before[0], b.count - before[1]
                    self.assertIn(got, ((5, 0), (0, 5)), f"127.0.0.{host}")
                    used.add(got)
                self.assertEqual(len(used), 2, "different sources reach different targets")


if __name__ == "__main__":
    unittest.main()
