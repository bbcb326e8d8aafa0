# SPDX-License-Identifier: Apache-2.0
"""Everything at once, for a while: honest and hostile peers, reloads, scrapes, no descriptors, no disk (scripts/soak).

Honest peers compare every byte that comes back. The program's memory and descriptors are watched; what it must not do is a
line of the report's `faults`.
"""
import collections
import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import ssl
import threading
import time

from nlbtest import (CERTS, DEADLINE_S, TLS12, TLS13, Nlb, Pattern, Target, client_ctx, connect, echo, half_close, hello_bytes,
                     recv_exactly, reset, server_ctx, tls)
from test_floods import AES128, CONTINUES, HELLO_REQUESTS, HELLOS, WARNING, Raw12, endless, flood

HOST = "api.example.com"
WARM_UP_S = 8
GROWTH_MIB, RSS_MIB = 24, 200  # from the warm-up's most to the end's, and ever
SPARE_DESCRIPTORS = 64         # more than at the start once all is quiet: pipes that wait to be used again
HEALTH_S = 10                  # how long /healthz may take on a busy machine


def drop_rest(sock, limit=8):
    """Read for a moment what a peer still says."""
    sock.settimeout(0.3)
    with contextlib.suppress(OSError):
        for _ in range(limit):
            if not sock.recv(65536):
                return


class Soak:
    def __init__(self, seconds, seed):
        self.seconds, self.seed = seconds, seed
        self.counts, self.faults, self.lock = collections.Counter(), [], threading.Lock()
        self.over = threading.Event()
        self.famine = (0.0, 0.0)  # when the last one began and ended (0: it goes on)
        self.rss, self.fds = [], []
        self.data = b"".join(bytes(block) for block in Pattern(300_000))

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    def fault(self, text):
        with self.lock:
            if len(self.faults) < 20:
                self.faults.append(text)

    # --- honest peers ---
    def starved(self, since):
        began, ended = self.famine
        return began > 0 and (ended == 0 or ended >= since - 1)

    def honest(self, rng, what, open_it, pieces, slowly_s=0.0):
        """Send, and compare what comes back. Whoever met no famine gets everything."""
        began, n = time.monotonic(), rng.randrange(1, len(self.data))
        at = rng.randrange(len(self.data) - n)
        sent, got = memoryview(self.data)[at:at + n], 0
        try:
            with open_it() as s:
                while got < n:
                    piece = min(pieces, n - got)
                    s.sendall(sent[got:got + piece])
                    if slowly_s:
                        self.over.wait(slowly_s)
                    back = recv_exactly(s, piece)
                    if back != sent[got:got + piece]:
                        self.fault(f"{what}: the bytes from {got} to {got + piece} of {n} came back changed")
                    got += piece
                    if slowly_s and got > 20 * pieces:
                        n = got
            self.count(f"honest: {what}")
        except (OSError, EOFError) as e:
            if not self.starved(began):
                self.fault(f"{what}: {type(e).__name__} {e} after {got} of {n} bytes, {time.monotonic() - began:.1f} s")
            self.count("honest, without descriptors")
        self.count("bytes compared", got)

    def tls_client(self, high):
        return lambda: client_ctx(high=high).wrap_socket(connect(self.nlb.address("tls")), server_hostname=HOST)

    def honest_peer(self, rng):
        what = rng.randrange(6)
        if what == 0:
            self.honest(rng, "TLS 1.2", self.tls_client(TLS12), 16384)
        elif what in (1, 2):
            self.honest(rng, "TLS 1.3", self.tls_client(TLS13), 30000)
        elif what == 3:
            self.honest(rng, "TCP", lambda: connect(self.nlb.address("tcp")), 60000)
        elif what == 4:
            self.honest(rng, "slow reader", lambda: connect(self.nlb.address("tcp"), rcvbuf=4096), 40000, 0.05)
        else:
            self.honest(rng, "slow writer", self.tls_client(TLS13), 7, 0.02)

    # --- hostile peers ---
    def hostile_peer(self, rng):
        what = rng.randrange(9)
        listener = "tcp" if what == 0 and rng.random() < 0.5 else "tls"
        with connect(self.nlb.address(listener), timeout=5) as s:
            if what == 0:
                s.sendall(os.urandom(rng.randrange(1, 3000)))
                reset(s)
            elif what == 1:
                hello = bytearray(hello_bytes(sni=HOST))
                for _ in range(rng.randrange(1, 6)):
                    hello[rng.randrange(len(hello))] = rng.randrange(256)
                s.sendall(hello)
                drop_rest(s)
            elif what == 2:
                s.sendall(hello_bytes(sni=HOST)[:rng.randrange(1, 300)])
                self.over.wait(rng.random())
            elif what == 3:
                body = hello_bytes(sni=HOST)[5:]
                s.sendall(b"".join(b"\x16\3\1\0\1" + body[i:i + 1] for i in range(len(body))))
                drop_rest(s)
            elif what == 4:
                with client_ctx().wrap_socket(s, server_hostname=rng.choice((HOST, "x", "a" * 60 + ".b"))) as secure:
                    secure.sendall(self.data[:rng.randrange(1, 100_000)])
                    reset(secure)
            elif what == 5:
                secure = client_ctx(high=TLS12).wrap_socket(s, server_hostname=HOST)
                with socket.socket(fileno=secure.detach()) as raw:
                    raw.sendall(os.urandom(500))
                    drop_rest(raw)
            elif what in (6, 7):
                raw = Raw12(s, client_ctx(high=TLS12, ciphers=AES128), False)
                flood(s, lambda: raw.record(22, HELLOS) if what == 6 else raw.record(21, WARNING), 300)
            else:
                half_close(s)
                drop_rest(s)
        self.count("hostile clients")

    def evil_target(self, sock, seen):
        """One that floods after the handshake, or answers something else than TLS."""
        rng = random.Random()
        what = rng.randrange(5)
        self.count("hostile targets")
        if what == 0:
            sock.sendall(os.urandom(rng.randrange(1, 50_000)))
        elif what == 1:
            raw = Raw12(sock, server_ctx(CERTS.get("t"), high=TLS12, ciphers=AES128, tickets=False), True)
            flood(sock, lambda: raw.record(22, HELLO_REQUESTS), 300)
        elif what == 2:
            ctx = server_ctx(CERTS.get("t"), low=TLS13)
            ctx.num_tickets = 500
            tls(ctx)(sock, seen)
        elif what == 3:
            reset(sock)
        else:
            tls(server_ctx(CERTS.get("t")))(sock, seen)

    def through_evil(self, rng):
        with client_ctx().wrap_socket(connect(self.nlb.address("evil"), timeout=5), server_hostname=HOST) as s:
            s.sendall(self.data[:rng.randrange(1, 5000)])
            drop_rest(s)

    def scrape(self, rng):
        m = self.nlb.ready["metrics"]
        with connect((m["address"], m["port"]), timeout=5, rcvbuf=4096) as s:
            s.sendall(rng.choice((b"GET /flows?limit=9999 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                  b"GET /events?after=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % rng.randrange(10),
                                  b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                                  b"GET /targets HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5, os.urandom(300), b"GET /metr")))
            drop_rest(s, rng.randrange(1, 20))
        self.count("scrapes")

    def peer(self, number):
        rng = random.Random(self.seed * 1000 + number)
        while not self.over.is_set():
            what = rng.random()
            if what < 0.45:
                self.honest_peer(rng)
                continue
            with contextlib.suppress(OSError, EOFError, ssl.SSLError, IndexError):
                (self.hostile_peer if what < 0.75 else self.through_evil if what < 0.9 else self.scrape)(rng)

    # --- what is done to the process ---
    def ini(self, relay, policy):
        target, evil, health = self.targets
        secure = f"protocol = TLS\ncertificate = {CERTS.get(HOST).pem}\nssl_policy = {policy}\n"
        return (f"[nlb]\nname = soak\nworkers = 2\nevents = events.jsonl\nmetrics = 127.0.0.1:0\nrelay = {relay}\ntime_scale = 20\n"
                "handshake_timeout_seconds = 5\n"
                f"[listener tls]\n{secure}listen = 127.0.0.1:0\ntarget_group = echo\n"
                "[listener tcp]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = echo\n"
                f"[listener evil]\n{secure}listen = 127.0.0.1:0\ntarget_group = evil\n"
                "[listener bad-health]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = bad-health\n"
                f"[target_group echo]\nprotocol = TCP\ntarget = {target.text}\n"
                f"[target_group evil]\nprotocol = TLS\ntarget = {evil.text}\n"
                f"[target_group bad-health]\nprotocol = TCP\ntarget = {health.text}\nhealth_check_protocol = HTTP\n")

    def limit(self, what, soft):
        resource.prlimit(self.nlb.process.pid, what, (soft, resource.prlimit(self.nlb.process.pid, what)[1]))

    def disturb(self):
        rng, before = random.Random(self.seed), resource.prlimit(self.nlb.process.pid, resource.RLIMIT_NOFILE)[0]
        events = self.nlb.path("events.jsonl")
        while not self.over.wait(1):
            kind = rng.randrange(5)
            if kind == 0:
                self.famine = (time.monotonic(), 0)
                self.limit(resource.RLIMIT_NOFILE, len(os.listdir(f"/proc/{self.nlb.process.pid}/fd")) + rng.randrange(1, 8))
                self.over.wait(1)
                self.limit(resource.RLIMIT_NOFILE, before)
                self.famine = (self.famine[0], time.monotonic())
                self.count("famines of descriptors")
            elif kind == 1:
                self.limit(resource.RLIMIT_FSIZE, os.path.getsize(events) + rng.randrange(4000))
                self.over.wait(1.5)
                self.limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
                self.count("full disks")
            else:
                new = self.nlb.path("new.ini")
                with open(new, "w", encoding="utf-8") as f:
                    f.write(self.ini(rng.choice(("copy", "splice", "auto")),
                                     rng.choice(("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"))))
                os.rename(new, self.nlb.ini)
                self.nlb.signal(signal.SIGHUP)
                self.nlb.signal(signal.SIGUSR1)
                self.count("reloads")

    def read_notify(self):
        """So that nobody waits for us to read."""
        self.nlb.notify.settimeout(0.5)
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self.nlb.notify.recv(4096)

    # --- what is watched ---
    def sample(self):
        pid = self.nlb.process.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            self.rss.append(int(next(line for line in f if line.startswith("VmRSS")).split()[1]) / 1024)
        self.fds.append(len(os.listdir(f"/proc/{pid}/fd")))

    def metric(self, name):
        m = self.nlb.ready["metrics"]
        with connect((m["address"], m["port"])) as s:
            s.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        return sum(int(n) for n in re.findall(rf"^{name}(?:{{[^}}]*}})? (\d+)$", text, re.M))

    def healthy(self):
        began, m = time.monotonic(), self.nlb.ready["metrics"]
        try:
            with connect((m["address"], m["port"]), timeout=HEALTH_S) as s:
                s.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = s.recv(65536)
            if b" 200 OK\r\n" not in answer:
                self.fault(f"/healthz: {answer!r}")
        except OSError as e:
            if not self.starved(began):
                self.fault(f"/healthz: {type(e).__name__} {e}")

    def watch(self):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and self.nlb.process.poll() is None and len(self.faults) < 20:
            self.sample()
            self.healthy()
            self.over.wait(0.5)
        self.over.set()

    # --- the end ---
    def quiet(self):
        """No flow is left once the peers have gone: by itself, and by the handshake timeout."""
        end = time.monotonic() + DEADLINE_S + 10
        while self.metric("nlb_active_flows") > 0 and time.monotonic() < end:
            time.sleep(0.1)
        self.sample()
        return self.metric("nlb_new_flows_total")

    def judge_records(self, flows):
        """Every flow left one whole line, or was counted as lost."""
        with open(self.nlb.path("events.jsonl"), encoding="utf-8") as f:
            lines = f.read().split("\n")
        if lines.pop() != "":
            self.fault("events: the last line has no end")
        ends = collections.Counter()
        for line in lines:
            try:
                ends[json.loads(line)["end"]["code"]] += 1
            except ValueError:
                self.fault(f"events: no whole line: {line[:200]!r}")
        log = self.nlb.stderr()
        lost = sum(int(n) for n in re.findall(r"warn events .*lost=(\d+)", log))
        self.counts.update({"flows": flows, "event lines": len(lines), "event lines lost, and told": lost})
        if len(lines) + lost != flows:
            self.fault(f"events: {len(lines)} lines and {lost} lost ones of {flows} flows")
        if ends["elb_internal"]:
            self.fault(f"events: {ends['elb_internal']} flows ended with elb_internal")
        self.counts["renegotiation floods ended"] = ends["client_tls_broken"] + ends["target_tls_broken"]
        for line in re.findall(r".*(?: stall | flow_bug | bug ).*", log)[:5]:
            self.fault(f"log: {line}")

    def judge_memory(self):
        warm = max(self.rss[:max(2, int(len(self.rss) * min(0.5, WARM_UP_S / self.seconds)))])
        late = max(self.rss[len(self.rss) * 2 // 3:])
        if late - warm > GROWTH_MIB:
            self.fault(f"memory: {warm:.0f} MiB at most while warming up, {late:.0f} MiB in the last third")
        if max(self.rss) > RSS_MIB:
            self.fault(f"memory: {max(self.rss):.0f} MiB")
        if self.fds[-1] > self.fds[0] + SPARE_DESCRIPTORS:
            self.fault(f"descriptors: {self.fds[0]} at the start, {self.fds[-1]} when all is quiet")

    def report(self):
        rows = [f"{what}: {n}" for what, n in sorted(self.counts.items())]
        rows += [f"memory: {self.rss[0]:.1f} MiB at the start, {max(self.rss):.1f} at most, {self.rss[-1]:.1f} when all was quiet",
                 f"descriptors: {self.fds[0]} at the start, {max(self.fds)} at most, {self.fds[-1]} when all was quiet"]
        part = max(1, len(self.rss) // 6)
        rows.append("memory, the most of each sixth: " + ", ".join(f"{max(self.rss[i:i + part]):.1f}" for i in range(0, part * 6, part)
                                                                   if self.rss[i:i + part]))
        return "\n".join(rows + [f"FAULT {f}" for f in self.faults])

    def run(self, peers=24):
        with contextlib.ExitStack() as stack:
            self.targets = [stack.enter_context(Target(h)) for h in (echo(), self.evil_target, endless(b"", CONTINUES))]
            self.nlb = stack.enter_context(Nlb(self.ini("auto", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
                                               args=("--drain-timeout", "3")))
            threads = [threading.Thread(target=self.peer, args=(n,)) for n in range(peers)]
            threads += [threading.Thread(target=self.disturb), threading.Thread(target=self.read_notify, daemon=True)]
            for t in threads:
                t.start()
            try:
                self.watch()
            finally:
                self.over.set()
                for t in threads:
                    t.join(DEADLINE_S * 3)
            if self.nlb.process.poll() is not None:
                self.fault(f"the process ended with {self.nlb.process.returncode}: {self.nlb.stderr()[-2000:]}")
                return self
            flows = self.quiet()
            self.nlb.process.terminate()
            if (status := self.nlb.process.wait(DEADLINE_S)) != 0:
                self.fault(f"status {status} at the end")
            self.judge_records(flows)
            self.judge_memory()
        return self
