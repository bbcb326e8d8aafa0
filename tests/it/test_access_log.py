# SPDX-License-Identifier: Apache-2.0
"""The access log as a user of AWS's reads it: every way a TLS connection can end, by real clients."""
import glob
import gzip
import os
import re
import signal
import ssl
import time
import unittest

from nlbtest import (CERTS, DEADLINE_S, TLS12, TLS13, Nlb, NlbTest, StartError, Target, client_ctx, connect,
                     connect_tls, echo, ending, hello_bytes, recv_exactly, run, s_client, server_ctx, tls, tls_ini)

HOST = "api.example.com"
# The columns of the table that Athena's documentation proposes: host:port fields are split in two.
ATHENA = re.compile(r"([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*):([0-9]*) ([-.0-9]*) ([-.0-9]*) "
                    r"([-0-9]*) ([-0-9]*) ([-0-9]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) "
                    r"([^ ]*) ([^ ]*)$")
NAMES = ("type version time elb listener client_port destination_port connection_time tls_handshake_time received_bytes "
         "sent_bytes incoming_tls_alert chosen_cert_arn chosen_cert_serial tls_cipher tls_protocol_version "
         "tls_keyexchange domain_name alpn_fe_protocol alpn_be_protocol alpn_client_preference_list "
         "tls_connection_creation_time").split()


class Line:
    def __init__(self, text):
        self.text, words = text, text.split(" ")
        assert len(words) == 22, text
        for name, word in zip(NAMES, words):
            setattr(self, name, word)


def wait_for(what, seconds=None):
    """The value once `what()` gives one; files have nothing to wait on."""
    end = time.monotonic() + (seconds or DEADLINE_S)
    while not (value := what()):
        if time.monotonic() > end:
            raise AssertionError("it did not come in time")
        time.sleep(0.01)
    return value


def lines(nlb, n, name="access.log"):
    def enough():
        with open(nlb.path(name), encoding="ascii") as f:
            text = f.read()
        got = text.split("\n")
        return got[:-1] if len(got) > n else None
    return [Line(text) for text in wait_for(enough)]


def logged(target, cert=None, listener="", protocol="TCP", policy="ELBSecurityPolicy-TLS13-1-2-2021-06", nlb=""):
    return tls_ini(target, cert=cert or CERTS.get(HOST), protocol=protocol, policy=policy, listener=listener,
                   nlb="access_log = access.log\nregion = eu-west-1\naccount_id = 210987654321\n"
                       "load_balancer_id = c6e77e28c25b2234\n" + nlb)


class AccessLog(NlbTest):
    def test_rank14_twenty_two_fields(self):
        with Target(echo()) as target, Nlb(logged(target)) as nlb:
            before = time.gmtime()
            with connect_tls(nlb.address("l"), client_ctx(CERTS.root(), high=TLS12), HOST) as s:
                client = s.getsockname()
                s.sendall(b"twelve bytes")
                recv_exactly(s, 12)
                cipher = s.cipher()[0]
                s.unwrap()
            line = lines(nlb, 1)[0]
            event = nlb.event()
        self.assertEqual(line.type, "tls")
        self.assertEqual(line.version, "2.0")
        for text in (line.time, line.tls_connection_creation_time):
            self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
            self.assertGreaterEqual(text, time.strftime("%Y-%m-%dT%H:%M:%S", before))
        self.assertEqual(line.elb, "net/t/c6e77e28c25b2234")
        self.assertRegex(line.listener, r"^[0-9a-f]{16}$")
        self.assertEqual(line.client_port, "%s:%d" % client)
        self.assertEqual(line.destination_port, "%s:%d" % nlb.address("l"))
        self.assertLessEqual(int(line.tls_handshake_time), int(line.connection_time))
        self.assertEqual((line.received_bytes, line.sent_bytes), ("12", "12"))
        self.assertEqual(line.incoming_tls_alert, "-")
        self.assertEqual(line.chosen_cert_arn,
                         "arn:aws:acm:eu-west-1:210987654321:certificate/" + event["front"]["served"]["id"])
        self.assertEqual(line.chosen_cert_serial, "-")
        self.assertEqual(line.tls_cipher, cipher, "OpenSSL's name")
        self.assertEqual(line.tls_protocol_version, "tlsv12")
        self.assertEqual(line.tls_keyexchange, event["front"]["group"])
        self.assertEqual(line.domain_name, HOST)
        columns = ATHENA.match(line.text)
        self.assertIsNotNone(columns)
        self.assertEqual(columns.group(7), str(client[1]))

    def test_rank14_tls13(self):
        with Target(echo()) as target, Nlb(logged(target)) as nlb:
            with connect_tls(nlb.address("l"), client_ctx(CERTS.root(), low=TLS13), HOST) as s:
                cipher = s.cipher()[0]
                s.unwrap()
            line = lines(nlb, 1)[0]
        self.assertEqual((line.tls_protocol_version, line.tls_cipher), ("tlsv13", cipher))

    def test_rank15_client_rejects_the_certificate(self):
        """Alert numbers of a real client; what the hello said stays, what was not negotiated is -."""
        other = CERTS.get("other.example.net", issuer="self")
        expired = CERTS.get("expired.example.com", end="20210101000000Z")
        for version in ("-tls1_2", "-tls1_3"):
            for cert, alert, ca in ((other, "48", CERTS.root()), (expired, "45", CERTS.root())):
                with self.subTest(version=version, alert=alert), Target(echo()) as target, \
                        Nlb(logged(target, cert=cert)) as nlb:
                    s_client(nlb.address("l"), version, "-servername", HOST, "-CAfile", ca.crt, "-verify_return_error")
                    line, event = lines(nlb, 1)[0], nlb.event()
                    self.assertEqual(line.incoming_tls_alert, alert, line.text)
                    self.assertEqual(line.tls_handshake_time, "-")
                    self.assertEqual((line.tls_cipher, line.tls_protocol_version, line.tls_keyexchange),
                                     ("-", "-", "-"))
                    self.assertIn(event["front"]["served"]["id"], line.chosen_cert_arn)
                    self.assertEqual(line.domain_name, HOST)
                    self.assertEqual(event["end"]["metric"], "ClientTLSNegotiationErrorCount")

    def test_rank15_no_common_version(self):
        """The hello parsed, so certificate and name are there although nothing was served."""
        with Target(echo()) as target, \
                Nlb(logged(target, policy="ELBSecurityPolicy-TLS13-1-3-2021-06")) as nlb:
            with self.assertRaises(OSError):
                connect_tls(nlb.address("l"), client_ctx(high=TLS12), HOST)
            line = lines(nlb, 1)[0]
        self.assertIn(":certificate/", line.chosen_cert_arn)
        self.assertEqual(line.domain_name, HOST)
        self.assertEqual((line.tls_handshake_time, line.tls_cipher, line.tls_protocol_version, line.incoming_tls_alert),
                         ("-", "-", "-", "-"))

    def test_rank15_without_a_hello(self):
        """Silence, plain HTTP, and half a hello: no certificate, no name."""
        firsts = (b"", b"GET / HTTP/1.0\r\n\r\n", hello_bytes(sni=HOST)[:40])
        for first in firsts:
            with self.subTest(first=first[:10]), Target(echo()) as target, Nlb(logged(target)) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(first)
                    s.shutdown(1)
                    ending(s)
                line = lines(nlb, 1)[0]
                self.assertEqual((line.chosen_cert_arn, line.domain_name, line.tls_cipher, line.received_bytes),
                                 ("-", "-", "-", "0"))

    def test_target_failures_do_not_show(self):
        """A target's TLS failure looks like a connection that carried nothing: the log has no target field."""
        demanding = tls(server_ctx(CERTS.get(HOST), high=TLS12, client_ca=CERTS.root()))
        with Target(demanding) as target, Nlb(logged(target, protocol="TLS")) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s:
                self.assertEqual(ending(s), "rst")
            line, event = lines(nlb, 1)[0], nlb.event()
        self.assertEqual(event["end"]["metric"], "TargetTLSNegotiationErrorCount")
        self.assertEqual(line.incoming_tls_alert, "-")
        self.assertRegex(line.tls_protocol_version, "tlsv1[23]")
        self.assertEqual((line.received_bytes, line.sent_bytes), ("0", "0"))

    def test_rank17_alpn_fields(self):
        """None: three dashes whatever the client sends. A policy: the list, and what was chosen on both hops."""
        ctx = client_ctx(alpn=["h2", "http/1.1", "x y"])
        alpn_target = tls(server_ctx(CERTS.get(HOST), alpn=["http/1.1"]))
        for policy, protocol, fields in (
                ("None", "TCP", ("-", "-", "-")),
                ("HTTP2Preferred", "TCP", ("h2", "-", '"h2","http/1.1","x%20y"')),
                ("HTTP1Only", "TLS", ("http/1.1", "http/1.1", '"h2","http/1.1","x%20y"'))):
            with self.subTest(policy=policy), Target(echo() if protocol == "TCP" else alpn_target) as target, \
                    Nlb(logged(target, protocol=protocol, listener=f"alpn_policy = {policy}\n")) as nlb:
                with connect_tls(nlb.address("l"), ctx, HOST) as s:
                    s.sendall(b"x")
                    recv_exactly(s, 1)
                line = lines(nlb, 1)[0]
                self.assertEqual((line.alpn_fe_protocol, line.alpn_be_protocol, line.alpn_client_preference_list),
                                 fields)

    def test_rank08_tcp_listeners_write_no_line(self):
        text = logged("lab:a") + "[listener p]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n" \
                                 "[lab_target a]\nprotocol = HTTP\n"
        with Nlb(text) as nlb:
            for name in ("p", "p", "l"):
                with (connect if name == "p" else connect_tls)(nlb.address(name)) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    s.recv(100)
            nlb.events(3)
            self.assertEqual(len(lines(nlb, 1)), 1)

    def test_ids_are_the_same_at_every_start(self):
        seen = set()
        for _ in range(2):
            with Target(echo()) as target, Nlb(logged(target)) as nlb:
                connect_tls(nlb.address("l")).close()
                line = lines(nlb, 1)[0]
                seen.add((line.listener, line.chosen_cert_arn, line.elb))
        self.assertEqual(len(seen), 1)


class Destination(NlbTest):
    def test_sigusr1_reopens(self):
        with Target(echo()) as target, Nlb(logged(target)) as nlb:
            connect_tls(nlb.address("l")).close()
            lines(nlb, 1)
            os.rename(nlb.path("access.log"), nlb.path("old.log"))
            nlb.signal(signal.SIGUSR1)
            wait_for(lambda: os.path.exists(nlb.path("access.log")))
            connect_tls(nlb.address("l")).close()
            self.assertEqual(len(lines(nlb, 1)), 1)
            self.assertEqual(len(lines(nlb, 1, "old.log")), 1)

    def test_standard_output(self):
        """Lines on standard output, the ready lines on standard error, and nothing else between."""
        with Target(echo()) as target:
            text = logged(target).replace("access_log = access.log", "access_log = -")
            with Nlb("events = events.jsonl".join(text.split("access_log", 1)).replace("jsonl", "jsonl\naccess_log", 1)) as nlb:
                connect_tls(nlb.address("l"), None, HOST).close()
                out = nlb.out.wait(1)
                self.assertEqual(Line(out[0].decode()).domain_name, HOST)
                self.assertIn("ready listener=l", nlb.stderr())
                nlb.process.terminate()
                nlb.process.wait(DEADLINE_S)
                self.assertEqual(len(nlb.out.all()), 1)

    def test_two_streams_on_standard_output_are_refused(self):
        with Target(echo()) as target, self.assertRaises(StartError) as refused:
            with Nlb(logged(target).replace("access_log = access.log", "access_log = -")):
                pass
        self.assertEqual(refused.exception.status, 2)
        self.assertIn("events and access_log both write to '-'", refused.exception.stderr)

    def test_unwritable_file(self):
        with Target(echo()) as target, self.assertRaises(StartError) as refused:
            with Nlb(logged(target).replace("access.log", "no/such/folder/a.log")):
                pass
        self.assertEqual(refused.exception.status, 3)

    def test_directory_gets_files_as_aws_names_them(self):
        """gzip files appear whole, by time (time_scale), by SIGUSR1 and at the end; every line once."""
        with Target(echo()) as target:
            text = logged(target, nlb="time_scale = 1000\n").replace("access.log", "logs/")
            with Nlb(text) as nlb:
                pattern = nlb.path("logs/AWSLogs/210987654321/elasticloadbalancing/eu-west-1/*/*/*/*.gz")
                connect_tls(nlb.address("l"), None, "one." + HOST).close()
                wait_for(lambda: glob.glob(pattern))  # 0.3 s are five simulated minutes
                connect_tls(nlb.address("l"), None, "two." + HOST).close()
                wait_for(lambda: len(glob.glob(pattern)) >= 2)
                nlb.stop()
                names = []
                for path in glob.glob(pattern):
                    day = time.strptime("/".join(path.split("/")[-4:-1]), "%Y/%m/%d")
                    name = os.path.basename(path)
                    self.assertRegex(name, r"^210987654321_elasticloadbalancing_eu-west-1_net\.t\.c6e77e28c25b2234_"
                                     + time.strftime("%Y%m%d", day) + r"T\d{4}Z_[0-9a-f]{8}\.log\.gz$")
                    with gzip.open(path, "rt", encoding="ascii") as f:
                        names += [Line(text.rstrip("\n")).domain_name for text in f]
                self.assertEqual(sorted(names), ["one." + HOST, "two." + HOST])
                self.assertEqual(glob.glob(nlb.path("logs/.*")), [], "nothing is left beside them")
                self.assertEqual(glob.glob(pattern.replace("*.gz", ".*")), [])

    def test_directory_is_finished_at_sigusr1_and_at_the_end(self):
        with Target(echo()) as target, Nlb(logged(target).replace("access.log", "logs/")) as nlb:
            pattern = nlb.path("logs/AWSLogs/**/*.gz")
            connect_tls(nlb.address("l")).close()
            nlb.event()
            wait_for(lambda: any(os.path.getsize(p) for p in glob.glob(nlb.path("logs/.nlbsim*"))))
            nlb.signal(signal.SIGUSR1)
            wait_for(lambda: glob.glob(pattern, recursive=True))
            connect_tls(nlb.address("l")).close()
            nlb.event()
            nlb.stop()
            self.assertEqual(len(glob.glob(pattern, recursive=True)), 2)

    def test_awk_reads_it(self):
        """The usual question: which names failed?"""
        with Target(echo()) as target, Nlb(logged(target)) as nlb:
            connect_tls(nlb.address("l"), None, "good." + HOST).close()
            with self.assertRaises(ssl.SSLError):
                connect_tls(nlb.address("l"), client_ctx(CERTS.get("x", issuer="self")), "bad." + HOST)
            lines(nlb, 2)
            done = run("awk", '$12 != "-" { print $18, $12 }', nlb.path("access.log"), check=True)
            self.assertEqual(done.stdout, b"bad.api.example.com 48\n")

    def test_many_lines_are_whole(self):
        """Two workers, many connections: every line has 22 fields, none is lost."""
        with Target(echo()) as target, Nlb(logged(target)) as nlb:
            for i in range(60):
                connect_tls(nlb.address("l"), None, f"n{i}.example.com").close()
            got = lines(nlb, 60)
            self.assertEqual({line.domain_name for line in got}, {f"n{i}.example.com" for i in range(60)})


if __name__ == "__main__":
    unittest.main()
