# SPDX-License-Identifier: Apache-2.0
"""Threads that stand still, for real: held by ptrace as by a debugger. It is said where, the pages and systemd are told, and
the process ends when it should, whatever hangs."""
import contextlib
import ctypes
import json
import os
import platform
import re
import signal
import subprocess
import tempfile
import time
import unittest

from nlbtest import (DEADLINE_S, NLBSIM, Deadline, Nlb, NlbTest, Target, connect, echo, recv_exactly, run, tcp_ini, until,
                     write_ini)

SEIZE, INTERRUPT, DETACH, SYSCALL, SYSCALL_INFO = 0x4206, 0x4207, 17, 24, 0x420e
TRACESYSGOOD, WALL = 1, 0x40000000
RECVFROM = {"x86_64": 45, "aarch64": 207}.get(platform.machine())
METRICS = "metrics = 127.0.0.1:0\n"
LAB = "[lab_target lab]\nprotocol = HTTP\nlisten = 127.0.0.1:0\n"
LATE_S = 5  # what a busy machine may add to a second


class Held:
    """One thread of the process stands still. `call`: at the next system call of that number, else wherever it is."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long

    def __init__(self, nlb, name):
        self.nlb, self.process, self.tid = nlb, nlb.process, self.find(nlb.process.pid, name)
        self.gone = True

    @staticmethod
    def find(pid, name):
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as f:
                if f.read().strip() == name:
                    return int(tid)
        raise AssertionError(f"no thread is called {name}")

    def ptrace(self, request, address=0, data=0):
        if self.libc.ptrace(request, self.tid, ctypes.c_void_p(address), ctypes.c_void_p(data)) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def wait(self):
        """Until it has stopped; True: it lives."""
        deadline = Deadline()
        while deadline.left():
            tid, status = os.waitpid(self.tid, WALL | os.WNOHANG)
            if tid == self.tid:
                self.gone = not os.WIFSTOPPED(status)
                if self.gone and tid == self.process.pid:
                    self.process.returncode = os.waitstatus_to_exitcode(status)  # nobody is told twice
                return not self.gone
            os.sched_yield()
        raise AssertionError("the thread does not stop")

    def __enter__(self):
        try:
            self.ptrace(SEIZE, 0, TRACESYSGOOD)
        except PermissionError as e:
            raise unittest.SkipTest(f"no ptrace here: {e}") from None
        self.gone = False
        self.ptrace(INTERRUPT)
        self.wait()
        return self

    def into(self, number):
        """On, until it begins the system call `number`."""
        info = (ctypes.c_uint64 * 16)()  # struct ptrace_syscall_info: op (8 bits), ..., at 24 the number
        while True:
            self.ptrace(SYSCALL)
            self.wait()
            self.ptrace(SYSCALL_INFO, ctypes.sizeof(info), ctypes.addressof(info))
            if info[0] & 0xff == 1 and info[3] == number:
                return

    def release(self):
        if not self.gone:
            self.ptrace(DETACH)
        self.gone = True

    def __exit__(self, *_):
        """The thread runs on, or is buried, so that its process can be waited for."""
        if not self.gone:
            try:
                self.ptrace(DETACH)
            except ProcessLookupError:  # it was killed while it stood still
                self.wait()
        self.gone = True


def said(nlb, pattern):
    """The line of the log, once it is there."""
    until(lambda: re.search(pattern, nlb.stderr()), f"no {pattern!r} was said")
    return re.search(pattern, nlb.stderr())


def ask(nlb, page):
    m = nlb.ready["metrics"]
    done = run("curl", "-sS", "-w", "\n%{http_code}", f"http://{m['address']}:{m['port']}{page}")
    body, code = done.stdout.decode().rsplit("\n", 1)
    return int(code), body


def health(nlb):
    status, body = ask(nlb, "/healthz")
    return status, json.loads(body)


def stalled_for(nlb):
    reason = health(nlb)[1].get("reason", "")
    return float(re.search(r"for ([0-9.]+) s", reason).group(1)) if reason else 0


def ends_with(nlb, held, status):
    """The process ends by itself; for how long that took since the call."""
    began = time.monotonic()
    held.wait()
    nlb.status = status
    if nlb.process.wait(DEADLINE_S) != status:
        raise AssertionError(f"status {nlb.process.returncode}, expected {status}\n{nlb.stderr()}")
    return time.monotonic() - began


class Watchdog(NlbTest):
    def test_a_worker_that_stands_still(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            self.assertEqual(health(nlb), (200, {"status": "ok", "active_flows": 0}))
            with Held(nlb, "worker 1") as held:
                line = said(nlb, r"err stall (worker 1 of 2 has not come round for 2\.\d s: .*)").group(1)
                self.assertIn("no callback", line)
                status, page = health(nlb)
                self.assertEqual((status, page["status"]), (503, "stalled"))
                self.assertRegex(page["reason"], r"^worker 1 of 2 has not come round for \d+\.\d s")
                self.assertIn("\nnlbsim_stalls_total 1\n", ask(nlb, "/metrics")[1])
                self.assertEqual(ask(nlb, "/flows")[0], 503)
                held.release()
                said(nlb, r"warn stall worker 1 of 2 came round after [2-9]\.\d s")
            until(lambda: health(nlb)[0] == 200, "the pages do not see that it came round")
            self.assertEqual(nlb.stderr().count(" stall "), 2)
            self.assertAlive(nlb)

    @unittest.skipUnless(RECVFROM, "the number of recvfrom is not known here")
    def test_where_it_stands(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="relay = copy\n").replace("workers = 2", "workers = 1")) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(b"a")
                recv_exactly(s, 1)
                with Held(nlb, "worker 1") as held:
                    s.sendall(b"b")
                    held.into(RECVFROM)
                    where = said(nlb, r"err stall worker 1 of 1 has not come round for \S+ s: it is at (.*)").group(1)
                    self.assertRegex(where, r"^(relay|a flow's socket), flow \d+, in state relaying$")
                    held.release()
                    said(nlb, "came round after")
                self.assertEqual(recv_exactly(s, 1), b"b")
            event = nlb.event()
            self.assertEqual(str(event["flow"]), re.search(r"flow (\d+)", where).group(1))

    def test_systemd(self):
        """WATCHDOG=1 at half of its time, as long as every worker comes round."""
        def hear(wanted):
            """The messages up to the first that begins so."""
            got = []
            nlb.notify.settimeout(DEADLINE_S)
            while not got or not got[-1].startswith(wanted):
                got.append(nlb.notify.recv(4096).decode())
            return got
        env = {"WATCHDOG_USEC": "600000"}
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS), env=env) as nlb:
            hear("WATCHDOG=1")
            with Held(nlb, "worker 2") as held:
                self.assertIn("worker 2 of 2", hear("STATUS=")[-1])
                until(lambda: stalled_for(nlb) > 2.9, "it does not stall for longer")
                held.release()
                self.assertEqual(len(hear("STATUS=")), 1, "WATCHDOG=1 although a worker stood still")
            hear("WATCHDOG=1")
            hear("WATCHDOG=1")
        for others in ({"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}, {}):
            with Nlb(tcp_ini("127.0.0.1:9"), env=others) as nlb:
                nlb.signal(signal.SIGHUP)
                self.assertNotIn("WATCHDOG=1", hear("READY=1"))

    def test_the_end_of_a_process_that_hangs(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="stall_exit_seconds = 3\n")) as nlb:
            with Held(nlb, "worker 1") as held:
                ends_with(nlb, held, 4)
            self.assertRegex(nlb.stderr(), r"err stall worker 1 of 2 has not come round for 3\.\d s: .*; the process ends, status 4 "
                                           r"\(stall_exit_seconds = 3\)\n$")
            self.assertFalse(os.path.exists(nlb.path("ready.json")))


class Sigterm(NlbTest):
    """Within the drain time plus one second."""

    def cut_off(self, nlb, held, drain_s):
        took = ends_with(nlb, held, 4)
        self.assertLess(took, drain_s + 1 + LATE_S)
        self.assertFalse(os.path.exists(nlb.path("ready.json")))
        return said(nlb, r"err stop signal=SIGTERM cut off.*").group()

    def test_whatever_hangs(self):
        ini = LAB + tcp_ini("127.0.0.1:9", nlb=METRICS + "access_log = access/\n")
        names = ("worker 2", "pages", "signposts", "lab targets", "events", "access_log", "access_log gzip", "nlbsim")
        with contextlib.ExitStack() as all_of_them:
            enter = all_of_them.enter_context
            held = [enter(Held(enter(Nlb(ini, args=("--drain-timeout", "0"))), name)) for name in names]
            for one in held:
                one.nlb.signal(signal.SIGTERM)
            for name, one in zip(names, held):
                with self.subTest(thread=name):
                    self.cut_off(one.nlb, one, 0)

    def test_the_guard_too(self):
        """Then the kernel ends the process."""
        with Nlb(tcp_ini("127.0.0.1:9"), args=("--drain-timeout", "1")) as nlb, Held(nlb, "worker 1") as worker:
            nlb.signal(signal.SIGTERM)
            said(nlb, "draining for at most 1 s")
            with Held(nlb, "guard") as guard:
                worker.wait()
                guard.wait()
                nlb.status = -signal.SIGALRM
                self.assertEqual(nlb.process.wait(DEADLINE_S), nlb.status)

    def test_drain_time_counts(self):
        with Nlb(tcp_ini("127.0.0.1:9"), args=("--drain-timeout", "1")) as nlb, Held(nlb, "worker 1") as held:
            began = time.monotonic()
            nlb.signal(signal.SIGTERM)
            self.assertIn("the main thread is at the end, the workers", self.cut_off(nlb, held, 1))
            self.assertGreater(time.monotonic() - began, 1)

    def test_the_second_one(self):
        with Nlb(tcp_ini("127.0.0.1:9"), args=("--drain-timeout", "3600")) as nlb, Held(nlb, "worker 1") as held:
            nlb.signal(signal.SIGTERM)
            said(nlb, "draining for at most 3600 s")
            nlb.signal(signal.SIGTERM)
            self.cut_off(nlb, held, 0)

    def test_in_a_reload(self):
        with Nlb(tcp_ini("127.0.0.1:9"), args=("--drain-timeout", "0")) as nlb, Held(nlb, "worker 2") as held:
            nlb.signal(signal.SIGHUP)
            nlb.notify.settimeout(DEADLINE_S)
            self.assertIn(b"RELOADING=1", nlb.notify.recv(4096))
            nlb.signal(signal.SIGTERM)
            self.assertIn("the main thread is at a reload, a worker that takes it over", self.cut_off(nlb, held, 0))

    def test_in_the_start(self):
        """A certificate comes by a pipe that somebody holds open: at once, and nothing was ready."""
        with tempfile.TemporaryDirectory() as folder:
            fifo, ready = os.path.join(folder, "cert.pem"), os.path.join(folder, "ready.json")
            os.mkfifo(fifo)
            path = write_ini(folder, tcp_ini("127.0.0.1:9").replace("protocol = TCP", f"protocol = TLS\ncertificate = {fifo}", 1))
            writer = os.open(fifo, os.O_RDWR)
            try:
                with subprocess.Popen([NLBSIM, "run", "--ready-file", ready, path], stderr=subprocess.PIPE) as p:
                    until(lambda: os.path.exists(f"/proc/{p.pid}/fd") and fifo in [
                        os.path.realpath(f"/proc/{p.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{p.pid}/fd")], "the pipe is not opened")
                    p.terminate()
                    self.assertIn(b"info stop signal=SIGTERM before anything was served", p.communicate(timeout=DEADLINE_S)[1])
                    self.assertEqual(p.returncode, 0)
                    self.assertFalse(os.path.exists(ready))
            finally:
                os.close(writer)

    def test_a_log_that_nobody_reads(self):
        reader, writer = os.pipe()
        try:
            with tempfile.TemporaryDirectory() as folder:
                ready = os.path.join(folder, "ready.json")
                path = write_ini(folder, tcp_ini("127.0.0.1:9", nlb="events = events.jsonl\n"))
                with subprocess.Popen([NLBSIM, "run", "--ready-file", ready, "--drain-timeout", "0", path], stderr=writer) as p:
                    until(lambda: os.path.exists(ready), "it is not ready")
                    os.set_blocking(writer, False)
                    try:
                        while True:
                            os.write(writer, b"x" * 4096)
                    except BlockingIOError:
                        pass
                    p.terminate()
                    self.assertEqual(p.wait(DEADLINE_S), 0)
        finally:
            os.close(reader)
            os.close(writer)


if __name__ == "__main__":
    unittest.main()
