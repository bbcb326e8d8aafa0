# SPDX-License-Identifier: Apache-2.0
"""Clients that refuse the listener's certificate: the event names the client's alert, whichever library
sent it, on TLS 1.2 and 1.3."""
import socket
import ssl
import unittest

from nlbtest import (CERTS, TLS12, TLS13, NlbTest, Nlb, Target, alert_in, client_ctx, connect_tls, curl, echo,
                     end_metric, gnutls_cli, java_client, s_client, server_ctx, tls, tls_ini)

HOST = "api.example.com"


class Alerts(NlbTest):
    def refused(self, nlb, number, name):
        event = nlb.event()
        self.assertEqual(alert_in(event), (number, name))
        self.assertEnd(event, "client_tls_refused")
        self.assertEqual(end_metric(event), "ClientTLSNegotiationErrorCount")
        return event

    def run_versions(self, cert, client, number, name):
        for version in (TLS12, TLS13):
            with self.subTest(version=version.name), Target(echo()) as target:
                with Nlb(tls_ini(target, cert=cert)) as nlb:
                    client(nlb, version)
                    event = self.refused(nlb, number, name)
                    front = event["front"]
                    self.assertEqual(front["offer"]["sni"], HOST)
                    self.assertEqual(front["version"], "TLSv1.2" if version == TLS12 else "TLSv1.3")

    def test_openssl_unknown_ca(self):
        def client(nlb, version):
            done = s_client(nlb.address("l"), "-tls1_2" if version == TLS12 else "-tls1_3", "-servername", HOST,
                            "-verify_return_error", "-CAfile", CERTS.get("another root", ca=True).crt)
            self.assertNotEqual(done.returncode, 0)
        self.run_versions(CERTS.get(HOST), client, 48, "unknown_ca")

    def test_openssl_expired(self):
        def client(nlb, version):
            s_client(nlb.address("l"), "-tls1_2" if version == TLS12 else "-tls1_3", "-servername", HOST,
                     "-verify_return_error", "-CAfile", CERTS.root().crt)
        self.run_versions(CERTS.get(HOST, end="20210101000000Z"), client, 45, "certificate_expired")

    def test_python_wrong_name(self):
        def client(nlb, version):
            with self.assertRaises(ssl.SSLCertVerificationError):
                connect_tls(nlb.address("l"), client_ctx(CERTS.root(), low=version, high=version), HOST)
        self.run_versions(CERTS.get("elsewhere.example.net"), client, 42, "bad_certificate")

    def test_curl_unknown_ca(self):
        def client(nlb, version):
            done = curl(nlb, "l", "--tlsv1.2", "--tls-max", "1.2" if version == TLS12 else "1.3", "--cacert",
                        CERTS.get("another root", ca=True).crt)
            self.assertEqual(done.returncode, 60, done.text)
        self.run_versions(CERTS.get(HOST), client, 48, "unknown_ca")

    def test_gnutls(self):
        """gnutls-cli judges after the handshake on its side and sends bad_certificate."""
        def client(nlb, version):
            priority = "NORMAL:-VERS-ALL:+VERS-TLS1." + ("2" if version == TLS12 else "3")
            done = gnutls_cli(nlb.address("l"), "--sni-hostname", HOST, "--verify-hostname", HOST, "--priority", priority)
            self.assertNotEqual(done.returncode, 0)
        self.run_versions(CERTS.get(HOST), client, 42, "bad_certificate")

    def test_jdk(self):
        def client(nlb, version):
            said = java_client(nlb.address("l"), HOST, protocols="TLSv1.2" if version == TLS12 else "TLSv1.3")
            self.assertIn("PKIX path building failed", said)
        self.run_versions(CERTS.get(HOST), client, 46, "certificate_unknown")

    def test_jdk_that_trusts_goes_through(self):
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST))) as nlb:
            self.assertRegex(java_client(nlb.address("l"), HOST, trust_all=True), r"^ok TLSv1\.3 ")
            self.assertIsNone(end_metric(nlb.event()))

    def test_refusal_that_says_nothing(self):
        """A client that closes straight after the handshake, without a byte, is a silent refusal."""
        for version in (TLS12, TLS13):
            with self.subTest(version=version.name), Target(echo()) as target:
                with Nlb(tls_ini(target, cert=CERTS.get(HOST))) as nlb:
                    s = connect_tls(nlb.address("l"), client_ctx(low=version, high=version), HOST)
                    socket.socket(fileno=s.detach()).close()
                    event = nlb.event()
                    self.assertEnd(event, "client_tls_silent_refusal", "client_reset")


class TargetAlerts(NlbTest):
    def test_alert_of_the_target_is_named(self):
        """A target below the backend policy's floor says protocol_version; the event says who said it."""
        cert = CERTS.get(HOST)
        with Target(tls(server_ctx(cert, low=TLS13))) as target:
            with Nlb(tls_ini(target, cert=cert, protocol="TLS", policy="ELBSecurityPolicy-2016-08")) as nlb:
                connect_tls(nlb.address("l"), None, HOST).close()
                event = nlb.event()
                self.assertEqual(alert_in(event, "back"), (70, "protocol_version"))
                self.assertEnd(event, "target_tls_refused")
                self.assertIsNone(alert_in(event, "front"))


if __name__ == "__main__":
    unittest.main()
