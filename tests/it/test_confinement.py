# SPDX-License-Identifier: Apache-2.0
"""`run` and `target` give up what they do not need once they have started: other files, system calls, capabilities, dumps."""
import contextlib
import glob
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from nlbtest import (CERTS, NLBSIM, Nlb, NlbTest, Target, connect, connect_tls, echo, nlbsim, peer_cert, run, tcp_ini, tls_ini,
                     until)

HOST = "api.example.com"
SANITIZED = "/san-" in NLBSIM
LOW_PORTS = 0x400  # CAP_NET_BIND_SERVICE
ROOTS_FILES = 0x2  # CAP_DAC_OVERRIDE, of whoever stays root
as_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


def status_of(pid, task):
    text = pathlib.Path(f"/proc/{pid}/task/{task}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def threads_of(pid):
    return [status_of(pid, task) for task in os.listdir(f"/proc/{pid}/task")]


def place(cert, folder, name="api"):
    """Copy a certificate and its key."""
    os.makedirs(folder, exist_ok=True)
    shutil.copy(cert.crt, os.path.join(folder, f"{name}.pem"))
    shutil.copy(cert.key, os.path.join(folder, f"{name}.key"))


def served(nlb):
    """The certificate that listener `l` presents."""
    with connect_tls(nlb.address("l"), sni=HOST) as s:
        return peer_cert(s)


class Folder(NlbTest):
    def setUp(self):
        super().setUp()
        self.dir = self.enterContext(tempfile.TemporaryDirectory())
        self.target = self.enterContext(Target(echo()))
        self.one, self.two = CERTS.get(HOST), CERTS.get(HOST, key="p384")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def ini(self, cert, **more):
        return tls_ini(self.target, cert=cert, **more)

    def assertConfined(self, pid, seccomp="0" if SANITIZED else "2"):
        for status in threads_of(pid):
            with self.subTest(thread=status["Name"]):
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(status["Seccomp"], seccomp)
                for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(int(status[kind], 16) & ~(LOW_PORTS | (ROOTS_FILES if status["Uid"].split()[1] == "0" else 0)), 0, kind)


class Confined(Folder):
    def test_every_thread_of_run(self):
        with Target(echo()) as target:
            text = tls_ini(target, cert="lab:valid/" + HOST, nlb="metrics = 127.0.0.1:0\naccess_log = logs/\n")
            with Nlb(text) as nlb:
                self.assertGreaterEqual(len(threads_of(nlb.process.pid)), 6)
                self.assertConfined(nlb.process.pid)
                nlb.reload(text.replace("workers = 2", "workers = 3"))
                served(nlb)
                self.assertConfined(nlb.process.pid)
                self.assertEqual(resource.prlimit(nlb.process.pid, resource.RLIMIT_CORE), (0, 0))
                self.assertRegex(nlb.stderr(), rf"info confine landlock=\d+ seccomp={'off' if SANITIZED else 'on'}\n")

    def test_every_thread_of_target(self):
        with subprocess.Popen([NLBSIM, "target", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as p:
            try:
                address = re.search(rb"address=(.*):(\d+)", p.stdout.readline())
                run("curl", "-sSk", f"https://{address[1].decode()}:{address[2].decode()}/", check=True)
                self.assertConfined(p.pid)
            finally:
                p.terminate()
            self.assertEqual(p.wait(), 0)

    def test_keys_turn_it_off(self):
        with Target(echo()) as target:
            with Nlb(tcp_ini(target, nlb="confine = files_only\n")) as nlb:
                self.assertConfined(nlb.process.pid, seccomp="0")
            with Nlb(tcp_ini(target, nlb="confine = off\n")) as nlb:
                status = status_of(nlb.process.pid, nlb.process.pid)
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("0", "0"))
                self.assertNotIn("confine", nlb.stderr())
        done = nlbsim("target", "--confine", "nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"bad value 'nonsense' for confine", done.stderr)

    @as_root
    def test_root_logs_into_a_folder_of_another_user(self):
        """As a container's root does in a mounted folder; Landlock still says which folders there are."""
        os.chmod(self.dir, 0o555)
        self.addCleanup(os.chmod, self.dir, 0o755)
        events = self.path("events.jsonl")
        with Nlb(tcp_ini(self.target, nlb=f"events = {events}\n")) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(b"x")
                self.assertEqual(s.recv(1), b"x")
        self.assertTrue(os.path.getsize(events) > 0)

    @as_root
    def test_the_capability_for_client_addresses(self):
        text = tcp_ini(self.target)
        with Nlb(tcp_ini(self.target, group="preserve_client_ip.enabled = true\n")) as nlb:
            self.assertEqual({int(s["CapEff"], 16) for s in threads_of(nlb.process.pid)}, {LOW_PORTS | ROOTS_FILES | 1 << 13})
        with Nlb(text) as nlb:
            said = nlb.reload(tcp_ini(self.target, group="preserve_client_ip.enabled = true\n"), ok=False)
            self.assertRegex(said, "preserve_client_ip.* a reload cannot turn it on, since `confine` is on: restart")

    @unittest.skipIf(SANITIZED, "a debugger is slow on a sanitizer's build")
    @unittest.skipUnless(shutil.which("gdb"), "no gdb here")
    @as_root
    def test_a_forbidden_call_ends_it_with_a_sentence(self):
        """The debugger makes the running program do what an attacker would."""
        with Target(echo()) as target, Nlb(tcp_ini(target), status=4) as nlb:
            run("gdb", "-p", str(nlb.process.pid), "-batch", "-nx", "-iex", "set auto-load off", "-ex", "handle SIGSYS nostop noprint pass", "-ex",
                "call (long)syscall(59, 0, 0, 0, 0, 0, 0)", timeout=120)
            nlb.process.wait(60)
            self.assertRegex(nlb.stderr(), r"err confine a system call .* ended it: execve \(59\); .*`confine = files_only`")


class Files(Folder):
    def test_a_certificate_is_replaced_by_a_rename(self):
        place(self.one, self.path("certs"))
        text = self.ini(self.path("certs", "api.pem"))
        with Nlb(text) as nlb:
            self.assertEqual(served(nlb), self.one.der())
            place(self.two, self.path("certs"), "new")
            for end in ("key", "pem"):
                os.rename(self.path("certs", f"new.{end}"), self.path("certs", f"api.{end}"))
            nlb.reload(text)
            self.assertEqual(served(nlb), self.two.der())

    def test_another_certificate_of_an_allowed_directory(self):
        place(self.one, self.path("certs"))
        place(self.two, self.path("certs"), "other")
        place(self.two, self.path("certs", "deeper"), "other")
        with Nlb(self.ini(self.path("certs", "api.pem"))) as nlb:
            for name in ("other.pem", "deeper/other.pem"):
                nlb.reload(self.ini(self.path("certs", name)))
                self.assertEqual(served(nlb), self.two.der())

    def test_another_directory_needs_a_restart(self):
        place(self.one, self.path("certs"))
        place(self.two, self.path("others"))
        os.symlink("../others/api.pem", self.path("certs", "away.pem"))
        with Nlb(self.ini(self.path("certs", "api.pem"))) as nlb:
            for name in ("others/api.pem", "certs/away.pem"):
                said = nlb.reload(self.ini(self.path(name)), ok=False)
                self.assertRegex(said, rf"certificate = {self.path(name)}: .*Permission denied: it needs a restart since `confine` is on: "
                                       "this process reads files only in the directories")
            self.assertEqual(served(nlb), self.one.der())
        with Nlb(self.ini(self.path("certs", "away.pem") + " " + self.path("others", "api.key"))) as nlb:
            self.assertEqual(served(nlb), self.two.der())

    def test_a_volume_of_kubernetes(self):
        """Files are links into ..data, which is a link that is swapped in one step."""
        volume = self.path("volume")
        place(self.one, os.path.join(volume, "..2026_1"))
        os.symlink("..2026_1", os.path.join(volume, "..data"))
        for end in ("pem", "key"):
            os.symlink(f"..data/api.{end}", os.path.join(volume, f"api.{end}"))
        for name in ("api.pem", "..data/api.pem"):
            with Nlb(self.ini(os.path.join(volume, name))) as nlb:
                before = served(nlb)
                new = os.path.join(volume, "..2026_2" if before == self.one.der() else "..2026_3")
                place(self.two if before == self.one.der() else self.one, new)
                os.symlink(os.path.basename(new), os.path.join(volume, "..data_tmp"))
                os.rename(os.path.join(volume, "..data_tmp"), os.path.join(volume, "..data"))
                nlb.reload(self.ini(os.path.join(volume, name)))
                self.assertNotEqual(served(nlb), before)

    def test_a_deployment_behind_a_link(self):
        place(self.one, self.path("releases", "41"))
        place(self.two, self.path("releases", "42"))
        os.symlink("releases/41", self.path("current"))
        text = self.ini(self.path("current", "api.pem"))
        with Nlb(text) as nlb:
            os.symlink("releases/42", self.path("next"))
            os.rename(self.path("next"), self.path("current"))
            nlb.reload(text)
            self.assertEqual(served(nlb), self.two.der())

    def test_logs_are_opened_again_after_rotation(self):
        os.mkdir(self.path("log"))
        events, access = self.path("log", "events.jsonl"), self.path("log", "access.log")
        with Nlb(self.ini(self.one, nlb=f"events = {events}\naccess_log = {access}\n")) as nlb:
            served(nlb)
            until(lambda: pathlib.Path(events).read_text().count("\n") == 1, "no event came")
            until(lambda: pathlib.Path(access).read_text().count("\n") == 1, "no line came")
            for name in (events, access):
                os.rename(name, name + ".1")
            nlb.signal(signal.SIGUSR1)
            until(lambda: os.path.exists(events) and os.path.exists(access), "the logs were not opened again: " + nlb.stderr())
            served(nlb)
            until(lambda: pathlib.Path(events).read_text().count("\n") == 1, "no event came")
            until(lambda: pathlib.Path(access).read_text().count("\n") == 1, "no line came")

    def test_a_directory_of_access_logs_that_is_yet_to_be_made(self):
        with Nlb(self.ini(self.one, nlb=f"access_log = {self.path('logs')}/\n")) as nlb:
            served(nlb)
        self.assertEqual(len(glob.glob(self.path("logs/AWSLogs/**/*.log.gz"), recursive=True)), 1)

    def test_keys_are_in_no_dump_and_wiped(self):
        """The octets of the private key, as the TLS library keeps them, wherever they are in memory."""
        keys = [self.secret(self.one), self.secret(self.two)]
        text = self.ini(self.one)
        with Nlb(text) as nlb:
            self.assertHidden(nlb.process.pid, keys[0])
            nlb.reload(self.ini(self.two))
            self.assertHidden(nlb.process.pid, keys[1])
            served(nlb)
            if not SANITIZED:  # which keep freed memory for a while, wiped or not
                until(lambda: self.found(nlb.process.pid, keys[0]) == [], "the key of the former configuration is still there")

    @staticmethod
    def secret(cert):
        text = run("openssl", "pkey", "-in", cert.key, "-noout", "-text", check=True).stdout.decode()
        octets = bytes.fromhex("".join(re.search(r"priv:([\s0-9a-f:]*)", text)[1].replace(":", "").split()))
        return octets[::-1].rstrip(b"\0")[:24]  # little endian limbs

    @staticmethod
    def found(pid, octets):
        """The flags of each mapping that holds them."""
        found = []
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem, open(f"/proc/{pid}/smaps", encoding="ascii") as smaps:
            for line in smaps:
                if m := re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line):
                    start, end = int(m[1], 16), int(m[2], 16)
                    data = b""
                    if end - start < 1 << 30:
                        with contextlib.suppress(OSError, ValueError):
                            mem.seek(start)
                            data = mem.read(end - start)
                    hit = octets in data
                elif re.match(r"[0-9a-f]+-", line):
                    hit = False
                elif line.startswith("VmFlags:") and hit:
                    found.append(line.split()[1:])
        return found

    def assertHidden(self, pid, octets):
        found = self.found(pid, octets)
        self.assertTrue(found, "the key is not in memory as it was expected to be: this test proves nothing")
        for flags in found:
            self.assertIn("dd", flags)


@as_root
class Users(Folder):
    USER = "nobody"

    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        self.entry = pwd.getpwnam(self.USER)

    def own(self, *names):
        for name in names:
            os.chown(name, self.entry.pw_uid, self.entry.pw_gid)

    def start(self, text, *args):
        """Nlb's folder is root's alone; this one is for everybody. Standard error goes to a pipe."""
        ini = self.path("nlb.ini")
        pathlib.Path(ini).write_text(text)
        p = subprocess.Popen([NLBSIM, "run", *args, ini], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (p.kill() if p.poll() is None else None, p.wait(), p.stdout.close(), p.stderr.close()))
        return p

    def stop(self, p):
        p.terminate()
        out, err = p.communicate(timeout=60)
        self.assertEqual(p.returncode, 0, err)
        return out + err

    def wait_for(self, p, pattern):
        while line := p.stderr.readline():
            if re.search(pattern, line):
                return line
        raise AssertionError(f"{pattern} was not said")

    def test_it_becomes_the_user_and_goes_on_as_it(self):
        place(self.one, self.path("certs"))
        os.chmod(self.path("certs", "api.key"), 0o644)
        os.mkdir(self.path("log"))
        self.own(self.path("log"))
        text = self.ini(self.path("certs", "api.pem"), nlb=f"user = {self.USER}\nevents = {self.path('log/events')}\naccess_log = {self.path('log/a')}/\n")
        p = self.start(text, "--ready-file", self.path("log", "ready"))
        self.assertIn("ready listener=l", p.stdout.readline())
        until(lambda: os.path.exists(self.path("log", "ready")), "no ready file")
        for status in threads_of(p.pid):
            self.assertEqual(set(status["Uid"].split()), {str(self.entry.pw_uid)})
            self.assertEqual(set(status["Gid"].split()), {str(self.entry.pw_gid)})
            self.assertNotIn("0", status["Groups"].split())
        if not SANITIZED:
            self.assertEqual(os.stat(f"/proc/{p.pid}/environ").st_uid, 0, "somebody with the same user may dump it")
        self.assertConfined(p.pid)
        os.rename(self.path("log", "events"), self.path("log", "events.1"))
        p.send_signal(signal.SIGUSR1)
        until(lambda: os.path.exists(self.path("log", "events")), "the events were not opened again")
        p.send_signal(signal.SIGHUP)
        self.wait_for(p, "new flows follow")
        self.assertEqual(os.stat(self.path("log", "ready")).st_uid, self.entry.pw_uid)
        self.stop(p)
        self.assertFalse(os.path.exists(self.path("log", "ready")))

    @unittest.skipIf(int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) < 1024, "no port is low here")
    def test_low_ports_are_still_opened(self):
        def text(*ports):
            listeners = "".join(f"[listener l{port}]\nprotocol = TCP\nlisten = 127.9.8.7:{port}\ntarget_group = g\n" for port in ports)
            return f"[nlb]\nuser = {self.USER}\n{listeners}[target_group g]\nprotocol = TCP\ntarget = {self.target.text}\n"

        p = self.start(text(601))
        self.assertIn("127.9.8.7:601", p.stdout.readline())
        pathlib.Path(self.path("nlb.ini")).write_text(text(601, 602))
        p.send_signal(signal.SIGHUP)
        self.wait_for(p, "new flows follow")
        connect(("127.9.8.7", 602)).close()
        self.stop(p)

    def test_a_key_that_the_user_cannot_read_again_is_told(self):
        place(self.one, self.path("certs"))
        os.chmod(self.path("certs", "api.key"), 0o600)
        p = self.start(self.ini(self.path("certs", "api.pem"), nlb=f"user = {self.USER}\n"))
        self.wait_for(p, r"warn confine file=.*/certs/api\.key a reload could not read it: Permission denied: this process has run as user")
        p.send_signal(signal.SIGHUP)
        self.wait_for(p, r"api\.key: .*Permission denied: this process has run as user \d+, group \d+ since its start")
        self.wait_for(p, "nothing changed")
        self.stop(p)

    def test_a_log_that_the_user_cannot_write(self):
        p = self.start(tcp_ini(self.target, nlb=f"user = {self.USER}\nevents = {self.path('events')}\n"))
        _, err = p.communicate(timeout=60)
        self.assertEqual(p.returncode, 3)
        self.assertRegex(err, rf"events {self.path('events')}: Permission denied: this process has run as user \d+")

    def test_people_that_nobody_can_become(self):
        for keys, status, word in (("user = no-such-user", 2, "no such user"), ("group = no-such-group", 2, "no such group")):
            p = self.start(tcp_ini(self.target, nlb=keys + "\n"))
            _, err = p.communicate(timeout=60)
            self.assertEqual(p.returncode, status, err)
            self.assertIn(word, err)
        ini = self.path("nlb.ini")
        pathlib.Path(ini).write_text(tcp_ini(self.target, nlb="user = root\n"))
        done = subprocess.run([NLBSIM, "run", ini], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                              user=self.entry.pw_uid, group=self.entry.pw_gid, extra_groups=[])
        self.assertEqual(done.returncode, 3)
        self.assertIn("only root can become somebody else", done.stderr)


if __name__ == "__main__":
    unittest.main()
