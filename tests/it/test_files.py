# SPDX-License-Identifier: Apache-2.0
"""Files that are pipes, links, devices or of the wrong shape: read to their end, never written through, told in a sentence."""
import contextlib
import glob
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest

import nlbtest
from nlbtest import CERTS, Nlb, NlbTest, Target, connect_tls, echo, nlbsim, recv_exactly, tls_ini, until

HOST = "api.example.com"


@contextlib.contextmanager
def piped(data):
    """A path like a shell's <(command): /dev/fd/N, written by a thread in pieces."""
    r, w = os.pipe()

    def write():
        with contextlib.suppress(BrokenPipeError):
            for i in range(0, len(data), 3000):
                os.write(w, data[i:i + 3000])
        os.close(w)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield f"/dev/fd/{r}", r
    finally:
        os.close(r)
        thread.join()


def with_fd(fd, *argv):
    done = subprocess.run([nlbtest.NLBSIM, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[fd],
                          timeout=nlbtest.DEADLINE_S, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def text_of(*argv):
    """As nlbsim(), with text instead of octets."""
    done = nlbsim(*argv)
    return subprocess.CompletedProcess(argv, done.returncode, done.stdout.decode(), done.stderr.decode())


class Folder(NlbTest):
    def setUp(self):
        super().setUp()
        self.dir = self.enterContext(tempfile.TemporaryDirectory())

    def path(self, *names):
        return os.path.join(self.dir, *names)


class Pipes(Folder):
    def test_data_of_a_pipe_is_sent_whole(self):
        body = b"0123456789" * 2000

        def handler(sock, _):
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(65536)
            head, rest = head.split(b"\r\n\r\n", 1)
            got.append(rest + recv_exactly(sock, len(body) - len(rest)))
            lengths.append([line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")])
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        got, lengths = [], []
        with Target(handler) as t, piped(body) as (path, fd):
            code, out, err = with_fd(fd, "probe", "--json", "--connect", t.text, "--method", "POST", "--data",
                                     "@" + path, "http://api.example.com/")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(got, [body])
        self.assertEqual(lengths, [[b"Content-Length: 20000"]])

    def test_a_certificate_comes_through_a_pipe(self):
        cert = CERTS.get(HOST)
        pem = (pathlib.Path(cert.crt).read_bytes() + b"\n# " + b"x" * 9000 + b"\n" + pathlib.Path(cert.key).read_bytes())
        with piped(pem) as (path, fd):
            code, out, err = with_fd(fd, "cert", "show", path)
        self.assertEqual(code, 0, err)
        self.assertIn(HOST, out)

    def test_a_certificate_that_never_comes(self):
        """A FIFO without a writer, a directory, a device: a sentence each, none waits."""
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("dir"))
        for name, word in (("fifo", "nobody writes into"), ("dir", "directory"), ("/dev/zero", "device")):
            ini = self.path("nlb.ini")
            pathlib.Path(ini).write_text("[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\ntarget_group = g\n"
                                         f"certificate = {name}\n[target_group g]\nprotocol = TCP\n")
            done = text_of("check", ini)
            self.assertIn(word, done.stderr, name)
            self.assertIn(name, done.stderr)
            self.assertNotEqual(done.returncode, 0)


class Links(Folder):
    def test_a_lab_is_not_written_through_links(self):
        victim = self.path("victim")
        os.mkdir(victim)
        pathlib.Path(victim, "valid.pem").write_text("precious")
        for name in ("server", "client", "ca", "crl"):
            lab = self.path("lab-" + name)
            os.mkdir(lab)
            pathlib.Path(lab, ".nlbsim-lab").touch()
            os.symlink("../victim", os.path.join(lab, name))
            done = text_of("lab", "--no-large-rsa", "--force", lab)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"lab-{name}/{name}: is a symbolic link", done.stderr)
        os.mkdir(self.path("empty"))
        os.symlink("empty", self.path("link"))
        for name in ("link", "link/"):
            self.assertIn("symbolic link", text_of("lab", "--no-large-rsa", self.path("") + name).stderr)
        self.assertEqual(os.listdir(self.path("empty")), [])
        self.assertEqual(os.listdir(victim), ["valid.pem"])
        self.assertEqual(pathlib.Path(victim, "valid.pem").read_text(), "precious")

    def test_access_logs_are_not_written_through_links(self):
        """A folder below access_log that is somebody's link: nothing goes there, and the lines stay."""
        with Target(echo()) as target:
            text = tls_ini(target, cert=CERTS.get(HOST), nlb="access_log = logs/\n")
            with Nlb(text) as nlb:
                os.mkdir(nlb.path("victim"))
                os.symlink("../victim", nlb.path("logs/AWSLogs"))
                connect_tls(nlb.address("l")).close()
                nlb.event()
                nlb.stop()
                self.assertEqual(os.listdir(nlb.path("victim")), [])
                spools = glob.glob(nlb.path("logs/.nlbsim*"))
                self.assertEqual(len(spools), 1)
                self.assertIn(b"tls 2.0", pathlib.Path(spools[0]).read_bytes())
                self.assertIn("the lines stay in", nlb.stderr())

    def test_names_of_spools_cannot_be_guessed(self):
        names = set()
        with Target(echo()) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb="access_log = logs/\n")) as nlb:
                for n in range(3):
                    connect_tls(nlb.address("l")).close()
                    nlb.event()
                    until(lambda: any(os.path.getsize(p) for p in glob.glob(nlb.path("logs/.nlbsim*"))), "no line came")
                    names.update(glob.glob(nlb.path("logs/.nlbsim*")))
                    nlb.signal(signal.SIGUSR1)
                    until(lambda: len(glob.glob(nlb.path("logs/AWSLogs/**/*.gz"), recursive=True)) > n, "not rotated")
        self.assertEqual(len(names), 3)
        for name in names:
            self.assertRegex(os.path.basename(name), r"^\.nlbsim\.[0-9a-f]{16}\.tmp$")


class ClientStore(Folder):
    def setUp(self):
        super().setUp()
        self.store = self.path("store")
        self.call("generate")
        self.call("generate")

    def call(self, *argv, code=0):
        done = text_of("cert", "client", *argv, "--dir", self.store)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_objects_of_another_shape_are_told(self):
        path = sorted(glob.glob(self.path("store", "??????.json")))[0]
        name = os.path.basename(path)[:6]
        sound = json.loads(pathlib.Path(path).read_text())
        wrong = ["{}", "[]", "null", "7", '"x"', "", "{", "\x00", json.dumps({**sound, "clientCertificateId": "zzzzzz"})]
        wrong += [json.dumps({**sound, key: value}) for key in sound for value in (None, [], {}, 1.5, True)
                  if (key, value) != ("description", None)]
        wrong += [json.dumps({k: v for k, v in sound.items() if k != key}) for key in sound]
        for text in wrong:
            with self.subTest(text):
                pathlib.Path(path).write_text(text)
                for verb in (["list"], ["get", name], ["generate"]):
                    self.assertIn(os.path.basename(path), self.call(*verb, code=2))

    def test_states_of_another_shape_are_told(self):
        self.call("rotate", "--all")
        path = self.path("store", "state.json")
        sound = json.loads(pathlib.Path(path).read_text())
        for text in ["{}", "[]", "null", "", *(json.dumps({**sound, k: v}) for k in ("current", "next", "previous")
                                               for v in ("", "no id", 1, [], {}))]:
            with self.subTest(text):
                pathlib.Path(path).write_text(text)
                self.assertIn("state.json", self.call("rotate", code=2))


if __name__ == "__main__":
    unittest.main()
