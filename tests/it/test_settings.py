# SPDX-License-Identifier: Apache-2.0
"""Settings for what is unknown at AWS: each value does what the table says."""
import ssl
import unittest

from nlbtest import (CERTS, NlbTest, Nlb, Target, connect, connect_tls, echo, ending, sink,
                     tls_ini)

HOST = "api.example.com"


class HalfClose(NlbTest):
    def ask(self, value):
        """The client ends its direction (close_notify); the target answers only then."""
        with Target(sink(lambda seen: b"late answer")) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), listener=f"tls_half_close = {value}\n")) as nlb:
                raw = connect(nlb.address("l"))
                ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
                inc, out = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = ctx.wrap_bio(inc, out, server_hostname=HOST)
                pump = Pump(raw, tls, inc, out)
                pump.until(tls.do_handshake)
                tls.write(b"question")
                try:
                    tls.unwrap()  # sends close_notify and waits for the peer's
                except ssl.SSLError:
                    pass
                pump.flush()
                rest = pump.read_rest()
                event = nlb.event()
                raw.close()
        self.assertEnd(event, "completed")
        self.assertEqual(event["received_bytes"], len(b"question"))
        return rest, event

    def test_relay_goes_on_in_the_other_direction(self):
        rest, event = self.ask("relay")
        self.assertEqual(event["sent_bytes"], len(b"late answer"))
        self.assertGreater(rest, 0)

    def test_close_ends_both(self):
        _, event = self.ask("close")
        self.assertEqual(event["sent_bytes"], 0)


class Pump:
    """A TLS client over memory, because python's SSLSocket.unwrap() reads no data after its close_notify."""

    def __init__(self, raw, tls, inc, out):
        self.raw, self.tls, self.inc, self.out = raw, tls, inc, out

    def flush(self):
        data = self.out.read()
        if data:
            self.raw.sendall(data)

    def until(self, step):
        while True:
            try:
                step()
                self.flush()
                return
            except ssl.SSLWantReadError:
                self.flush()
                self.inc.write(self.raw.recv(65536))

    def read_rest(self):
        """Bytes on the wire until the peer's FIN (tickets and close_notify included)."""
        total = 0
        while True:
            data = self.raw.recv(65536)
            if not data:
                return total
            total += len(data)


class Timeouts(NlbTest):
    def test_handshake_timeout(self):
        with Target(echo()) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb="handshake_timeout_seconds = 1\n")) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(b"\x16\x03\x01")
                    self.assertEqual(ending(s), "rst")
                event = nlb.event()
                self.assertEnd(event, "client_tls_timeout")
                self.assertAlive(nlb)

    def test_target_handshake_timeout(self):
        with Target(sink()) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS", nlb="handshake_timeout_seconds = 1\n")) as nlb:
                with connect_tls(nlb.address("l"), None, HOST) as s:
                    self.assertEqual(ending(s), "rst")
                self.assertEnd(nlb.event(), "target_tls_timeout")


if __name__ == "__main__":
    unittest.main()
