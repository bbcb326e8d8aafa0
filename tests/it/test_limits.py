# SPDX-License-Identifier: Apache-2.0
"""Limits: quotas, descriptors, memory, source ports, many idle flows. New flows are refused and counted, old ones
live on, and everything recovers by itself."""
import contextlib
import ctypes
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from nlbtest import (CERTS, DEADLINE_S, NLBSIM, REPO, Deadline, Nlb, NlbTest, Target, check_ini, connect, connect_ending,
                     connect_tls, echo, end_code, end_metric, ending, free_port, missing, recv_exactly, reset, tcp_ini, tls_ini,
                     write_ini)
from test_concurrency import EchoLoop

INSIDE = os.environ.get("NLBTEST_INSIDE") == "1"
SANITIZED = "san-" in os.environ.get("NLBSIM", "")


def ask(sock):
    sock.sendall(b"are you there?")
    return recv_exactly(sock, 14) == b"are you there?"


def eventually(what, why):
    deadline = Deadline()
    while not what():
        if not deadline.left():
            raise AssertionError(why)
        time.sleep(0.01)


class Quotas(NlbTest):
    CASES = {
        "51 listeners per Network Load Balancer; AWS's quota is 50, and cannot": (51, 1, 0, 0, ""),
        "26 certificates per Network Load Balancer; AWS's quota is 25, which can": (1, 1, 26, 0, ""),
        "target group g0: 1001 targets per target group; AWS's quota is 1000": (1, 1, 0, 1001, ""),
        "zone b: 501 targets per Availability Zone": (1, 1, 0, 501, " zone=b"),
        "3004 targets per Network Load Balancer; AWS's quota is 3000": (1, 4, 0, 751, ""),
        "604 targets per Network Load Balancer with cross-zone": (1, 4, 0, 151, " zone=a"),
    }

    @staticmethod
    def ini(listeners, groups, certs, targets, options, enforce):
        text = f"[nlb]\nworkers = 1\nload_balancing.cross_zone.enabled = true\nenforce_quotas = {enforce}\n"
        kind = "TLS" if certs else "TCP"
        for i in range(listeners):
            names = " ".join(f"g{j}:1" for j in range(groups))
            text += f"[listener l{i}]\nprotocol = {kind}\nlisten = 127.0.0.1:0\ntarget_group = {names}\n"
            text += "".join(f"certificate = lab:valid/h{j}.example\n" for j in range(certs))
        for j in range(groups):
            text += f"[target_group g{j}]\nprotocol = TCP\n"
            text += "".join(f"target = 10.{j}.{i >> 8}.{i & 255}:80{options}\n" for i in range(targets))
        return text

    def test_exceeding_is_a_warning_or_an_error(self):
        for said, case in self.CASES.items():
            with self.subTest(said=said):
                status, text = check_ini(self.ini(*case, "true"))
                self.assertEqual(status, 2, text)
                self.assertIn(said, text)
                self.assertIn("enforce_quotas = true", text)
                status, text = check_ini(self.ini(*case, "false"), args=("-v",))
                self.assertEqual(status, 0, text[-2000:])
                self.assertIn(said, text)

    def test_within_the_quotas(self):
        for case in ((50, 1, 0, 10, ""), (1, 1, 25, 1, ""), (1, 1, 0, 500, "")):
            status, text = check_ini(self.ini(*case, "true"))
            self.assertEqual(status, 0, text[-2000:])

    def test_a_reload_warns_too(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            self.assertNotIn("warn quota", nlb.stderr())
            more = "".join(f"[listener m{i}]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n" for i in range(50))
            self.assertRegex(nlb.reload(tcp_ini(target) + more), r"warn quota .*51 listeners")

    def test_run_warns(self):
        with Target(echo()) as target:
            ini = tls_ini(target, cert=[f"lab:valid/h{i}.example" for i in range(26)])
            with Nlb(ini) as nlb:
                self.assertRegex(nlb.stderr(), r"warn quota line=\d+ 26 certificates")
                self.assertAlive(nlb)


def descriptors(nlb):
    return len(os.listdir(f"/proc/{nlb.process.pid}/fd"))


def limit_descriptors(nlb, n):
    hard = resource.prlimit(nlb.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(nlb.process.pid, resource.RLIMIT_NOFILE, (n, hard))


SMALL = """[nlb]
workers = 2
events = events.jsonl
metrics = 127.0.0.1:0
[listener l]
protocol = TCP
listen = 127.0.0.1:0
target_group = g
[listener m]
protocol = TCP
listen = 127.0.0.1:PORT
target_group = g
[target_group g]
protocol = TCP
target = lab:app
[lab_target app]
protocol = HTTP
"""


def start_with(n, ini):
    """`nlbsim run` with n descriptors: (status, output, log); the status is None when it came to run."""
    process = subprocess.Popen([NLBSIM, "run", ini], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
    out = process.stdout.readline()
    if out:
        process.terminate()
    rest, err = process.communicate(timeout=Deadline().left())
    return None if out else process.returncode, (out + rest).decode(), err.decode()


class Descriptors(NlbTest):
    def exhaust(self, nlb, open_one):
        """Open flows until one is refused; the ones that work."""
        flows = []
        for _ in range(100):
            s = None
            try:
                s = open_one()
                ask(s)
            except (OSError, EOFError):
                if s:
                    s.close()
                return flows
            flows.append(s)
        raise AssertionError("100 flows fit into 40 descriptors")

    @staticmethod
    def refused(open_one):
        try:
            with open_one() as s:
                ask(s)
            return False
        except TimeoutError:
            return False
        except (OSError, EOFError):
            return True

    def check(self, ini, open_one_of):
        with Nlb(ini) as nlb, contextlib.ExitStack() as stack:
            self.assertAlive(nlb)
            open_one = open_one_of(nlb)
            eventually(lambda: "state=healthy" in nlb.stderr(), "never checked")
            limit_descriptors(nlb, descriptors(nlb) + 40)
            flows = self.exhaust(nlb, open_one)
            for s in flows:
                stack.callback(s.close)
            self.assertGreaterEqual(len(flows), 15)
            # refused at once, not left hanging
            for _ in range(5):
                self.assertTrue(self.refused(open_one))
            for s in flows:
                self.assertTrue(ask(s), "a running flow was disturbed")
            for s in flows:
                s.close()

            def works():
                try:
                    with open_one() as again:
                        return ask(again)
                except (OSError, EOFError):
                    return False
            eventually(works, "does not recover")
            rejected = [e for e in nlb.stop() if end_code(e) == "no_resources"]
            for e in rejected:
                self.assertEqual(end_metric(e), "RejectedFlowCount")

    def test_tcp_flows(self):
        with Target(echo()) as target:
            self.check(tcp_ini(target, nlb="relay = copy\n").replace("workers = 2", "workers = 1"),
                       lambda nlb: lambda: connect(nlb.address("l")))

    def test_tcp_flows_on_two_workers(self):
        with Target(echo()) as target:
            self.check(tcp_ini(target), lambda nlb: lambda: connect(nlb.address("l")))

    def test_tls_flows(self):
        with Target(echo()) as target:
            self.check(tls_ini(target, cert=CERTS.get("api.example.com")),
                       lambda nlb: lambda: connect_tls(nlb.address("l")))

    def test_a_start_without_enough_says_what_to_change(self):
        """From a handful of descriptors upwards: a sentence and status 3, until there are enough to run."""
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder:
            ini = write_ini(folder, SMALL.replace("PORT", str(free_port())))
            for n in range(5, 100):
                status, out, err = start_with(n, ini)
                if status is None:
                    break
                self.assertEqual(status, 3, f"{n}: {err}")
                self.assertRegex(err, rf"(?m)^(nlbsim run: .+|{re.escape(ini)}): no file descriptor is left: this process may have {n} "
                                 r"\(ulimit -n\); raise the limit$" if n > 5 else "no file descriptor is left")
                self.assertNotIn("[warn]", err, "libevent speaks for itself")
            self.assertIn(n, range(15, 60))
            self.assertIn("ready listener=l", out)

    def test_a_reload_without_enough_changes_nothing(self):
        more = "".join(f"[listener m{i}]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n" for i in range(4))
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            self.assertAlive(nlb)
            limit_descriptors(nlb, descriptors(nlb) + 6)
            said = nlb.reload(tcp_ini(target) + more, ok=False)
            self.assertRegex(said, r"nlb\.ini:\d+: listener m\d: cannot listen on .*: no file descriptor is left: .*ulimit -n")
            self.assertAlive(nlb)
            limit_descriptors(nlb, 4096)
            nlb.reload(tcp_ini(target) + more)
            self.assertAlive(nlb)

    def test_accepting_alone_uses_them_up(self):
        """An odd number: the last connection is accepted and its target's cannot be made."""
        with Target(echo()) as target:
            with Nlb(tcp_ini(target).replace("workers = 2", "workers = 1")) as nlb:
                self.assertAlive(nlb)
                nlb.event()
                eventually(lambda: "state=healthy" in nlb.stderr(), "never checked")
                for room in (1, 2, 3):
                    limit_descriptors(nlb, descriptors(nlb) + room)
                    self.assertIn(connect_ending(nlb.address("l")) if room == 1 else "rst", ("rst",))
                    limit_descriptors(nlb, 4096)
                    self.assertAlive(nlb)

    def test_checks_that_cannot_be_made_are_no_verdict(self):
        """The target becomes unavailable, not unhealthy; its flows live."""
        with Target(echo()) as target:
            with Nlb(tcp_ini(target, nlb="time_scale = 100\n", listener="tcp.idle_timeout.seconds = 6000\n",
                             group="health_check_interval_seconds = 5\nhealth_check_timeout_seconds = 5\nunhealthy_threshold_count = 2\n")) as nlb:
                eventually(lambda: "state=healthy" in nlb.stderr(), "never checked")
                with connect(nlb.address("l")) as s:
                    self.assertTrue(ask(s))
                    limit_descriptors(nlb, 3)
                    eventually(lambda: "state=unavailable" in nlb.stderr(), "still healthy")
                    self.assertIn("reason=Elb.InternalError", nlb.stderr())
                    self.assertTrue(ask(s))
                    limit_descriptors(nlb, 4096)
                    eventually(lambda: nlb.stderr().count("state=healthy") == 2, "does not recover")
                    self.assertTrue(ask(s))
                    self.assertNotIn("state=unhealthy", nlb.stderr())


class Memory(NlbTest):
    @unittest.skipIf(SANITIZED, "a sanitizer's shadow memory does not live within an address space limit")
    def test_no_memory_for_new_flows(self):
        """No page more for data: TLS flows fail one by one, the running ones work, then it recovers.

        With mbedTLS: an idle session of OpenSSL has given its buffers back and may fail as well (docs/limits.md)."""
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get("api.example.com"), nlb="tls_library = mbedtls\n")) as nlb:
            with connect_tls(nlb.address("l")) as running:
                self.assertTrue(ask(running))
                with open(f"/proc/{nlb.process.pid}/status", encoding="ascii") as f:
                    size = int(re.search(r"VmData:\s+(\d+)", f.read()).group(1)) * 1024
                before = resource.prlimit(nlb.process.pid, resource.RLIMIT_DATA)
                resource.prlimit(nlb.process.pid, resource.RLIMIT_DATA, (size, before[1]))
                flows, refused = [], 0
                for _ in range(400):
                    try:
                        flows.append(connect_tls(nlb.address("l")))
                    except OSError:
                        refused += 1
                        if refused == 10:
                            break
                self.assertEqual(refused, 10, "400 TLS flows fit into the memory of none")
                self.assertTrue(ask(running))
                resource.prlimit(nlb.process.pid, resource.RLIMIT_DATA, before)
                for s in flows:
                    s.close()
                self.assertAlive(nlb)
                self.assertTrue(ask(running))


class ManyFlows(NlbTest):
    def test_ten_thousand_idle_flows(self):
        """They wait, all of them work afterwards, and their descriptors come back."""
        n = 10000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2 * n + 500:
            n = (hard - 500) // 2
        self.assertGreater(n, 2000, "this environment allows too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with EchoLoop() as target, Nlb(tcp_ini(target)) as nlb, contextlib.ExitStack() as stack:
            before = descriptors(nlb)
            flows = []
            for i in range(n):
                # many source addresses: one has 28,000 ports at most
                flows.append(stack.enter_context(connect(nlb.address("l"), source=f"127.0.{i % 8}.2")))
            for s in flows:
                s.sendall(b"x")
            for s in flows:
                self.assertEqual(s.recv(1), b"x")
            self.assertGreaterEqual(descriptors(nlb), 2 * n)  # `before` may have counted a health check's own
            for s in flows[: n // 2]:
                reset(s)
            for s in flows[n // 2:]:
                s.sendall(b"y")
                self.assertEqual(s.recv(1), b"y")
                s.close()
            eventually(lambda: descriptors(nlb) <= before + 300, "descriptors are lost")  # some pipes stay pooled


# --- in a network namespace of their own -----------------------------------------------------------------


def inside(test):
    """Run the test in a network namespace; skipped where none can be made."""
    def outer(self):
        if INSIDE:
            test(self)
            return
        probe = subprocess.run(["unshare", "-rn", "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest(f"no network namespace can be made here: {probe.stderr.decode().strip()}")
        done = subprocess.run(["unshare", "-rn", sys.executable, os.path.abspath(__file__), self.id().split(".", 1)[1]],
                              env=dict(os.environ, NLBTEST_INSIDE="1"), capture_output=True, timeout=120, check=False)
        text = done.stderr.decode()
        if done.returncode != 0:
            raise AssertionError(text)
        if skipped := re.search(r"skipped=", text):
            self.skipTest(text[skipped.start():])
    outer.__doc__ = test.__doc__
    return outer


def sh(command):
    done = subprocess.run(["sh", "-ec", command], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stderr.decode()}")


class Elsewhere:
    """Another network namespace, joined to this one by a pair of virtual interfaces."""

    def __init__(self, name, there, here):
        self.child = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec sleep 60"], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)
        self.child.stdout.readline()
        try:
            self.join(name, there, here, self.child.pid)
        except BaseException:
            self.__exit__()
            raise

    @staticmethod
    def join(name, there, here, pid):
        sh(f"ip link add {name} type veth peer name {name}x; ip link set {name}x netns {pid}; "
           f"ip addr add {here}/24 dev {name}; ip link set {name} up; "
           f"nsenter -t {pid} -n ip link set lo up; nsenter -t {pid} -n ip addr add {there}/24 dev {name}x; "
           f"nsenter -t {pid} -n ip link set {name}x up; nsenter -t {pid} -n ip route add default via {here}")

    def do(self, what):
        """Call what() on a thread that lives there; sockets it makes stay there."""
        result, libc = [], ctypes.CDLL(None, use_errno=True)

        def run():
            with open(f"/proc/{self.child.pid}/ns/net", "rb") as f:
                if libc.setns(f.fileno(), 0x40000000) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(what())
        t = threading.Thread(target=run)
        t.start()
        t.join(DEADLINE_S)
        return result[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


class Ports(NlbTest):
    @inside
    def test_no_source_port_is_free(self):
        """PortAllocationErrorCount: the flow is refused, the others live, and a port that comes free is used."""
        sh("ip link set lo up; echo 50000 50019 > /proc/sys/net/ipv4/ip_local_port_range")
        with Target(echo()) as target, Nlb(tcp_ini(target).replace(":0\n", ":4444\n")) as nlb:
            flows = []
            for i in range(30):
                s = socket.socket()
                s.settimeout(DEADLINE_S)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", 20000 + i))
                try:
                    s.connect(nlb.address("l"))
                    self.assertTrue(ask(s))
                    flows.append(s)
                except (OSError, EOFError):
                    s.close()
                    break
            self.assertIn(len(flows), range(15, 21))
            event = next(e for e in iter(nlb.event, None) if end_code(e) != "completed")
            self.assertEqual((end_code(event), end_metric(event)), ("no_source_port", "PortAllocationErrorCount"))
            for s in flows:
                self.assertTrue(ask(s))
            for s in flows:
                reset(s)  # no TIME_WAIT

            def works():
                with socket.socket() as again:
                    again.settimeout(DEADLINE_S)
                    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    again.bind(("127.0.0.1", 21000 + int(time.monotonic() * 1000) % 9000))
                    try:
                        again.connect(nlb.address("l"))
                        return ask(again)
                    except (OSError, EOFError):
                        return False
            eventually(works, "does not recover")


class PreserveClientIp(NlbTest):
    KEYS = "preserve_client_ip.enabled = true\n"

    @inside
    def test_the_target_sees_the_clients_address_and_port(self):
        sh("ip link set lo up")
        with Elsewhere("vc", "10.9.0.2", "10.9.0.1") as clients, Elsewhere("vt", "10.8.0.2", "10.8.0.1") as targets:
            # what comes from the targets belongs to this machine, whoever it is addressed to
            sh("ip rule add iif vt lookup 100; ip route add local default dev lo table 100; "
               "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done")
            with targets.do(lambda: Target(echo(), host="10.8.0.2")) as target:
                ini = tcp_ini(target, group=self.KEYS).replace("127.0.0.1:0", "10.9.0.1:0")
                ini += f"health_check_port = {target.port}\n"
                with Nlb(ini) as nlb:
                    s = clients.do(lambda: connect(nlb.address("l")))
                    with s:
                        self.assertTrue(ask(s))
                        name = s.getsockname()
                    seen = target.take()
                    while seen.peer[0] != "10.9.0.2":  # checks come from the node
                        self.assertEqual(seen.peer[0], "10.8.0.1")
                        seen = target.take()
                    self.assertEqual(seen.peer, name)
                    self.assertEnd(nlb.event(), "completed")

    @inside
    def test_a_client_on_this_machine_and_a_hairpin(self):
        """The client's address with another port; client and target of one address do not work with NLB."""
        sh("ip link set lo up")
        with Target(echo()) as target, Nlb(tcp_ini(target, group=self.KEYS)) as nlb:
            with connect(nlb.address("l"), source="127.0.0.7") as s:
                self.assertTrue(ask(s))
            self.assertEqual(target.take().peer[0], "127.0.0.7")
            self.assertEnd(nlb.event(), "completed")
            self.assertEqual(connect_ending(nlb.address("l")), "rst")
            self.assertEnd(nlb.event(), "hairpin")

    @inside
    def test_private_link_shows_the_node(self):
        sh("ip link set lo up")
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="vpc_endpoint_id = vpce-0123abcd\n", group=self.KEYS)) as nlb:
            with connect(nlb.address("l"), source="127.0.0.7") as s:
                self.assertTrue(ask(s))
            self.assertEqual(target.take().peer[0], "127.0.0.1")

    def test_without_the_privilege_it_is_refused_with_the_way_out(self):
        if os.geteuid() == 0 and not os.path.exists("/usr/bin/setpriv"):
            self.skipTest("root, and " + missing("setpriv"))
        folder = os.path.join(REPO, "build")
        path = os.path.join(folder, f"preserve-{os.getpid()}.ini")
        self.addCleanup(os.unlink, path)
        with open(path, "w", encoding="utf-8") as f:
            f.write(tcp_ini("127.0.0.1:9", group=self.KEYS))
        drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
        done = subprocess.run([*drop, os.environ.get("NLBSIM", "build/release/nlbsim"), "run", path], capture_output=True,
                              timeout=DEADLINE_S, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr.decode(), r"\.ini:\d+: preserve_client_ip.enabled.*IP_TRANSPARENT.*CAP_NET_ADMIN.*proxy_protocol_v2")


if __name__ == "__main__":
    unittest.main()
