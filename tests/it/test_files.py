# SPDX-License-Identifier: Apache-2.0
"""Files that are pipes, links, devices or of the wrong shape: read to their end, never written through, told in a sentence."""
import contextlib
import glob
import json
import os
import pathlib
import signal
import ssl
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

    def test_an_audit_of_a_pipe_sees_the_key(self):
        cert, other = CERTS.get(HOST), CERTS.get("other", key="p384")
        pem = pathlib.Path(cert.crt).read_bytes() + pathlib.Path(other.key).read_bytes()
        with piped(pem) as (path, fd):
            code, out, err = with_fd(fd, "cert", "audit", "--trust-store", "none", path)
        self.assertEqual(code, 1, err)
        self.assertIn("key-mismatch", out)
        self.assertIn("key-mismatch", nlbsim("cert", "audit", "--trust-store", "none", "-", data=pem).stdout.decode())

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


def make(*argv, cwd):
    subprocess.run(argv, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


class Shapes(Folder):
    """Files that are not what they should be: `check` and `cert audit` refuse them in the same words."""

    def setUp(self):
        super().setUp()
        cert = CERTS.get(HOST)
        self.pem, self.key = pathlib.Path(cert.crt).read_text(), pathlib.Path(cert.key).read_text()
        self.write("good.pem", self.pem + self.key)

    def write(self, name, data):
        path = pathlib.Path(self.path(name))
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(0o600)
        return str(path)

    def check(self, spec):
        ini = self.write("nlb.ini", "[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\ntarget_group = g\n"
                         f"certificate = {spec}\n[target_group g]\nprotocol = TCP\n")
        return text_of("check", ini)

    def audit(self, name):
        return text_of("cert", "audit", "--trust-store", "none", self.path(name))

    def refused(self, name, *words):
        check, audit = self.check(name), self.audit(name)
        self.assertNotEqual((check.returncode, audit.returncode), (0, 0))
        self.assertIn(audit.returncode, (1, 2))
        sentence = check.stderr.strip().split(f"{name}: ", 1)[1].replace(f"{self.dir}/", "").split(f"{name}: ", 1)[-1]
        self.assertIn(sentence, (audit.stdout + audit.stderr).replace(f"{self.dir}/", ""))
        for word in words:
            self.assertIn(word, check.stderr)

    def test_keys(self):
        trailing = "".join(line + "  \n" for line in (self.pem + self.key).splitlines())
        indented = self.pem + "".join("  " + line + "\n" for line in self.key.splitlines())
        make("openssl", "pkcs8", "-topk8", "-in", CERTS.get(HOST).key, "-passout", "pass:x", "-out", "e.key", cwd=self.dir)
        for name, text, *words in (
                ("trailing.pem", trailing, "blanks at the end of its lines", "sed -i"),
                ("indented.pem", indented, "is indented", "sed -i"),
                ("encrypted.pem", self.pem + pathlib.Path(self.path("e.key")).read_text(), "encrypted", "openssl pkey -in"),
                ("proctype.pem", self.pem + self.key.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
                 "encrypted", "openssl pkey -in"),
                ("spoilt.pem", self.pem + self.key.replace("M", "!", 1).replace("A", "!", 2), "private key"),
                ("glued.pem", self.pem.rstrip() + self.pem + self.key, "END and BEGIN stand on one line"),
                ("glued2.pem", self.pem.rstrip() + self.key, "END and BEGIN stand on one line"),
                ("ssh.pem", self.pem + "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
                 "ssh-keygen -p -m PEM")):
            with self.subTest(name):
                self.write(name, text)
                self.refused(name, *words)

    def test_other_formats(self):
        make("openssl", "pkcs12", "-export", "-in", "good.pem", "-out", "b.p12", "-passout", "pass:x", cwd=self.dir)
        make("openssl", "crl2pkcs7", "-nocrl", "-certfile", "good.pem", "-out", "c.p7b", cwd=self.dir)
        make("openssl", "crl2pkcs7", "-nocrl", "-certfile", "good.pem", "-outform", "DER", "-out", "c.p7", cwd=self.dir)
        for name, data, word in (
                ("b.p12", None, "openssl pkcs12 -in"), ("c.p7b", None, "openssl pkcs7 -in"),
                ("c.p7", None, "openssl pkcs7 -inform DER"),
                ("d.jks", b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1", "keytool -importkeystore"),
                ("e.csr", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n", "request"),
                ("f.pem", self.pem.encode("utf-16"), "UTF-16"),
                ("g.json", json.dumps({"Certificate": self.pem}), "is JSON"),
                ("h.html", "<!doctype html>", "HTML"),
                ("i.b64", "".join(self.pem.splitlines()[1:-1]), "without BEGIN and END lines"),
                ("k.key", self.key, "private key and holds no certificate"),
                ("empty.pem", "", "is empty")):
            with self.subTest(name):
                if data is not None:
                    self.write(name, data)
                os.chmod(self.path(name), 0o600)
                self.refused(name, word)
                if name != "g.json":
                    show = text_of("cert", "show", self.path(name))
                    self.assertEqual((show.returncode, show.stdout), (2, ""))
                    self.assertIn(word, show.stderr)

    def test_what_is_no_name_of_a_file(self):
        for spec, word in (("arn:aws:acm:us-east-1:123456789012:certificate/1", "is an ARN"), ("https://x/y.pem", "is a URL"),
                           ('"good.pem"', "quotes"), ("'good.pem'", "quotes"), ("s3://b/k", "S3"),
                           ("file:///x.pem", "the path alone")):
            with self.subTest(spec):
                done = self.check(spec)
                self.assertEqual(done.returncode, 2)
                self.assertIn(word, done.stderr)
        done = text_of("check", self.write("aws.ini", '\n{ "Listeners": [\n {} ] }\n'))
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))
        self.assertIn("this is JSON", done.stderr)

    def test_two_files(self):
        os.mkdir(self.path("live"))
        self.write("live/fullchain.pem", self.pem)
        self.write("live/privkey.pem", self.key)
        self.write("my cert.pem", self.pem)
        self.write("my key.pem", self.key)
        for spec in ("live/fullchain.pem live/privkey.pem", "live/fullchain.pem   my key.pem", "my cert.pem my key.pem",
                     f"{self.dir}/my cert.pem {self.dir}/live/privkey.pem"):
            with self.subTest(spec):
                self.assertEqual(self.check(spec).returncode, 0, self.check(spec).stderr)
        self.write("all in one.pem", self.pem + self.key)
        self.assertEqual(self.check("all in one.pem").returncode, 0)
        self.assertIn("CERT.pem KEY.pem", self.check("live/fullchain.pem").stderr)
        self.assertIn("gone.pem: cannot read", self.check("live/fullchain.pem gone.pem").stderr)

    def test_keys_that_others_can_read(self):
        os.chmod(self.path("good.pem"), 0o644)
        done = self.check("good.pem")
        self.assertEqual(done.returncode, 0)
        self.assertIn("nlb.ini:5: warning: ", done.stderr + done.stdout)
        self.assertIn("mode 644", done.stderr + done.stdout)
        os.chmod(self.path("good.pem"), 0o600)
        done = self.check("good.pem")
        self.assertNotIn("mode", done.stderr + done.stdout)

    def test_an_audit_follows_links_once(self):
        os.makedirs(self.path("tree", "..data"))
        os.makedirs(self.path("tree", "live"))
        os.makedirs(self.path("archive"))
        self.write("archive/one.pem", self.pem + self.key)
        self.write("tree/..data/tls.crt", self.pem + self.key)
        os.symlink("..data/tls.crt", self.path("tree", "tls.crt"))
        os.symlink("../../archive/one.pem", self.path("tree", "live", "fullchain.pem"))
        os.symlink("../../archive/one.pem", self.path("tree", "live", "same.pem"))
        os.symlink("../..", self.path("tree", "live", "loop"))
        os.symlink("loop", self.path("tree", "live", "loop2"))
        os.symlink("gone.pem", self.path("tree", "live", "dangling.pem"))
        os.symlink("self.pem", self.path("tree", "live", "self.pem"))
        os.mkfifo(self.path("tree", "fifo.pem"))
        done = self.audit("tree")
        self.assertIn("3 chains looked at", done.stdout)  # one.pem, tls.crt, and good.pem through the loop

    def test_show_reads_json(self):
        other = pathlib.Path(CERTS.root().crt).read_text()
        for doc in ({"Certificate": self.pem, "CertificateChain": other},
                    {"ServerCertificate": {"ServerCertificateMetadata": {"Path": "/"}, "CertificateBody": self.pem,
                                           "CertificateChain": other}},
                    {"items": [{"pemEncodedCertificate": self.pem}, {"pemEncodedCertificate": other}]}):
            done = text_of("cert", "show", "--json", self.write("a.json", json.dumps(doc)))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(json.loads(done.stdout)["certificates"]), 2)
            self.assertIn(HOST, json.loads(done.stdout)["certificates"][0]["subject"])
        for text, word in (('{"a": []}', "without a certificate"), ("{", "begins like JSON")):
            done = text_of("cert", "show", self.write("b.json", text))
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(word, done.stderr)
        made = text_of("cert", "client", "generate", "--dir", self.path("store"))
        done = text_of("cert", "show", self.write("c.json", made.stdout))
        self.assertIn("ApiGateway", done.stdout)

    def test_nothing_is_of_1970(self):
        for data in (b"\x30\x00", b"\x30\x03\x02\x01\x07", b"\x30\x80", b"\x30\x82\x01"):
            done = text_of("cert", "show", self.write("x.der", data))
            self.assertEqual((done.returncode, done.stdout), (2, ""), data)
            self.assertNotIn("1970", done.stderr)
        whole = ssl.PEM_cert_to_DER_cert(self.pem)
        for n in range(8, len(whole), 7):
            done = text_of("cert", "show", self.write("x.der", whole[:n]))
            self.assertNotIn("1970", done.stdout + done.stderr, n)


if __name__ == "__main__":
    unittest.main()
