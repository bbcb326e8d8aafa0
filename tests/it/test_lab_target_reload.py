# SPDX-License-Identifier: Apache-2.0
"""A reload changes lab targets: new settings for new connections, ports stay, all of it or nothing."""
import json
import socket
import unittest

from nlbtest import Nlb, NlbTest, connect, connect_tls, free_port, http_get, peer_cert

HTTP = "protocol = HTTP\n"
HTTPS = "protocol = HTTPS\ncertificate = lab:valid/{}\n"
FRONT = "[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\nprotocol = TCP\ntarget = lab:a\n"


def at(nlb, name):
    item = next(t for t in nlb.ready["lab_targets"] if t["name"] == name)
    return item["address"], item["port"]


def target(name, settings, listen=None):
    return f"[lab_target {name}]\n{settings}" + (f"listen = 127.0.0.1:{listen}\n" if listen else "")


def ask(s):
    status, _, body = http_get(s, "/", "app.example.com")
    return status, json.loads(body)


def call(address):
    with connect(address) as s:
        return ask(s)


def names(address):
    with connect_tls(address, sni="app.example.com") as s:
        return peer_cert(s)


class LabTargetReload(NlbTest):
    def assertRefused(self, address):
        with self.assertRaises(ConnectionRefusedError):
            connect(address).close()

    def test_nothing_new_keeps_ports_and_connections(self):
        text = target("a", HTTP) + FRONT
        with Nlb(text) as nlb:
            before = nlb.ready["lab_targets"]
            with connect(nlb.address("l")) as kept:
                first = ask(kept)[1]
                nlb.reload(text)
                self.assertEqual(nlb.ready["lab_targets"], before)
                again = ask(kept)[1]
                self.assertEqual((again["connection"], again["request"]), (first["connection"], 2))
                self.assertGreater(call(nlb.address("l"))[1]["connection"], first["connection"], "it goes on counting")

    def test_other_settings_are_for_new_connections(self):
        """Protocol, certificate, versions and faults; a connection keeps what it began with, to its end."""
        with Nlb(target("a", HTTP) + FRONT) as nlb:
            place = at(nlb, "a")
            with connect(place) as plain:
                self.assertEqual(ask(plain)[0], 200)
                nlb.reload(target("a", HTTPS.format("one.example.com")) + FRONT)
                self.assertEqual(at(nlb, "a"), place)
                self.assertIn(b"one.example.com", names(place))
                with connect_tls(nlb.address("l"), sni="one.example.com") as one:
                    self.assertEqual(ask(one)[0], 200)
                    nlb.reload(target("a", HTTPS.format("two.example.com") + "tls_max = 1.2\n") + FRONT)
                    self.assertIn(b"two.example.com", names(place))
                    with connect_tls(place) as two:
                        self.assertEqual(two.version(), "TLSv1.2")
                    nlb.reload(target("a", HTTP + "fault = status:503\n") + FRONT)
                    self.assertEqual(call(nlb.address("l"))[0], 503)
                    self.assertEqual(call(place)[0], 503)
                    self.assertEqual(ask(one)[0], 200)
                    self.assertEqual(one.version(), "TLSv1.3")
                    self.assertEqual(ask(plain)[0], 200)
                    nlb.reload(target("a", HTTP) + FRONT)
                    self.assertEqual(call(place)[0], 200)

    def test_targets_come_and_go(self):
        with Nlb("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\nprotocol = TCP\n"
                 "target = 127.0.0.1:1\n") as nlb:
            self.assertEqual(nlb.ready["lab_targets"], [])
            nlb.reload(target("a", HTTP) + FRONT)
            place = at(nlb, "a")
            self.assertEqual(call(nlb.address("l"))[1]["target"], "a")
            with connect(place) as kept:
                self.assertEqual(ask(kept)[0], 200)
                nlb.reload(target("b", HTTP) + FRONT.replace("lab:a", "lab:b"))
                self.assertEqual([t["name"] for t in nlb.ready["lab_targets"]], ["b"])
                self.assertRefused(place)
                self.assertEqual(call(nlb.address("l"))[1]["target"], "b")
                self.assertEqual(ask(kept)[1]["target"], "a")

    def test_addresses_change_and_change_hands(self):
        one, two, three = free_port(), free_port(), free_port()
        with Nlb(target("a", HTTP, one) + target("b", HTTP, two) + FRONT) as nlb:
            nlb.reload(target("a", HTTP, two) + target("b", HTTP, one) + FRONT)
            self.assertEqual(call(("127.0.0.1", one))[1]["target"], "b")
            self.assertEqual(call(("127.0.0.1", two))[1]["target"], "a")
            self.assertEqual(call(nlb.address("l"))[1]["address"], f"127.0.0.1:{two}")
            nlb.reload(target("a", HTTP, three) + target("b", HTTP, one) + FRONT)
            self.assertEqual(call(nlb.address("l"))[1]["address"], f"127.0.0.1:{three}")
            self.assertRefused(("127.0.0.1", two))

    def test_not_listening_and_back(self):
        with Nlb(target("a", HTTP) + FRONT) as nlb:
            place = at(nlb, "a")
            for _ in range(3):
                nlb.reload(target("a", HTTP + "fault = not-listening\n") + FRONT)
                self.assertEqual(at(nlb, "a"), place)
                self.assertRefused(place)
                nlb.reload(target("a", HTTP) + FRONT)
                self.assertEqual(at(nlb, "a"), place)
                self.assertEqual(call(place)[0], 200)

    def test_all_or_nothing(self):
        """Whatever refuses the file, a target, a listener or a text: nothing of it is in effect, nothing stays open."""
        with socket.create_server(("127.0.0.1", 0)) as taken, Nlb(target("a", HTTP) + FRONT) as nlb:
            place, port = at(nlb, "a"), free_port()
            changed = target("a", HTTP + "fault = status:503\n") + target("new", HTTP, port)
            busy = f"127.0.0.1:{taken.getsockname()[1]}"
            for more, why in ((target("late", HTTP, taken.getsockname()[1]), f"lab target 'late': cannot listen on {busy}"),
                              (f"[listener m]\nprotocol = TCP\nlisten = {busy}\ntarget_group = g\n", "cannot listen on " + busy),
                              ("[lab_target bad]\nprotocol = HTTP\nfault = no-such\n", "no-such")):
                self.assertIn(why, nlb.reload(changed + FRONT + more, ok=False))
                self.assertEqual(call(place)[0], 200)
                self.assertEqual(call(nlb.address("l"))[0], 200)
                self.assertRefused(("127.0.0.1", port))
            nlb.reload(changed + FRONT)
            self.assertEqual(call(place)[0], 503)
            self.assertEqual(call(("127.0.0.1", port))[0], 200)

    def test_the_probes_view_follows(self):
        """What a validating client would say of the target's certificate, before and after the reload."""
        front = FRONT.replace("protocol = TCP\nlisten", "protocol = TLS\ncertificate = lab:valid/api.example.com\nlisten", 1)
        front = front.replace("[target_group g]\nprotocol = TCP", "[target_group g]\nprotocol = TLS")
        verdicts = []
        with Nlb(target("a", HTTPS.format("api.example.com")) + front) as nlb:
            for settings in (None, "protocol = HTTPS\ncertificate = lab:self-signed/api.example.com\n", HTTPS.format("api.example.com")):
                if settings:
                    nlb.reload(target("a", settings) + front)
                with connect_tls(nlb.address("l"), sni="api.example.com") as s:
                    self.assertEqual(ask(s)[0], 200)
                verdicts.append(nlb.event()["back"]["validating_client"]["error"])
        self.assertEqual([verdicts[0], verdicts[2]], [None, None])
        self.assertIn("PKIX", verdicts[1])

    def test_each_reload_is_in_effect_when_it_is_told(self):
        texts = [target("a", HTTP + f"fault = status:{code}\n") + FRONT for code in (503, 404)]
        with Nlb(texts[0]) as nlb:
            for turn in range(20):
                nlb.reload(texts[turn % 2])
                self.assertEqual(call(nlb.address("l"))[0], (503, 404)[turn % 2])


if __name__ == "__main__":
    unittest.main()
