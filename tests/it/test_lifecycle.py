# SPDX-License-Identifier: Apache-2.0
"""Start, readiness, stop, exit statuses, and the errors of a configuration."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from nlbtest import (CERTS, NLBSIM, NlbTest, Nlb, StartError, Target, check_ini, connect, connect_tls, echo, nlbsim,
                     recv_exactly, tcp_ini, tls_ini, write_ini)

HOST = "api.example.com"


class Lifecycle(NlbTest):
    def test_ready_file_and_ready_lines(self):
        with Target(echo()) as target:
            ini = tcp_ini(target) + tls_ini(target, cert=CERTS.get(HOST)).split("[target_group")[0].split("\n\n", 1)[1].replace(
                "[listener l]", "[listener secure]")
            with Nlb(ini) as nlb:
                self.assertEqual(nlb.ready["pid"], nlb.process.pid)
                self.assertEqual({(i["name"], i["protocol"], i["address"]) for i in nlb.ready["listeners"]},
                                 {("l", "TCP", "127.0.0.1"), ("secure", "TLS", "127.0.0.1")})
                # Events go to standard output here, so the ready lines are on standard error.
                for name, protocol in (("l", "TCP"), ("secure", "TLS")):
                    self.assertIn(f"ready listener={name} protocol={protocol} address=127.0.0.1:{nlb.port(name)}", nlb.stderr())
                self.assertAlive(nlb, "l")
                self.assertAlive(nlb, "secure")

    def test_ready_file_goes_with_the_process(self):
        nlb = Nlb(tcp_ini("127.0.0.1:9"))
        with nlb:
            path = nlb.path("ready.json")
            self.assertTrue(os.path.exists(path))
            nlb.stop()
            self.assertFalse(os.path.exists(path))

    def test_ready_lines_on_standard_output_when_it_is_free(self):
        with tempfile.TemporaryDirectory() as folder:
            path = write_ini(folder, tcp_ini("127.0.0.1:9"))
            with subprocess.Popen([NLBSIM, "run", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
                line = p.stdout.readline().decode()
                p.terminate()
                self.assertRegex(line, r"^ready listener=l protocol=TCP address=127\.0\.0\.1:\d+\n$")
                self.assertEqual(p.wait(20), 0)

    def test_events_in_a_file(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="events = events.jsonl\n")) as nlb:
            self.assertAlive(nlb)
            path = nlb.path("events.jsonl")
            nlb.process.terminate()
            self.assertEqual(nlb.process.wait(20), 0)
            with open(path, encoding="utf-8") as f:
                lines = f.read().splitlines()
            self.assertEqual(len(lines), 1)
            self.assertIn('"completed"', lines[0])

    def test_sigterm_drains_and_sigint_too(self):
        """A flow that is open goes on after SIGTERM; a second signal stops at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name), Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(b"a")
                    recv_exactly(s, 1)
                    nlb.signal(number)
                    s.sendall(b"b")
                    self.assertEqual(recv_exactly(s, 1), b"b")
                self.assertEqual(nlb.process.wait(20), 0)

    def test_second_signal_stops_at_once(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(b"a")
                recv_exactly(s, 1)
                nlb.signal(signal.SIGTERM)
                s.sendall(b"b")
                recv_exactly(s, 1)
                nlb.signal(signal.SIGTERM)
                self.assertEqual(nlb.process.wait(20), 0)
                event = nlb.event()
                self.assertEnd(event, "stopped")

    def test_port_in_use_is_an_environment_failure(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaises(StartError) as caught:
                Nlb(tcp_ini("127.0.0.1:9").replace("127.0.0.1:0", f"127.0.0.1:{port}")).__enter__()
        self.assertEqual(caught.exception.status, 3)
        self.assertIn(str(port), caught.exception.stderr)

    def test_two_load_balancers_do_not_share_a_port_silently(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as first:
            port = first.port("l")
            with self.assertRaises(StartError) as caught:
                Nlb(tcp_ini(target).replace("127.0.0.1:0", f"127.0.0.1:{port}")).__enter__()
            self.assertEqual(caught.exception.status, 3)
            self.assertIn(str(port), caught.exception.stderr)
            self.assertAlive(first)

    def test_missing_file(self):
        for verb in ("run", "check"):
            done = nlbsim(verb, "/nonexistent/nlb.ini")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(b"/nonexistent/nlb.ini", done.stderr)

    def test_usage(self):
        self.assertEqual(nlbsim("run").returncode, 2)
        self.assertEqual(nlbsim("rum").returncode, 2)
        self.assertEqual(nlbsim("run", "--no-such-option", "x.ini").returncode, 2)
        for args in (("--help",), ("run", "--help"), ("check", "--help")):
            done = nlbsim(*args)
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"nlbsim", done.stdout)
        version = nlbsim("--version").stdout.decode()
        self.assertRegex(version, r"(?is)nlbsim \d+\.\d+\.\d+.*mbed ?TLS 3\.\d+.*libevent 2\.\d+")

    def test_same_port_again_at_once(self):
        """A stop leaves nothing behind that would keep the next start from the port."""
        with Target(echo()) as target:
            with Nlb(tcp_ini(target)) as nlb:
                port = nlb.port("l")
                self.assertAlive(nlb)
            with Nlb(tcp_ini(target).replace("127.0.0.1:0", f"127.0.0.1:{port}")) as nlb:
                self.assertAlive(nlb)


class ConfigErrors(unittest.TestCase):
    GOOD = tcp_ini("127.0.0.1:9")

    def refused(self, text, *patterns, files=None):
        status, said = check_ini(text, files)
        self.assertEqual(status, 2, said)
        for pattern in patterns:
            self.assertRegex(said, pattern)
        return said

    def line_of(self, text, start):
        return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith(start))

    def test_good_file(self):
        status, said = check_ini(self.GOOD)
        self.assertEqual((status, re.findall(r"nlb\.ini:\d+", said)), (0, []), said)

    def test_unknown_key_and_section_with_suggestion(self):
        text = self.GOOD.replace("target_group = g", "target_gruop = g")
        line = self.line_of(text, "target_gruop")
        self.refused(text, rf"nlb\.ini:{line}: .*target_gruop.*target_group")
        text = self.GOOD + "[taget_group x]\nprotocol = TCP\n"
        line = self.line_of(text, "[taget_group")
        self.refused(text, rf"nlb\.ini:{line}: .*taget_group.*target_group")

    def test_all_errors_in_one_go(self):
        text = ("[nlb]\nworkers = many\nrelay = fast\n[listener l]\nprotocol = TPC\nlisten = nowhere\ntarget_group = absent\n"
                "[target_group g]\nprotocol = TCP\ntarget = 127.0.0.1:99999\n")
        said = self.refused(text)
        self.assertEqual(sorted({int(n) for n in re.findall(r"nlb\.ini:(\d+)", said)} & {2, 3, 5, 6, 7, 10}), [2, 3, 5, 6, 7, 10], said)

    def test_dangling_names(self):
        text = self.GOOD.replace("target_group = g", "target_group = gg")
        self.refused(text, rf"nlb\.ini:{self.line_of(text, 'target_group = gg')}: .*gg")
        text = self.GOOD.replace("target = 127.0.0.1:9", "target = lab:nobody")
        self.refused(text, rf"nlb\.ini:{self.line_of(text, 'target = lab')}: .*nobody")

    def test_unknown_policy_suggests(self):
        text = tls_ini("127.0.0.1:9", cert=CERTS.get(HOST), policy="ELBSecurityPolicy-TLS13-1-2-2021-07")
        self.refused(text, r"nlb\.ini:\d+: .*ELBSecurityPolicy-TLS13-1-2-2021-06")

    def test_certificate_problems(self):
        cert, other = CERTS.get(HOST), CERTS.get("other", key="rsa2048")
        text = tls_ini("127.0.0.1:9", cert="missing.pem")
        self.refused(text, rf"nlb\.ini:{self.line_of(text, 'certificate')}: .*missing\.pem")
        with open(cert.crt, encoding="ascii") as f:
            crt = f.read()
        with open(other.key, encoding="ascii") as f:
            wrong = f.read()
        self.refused(tls_ini("127.0.0.1:9", cert="c.pem"), r"c\.pem.*key", files={"c.pem": crt})
        self.refused(tls_ini("127.0.0.1:9", cert="c.pem"), r"c\.pem.*(key|match)", files={"c.pem": crt + wrong})
        self.refused(tls_ini("127.0.0.1:9", cert="c.pem"), r"c\.pem", files={"c.pem": "no certificate in here\n"})

    def test_key_beside_the_certificate(self):
        cert = CERTS.get(HOST)
        with open(cert.crt, encoding="ascii") as crt, open(cert.key, encoding="ascii") as key:
            files = {"certs/api.pem": crt.read(), "certs/api.key": key.read()}
        with Target(echo()) as target, Nlb(tls_ini(target, cert="certs/api.pem"), files) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                self.assertEqual(s.getpeercert(binary_form=True), cert.der())

    def test_tls_keys_on_a_tcp_listener(self):
        for key in (f"certificate = {CERTS.get(HOST).pem}", "ssl_policy = ELBSecurityPolicy-2016-08", "alpn_policy = HTTP1Only"):
            self.refused(tcp_ini("127.0.0.1:9", listener=key), r"nlb\.ini:\d+: .*" + key.split(" ")[0])

    def test_not_yet_supported_is_refused_never_ignored(self):
        for text, key in ((tcp_ini("127.0.0.1:9", nlb="access_log = access.log\n"), "access_log"),):
            status, said = check_ini(text)
            if status == 0:
                self.skipTest(f"{key} is supported now: its own tests speak for it")
            self.assertEqual(status, 2)
            self.assertRegex(said, rf"nlb\.ini:\d+: .*{key}.*not supported yet")

    def test_long_lines_junk_and_indentation(self):
        self.refused(self.GOOD + "# fine\nnonsense\n", r"nlb\.ini:\d+")
        self.refused(self.GOOD + "[target_group x] junk\nprotocol = TCP\n", r"nlb\.ini:\d+")
        self.refused(self.GOOD.replace("target = 127", "   target = 127"), r"nlb\.ini:\d+")
        long_name = "x" * 5000
        self.refused(self.GOOD.replace("name = t", f"name = {long_name}"), r"nlb\.ini:\d+")

    def test_byte_order_mark_and_crlf(self):
        status, said = check_ini(self.GOOD.replace("\n", "\r\n"))
        self.assertEqual(status, 0, said)


if __name__ == "__main__":
    unittest.main()
