# SPDX-License-Identifier: Apache-2.0
"""One table of nasty strings, as names of certificates, in hellos, answers, events and file names, through what every verb prints."""
import html.parser
import json
import os
import pathlib
import ssl
import struct
import tempfile
import unicodedata
import unittest
import urllib.request
import xml.etree.ElementTree as ET

from nlbtest import (CERTS, HELLO_12_EXTENSIONS, Nlb, NlbTest, Target, build_hello, connect, nlbsim, read_records, record, tls_ini)

HOST = "api.example.com"
FORGED = "forged.pem: error: expired"
NASTY = {
    "escape": b"\x1b]0;pwned\x07\x1b[31m\x1b[2J\x9b31m\xc2\x9b31m\x7f\b\r",
    "line": b"x\n" + FORGED.encode() + b"\n::error file=a::b\r\nerr fake x=1\n",
    "command": b"::error::a##[error]b##vso[task.setvariable]c",
    "direction": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\u2029\u0085".encode(),
    "markup": b"<script>alert(1)</script>'\"&{{7*7}}]]>--",
    "nul": b"api.example.com\0.evil.com",
    "octets": b"\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82",
}
HARMFUL = {c for c in map(chr, range(0x2070)) if unicodedata.category(c) == "Cc"} | set(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def certificate(nasty, room=64):
    """(PEM of chain and key, DER): an ordinary certificate whose CN and SAN were replaced octet by octet; nobody checks
    the signature before the names are printed."""
    cert = CERTS.get("A" * room, sans=["b" * room])
    der = ssl.PEM_cert_to_DER_cert(pathlib.Path(cert.crt).read_text())
    text = nasty[:room].ljust(room, b"~")
    for tag in (0x0c, 0x13):  # UTF8String, whatever it was
        der = der.replace(bytes([tag, room]) + b"A" * room, bytes([0x0c, room]) + text)
    der = der.replace(b"b" * room, text)
    return ssl.DER_cert_to_PEM_cert(der) + pathlib.Path(cert.key).read_text(), der


def server_name(raw):
    return 0, struct.pack("!HBH", len(raw) + 3, 0, len(raw)) + raw


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)


class Hostile(NlbTest):
    def setUp(self):
        super().setUp()
        self.dir = self.enterContext(tempfile.TemporaryDirectory())

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        pathlib.Path(path).write_bytes(data if isinstance(data, bytes) else data.encode())
        os.chmod(path, 0o600)
        return path

    def harmless(self, data, what, body=False):
        """`body`: an answer's body is shown in lines of its own."""
        text = data.decode("utf-8", "strict") if isinstance(data, bytes) else data
        for line in text.split("\n"):
            self.assertEqual(set(line.replace("\t", "")) & HARMFUL, set(), f"{what}: {line!r}")
            for begin in ("::error",) if body else ("::error", FORGED, "err fake"):
                self.assertFalse(line.strip().startswith(begin), f"{what}: {line!r}")
            for command in ("##[", "##vso["):
                self.assertNotIn(command, line, f"{what}: {line!r}")
        return text

    def call(self, *argv, cwd=None, status=None):
        done = nlbsim(*argv, cwd=cwd)
        self.assertNotIn(done.returncode, (-6, -11, 134, 139), argv)
        if status is not None:
            self.assertIn(done.returncode, status, (argv, done.stderr))
        self.harmless(done.stderr, f"{argv} stderr")
        text = self.harmless(done.stdout, f"{argv} stdout", body=argv[0] == "probe")
        if not {"--json", "--sarif"} & set(argv):
            return text
        return json.loads(text)

    def each(self):
        for name, nasty in NASTY.items():
            yield name, nasty, *certificate(nasty)

    def test_certificates_of_files(self):
        for name, nasty, pem, der in self.each():
            path = self.write("names.pem", pem)
            root = CERTS.root().crt
            given = nasty[:64].replace(b"\0", "\ufffd".encode()).decode("utf-8", "replace")
            for argv in (("show",), ("audit", "--trust-store", root), ("audit", "--trust-store", "none")):
                for form in ((), ("--json",)) + ((("--sarif",),) if argv[0] == "audit" else ()):
                    doc = self.call("cert", *argv, *form, path, status=(0, 1))
                    if argv[0] == "show" and form:
                        subject = doc["certificates"][0]["subject"]
                        for c in given[:3]:
                            self.assertIn(c, subject)  # JSON gives back what was there
                    elif argv[0] == "audit":
                        self.assertTrue(doc)
            for client in ("apache", "jdk"):
                for form in ((), ("--json",)):
                    self.call("validate", "--chain", path, "--trust-store", root, "--host", HOST, "--client", client, *form)
                    self.call("validate", "--chain", path, "--trust-store", path, "--host", HOST, "--client", client, *form)
            ini = self.write("nlb.ini", "[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\ntarget_group = g\n"
                             "certificate = names.pem\n[target_group g]\nprotocol = TCP\n")
            for form in (("check",), ("check", "-v"), ("check", "--json"), ("cert", "audit"), ("cert", "audit", "--json")):
                self.call(*form, ini)
            self.call("cert", "show", self.write("x.der", der))
            self.call("cert", "show", self.write("cut.der", der[:200]))

    def test_names_of_files(self):
        """A directory that somebody else filled: names forge no finding."""
        expired = pathlib.Path(CERTS.get(HOST, end="20210101000000Z").crt).read_bytes()
        os.mkdir(os.path.join(self.dir, "d"))
        for name, nasty in NASTY.items():
            path = os.path.join(self.dir.encode(), b"d", nasty.replace(b"/", b"_").replace(b"\0", b"") + b".pem")
            pathlib.Path(os.fsdecode(path)).write_bytes(expired)
        for form in ((), ("--json",), ("--sarif",)):
            doc = self.call("cert", "audit", "--trust-store", "none", *form, os.path.join(self.dir, "d"), status=(1,))
            if form == ("--json",):
                self.assertEqual(len({f["file"] for f in doc["findings"]}), len(NASTY))

    def test_client_certificates(self):
        store = os.path.join(self.dir, "store")
        for name, nasty in NASTY.items():
            text = nasty.replace(b"\0", b"").decode("utf-8", "ignore")
            made = json.loads(self.call("cert", "client", "generate", "--description", text, "--dir", store))
            self.assertEqual(made["description"], text)
            self.call("cert", "client", "get", made["clientCertificateId"], "--dir", store)
        self.call("cert", "client", "list", "--dir", store)
        for text in NASTY:
            broken = self.write("store/" + "a" * 6 + ".json", NASTY[text])
            self.call("cert", "client", "list", "--dir", store, status=(2,))
            os.unlink(broken)

    def test_events_of_a_file(self):
        for name, nasty in NASTY.items():
            with self.subTest(name):
                text = nasty.replace(b"\0", b"").decode("utf-8", "ignore") or "x"
                event = {k: text for k in ("time", "started", "listener", "client", "address")}
                event |= {"flow": 1, "protocol": "TLS", "end": {k: text for k in ("party", "where", "text", "metric", "detail")},
                          "front": {"offer": {"sni": text, "versions": [text], "alpn": [text]}, "refused": text,
                                    "served": {k: text for k in ("certificate", "subject", "rule", "decided_by")},
                                    "alert_received": {"level": "fatal", "number": 46, "name": text}},
                          "back": {"target": text, "target_group": text, "certificates": [{"subject": text, "names": text}],
                                   "alert_received": {"level": "fatal", "number": 46, "name": text}}}
                lines = []
                for code in ("client_tls_refused", "client_tls_failed", "target_tls_failed", "target_refused", "client_not_tls", text):
                    event["end"]["code"] = code
                    lines.append(json.dumps(event))
                path = self.write("events.jsonl", "\n".join(lines) + "\n")
                for form in ((), ("--json",)):
                    self.call("explain", *form, path)
                self.call("explain", self.write("raw.jsonl", nasty + b"\n"))

    def test_a_running_load_balancer(self):
        """Names in its certificate, in hellos, in answers: log, events, access log, admin, probe."""
        for name, nasty, pem, _ in self.each():
            value = bytes(c for c in nasty if c >= 0x20 and c != 0x7f)  # what HTTP lets into a header
            body = nasty + b"\n" + nasty
            answer = (b"HTTP/1.1 200 " + value + b"\r\nX-Nasty: " + value + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

            def handler(sock, _, answer=answer):
                head = b""
                while b"\r\n\r\n" not in head:
                    more = sock.recv(65536)
                    if not more:
                        return
                    head += more
                sock.sendall(answer)

            with Target(handler) as target:
                text = tls_ini(target, cert=CERTS.get(HOST), nlb="access_log = access.log\nmetrics = 127.0.0.1:0\n")
                lines = [line if not line.startswith("certificate") else "certificate = names.pem" for line in text.splitlines()]
                with Nlb("\n".join(lines) + "\n", files={"names.pem": pem}) as nlb:
                    address = nlb.ready["listeners"][0]
                    at = f"{address['address']}:{address['port']}"
                    alpn = 16, struct.pack("!HB", 1 + len(nasty), len(nasty)) + nasty
                    with connect(nlb.address("l")) as s:
                        s.sendall(record(22, build_hello(extensions=(*HELLO_12_EXTENSIONS, server_name(nasty), alpn))))
                        read_records(s)
                    nlb.event()
                    for url in (f"https://{HOST}/", f"http://{HOST}/"):
                        for form in ((), ("--json",)):
                            self.call("probe", *form, "--connect", at, "--trust-store", CERTS.root().crt, url)
                    admin = nlb.ready["metrics"]
                    for page in ("/", "/events", "/flows", "/targets", "/metrics", "/metrics?format=cloudwatch"):
                        with urllib.request.urlopen(f"http://{admin['address']}:{admin['port']}{page}", timeout=20) as answered:
                            self.harmless(answered.read(), page)
                    nlb.stop()
                    self.harmless(pathlib.Path(nlb.path("access.log")).read_bytes(), "access log")
                    self.harmless(nlb.stderr(), "log")
                    for line in pathlib.Path(nlb.path("events.jsonl")).read_text().splitlines() \
                            if os.path.exists(nlb.path("events.jsonl")) else ():
                        self.harmless(line, "events")

            with Target(handler) as target:
                for form in ((), ("--json",), ("--http-api",)):
                    self.call("probe", *form, "--connect", target.text, f"http://{HOST}/")

    def test_reports_of_the_matrix(self):
        for name, nasty, pem, _ in self.each():
            self.write("names.pem", pem)
            ini = self.write("matrix.ini", "[listener A01]\nprotocol = TLS\nlisten = 127.0.0.1:0\ncertificate = names.pem\n"
                             "target_group = plain\n[integration A01]\ntitle = hostile\nuri = https://api.example.com/\n"
                             "listener = A01\nexpect = ok\nexpect_status = 200\n[target_group plain]\nprotocol = TCP\n"
                             "target = lab:app\n[lab_target app]\nprotocol = HTTP\n")
            junit, page = os.path.join(self.dir, "r.xml"), os.path.join(self.dir, "r.html")
            for form in ((), ("--json",)):
                self.call("matrix", *form, "--junit", junit, "--html", page, ini, status=(1,))
            failure = ET.fromstring(self.harmless(pathlib.Path(junit).read_bytes(), "JUnit")).find(".//failure")
            self.assertIsNotNone(failure)
            text = self.harmless(pathlib.Path(page).read_bytes(), "HTML")
            self.assertNotIn("script", Page(text).tags)

    def test_configurations(self):
        """What an INI file says is told harmlessly, or refused where it is invisible."""
        for name, nasty in NASTY.items():
            with self.subTest(name):
                for text in (b"[listener %s]\nprotocol = TLS\n" % nasty, b"[nlb]\n%s = 1\n" % nasty, b"[nlb]\nworkers = %s\n" % nasty,
                             b"[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\ncertificate = %s\n" % nasty, nasty):
                    path = self.write("x.ini", text)
                    for argv in (("check",), ("check", "--json"), ("run",), ("matrix",), ("cert", "audit")):
                        self.call(*argv, path, status=(1, 2, 3))


if __name__ == "__main__":
    unittest.main()
