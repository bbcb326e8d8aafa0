# SPDX-License-Identifier: Apache-2.0
"""`nlbsim explain` on events of real failures: the sentence names who refused whom, and what to do."""
import json
import os
import socket
import subprocess
import unittest

from nlbtest import (CERTS, DEADLINE_S, NLBSIM, TLS12, TLS13, LineReader, Nlb, NlbTest, Target, client_ctx, connect,
                     connect_tls, echo, ending, nlbsim, rst_after, s_client, server_ctx, tcp_ini, tls, tls_ini)

HOST = "api.example.com"


def explained(text, *args):
    done = nlbsim("explain", *args, "-", data=text if isinstance(text, bytes) else text.encode())
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def stories(events):
    return json.loads(explained("".join(json.dumps(e) + "\n" for e in events), "--json"))


class Stories(NlbTest):
    def only(self, events):
        doc = stories(events)
        self.assertEqual(len(doc["stories"]), 1, doc)
        return doc["stories"][0]

    def test_client_does_not_trust_the_listener(self):
        cert = CERTS.get(HOST, issuer="self")
        with Target(echo()) as target, Nlb(tls_ini(target, cert=cert)) as nlb:
            for _ in range(3):
                s_client(nlb.address("l"), "-servername", HOST, "-CAfile", CERTS.root().crt, "-verify_return_error")
            story = self.only(nlb.events(3))
        self.assertEqual((story["code"], story["who"], story["count"]), ("client_tls_refused", "client", 3))
        self.assertIn("alert 48 unknown_ca", story["what"])
        self.assertIn(f"It had asked for {HOST}", story["what"])
        self.assertIn("authority that the client trusts", story["todo"])
        self.assertEqual(story["metric"], "ClientTLSNegotiationErrorCount")
        self.assertIn("field 12", story["access_log"])

    def test_policy_and_client_have_no_version(self):
        with Target(echo()) as target, \
                Nlb(tls_ini(target, cert=CERTS.get(HOST), policy="ELBSecurityPolicy-TLS13-1-3-2021-06")) as nlb:
            with self.assertRaises(OSError):
                connect_tls(nlb.address("l"), client_ctx(high=TLS12), HOST)
            story = self.only(nlb.events(1))
        self.assertEqual(story["who"], "listener")
        self.assertIn("offers TLSv1.2, the policy ELBSecurityPolicy-TLS13-1-3-2021-06 wants TLSv1.3", story["what"])

    def test_rank13_the_access_log_would_not_show_it(self):
        demanding = tls(server_ctx(CERTS.get(HOST), client_ca=CERTS.root(), low=TLS13))
        with Target(demanding) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS")) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                self.assertEqual(ending(s), "rst")
            story = self.only(nlb.events(1))
        self.assertEqual((story["code"], story["who"]), ("target_tls_refused", "target"))
        self.assertIn("alert 116 certificate_required", story["what"])
        self.assertIn("TCP listener", story["todo"])
        self.assertTrue(story["access_log"].startswith("NOT shown"))
        self.assertEqual(story["metric"], "TargetTLSNegotiationErrorCount")

    def test_target_speaks_http(self):
        with Target(lambda s, _: s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as target, \
                Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS")) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                ending(s)
            self.assertIn("must be TCP", self.only(nlb.events(1))["todo"])

    def test_plain_http_to_a_tls_listener(self):
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST))) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(b"GET / HTTP/1.1\r\n\r\n")
                ending(s)
            story = self.only(nlb.events(1))
        self.assertIn("plain HTTP", story["what"])
        self.assertIn("https://", story["todo"])

    def test_text_for_people(self):
        with socket.socket() as closed, Target(echo()) as target:
            closed.bind(("127.0.0.1", 0))
            with Nlb(tcp_ini("127.0.0.1:%d" % closed.getsockname()[1])) as nlb:
                with self.subTest("refused"):
                    try:
                        connect(nlb.address("l")).close()
                    except ConnectionResetError:
                        pass
                text = explained(json.dumps(nlb.event()))
        self.assertTrue(text.startswith("1 flow, 1 failed in 1 way.\n"), text)
        for part in ("1x target_refused, listener l, 20", "What happened: Target 127.0.0.1:", "What to do:    Start the",
                     "Metric on AWS: TCP_Target_Reset_Count +1", "Access log:    no line", "Clients:       127.0.0.1\n"):
            self.assertIn(part, text)

    def test_nothing_failed(self):
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            connect(nlb.address("l")).close()
            self.assertEqual(explained(json.dumps(nlb.event())), "1 flow, 0 failed.\n")


class Reading(NlbTest):
    def test_from_a_running_load_balancer(self):
        with Target(rst_after(1)) as target, Nlb(tcp_ini(target, nlb="metrics = 127.0.0.1:0\n")) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(b"x")
                ending(s)
            nlb.event()
            # the second is a name to `metrics_host`: it stands for every name that resolves to the place
            for where in ("127.0.0.1:%d" % nlb.ready["metrics"]["port"], "127.1:%d" % nlb.ready["metrics"]["port"]):
                done = nlbsim("explain", "--from", where)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"1x target_reset, listener l", done.stdout)
        done = nlbsim("explain", "--from", where)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"Connection refused", done.stderr)

    def follow(self, *args):
        process = subprocess.Popen([NLBSIM, "explain", "--follow", "--json", *args], stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        lines = LineReader(os.dup(process.stdout.fileno()))
        process.stdout.close()
        return lines

    def test_follow(self):
        """A file and a running load balancer, as flows come; the second time the count rises."""
        ini = tcp_ini(nlb="metrics = 127.0.0.1:0\nevents = events.jsonl\n")
        with Nlb(ini) as nlb:
            readers = None
            for n in (1, 2, 3):
                try:
                    with connect(nlb.address("l")) as s:
                        ending(s)
                except ConnectionResetError:
                    pass
                readers = readers or [self.follow(nlb.path("events.jsonl")),
                                      self.follow("--from", "127.0.0.1:%d" % nlb.ready["metrics"]["port"])]
                for lines in readers:
                    story = json.loads(lines.wait(n)[n - 1])
                    self.assertEqual((story["code"], story["count"]), ("no_target", n))
            nlb.process.terminate()  # the ready lines stand on standard output
            self.assertEqual(nlb.process.wait(DEADLINE_S), 0)

    def test_usage_and_bad_input(self):
        for args, data, status, text in (
                ((), b"", 2, b"one file, or --from HOST:PORT, is wanted"),
                (("a", "b"), b"", 2, b"unexpected operand 'b'"),
                (("--from", "nowhere"), b"", 2, b"HOST:PORT"),
                (("/does/not/exist",), b"", 3, b"No such file"),
                (("-",), b"rubbish\nmore\n", 2, b"line 1 is no event"),
                (("-",), b"x" * 3000000 + b'\n{"end":{"code":"completed"}}\n', 0, b"line 1 is no event"),
                (("-",), b"", 0, b"")):
            with self.subTest(args=args):
                done = nlbsim("explain", *args, data=data)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn(text, done.stderr)
        self.assertEqual(nlbsim("explain", "--help").returncode, 0)


if __name__ == "__main__":
    unittest.main()
