#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure nlbsim beside HAProxy and nginx (stream) on this machine: `make bench`.

  bench.py [--rounds N] [--seconds S] [--json FILE] [MEASUREMENT…]      see --help for the list

Each balancer runs with two threads or workers, its own configuration in a temporary folder and no
logs. The rounds are interleaved (every balancer once per round, the order turning), every round is
short, and what is printed is the median of the rounds. CPU time is that of the balancer alone: the
nanoseconds of all its threads in /proc. The load generator and the target share the machine with
it, so rates are comparable only within one run; CPU per unit of work is the better number.
"""
import argparse
import contextlib
import json
import os
import platform
import re
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(os.environ.get("BENCHBIN", "build/release/bench"))
NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
WORKERS = 2
IDLE_FLOWS = 2000
HOST = "api.example.com"


def free_ports(n):
    """n ports that were free a moment ago (the peers cannot report a port 0)."""
    socks = [socket.socket() for _ in range(n)]
    for s in socks:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


def first_accept(port, process, deadline_s=10.0):
    """Return when the port accepts a connection, trying without a pause."""
    start = time.monotonic()
    while time.monotonic() - start < deadline_s and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise RuntimeError(f"nothing listens on port {port}")


class Balancer:
    """One balancer program: started, asked for its CPU time and memory, ended by pid."""

    name = "?"

    def __init__(self, folder, target_port, pem):
        self.folder, self.target, self.pem = os.path.join(folder, self.name.replace("+", "-")), target_port, pem
        os.makedirs(self.folder, exist_ok=True)
        self.tcp = self.tls = None
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def spawn(self, *argv, env=None):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env=env)

    def start(self):
        """Start; the seconds until the TCP listener accepts."""
        began = time.monotonic()
        self.launch()
        first_accept(self.tcp, self.process)
        return time.monotonic() - began

    def pids(self):
        """The process and its children."""
        out = [self.process.pid]
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                with open(f"/proc/{self.process.pid}/task/{task}/children", encoding="ascii") as f:
                    out += [int(p) for p in f.read().split()]
        return out

    def cpu_s(self):
        """CPU seconds of every thread so far, from the scheduler's nanoseconds."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                        total += int(f.read().split()[0])
        return total / 1e9

    def user_system_s(self):
        """The same split into user and system time, in the kernel's coarser ticks."""
        user = system = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
                user, system = user + int(fields[11]), system + int(fields[12])
        tick = os.sysconf("SC_CLK_TCK")
        return user / tick, system / tick

    def memory(self):
        """Proportional set size of all its processes, in bytes: user-space memory."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += int(re.search(r"^Pss:\s+(\d+) kB", f.read(), re.M).group(1)) * 1024
        return total

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class Haproxy(Balancer):
    name = "haproxy"
    options = ""

    def launch(self):
        self.tcp, self.tls = free_ports(2)
        cfg = self.write("haproxy.cfg", f"""
global
    nbthread {WORKERS}
    maxconn 5000
    tune.ssl.cachesize 0
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
{self.options}
frontend plain
    bind 127.0.0.1:{self.tcp} shards by-thread
    default_backend target
frontend secure
    bind 127.0.0.1:{self.tls} shards by-thread ssl crt {self.pem} no-tls-tickets
    default_backend target
backend target
    server t 127.0.0.1:{self.target}
""")
        self.spawn(tool("haproxy"), "-db", "-f", cfg)

    @staticmethod
    def version():
        return subprocess.run([tool("haproxy"), "-v"], stdout=subprocess.PIPE, check=False).stdout.decode().split("\n")[0]


class HaproxySplice(Haproxy):
    name = "haproxy+splice"
    options = "    option splice-request\n    option splice-response\n"


class Nginx(Balancer):
    name = "nginx"

    def launch(self):
        self.tcp, self.tls = free_ports(2)
        module = "/usr/lib/nginx/modules/ngx_stream_module.so"
        load = f"load_module {module};\n" if os.path.exists(module) else ""
        cfg = self.write("nginx.conf", f"""{load}
daemon off;
worker_processes {WORKERS};
worker_rlimit_nofile 20000;
pid {self.path("pid")};
error_log {self.path("error.log")};
events {{ worker_connections 10000; }}
stream {{
    proxy_timeout 1h;
    proxy_half_close on;  # as HAProxy and nlbsim do: one end at a time
    server {{ listen 127.0.0.1:{self.tcp} reuseport backlog=4096; proxy_pass 127.0.0.1:{self.target}; }}
    server {{
        listen 127.0.0.1:{self.tls} ssl reuseport backlog=4096;
        proxy_pass 127.0.0.1:{self.target};
        ssl_certificate {self.pem};
        ssl_certificate_key {self.pem};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets off;
    }}
}}
""")
        self.spawn(tool("nginx"), "-e", self.path("error.log"), "-c", cfg)

    @staticmethod
    def version():
        return subprocess.run([tool("nginx"), "-v"], stderr=subprocess.PIPE, check=False).stderr.decode().strip()


class Nlbsim(Balancer):
    name = "nlbsim"
    relay = "auto"

    def config(self):
        return self.write("bench.ini", f"""
[nlb]
name = bench
workers = {WORKERS}
relay = {self.relay}
[listener plain]
protocol = TCP
listen = 127.0.0.1:{self.tcp}
target_group = t
[listener secure]
protocol = TLS
listen = 127.0.0.1:{self.tls}
ssl_policy = ELBSecurityPolicy-TLS13-1-2-2021-06
certificate = {self.pem}
target_group = t
[target_group t]
protocol = TCP
target = 127.0.0.1:{self.target}
""")

    def launch(self, env=None):
        self.tcp, self.tls = free_ports(2)
        self.spawn(NLBSIM, "run", self.config(), env=env)

    def ready_s(self):
        """Start, and the seconds until its own READY=1."""
        path = self.path("notify")
        with contextlib.suppress(OSError):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(10)
            began = time.monotonic()
            self.launch(dict(os.environ, NOTIFY_SOCKET=path))
            while b"READY=1" not in s.recv(4096):
                pass
            return time.monotonic() - began

    @staticmethod
    def version():
        return subprocess.run([NLBSIM, "--version"], stdout=subprocess.PIPE, check=False).stdout.decode().split("\n")[0]


class NlbsimCopy(Nlbsim):
    name = "nlbsim+copy"
    relay = "copy"


class NlbsimRecords(Nlbsim):
    """What flows leave behind: each kind adds to the one before. `through` is a TCP listener before the TLS one."""

    name = "nothing"
    keys = ""
    observe = "false"

    def config(self):
        path = super().config()
        with open(path, encoding="utf-8") as f:
            text = f.read()
        text = text.replace("[nlb]\n", f"[nlb]\n{self.keys}").replace(
            "protocol = TCP\nlisten", f"protocol = TCP\nobserve_tls = {self.observe}\nlisten")
        return self.write("bench.ini", text + f"""
[listener through]
protocol = TCP
observe_tls = {self.observe}
listen = 127.0.0.1:{self.through}
target_group = self
[target_group self]
protocol = TCP
target = 127.0.0.1:{self.tls}
""")

    def launch(self, env=None):
        self.tcp, self.tls, self.through = free_ports(3)
        self.spawn(NLBSIM, "run", self.config(), env=env)


class NlbsimAccessLog(NlbsimRecords):
    name = "access log"
    keys = "access_log = access.log\n"


class NlbsimMetrics(NlbsimRecords):
    name = "and metrics"
    keys = NlbsimAccessLog.keys + "metrics = 127.0.0.1:0\n"


class NlbsimEvents(NlbsimRecords):
    name = "and events"
    keys = NlbsimMetrics.keys + "events = events.jsonl\n"


class NlbsimSight(NlbsimEvents):
    name = "and observe_tls"
    observe = "true"


RECORDS = (NlbsimRecords, NlbsimAccessLog, NlbsimMetrics, NlbsimEvents, NlbsimSight)


class NlbsimCounted(Nlbsim):
    """Under callgrind: slow, and every instruction counted."""

    name = "nlbsim-counted"

    def launch(self, env=None):
        self.tcp, self.tls = free_ports(2)
        self.spawn("valgrind", "--tool=callgrind", "--callgrind-out-file=" + self.path("callgrind.out"),
                   NLBSIM, "run", "--drain-timeout", "1", self.config())


def tool(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or name


class Bench:
    def __init__(self, args):
        self.args = args
        self.folder = tempfile.mkdtemp(prefix="nlbbench-")
        self.results = {}  # metric -> balancer -> list of values
        self.load = os.path.join(BIN, "load")
        self.target = subprocess.Popen([os.path.join(BIN, "target")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.target_port = int(self.target.stdout.readline())
        self.pem = self.certificate()
        self.left_out = []
        self.kinds = [k for k in (Haproxy, Nginx, Nlbsim) if self.works(k)]

    def certificate(self):
        crt, key, pem = (os.path.join(self.folder, n) for n in ("c.crt", "c.key", "c.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "30", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
                        "-keyout", key, "-out", crt], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(pem, "wb") as out:
            for part in (crt, key):
                with open(part, "rb") as f:
                    out.write(f.read())
        return pem

    def works(self, kind):
        """A balancer that cannot be started is left out, and that is said."""
        b = kind(self.folder, self.target_port, self.pem)
        try:
            b.start()
            return True
        except (OSError, RuntimeError) as e:
            why = str(e)
            with contextlib.suppress(OSError), open(b.path("log"), encoding="utf-8", errors="replace") as f:
                why += ": " + " / ".join(f.read().strip().split("\n")[-2:])
            self.left_out.append(f"{kind.name} left out: {why}")
            return False
        finally:
            b.stop()

    def close(self):
        self.target.stdin.close()
        self.target.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, metric, name, value):
        self.results.setdefault(metric, {}).setdefault(name, []).append(value)

    def balancers(self, extra=()):
        kinds = self.kinds + [k for k in extra if k.__mro__[1] in self.kinds]
        return [k(self.folder, self.target_port, self.pem) for k in kinds]

    def run_load(self, job, port, connections, tls=None, seconds=None):
        seconds = seconds or self.args.seconds
        argv = [self.load, job, str(port), str(connections), str(seconds)] + ([tls] if tls else [])
        done = subprocess.run(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False,
                              timeout=seconds + 30)
        out = json.loads(done.stdout)
        if out["failed"] > out["done"] // 100 and job == "rate":
            raise RuntimeError(f"{job} on port {port}: {out}")
        return out

    def rounds(self, balancers, once):
        """Every balancer is up all the time; each round turns the order by one."""
        for b in balancers:
            b.start()
        try:
            for b in balancers:
                once(b, True)
            for n in range(self.args.rounds):
                for i in range(len(balancers)):
                    once(balancers[(n + i) % len(balancers)], False)
        finally:
            for b in balancers:
                b.stop()

    def tcp_rate(self):
        """connections per second and CPU per connection, TCP listener"""
        self._rate("tcp", None)

    def tls13(self):
        """full TLS 1.3 handshakes per second and CPU per handshake, TLS listener, TCP target"""
        self._rate("tls13", "1.3")

    def tls12(self):
        """the same with TLS 1.2"""
        self._rate("tls12", "1.2")

    def _rate(self, label, tls):
        def once(b, warm):
            cpu, split = b.cpu_s(), b.user_system_s()
            out = self.run_load("rate", b.tls if tls else b.tcp, 64, tls)
            used, after = b.cpu_s() - cpu, b.user_system_s()
            if warm or out["done"] == 0:
                return
            self.put(f"{label}: connections/s", b.name, out["done"] / out["seconds"])
            self.put(f"{label}: CPU us/connection", b.name, used / out["done"] * 1e6)
            user, system = after[0] - split[0], after[1] - split[1]
            self.put(f"{label}: of that in user space, us", b.name,
                     used / out["done"] * 1e6 * user / ((user + system) or 1))
            if tls and isinstance(b, Nlbsim):
                self._floor(label, tls)
        self.rounds(self.balancers(), once)

    def _floor(self, label, tls):
        """mbedTLS alone, without socket, loop or flow: right after the round, with as many busy cores."""
        argv = [os.path.join(BIN, "tls_floor"), self.pem, tls, "200"]
        both = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(WORKERS)]
        floor = statistics.mean(json.loads(p.communicate(timeout=60)[0])["mean_us"] for p in both)
        self.put(f"{label}: mbedTLS alone, us", "nlbsim", floor)

    def records(self):
        """CPU per connection with access log, metrics, events and observe_tls switched on one after the other"""
        def once(b, warm):
            for label, port, tls in (("records tcp", b.tcp, None), ("records tls12", b.tls, "1.2"),
                                     ("records tls12 through tcp", b.through, "1.2")):
                cpu = b.cpu_s()
                out = self.run_load("rate", port, 64, tls)
                used = b.cpu_s() - cpu
                if not warm and out["done"]:
                    self.put(f"{label}: connections/s", b.name, out["done"] / out["seconds"])
                    self.put(f"{label}: CPU us/connection", b.name, used / out["done"] * 1e6)
        self.rounds([k(self.folder, self.target_port, self.pem) for k in RECORDS], once)

    def own_work(self):
        """instructions of our workers outside mbedTLS's handshake, counted by callgrind (if installed)"""
        if not shutil.which("valgrind") or Nlbsim not in self.kinds:
            self.left_out.append("own_work left out: it needs valgrind (and nlbsim)")
            return
        for tls in ("1.2", "1.3"):
            b = NlbsimCounted(self.folder, self.target_port, self.pem)
            b.start()
            self.run_load("rate", b.tls, 4, tls, seconds=8)
            b.stop()
            text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", b.path("callgrind.out")],
                                  stdout=subprocess.PIPE, check=True).stdout.decode()

            def inclusive(name):
                return max([int(n.replace(",", "")) for n in
                            re.findall(rf"^\s*([\d,]+) \([^)]*\)\s+\S*:{name}(?:\s|$)", text, re.M)], default=0)
            workers, handshake = inclusive("start_thread"), inclusive("mbedtls_ssl_handshake")
            if not workers or not handshake:
                raise RuntimeError("callgrind's output has no start_thread or no mbedtls_ssl_handshake")
            self.put(f"tls{tls.replace('.', '')}: instructions outside mbedTLS's handshake, %", "nlbsim",
                     (workers - handshake) / workers * 100)

    def bulk(self):
        """bulk GB per CPU second in both directions, TCP listener, 4 connections; with and without splice"""
        def once(b, warm):
            for job in ("down", "up"):
                cpu = b.cpu_s()
                out = self.run_load(job, b.tcp, 4)
                used = b.cpu_s() - cpu
                if not warm and out["bytes"]:
                    self.put(f"bulk {job}: GB/CPU s", b.name, out["bytes"] / 1e9 / used)
                    self.put(f"bulk {job}: GB/s", b.name, out["bytes"] / 1e9 / out["seconds"])
        self.rounds(self.balancers((HaproxySplice, NlbsimCopy)), once)

    def bulk_tls(self):
        """bulk GB per CPU second toward the client, TLS 1.3 listener, TCP target, 4 connections"""
        def once(b, warm):
            cpu = b.cpu_s()
            out = self.run_load("down", b.tls, 4, "1.3")
            used = b.cpu_s() - cpu
            if not warm and out["bytes"]:
                self.put("bulk TLS down: GB/CPU s", b.name, out["bytes"] / 1e9 / used)
        self.rounds(self.balancers(), once)

    def idle_tcp(self):
        """user-space bytes per idle TCP flow"""
        self._idle("idle TCP flow: bytes", None)

    def idle_tls(self):
        """user-space bytes per idle TLS flow"""
        self._idle("idle TLS 1.3 flow: bytes", "1.3")
        self._idle("idle TLS 1.2 flow: bytes", "1.2")

    def _idle(self, metric, tls):
        for _ in range(min(3, self.args.rounds)):
            for b in self.balancers():
                b.start()
                try:
                    with self.held(b, 16, tls):
                        pass
                    before = b.memory()
                    with self.held(b, IDLE_FLOWS, tls):
                        self.put(metric, b.name, (b.memory() - before) / IDLE_FLOWS)
                finally:
                    b.stop()

    @contextlib.contextmanager
    def held(self, b, flows, tls):
        argv = [self.load, "hold", str(b.tls if tls else b.tcp), str(flows), "60"] + ([tls] if tls else [])
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            try:
                if not select.select([p.stdout], [], [], 70)[0]:
                    raise RuntimeError(f"{b.name}: {flows} connections were not opened")
                out = json.loads(p.stdout.readline())
                if out["held"] != flows:
                    raise RuntimeError(f"{b.name}: only {out['held']} of {flows} connections opened")
                yield
            finally:
                p.stdin.close()
                p.wait(10)

    def start_up(self):
        """milliseconds from exec to the first accepted connection, and to READY=1"""
        for n in range(max(10, self.args.rounds)):
            balancers = self.balancers()
            for i in range(len(balancers)):
                b = balancers[(n + i) % len(balancers)]
                try:
                    self.put("start to first accept: ms", b.name, b.start() * 1000)
                    b.stop()
                    if isinstance(b, Nlbsim):
                        self.put("start to READY=1: ms", b.name, b.ready_s() * 1000)
                finally:
                    b.stop()


MEASUREMENTS = ("tcp_rate", "bulk", "bulk_tls", "tls13", "tls12", "own_work", "idle_tcp", "idle_tls", "start_up",
                "records")
LESS_IS_BETTER = re.compile(r"us|bytes|ms$|%")


def ratio(metric, values):
    """Ours against the better peer, above 1 being in our favour."""
    peers = [v for k, v in values.items() if not k.startswith("nlbsim")]
    ours = [v for k, v in values.items() if k.startswith("nlbsim")]
    if not peers or not ours:
        return None
    if LESS_IS_BETTER.search(metric.split(": ")[1]):
        return min(peers) / min(ours) if min(ours) > 0 else None
    return max(ours) / max(peers)


def number(v):
    return "-" if v is None else f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.1f}" if abs(v) >= 10 else f"{v:.2f}"


def table(results):
    records = (k.name for k in RECORDS)
    names = [n for n in ("haproxy", "haproxy+splice", "nginx", "nlbsim", "nlbsim+copy", *records)
             if any(n in v for v in results.values())]
    rows = [["measurement", *names, "ours/best peer"]]
    for metric, by_name in results.items():
        medians = {k: statistics.median(v) for k, v in by_name.items()}
        r = ratio(metric, medians) if "user space" not in metric else None
        rows.append([metric, *(number(medians.get(n)) for n in names), "" if r is None else f"{r:.2f}x"])
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))) + " |"
             for r in rows]
    lines.insert(1, "|" + "|".join(("-" * (w + 1) + (":" if i else "-")) for i, w in enumerate(widths)) + "|")
    return "\n".join(lines)


def machine():
    model = ""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as f:
        m = re.search(r"^model name\s*:\s*(.*)$", f.read(), re.M)
        model = m.group(1) if m else ""
    return f"{os.cpu_count()} cores {model}, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], formatter_class=argparse.RawTextHelpFormatter,
                                     epilog="measurements:\n" + "\n".join(
                                         f"  {m:9} {getattr(Bench, m).__doc__}" for m in MEASUREMENTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one round of load")
    parser.add_argument("--json", metavar="FILE", help="also write every round's value; - is standard output")
    parser.add_argument("measurement", nargs="*", metavar="MEASUREMENT", help="default: all")
    args = parser.parse_args()
    unknown = set(args.measurement) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))} (there are {', '.join(MEASUREMENTS)})")
    for needed in ("load", "target", "tls_floor"):
        if not os.path.exists(os.path.join(BIN, needed)):
            sys.exit(f"bench: {needed} is not built; use `make bench`")
    bench = Bench(args)
    failed = []
    try:
        for name in args.measurement or MEASUREMENTS:
            print(f"bench: {name}: {getattr(bench, name).__doc__}", file=sys.stderr, flush=True)
            try:
                getattr(bench, name)()
            except RuntimeError as e:
                failed.append(f"{name}: {e}")
    finally:
        bench.close()
    print(f"{machine()}; {WORKERS} workers each; {args.rounds} interleaved rounds of {args.seconds} s, medians; "
          f"load generator and target on the same machine")
    print("; ".join(k.version() for k in bench.kinds) + "\n")
    print(table(bench.results))
    for line in bench.left_out + failed:
        print("\n" + line)
    if args.json:
        text = json.dumps({"machine": machine(), "workers": WORKERS, "rounds": args.rounds, "seconds": args.seconds,
                           "versions": [k.version() for k in bench.kinds], "left_out": bench.left_out,
                           "failed": failed, "results": bench.results}, indent=1)
        if args.json == "-":
            print(text)
        else:
            with open(args.json, "w", encoding="utf-8") as f:
                f.write(text + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
