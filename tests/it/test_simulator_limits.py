#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What AWS does and a TLS library cannot is told as the simulator's limit, never as AWS's result: on the target's side, on
the client's, and to API Gateway. What AWS refuses as well stays AWS's result. mbedTLS alone has many such limits; with OpenSSL
beside it, as usual, each of them is acted out."""
import json
import os
import subprocess
import unittest

import nlbtest
from nlbtest import CERTS, TLS12, TLS13, Nlb, NlbTest, client_ctx, connect_tls, nlbsim, recv_all, run, tls_ini

HOST = "api.example.com"
OLD = "ELBSecurityPolicy-2016-08"           # toward targets: TLS 1.2 to 1.0, no RSA-PSS
NEW = "ELBSecurityPolicy-TLS13-1-2-2021-06"  # toward targets: TLS 1.3 to 1.0, with RSA-PSS
ANY = ("-cipher", "ALL:@SECLEVEL=0")
DHE = ("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256")
PSS = ("-tls1_2", "-sigalgs", "rsa_pss_rsae_sha256")
MBEDTLS = "tls_library = mbedtls"


class Server:
    """`openssl s_server` with a certificate and options."""

    def __init__(self, cert, key, *options):
        nlbtest.needs("openssl")
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", cert, "-key", key, *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        line = next(line for line in self.process.stdout if line.startswith(b"ACCEPT "))
        self.text = line.split()[1].decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.stdout.close()
        self.process.wait()


class Base(NlbTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rsa, folder = CERTS.get(HOST, key="rsa2048"), CERTS.folder
        cls.cert = CERTS.get(HOST)
        cls.rsa = rsa.crt, rsa.key
        cls.pss = tuple(os.path.join(folder, "pss." + end) for end in ("crt", "key"))
        cls.big = tuple(os.path.join(folder, "big." + end) for end in ("crt", "key"))
        if not os.path.exists(cls.pss[0]):
            run("openssl", "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-out", cls.pss[1], check=True)
            run("openssl", "req", "-x509", "-new", "-key", cls.pss[1], "-subj", f"/CN={HOST}", "-addext",
                f"subjectAltName=DNS:{HOST}", "-out", cls.pss[0], check=True)
            names = ",".join([f"DNS:{HOST}"] + [f"DNS:name-{i:04}.example.com" for i in range(900)])
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", cls.big[1], "-subj", f"/CN={HOST}",
                "-addext", f"subjectAltName={names}", "-out", cls.big[0], check=True)


class Targets(Base):
    def end(self, policy, pair, *options, nlb=""):
        with Server(*pair, *options) as server, \
                Nlb(tls_ini(server, cert=self.cert, protocol="TLS", policy=policy, nlb=nlb)) as nlb:
            ctx = client_ctx(CERTS.root())
            try:
                with connect_tls(nlb.address("l"), ctx, HOST) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    recv_all(s)
            except OSError:
                pass
            return nlb.event()

    def test_limits(self):
        for name, policy, pair, options, version, lacking in (
                ("TLS 1.1 only", OLD, self.rsa, ("-tls1_1", *ANY), "TLSv1.1", "TLSv1.1"),
                ("TLS 1.0 only", OLD, self.rsa, ("-tls1", *ANY), "TLSv1", "TLSv1"),
                ("TLS 1.1 only", NEW, self.rsa, ("-tls1_1", *ANY), "TLSv1.1", "TLSv1.1"),
                ("RSA-PSS key, TLS 1.2", NEW, self.pss, ("-tls1_2",), "TLSv1.2", "RSA-PSS"),
                ("RSA-PSS key, TLS 1.3", NEW, self.pss, ("-tls1_3",), "TLSv1.3", "RSA-PSS"),
                ("PSS by the server's order", NEW, self.rsa, ("-tls1_2", "-serverpref"), "TLSv1.2", "RSA-PSS signatures in TLS 1.2"),
                ("PSS only", NEW, self.rsa, PSS, "TLSv1.2", "RSA-PSS signatures in TLS 1.2"),
                ("16 KiB", NEW, self.big, ("-tls1_2",), "TLSv1.2", "over 16 KiB"),
                ("16 KiB", NEW, self.big, ("-tls1_3",), "TLSv1.3", "over 16 KiB")):
            with self.subTest(name, policy=policy):
                event = self.end(policy, pair, *options, nlb=MBEDTLS)
                self.assertEqual((event["end"]["code"], event["end"]["metric"]), ("simulator_limit", None), event["end"])
                self.assertIn(lacking, event["back"]["not_simulated"])
                self.assertEqual(event["back"]["tls_library"], "mbedtls")
                event = self.end(policy, pair, *options)
                back = event["back"]
                self.assertEqual((event["end"]["code"], back["version"], back["not_simulated"], back["tls_library"]),
                                 ("completed", version, None, "openssl"), event["end"])
                self.assertEqual(back["certificates_presented"], 1)

    def test_what_aws_refuses_too(self):
        for name, policy, pair, options in (
                ("TLS 1.3 only, rank 3", OLD, self.rsa, ("-tls1_3",)),
                ("no RSA-PSS in that policy", OLD, self.pss, ()),
                ("no RSA-PSS in that policy", OLD, self.rsa, PSS),
                ("no DHE in any policy", NEW, self.rsa, DHE),
                ("no DHE in any policy", OLD, self.rsa, DHE)):
            with self.subTest(name, policy=policy):
                event = self.end(policy, pair, *options)
                self.assertEqual((event["end"]["code"], event["end"]["metric"]),
                                 ("target_tls_refused", "TargetTLSNegotiationErrorCount"), event["end"])
                self.assertIsNone(event["back"]["not_simulated"])

    def test_an_rsa_target_with_tls_12(self):
        """Stock servers take the client's order of signatures: AWS reaches them, and so does this."""
        for policy in (OLD, NEW):
            with self.subTest(policy):
                event = self.end(policy, self.rsa, "-tls1_2")
                self.assertEqual((event["end"]["code"], event["back"]["version"]), ("completed", "TLSv1.2"))

    def test_explained(self):
        event = self.end(OLD, self.rsa, "-tls1_1", *ANY, nlb=MBEDTLS)
        told = nlbsim("explain", "-", data=json.dumps(event).encode()).stdout.decode()
        self.assertIn("AWS would go on here; this simulator cannot, it offers TLSv1.2 only.", " ".join(told.split()))
        self.assertNotIn("Count +1", told)

    def test_flow_numbers_are_small(self):
        self.assertLess(self.end(NEW, self.rsa, "-tls1_2", nlb="")["flow"], 1000)


class Clients(Base):
    def test_a_certificate_message_over_16_kib(self):
        pem = os.path.join(CERTS.folder, "big.pem")
        with open(pem, "wb") as out:
            for path in self.big:
                with open(path, "rb") as f:
                    out.write(f.read())
        for version in (TLS12, TLS13):
            with self.subTest(version), Server(*self.rsa) as server, \
                    Nlb(tls_ini(server, cert=pem, protocol="TLS")) as nlb:
                ctx = client_ctx(low=version, high=version)
                with connect_tls(nlb.address("l"), ctx, HOST) as s:
                    self.assertGreater(len(s.getpeercert(True)), 16384)
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    self.assertIn(b" 200 ", recv_all(s))
                self.assertEqual(nlb.event()["front"]["tls_library"], "openssl")
        with Nlb(tls_ini("127.0.0.1:1", cert=pem, nlb=MBEDTLS)) as nlb:
            for version in (TLS12, TLS13):
                with self.subTest(version):
                    self.assertRaises(OSError, connect_tls, nlb.address("l"), client_ctx(low=version, high=version), HOST)
                    event = nlb.event()
                    self.assertEqual((event["end"]["code"], event["end"]["metric"]), ("simulator_limit", None))
                    self.assertIn("16 KiB", event["front"]["not_simulated"])


class Hybrid(Base):
    def test_the_consoles_default_between_two_load_balancers(self):
        """The first one is the second one's client: both hops of it agree on a group with ML-KEM."""
        policy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
        with Server(*self.rsa) as server, Nlb(tls_ini(server, cert=self.cert, protocol="TLS", policy=policy)) as second:
            at = "{}:{}".format(*second.address("l")[:2])
            with Nlb(tls_ini(at, cert=self.cert, protocol="TLS", policy=policy)) as first:
                with connect_tls(first.address("l"), client_ctx(CERTS.root()), HOST) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    self.assertIn(b" 200 ", recv_all(s))
                self.assertEqual(first.event()["back"]["group"], "X25519MLKEM768")
                front = second.event()["front"]
                self.assertEqual((front["group"], front["not_simulated"]), ("X25519MLKEM768", None))
                self.assertEqual(front["offer"]["key_shares"], ["X25519MLKEM768", "x25519"])


class Gateway(Base):
    def probe(self, server, trust, *args):
        done = nlbsim("probe", "--json", "--connect", server.text, "--listener-protocol", "tcp", "--trust-store", trust,
                      *args, f"https://{HOST}/")
        return json.loads(done.stdout), done.returncode

    def test_targets_behind_a_tcp_listener(self):
        for name, pair, options, lacking in (
                ("RSA-PSS key", self.pss, ("-tls1_2",), "RSA-PSS or"),
                ("PSS only", self.rsa, PSS, "RSA-PSS signatures"),
                ("16 KiB", self.big, ("-tls1_2",), "over 16 KiB")):
            with self.subTest(name), Server(*pair, *options) as server:
                j, status = self.probe(server, pair[0] if pair != self.rsa else CERTS.root().crt)
                self.assertEqual((status, j["ok"], j["status"]), (3, False, None), j)
                self.assertIn("nlbsim cannot act this out", j["error"])
                self.assertIn(lacking, j["error"])

    def test_what_a_jdk_cannot_either(self):
        for name, options, alert in (("no suite in common", ("-tls1_2", "-cipher", "AES128-CCM"), "handshake_failure"),
                                     ("TLS 1.3 only", ("-tls1_3",), "protocol_version")):
            with self.subTest(name), Server(*self.rsa, *options) as server:
                j, status = self.probe(server, CERTS.root().crt)
                self.assertEqual((status, j["status"]), (1, 500))
                self.assertTrue(j["error"].endswith("Received fatal alert: " + alert), j["error"])

    def test_dhe_is_not_lacking(self):
        with Server(*self.rsa, *DHE) as server:
            j, status = self.probe(server, CERTS.root().crt)
            self.assertEqual((status, j["status"], j["tls"]["cipher"]), (0, 200, "DHE-RSA-AES128-GCM-SHA256"), j)

    def test_through_a_tls_listener(self):
        """The load balancer's limit is the probe's and the matrix's: status 3, and no verdict about AWS."""
        with Server(*self.rsa, "-tls1_1", *ANY) as server:
            ini = tls_ini(server, cert=f"lab:valid/{HOST}", protocol="TLS", policy=OLD, nlb=MBEDTLS)
            events = os.path.join(CERTS.folder, "limit.jsonl")
            with Nlb(ini.replace("[nlb]\n", f"[nlb]\nevents = {events}\n")) as nlb:
                host, port = nlb.address("l")[:2]
                done = nlbsim("probe", "--json", "--connect", f"{host}:{port}", "--events", events,
                              "--trust-store", "lab:public", f"https://{HOST}/")
                self.assertEqual(done.returncode, 3, done.stdout)
                self.assertIn("TLSv1.1", json.loads(done.stdout)["error"])
            path = os.path.join(CERTS.folder, "limit.ini")
            with open(path, "w", encoding="utf-8") as out:
                out.write(ini + f"[integration i]\nuri = https://{HOST}/\nlistener = l\n")
            done = nlbsim("matrix", "--json", path)
            self.assertEqual(done.returncode, 3)
            self.assertIn("TLSv1.1", json.loads(done.stdout)["scenarios"][0]["missed"])


if __name__ == "__main__":
    unittest.main()
