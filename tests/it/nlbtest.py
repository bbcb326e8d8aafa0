# SPDX-License-Identifier: Apache-2.0
"""What the behaviour tests share: the real binary, scripted targets, real clients, certificates.

Nothing here sleeps or polls. A test waits for a thing that happens (the ready message, a line on
a pipe, a connection that ended) and gives up after DEADLINE_S. Standard library only.

    with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
        with connect(nlb.address("l")) as s: ...
        event = nlb.event()
"""
import atexit
import contextlib
import hashlib
import json
import os
import pty
import queue
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.pop("COLUMNS", None)  # what is printed into a pipe shall not depend on who runs the tests
NLBSIM = os.path.abspath(os.environ.get("NLBSIM") or os.path.join(REPO, "build/release/nlbsim"))
DEADLINE_S = float(os.environ.get("NLBTEST_DEADLINE", "20"))
CACHE = os.path.join(REPO, "build", "it-cache")
SANITIZER = re.compile(r"(Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:|"
                       r"AddressSanitizer:DEADLYSIGNAL", re.M)
RELAYS = ("copy", "splice")


class Deadline:
    """A point in time; `left()` is what a blocking call may still take."""

    def __init__(self, seconds=None):
        self.end = time.monotonic() + (DEADLINE_S if seconds is None else seconds)

    def left(self):
        return max(0.0, self.end - time.monotonic())


def until(condition, what):
    """For the few things that tell nobody when they have happened (a file that appears): yield, look again."""
    deadline = Deadline()
    while not condition():
        if not deadline.left():
            raise AssertionError(what)
        os.sched_yield()


def run(*argv, data=b"", timeout=None, env=None, cwd=None, check=False):
    """Run a command to its end; bytes in, CompletedProcess out. A timeout is an error."""
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                          timeout=timeout or DEADLINE_S, env=env, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr.decode()}")
    return done


def _has_address(name):
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


def open_terminal():
    """(our end, the program's end) of a pseudo-terminal; the test is skipped where there are none (a chroot without devpts)."""
    try:
        return pty.openpty()
    except OSError as e:
        raise unittest.SkipTest(f"no pseudo-terminal here: {e}") from None


needs_localhost = unittest.skipUnless(_has_address("localhost"), "localhost has no address here (no hosts file?)")


# --- threads of tests ------------------------------------------------------------------------------


class ThreadDied(AssertionError):
    """A thread of the test ended with an exception: nobody will do its work any more."""


class Threads:
    """An exception in any thread fails the running test at once, wherever the main thread waits."""

    def __init__(self):
        self.dead, self.testing = [], False
        self.default, threading.excepthook = threading.excepthook, self._died
        signal.signal(signal.SIGUSR2, self._interrupt)
        run_test = unittest.TestCase.run
        unittest.TestCase.run = lambda case, result=None: self._watched(run_test, case, result)

    def _died(self, args):
        self.default(args)
        self.dead.append("".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)))
        if self.testing:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR2)

    def _interrupt(self, *_):
        if self.testing:
            self.check()

    def check(self):
        """Raise what a thread died of, once."""
        if self.dead:
            raise ThreadDied("a thread of this test died\n" + self.dead.pop())

    def _watched(self, run_test, case, result):
        case.addCleanup(self._end)
        self.testing = True
        try:
            return run_test(case, result)
        finally:
            self.testing = False

    def _end(self):
        self.testing = False
        self.check()


THREADS = Threads()


# --- the load balancer ------------------------------------------------------------------------


class LineReader:
    """Reads lines from a descriptor in a thread, so that the writer never blocks."""

    def __init__(self, fd):
        self.lines, self.open, self.changed = [], True, threading.Condition()
        threading.Thread(target=self._read, args=(fd,), daemon=True).start()

    def _read(self, fd):
        with os.fdopen(fd, "rb", buffering=0) as f:
            rest = b""
            while chunk := f.read(65536):
                *whole, rest = (rest + chunk).split(b"\n")
                with self.changed:
                    self.lines += whole
                    self.changed.notify_all()
        with self.changed:
            if rest:
                self.lines.append(rest)
            self.open = False
            self.changed.notify_all()

    def wait(self, n, timeout=None):
        """The lines once there are n of them; AssertionError when time or the stream ends first."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.lines) >= n or not self.open,
                                  DEADLINE_S if timeout is None else timeout)
            if len(self.lines) < n:
                raise AssertionError(f"{len(self.lines)} of {n} lines came: {self.lines[-3:]}")
            return list(self.lines)

    def all(self):
        """Every line, once the writer has closed."""
        with self.changed:
            if not self.changed.wait_for(lambda: not self.open, DEADLINE_S):
                raise AssertionError("the writer does not close its stream")
            return list(self.lines)


class StartError(AssertionError):
    """`nlbsim run` ended before it was ready."""

    def __init__(self, status, stderr):
        super().__init__(f"nlbsim run ended with {status} before it was ready\n{stderr}")
        self.status, self.stderr = status, stderr


class Nlb:
    """`nlbsim run` on an INI text, from ready to stopped.

    text     the INI; `events = -` and a name are added to [nlb] unless it names its own
    files    name -> text of more files in the same folder
    On leaving the block: SIGTERM, exit status 0 expected, no sanitizer report tolerated.
    """

    EVENTS = "-"  # "": none

    def __init__(self, text, files=None, args=(), env=None, status=0):
        self.text, self.files, self.args, self.env, self.status = text, files or {}, args, env, status
        self.process = None
        self.taken = 0

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="nlbtest-")
        try:
            self._start()
        except BaseException:
            self._end_process()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def _start(self):
        self.ini = write_ini(self.folder, self.text, self.files, events=self.EVENTS)
        self.stderr_path, ready_path = self.path("stderr"), self.path("ready.json")
        env = dict(os.environ, NOTIFY_SOCKET=self.path("notify"), **(self.env or {}))
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path("notify"))
        with open(self.stderr_path, "wb") as err:
            self.started = time.monotonic()
            self.process = subprocess.Popen([NLBSIM, "run", "--ready-file", ready_path, *self.args, self.ini],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err,
                                            env=env, cwd=self.folder)
        self._wait_ready(self.notify)
        self.ready_s = time.monotonic() - self.started
        self._read_ready_file()
        self.out = LineReader(os.dup(self.process.stdout.fileno()))
        self.process.stdout.close()

    def _wait_ready(self, notify):
        deadline, gone = Deadline(), os.pidfd_open(self.process.pid)
        wait = select.poll()  # select() takes no descriptor above 1,023
        for fd in (notify.fileno(), gone):
            wait.register(fd, select.POLLIN)
        try:
            while True:
                came = [fd for fd, _ in wait.poll(deadline.left() * 1000)]
                if notify.fileno() in came:
                    if b"READY=1" in notify.recv(4096).split(b"\n"):
                        return
                elif gone in came:
                    raise StartError(self.process.wait(), self.stderr())
                else:
                    raise StartError("no status (not ready in time)", self.stderr())
        finally:
            os.close(gone)

    def _read_ready_file(self):
        with open(self.path("ready.json"), encoding="utf-8") as f:
            self.ready = json.load(f)
        self.listeners = {item["name"]: item for item in self.ready["listeners"]}

    def reload(self, text, files=None, ok=True):
        """Write another INI (the same event stream), SIGHUP, and wait until it was taken or refused.

        Returns what was said on standard error since."""
        said_before = len(self.stderr())
        write_ini(self.folder, text, files, events=self.EVENTS)
        self.signal(signal.SIGHUP)
        self._wait_ready(self.notify)
        said = self.stderr()[said_before:]
        if ok == ("nothing changed" in said):
            raise AssertionError(("a good reload was refused: " if ok else "a bad reload was not refused: ") + said)
        self._read_ready_file()
        return said

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def address(self, name):
        item = self.listeners[name]
        return item["address"], item["port"]

    def port(self, name):
        return self.listeners[name]["port"]

    def events(self, n, timeout=None):
        """All events so far, once there are at least n."""
        return [json.loads(line) for line in self.out.wait(n, timeout)]

    def event(self, timeout=None):
        """The next event that was not taken yet."""
        self.taken += 1
        return json.loads(self.out.wait(self.taken, timeout)[self.taken - 1])

    def signal(self, number):
        self.process.send_signal(number)

    def pids(self):
        return [self.process.pid]

    def stop(self):
        """SIGTERM, wait, and judge how it ended; returns every event of the run."""
        self.process.terminate()
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._end_process()
            raise AssertionError("nlbsim does not stop after SIGTERM\n" + self.stderr()) from None
        self._judge(status)
        lines = self.out.all()
        return [json.loads(line) for line in lines if not line.startswith(b"ready ")]

    def _judge(self, status):
        text = self.stderr()
        if SANITIZER.search(text):
            raise AssertionError("sanitizer report\n" + text)
        if status != self.status:
            raise AssertionError(f"nlbsim ended with {status}, expected {self.status}\n{text}")

    def _end_process(self):
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.notify.close()

    def __exit__(self, kind, value, trace):
        try:
            if self.process.poll() is None:
                if kind is None:
                    self.stop()
                else:
                    self.process.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(5)
            else:
                self._judge(self.process.returncode)
        finally:
            self._end_process()
            if kind is not None and not issubclass(kind, unittest.SkipTest):
                print(f"--- nlbsim's standard error\n{self.stderr()}---", file=sys.stderr)
            shutil.rmtree(self.folder, ignore_errors=True)
        return False


class HealthPort:
    """A port that passes TCP health checks, so that the targets of a test see its own connections only."""

    def __init__(self):
        self.socket, self.lock = None, threading.Lock()

    def number(self):
        with self.lock:
            if self.socket is None:
                self.socket = socket.socket()
                self.socket.bind(("0.0.0.0", 0))
                self.socket.listen(4096)
                threading.Thread(target=self._accept, daemon=True).start()
            return self.socket.getsockname()[1]

    def _accept(self):
        while True:
            self.socket.accept()[0].close()


HEALTH_PORT = HealthPort()


def checked_elsewhere(text):
    """Send the health checks of groups that do not configure any of theirs to HEALTH_PORT."""
    parts = re.split(r"(?m)^(?=\[)", text)
    for i, part in enumerate(parts):
        if part.startswith("[target_group") and not re.search(r"(?m)^(health|unhealthy|matcher)", part):
            parts[i] = part.rstrip("\n") + f"\nhealth_check_port = {HEALTH_PORT.number()}\n"
    return "".join(parts)


def write_ini(folder, text, files=None, events=None):
    """Write the INI (with [nlb] and an event stream added when missing) and its files."""
    if events is not None:
        text = checked_elsewhere(text)
    if "[nlb]" not in text:
        text = "[nlb]\nname = t\nworkers = 2\n\n" + text
    if events and not re.search(r"^events\s*=", text, re.M):
        text = text.replace("[nlb]\n", f"[nlb]\nevents = {events}\n", 1)
    for name, body in {"nlb.ini": text, **(files or {})}.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(body if isinstance(body, bytes) else body.encode())
    return os.path.join(folder, "nlb.ini")


def nlbsim(*args, data=b"", cwd=None, env=None, timeout=None):
    """Any verb, to its end. A sanitizer report is an error whatever the status."""
    done = run(NLBSIM, *args, data=data, cwd=cwd, timeout=timeout, env=dict(os.environ, **(env or {})))
    if SANITIZER.search(done.stderr.decode(errors="replace")):
        raise AssertionError("sanitizer report\n" + done.stderr.decode(errors="replace"))
    return done


def check_ini(text, files=None, args=()):
    """`nlbsim check` of a text: (exit status, standard output + standard error)."""
    with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder:
        done = nlbsim("check", *args, write_ini(folder, text, files))
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tcp_ini(*targets, nlb="", listener="", group=""):
    """One TCP listener `l` in front of a TCP group. Targets are Target objects or address texts."""
    lines = "".join(f"target = {t if isinstance(t, str) else t.text}\n" for t in targets)
    return (f"[nlb]\nname = t\nworkers = 2\n{nlb}\n[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\n"
            f"target_group = g\n{listener}\n[target_group g]\nprotocol = TCP\n{lines}{group}\n")


def tls_ini(*targets, cert, protocol="TCP", policy="ELBSecurityPolicy-TLS13-1-2-2021-06", nlb="", listener="",
            group=""):
    """One TLS listener `l`; cert is a path, a list of paths or a `lab:` text; protocol is the group's."""
    lines = "".join(f"target = {t if isinstance(t, str) else t.text}\n" for t in targets)
    certs = "".join(f"certificate = {getattr(c, 'pem', c)}\n" for c in (cert if isinstance(cert, list) else [cert]))
    chosen = f"ssl_policy = {policy}\n" if policy else ""
    return (f"[nlb]\nname = t\nworkers = 2\n{nlb}\n[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\n{chosen}{certs}"
            f"target_group = g\n{listener}\n[target_group g]\nprotocol = {protocol}\n{lines}{group}\n")


# --- bytes to send and to check -------------------------------------------------------------------


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Pattern:
    """A stream of n bytes in which every block differs, so a lost, doubled or moved block shows."""

    BLOCK = 1 << 20
    _base = None

    def __init__(self, n, seed=0):
        self.n, self.seed = n, seed
        if Pattern._base is None:
            Pattern._base = hashlib.shake_256(b"nlbtest").digest(Pattern.BLOCK)

    def __iter__(self):
        left, number = self.n, 0
        while left > 0:
            block = bytearray(Pattern._base)
            struct.pack_into("!QQ", block, 0, self.seed, number)
            yield memoryview(block)[:min(left, self.BLOCK)]
            left -= self.BLOCK
            number += 1

    def digest(self):
        return digest_of(self)


def digest_of(chunks):
    h = hashlib.blake2b(digest_size=16)
    for chunk in chunks:
        h.update(chunk)
    return h.hexdigest()


def recv_exactly(sock, n):
    data = bytearray()
    while len(data) < n:
        chunk = sock.recv(n - len(data))
        if not chunk:
            raise EOFError(f"{len(data)} of {n} bytes came")
        data += chunk
    return bytes(data)


def recv_all(sock):
    """Every byte until EOF."""
    parts = []
    while chunk := sock.recv(1 << 18):
        parts.append(chunk)
    return b"".join(parts)


def recv_digest(sock, n=None):
    """(number of bytes, digest) of what comes until EOF, or of the next n bytes."""
    h, count, buffer = hashlib.blake2b(digest_size=16), 0, bytearray(1 << 18)
    view = memoryview(buffer)
    while n is None or count < n:
        got = sock.recv_into(view[:len(buffer) if n is None else min(len(buffer), n - count)])
        if got == 0:
            break
        h.update(view[:got])
        count += got
    return count, h.hexdigest()


def send_pattern(sock, pattern):
    for block in pattern:
        sock.sendall(block)


def exchange(sock, pattern):
    """Send the pattern and receive as many bytes, both at once, on one thread: python's TLS sockets do not
    take two. Returns (number of bytes, digest) of what came."""
    h, count, blocks, out = hashlib.blake2b(digest_size=16), 0, iter(pattern), memoryview(b"")
    busy = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)
    deadline = Deadline(DEADLINE_S)
    sock.setblocking(False)
    while count < pattern.n:
        moved = False
        try:
            out = out or next(blocks, memoryview(b""))
            if out:
                out = out[sock.send(out):]
                moved = True
        except busy:
            pass
        try:
            data = sock.recv(1 << 18)
            if not data:
                break
            h.update(data)
            count += len(data)
            moved = True
        except busy:
            pass
        if not moved:
            # A TLS read may want the socket writable; with nothing to send only reading is left.
            select.select([sock], [sock] if out else [], [], deadline.left())
    sock.settimeout(DEADLINE_S)
    return count, h.hexdigest()


def half_close(sock):
    sock.shutdown(socket.SHUT_WR)


def reset(sock):
    """Close with a RST."""
    raw = sock if not isinstance(sock, ssl.SSLSocket) else socket.socket(fileno=sock.detach())
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def ending(sock):
    """How the peer ends a silent connection: 'eof', 'rst', 'data' (first byte came) or 'timeout'.

    A TLS socket is read beneath TLS, as only there FIN and RST look different; what still comes
    (close_notify, tickets) is passed over, and the socket is of no use to TLS afterwards.
    """
    if isinstance(sock, ssl.SSLSocket):
        if not select.select([sock], [], [], sock.gettimeout())[0]:
            return "timeout"
        with socket.socket(fileno=os.dup(sock.fileno())) as raw:
            raw.settimeout(DEADLINE_S)
            while (end := ending(raw)) == "data":
                pass
            return end
    try:
        return "data" if sock.recv(1) else "eof"
    except (ConnectionResetError, BrokenPipeError):
        return "rst"
    except (TimeoutError, socket.timeout):
        return "timeout"


def connect_ending(address):
    """Connect and tell how the peer ends it; a RST may be faster than connect() returns."""
    try:
        with connect(address) as s:
            return ending(s)
    except ConnectionResetError:
        return "rst"


# --- targets ---------------------------------------------------------------------------------------


class Seen:
    """What one connection to a target saw; handlers add fields of their own."""

    def __init__(self, peer):
        self.peer, self.hello, self.error, self.end, self.data, self.digest = peer, None, None, None, b"", None

    def __repr__(self):
        return f"Seen({ {k: v for k, v in vars(self).items() if k not in ('hello', 'data')} })"


class Target:
    """A listening socket; each connection runs `handler(sock, seen)` in a thread of its own.

    take() waits for the next connection that *ended* and returns its Seen.
    accepted() waits for the next connection that *began*.
    """

    def __init__(self, handler, host="127.0.0.1", rcvbuf=None):
        self.handler, self.stopping = handler, False
        self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if rcvbuf:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.listener.bind((host, 0))
        self.listener.listen(4096)
        self.host, self.port = host, self.listener.getsockname()[1]
        self.text = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.began, self.ended, self.live, self.lock = queue.Queue(), queue.Queue(), set(), threading.Lock()
        self.count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            sock.settimeout(DEADLINE_S)
            with self.lock:
                self.live.add(sock)
                self.count += 1
            threading.Thread(target=self._serve, args=(sock, peer), daemon=True).start()

    def _serve(self, sock, peer):
        seen = Seen(peer)
        self.began.put(seen)
        try:
            self.handler(sock, seen)
        except (ssl.SSLError, OSError, EOFError) as e:
            seen.error = e
            seen.end = seen.end or ("rst" if isinstance(e, ConnectionResetError) else "error")
        finally:
            with self.lock:
                self.live.discard(sock)
            with contextlib.suppress(OSError):
                sock.close()
            self.ended.put(seen)

    @staticmethod
    def _get(q, timeout):
        try:
            return q.get(timeout=DEADLINE_S if timeout is None else timeout)
        except queue.Empty:
            raise AssertionError("no such connection at the target in time") from None

    def take(self, timeout=None):
        return self._get(self.ended, timeout)

    def accepted(self, timeout=None):
        return self._get(self.began, timeout)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            live = list(self.live)
        for sock in live:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def echo():
    """Send back what comes; at EOF end the own direction too."""
    def handler(sock, seen):
        while chunk := sock.recv(1 << 16):
            seen.data = (seen.data + chunk)[-4096:]
            sock.sendall(chunk)
        seen.end = "eof"
        if isinstance(sock, ssl.SSLSocket):
            return
        half_close(sock)
    return handler


def sink(answer=None):
    """Read to EOF, hash; then optionally send `answer(seen)` and close."""
    def handler(sock, seen):
        seen.count, seen.digest = recv_digest(sock)
        seen.end = "eof"
        if answer:
            sock.sendall(answer(seen))
    return handler


def source(pattern, after=0):
    """Wait for `after` bytes, send the pattern, close; remember what the client sent."""
    def handler(sock, seen):
        seen.data = recv_exactly(sock, after)
        send_pattern(sock, pattern)
        close_tls(sock)
        if not isinstance(sock, ssl.SSLSocket):
            half_close(sock)
            seen.data += recv_all(sock)
        seen.end = "eof"
    return handler


def say(data, wait=0):
    """Send data as soon as connected (or after `wait` bytes), then read to EOF."""
    def handler(sock, seen):
        seen.data = recv_exactly(sock, wait)
        sock.sendall(data)
        seen.data += recv_all(sock)
        seen.end = "eof"
    return handler


def rst_after(n):
    """Read n bytes, then RST."""
    def handler(sock, seen):
        seen.data = recv_exactly(sock, n)
        reset(sock)
        seen.end = "reset by us"
    return handler


def paused(then):
    """Do not read at all until `target.handler.gate.set()`, then go on as `then`."""
    gate = threading.Event()

    def handler(sock, seen):
        if not gate.wait(DEADLINE_S):
            raise EOFError("the gate never opened")
        then(sock, seen)
    handler.gate = gate
    return handler


def close_tls(sock):
    """Send close_notify (and nothing else) on a TLS socket."""
    if isinstance(sock, ssl.SSLSocket):
        sock.settimeout(0.0)
        with contextlib.suppress(ssl.SSLError, OSError):
            sock.unwrap()
        with contextlib.suppress(OSError):
            sock.settimeout(DEADLINE_S)


def tls(ctx, handler=None):
    """A TLS target: records the ClientHello's bytes, shakes hands, then `handler` (echo).

    Fields added to Seen: hello (bytes), version, cipher, alpn, resumed, client_cert.
    """
    handler = handler or echo()

    def wrapped(sock, seen):
        seen.hello = peek_record(sock)
        secure = ctx.wrap_socket(sock, server_side=True, do_handshake_on_connect=False,
                                 suppress_ragged_eofs=False)
        try:
            secure.do_handshake()
            seen.version, seen.cipher, seen.alpn = secure.version(), secure.cipher()[0], secure.selected_alpn_protocol()
            seen.resumed = secure.session_reused
            seen.client_cert = secure.getpeercert(binary_form=True)
            handler(secure, seen)
        finally:
            with contextlib.suppress(OSError):
                secure.close()
    wrapped.gate = getattr(handler, "gate", None)
    return wrapped


def http_json(describe):
    """Answer each HTTP/1.1 request with the JSON of describe(seen, request head)."""
    def handler(sock, seen):
        head = b""
        while True:
            while b"\r\n\r\n" not in head:
                chunk = sock.recv(65536)
                if not chunk:
                    seen.end = "eof"
                    return
                head += chunk
            request, head = head.split(b"\r\n\r\n", 1)
            body = json.dumps(describe(seen, request)).encode()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                         % (len(body), body))
    return handler


def closed_port(host="127.0.0.1"):
    """An address that refuses connections: bound, never listening. (socket to keep, text)."""
    s = socket.socket()
    s.bind((host, 0))
    return s, f"{host}:{s.getsockname()[1]}"


# --- TLS contexts and clients -------------------------------------------------------------------------

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def server_ctx(cert, low=None, high=None, ciphers=None, client_ca=None, alpn=None, tickets=True):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert.pem)
    if low:
        ctx.minimum_version = low
    if high:
        ctx.maximum_version = high
    if ciphers:
        ctx.set_ciphers(ciphers)
    if alpn:
        ctx.set_alpn_protocols(alpn)
    if client_ca:
        ctx.verify_mode = ssl.CERT_REQUIRED
        ctx.load_verify_locations(client_ca.crt)
    if not tickets:
        ctx.options |= ssl.OP_NO_TICKET
        ctx.num_tickets = 0
    return ctx


def client_ctx(ca=None, low=None, high=None, ciphers=None, alpn=None, cert=None):
    """A client context; without ca it accepts any certificate."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A python built against OpenSSL 3 would take a close without close_notify for an orderly end.
    ctx.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80)
    if ca is None:
        ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE
    else:
        ctx.load_verify_locations(getattr(ca, "crt", ca))
    if low:
        ctx.minimum_version = low
    if high:
        ctx.maximum_version = high
    if ciphers:
        ctx.set_ciphers(ciphers)
    if alpn:
        ctx.set_alpn_protocols(alpn)
    if cert:
        ctx.load_cert_chain(cert.pem)
    return ctx


def connect(address, timeout=None, source=None, rcvbuf=None):
    s = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    s.settimeout(timeout or DEADLINE_S)
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    try:
        if source:
            s.bind((source, 0))
        s.connect(address)
    except BaseException:
        s.close()
        raise
    return s


def connect_tls(address, ctx=None, sni=None, session=None):
    """TCP and TLS; the handshake's error passes through, the socket closed."""
    raw = connect(address)
    try:
        return (ctx or client_ctx()).wrap_socket(raw, server_hostname=sni, session=session,
                                                 suppress_ragged_eofs=False)
    except BaseException:
        raw.close()
        raise


def peer_cert(sock):
    """The certificate a TLS peer presented, as DER."""
    return sock.getpeercert(binary_form=True)


def http_get(sock, path="/", host="api.example.com"):
    """One HTTP/1.1 GET on an open socket: (status, headers, body)."""
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(65536)
        if not chunk:
            raise EOFError(f"no HTTP answer, only {data!r}")
        data += chunk
    head, body = data.split(b"\r\n\r\n", 1)
    status, *lines = head.decode().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(65536)
    return int(status.split()[1]), headers, body


# Debian's packages of what not every machine has; `sh scripts/deps test` installs those of a bearable size.
PACKAGES = {"promtool": "prometheus", "gnutls-cli": "gnutls-bin", "javac": "default-jdk-headless", "yaml": "python3-yaml",
            "pytest": "python3-pytest", "cryptography": "python3-cryptography", "xmllint": "libxml2-utils", "setpriv": "util-linux"}


def missing(name):
    """Why a test is skipped, and the way out."""
    return f"{name} is not installed (Debian: apt install {PACKAGES.get(name, name)})"


def needs(command):
    """Skip the test, saying so, when a real client is not installed."""
    if shutil.which(command) is None:
        raise unittest.SkipTest(missing(command))
    return command


def s_client(address, *args, data=b"", timeout=None):
    """`openssl s_client`; `data` is its standard input. Output is stdout + stderr as text."""
    done = run(needs("openssl"), "s_client", "-connect", f"{address[0]}:{address[1]}", *args, data=data,
               timeout=timeout)
    done.text = (done.stdout + done.stderr).decode(errors="replace")
    return done


def curl(nlb, listener, *args, host="api.example.com", path="/", scheme="https", timeout=None):
    """curl to a listener as https://HOST:PORT/, with the name resolved to the listener's address."""
    address, port = nlb.address(listener)
    done = run(needs("curl"), "-sS", "--max-time", str(int(timeout or DEADLINE_S)), "--noproxy", "*",
               "--resolve", f"{host}:{port}:{address}", *args, f"{scheme}://{host}:{port}{path}",
               timeout=(timeout or DEADLINE_S) + 5)
    done.text = (done.stdout + done.stderr).decode(errors="replace")
    return done


def gnutls_cli(address, *args, data=b"", timeout=None):
    done = run(needs("gnutls-cli"), "--port", str(address[1]), *args, address[0], data=data, timeout=timeout)
    done.text = (done.stdout + done.stderr).decode(errors="replace")
    return done


def java_client(address, sni="api.example.com", trust_all=False, protocols=None, timeout=None):
    """A JDK client (tests/it/JdkClient.java): 'ok VERSION CIPHER' or 'error CLASS: MESSAGE'."""
    needs("javac")
    source_path = os.path.join(REPO, "tests/it/JdkClient.java")
    out = os.path.join(CACHE, "java")
    with cache_lock("java"):
        made = os.path.join(out, "JdkClient.class")
        if not os.path.exists(made) or os.path.getmtime(made) < os.path.getmtime(source_path):
            run("javac", "-d", out, source_path, timeout=120, check=True)
    flags = [f"-Djdk.tls.client.protocols={protocols}"] if protocols else []
    done = run("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", *flags, "-cp", out, "JdkClient", address[0],
               str(address[1]), sni, "all" if trust_all else "jdk", timeout=timeout or 60)
    return done.stdout.decode(errors="replace").strip() or done.stderr.decode(errors="replace")


# --- ClientHello, records and alerts, as bytes ------------------------------------------------------------


def peek_record(sock):
    """The first TLS record as it waits in the socket, left there. Non-TLS bytes give what is there."""
    head = sock.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
    if len(head) < 5 or head[0] != 22:
        return head
    return sock.recv(5 + struct.unpack("!H", head[3:5])[0], socket.MSG_PEEK | socket.MSG_WAITALL)


class Hello:
    """A ClientHello's fields, from the bytes of its record."""

    def __init__(self, record):
        body = record[5:]
        if record[:1] != b"\x16" or body[:1] != b"\x01":
            raise ValueError(f"not a ClientHello: {record[:16]!r}")
        self.legacy_version = struct.unpack("!H", body[4:6])[0]
        at = 38
        self.session_id = body[at + 1:at + 1 + body[at]]
        at += 1 + body[at]
        n = struct.unpack("!H", body[at:at + 2])[0]
        self.ciphers = list(struct.unpack(f"!{n // 2}H", body[at + 2:at + 2 + n]))
        at += 2 + n
        at += 1 + body[at]
        self.extensions = {}
        end = at + 2 + struct.unpack("!H", body[at:at + 2])[0] if at + 2 <= len(body) else at
        at += 2
        while at + 4 <= end:
            kind, n = struct.unpack("!HH", body[at:at + 4])
            self.extensions[kind] = body[at + 4:at + 4 + n]
            at += 4 + n

    @property
    def sni(self):
        ext = self.extensions.get(0)
        return ext[5:].decode() if ext else None

    @property
    def versions(self):
        ext = self.extensions.get(43)
        return list(struct.unpack(f"!{ext[0] // 2}H", ext[1:])) if ext else [self.legacy_version]

    @property
    def alpn(self):
        ext, out = self.extensions.get(16, b"")[2:], []
        while ext:
            out.append(ext[1:1 + ext[0]].decode())
            ext = ext[1 + ext[0]:]
        return out

    @property
    def groups(self):
        ext = self.extensions.get(10, b"\0\0")[2:]
        return list(struct.unpack(f"!{len(ext) // 2}H", ext))


def hello_bytes(ctx=None, sni=None):
    """The record of a real ClientHello, as OpenSSL makes it."""
    out = ssl.MemoryBIO()
    obj = (ctx or client_ctx()).wrap_bio(ssl.MemoryBIO(), out, server_hostname=sni)
    with contextlib.suppress(ssl.SSLWantReadError):
        obj.do_handshake()
    return out.read()


def build_hello(version=0x0303, ciphers=(0xC02B, 0xC02F), extensions=(), random=b"\x11" * 32):
    """A hand-made ClientHello record; extensions are (number, bytes)."""
    ext = b"".join(struct.pack("!HH", k, len(v)) + v for k, v in extensions)
    body = (struct.pack("!H", version) + random + b"\0" + struct.pack(f"!H{len(ciphers)}H", 2 * len(ciphers), *ciphers)
            + b"\x01\0" + (struct.pack("!H", len(ext)) + ext if extensions else b""))
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return record(22, message)


def record(kind, payload, version=0x0301):
    return struct.pack("!BHH", kind, version, len(payload)) + payload


def sni_extension(name):
    raw = name.encode()
    return 0, struct.pack("!HBH", len(raw) + 3, 0, len(raw)) + raw


HELLO_12_EXTENSIONS = ((10, b"\0\x04\0\x17\0\x18"), (11, b"\x01\0"), (13, b"\0\x06\x04\x03\x04\x01\x02\x03"),
                       (23, b""))


def fragment(rec, size):
    """The same handshake message in records of at most `size` payload bytes."""
    return b"".join(record(rec[0], rec[5 + i:5 + i + size]) for i in range(0, len(rec) - 5, size))


def read_records(sock):
    """Every TLS record until the end: ([(type, payload)], how it ended)."""
    records, data = [], b""
    try:
        while True:
            chunk = sock.recv(65536)
            if not chunk:
                end = "eof"
                break
            data += chunk
    except ConnectionResetError:
        end = "rst"
    except (TimeoutError, socket.timeout):
        end = "timeout"
    while len(data) >= 5:
        n = struct.unpack("!H", data[3:5])[0]
        records.append((data[0], data[5:5 + n]))
        data = data[5 + n:]
    return records, end


# --- certificates, made by the openssl command ------------------------------------------------------------


@contextlib.contextmanager
def cache_lock(name):
    """Only one test process at a time fills a part of the cache."""
    import fcntl
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, f".{name}.lock"), "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


KEY_KINDS = {
    "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa1024": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "rsa2048": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa3072": ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "rsa4096": ["RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "ed25519": ["ED25519"],
}


def key_path(kind):
    """A private key of this kind, made once per build folder."""
    path = os.path.join(CACHE, "keys", kind + ".key")
    with cache_lock("keys"):
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            run("openssl", "genpkey", "-algorithm", *KEY_KINDS[kind], "-out", path + ".new", check=True, timeout=60)
            os.rename(path + ".new", path)
    return path


class Cert:
    """Paths of one certificate: crt alone, key, pem (certificate, chain, key), and its facts."""

    def __init__(self, crt, key, pem, cn, ca):
        self.crt, self.key, self.pem, self.cn, self.ca = crt, key, pem, cn, ca

    def der(self):
        with open(self.crt, encoding="ascii") as f:
            return ssl.PEM_cert_to_DER_cert(f.read())


class Certs:
    """A folder of certificates for one test program."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nlbtest-certs-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.number = 0
        self.made = {}

    def root(self, key="p256"):
        return self.get("Test Root " + key, ca=True, key=key)

    def get(self, cn="api.example.com", **options):
        """As `make`, but the same options give the same certificate."""
        slot = (cn, tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in options.items())))
        if slot not in self.made:
            self.made[slot] = self.make(cn, **options)
        return self.made[slot]

    def make(self, cn, sans=None, key="p256", issuer=None, ca=False, start="20200101000000Z",
             end="20400101000000Z", md="sha256", extensions=()):
        """Issue a certificate. issuer None: the test root (a CA: itself); "self": self-signed."""
        self.number += 1
        base = os.path.join(self.folder, f"c{self.number}")
        if issuer is None:
            issuer = "self" if ca else self.root()
        names = [cn] if sans is None and not ca else sans or []
        key_file = key_path(key)
        lines = [f"basicConstraints={'critical,CA:TRUE' if ca else 'CA:FALSE'}",
                 f"keyUsage=critical,{'keyCertSign,cRLSign' if ca else 'digitalSignature,keyEncipherment' if key.startswith('rsa') else 'digitalSignature'}"]
        if names:
            lines.append("subjectAltName=" + ",".join(("IP:" if re.fullmatch(r"[\d.]+", n) else "DNS:") + n for n in names))
        lines += extensions
        with open(base + ".cnf", "w", encoding="utf-8") as f:
            f.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={base}.db\nnew_certs_dir={self.folder}\nserial={base}.srl\n"
                    f"policy=p\nunique_subject=no\nemail_in_dn=no\n[p]\ncommonName=supplied\n[x]\n"
                    + "\n".join(lines) + f"\n[req]\ndistinguished_name=dn\nprompt=no\n[dn]\ncommonName={cn}\n")
        open(base + ".db", "w").close()
        with open(base + ".srl", "w") as f:
            f.write(f"{0x1000 + self.number:04X}\n")
        run("openssl", "req", "-new", "-config", base + ".cnf", "-key", key_file, "-out", base + ".csr", check=True)
        signer = ["-selfsign", "-keyfile", key_file] if issuer == "self" else ["-cert", issuer.crt, "-keyfile", issuer.key]
        run("openssl", "ca", "-batch", "-notext", "-config", base + ".cnf", "-extensions", "x", "-md", md, *signer,
            "-in", base + ".csr", "-out", base + ".crt", "-startdate", start, "-enddate", end, check=True)
        with open(base + ".pem", "wb") as out:
            for part in (base + ".crt", key_file):
                with open(part, "rb") as f:
                    out.write(f.read())
        return Cert(base + ".crt", key_file, base + ".pem", cn, ca)


CERTS = Certs()


# --- what an event says ----------------------------------------------------------------------------------
# The one place that knows the shape of an event (docs/events.md); tests ask by these names.


def end_code(event):
    return event["end"]["code"]


def end_metric(event):
    """CloudWatch's name of the metric that the flow's end moved, or None."""
    return event["end"]["metric"]


def alert_in(event, side="front"):
    """(number, name) of the error alert the peer sent on that hop; None for none or close_notify."""
    alert = (event[side] or {}).get("alert_received")
    return (alert["number"], alert["name"]) if alert and alert["number"] != 0 else None


class NlbTest(unittest.TestCase):
    """Assertions that many tests share."""

    maxDiff = 4000

    def assertEnd(self, event, *codes):
        self.assertIn(end_code(event), codes, json.dumps(event))

    def assertAlive(self, nlb, listener="l"):
        """The process still accepts and works: a plain or TLS echo through the listener."""
        address, port = nlb.address(listener)
        secure = nlb.listeners[listener]["protocol"] == "TLS"
        with (connect_tls if secure else connect)((address, port)) as s:
            s.sendall(b"still here?")
            self.assertEqual(recv_exactly(s, 11), b"still here?")
