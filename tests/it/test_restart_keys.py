# SPDX-License-Identifier: Apache-2.0
"""Keys of [nlb] that belong to the process: a reload with another value says so and changes nothing of it."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

from nlbtest import (NLBSIM, Deadline, Nlb, NlbTest, Target, connect, echo, half_close, recv_exactly, run, say, tcp_ini,
                     until)

TLS = """[nlb]
name = t
workers = 2
{nlb}
[listener s]
protocol = TLS
listen = 127.0.0.1:0
certificate = lab:valid/api.example.com
target_group = g
[target_group g]
protocol = TLS
target = lab:app
[lab_target app]
protocol = HTTPS
certificate = lab:self-signed/api.example.com
"""


def call(nlb):
    address, port = nlb.address("s")
    run("curl", "-sSk", f"https://{address}:{port}/", check=True)


def about(nlb, listener):
    """What the signpost of a listener says."""
    address, port = nlb.address(listener)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(Deadline().left())
        s.connect(f"\0nlbsim-about-{address}:{port}")
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    return json.loads(data)


def page(nlb, path):
    at = nlb.ready["metrics"]
    with urllib.request.urlopen(f"http://{at['address']}:{at['port']}{path}", timeout=20) as answer:
        return answer.read().decode()


class RestartKeys(NlbTest):
    def assertSaid(self, said, key):
        self.assertRegex(said, rf"reload key={key} stays as it was .*needs a restart")

    def test_every_such_key_is_told_and_no_other(self):
        """By the table of the binary itself: a key that is added there has to be added here."""
        keys = subprocess.run([NLBSIM, "check", "--keys"], stdout=subprocess.PIPE, check=True).stdout.decode()
        nlb_keys = keys[:keys.index("### [listener")]
        told = {line.split("`")[1] for line in nlb_keys.splitlines() if line.startswith("| `") and "restart" in line}
        self.assertEqual(told, {"name", "workers", "events", "events_detail", "access_log", "metrics", "time_scale",
                                "region", "account_id", "load_balancer_id", "output_queue_bytes", "metrics_public",
                                "max_metrics_connections", "max_metrics_bytes", "max_recent_bytes",
                                "stall_exit_seconds", "confine", "user", "group", "tls_library"})

    def test_workers_stop_without_flows(self):
        for before, after in ((2, 4), (4, 1)):
            with Target(say(b"old")) as target, Nlb(tcp_ini(target).replace("workers = 2", f"workers = {before}")) as nlb:
                said = nlb.reload(tcp_ini(target).replace("workers = 2", f"workers = {after}"))
                self.assertSaid(said, "workers")
                self.assertEqual(len([t for t in os.listdir(f"/proc/{nlb.process.pid}/task")]) >= before, True)
                with connect(nlb.address("l")) as s:
                    self.assertEqual(s.recv(16), b"old")
                start = time.monotonic()
                nlb.stop()
                self.assertLess(time.monotonic() - start, 4, "the drain time of 5 s was waited for")

    def test_workers_drain_live_flows(self):
        """Fewer workers in the new file: each flow of each worker of the old one still comes to its end."""
        ini = tcp_ini("TARGET").replace("workers = 2", "workers = 4")
        with Target(echo()) as target, contextlib.ExitStack() as stack:
            ini = ini.replace("TARGET", target.text)
            nlb = stack.enter_context(Nlb(ini, args=("--drain-timeout", "60")))
            flows = [stack.enter_context(connect(nlb.address("l"))) for _ in range(24)]
            for s in flows:
                s.sendall(b"a")
                self.assertEqual(recv_exactly(s, 1), b"a")
            nlb.reload(ini.replace("workers = 4", "workers = 1"))
            nlb.process.terminate()
            until(lambda: "draining" in nlb.stderr(), "it does not drain")
            for s in flows[1:]:
                half_close(s)
                self.assertEqual(s.recv(1), b"")
            flows[0].sendall(b"still here?")
            self.assertEqual(recv_exactly(flows[0], 11), b"still here?")
            half_close(flows[0])
            self.assertEqual(flows[0].recv(1), b"")
            self.assertEqual(nlb.process.wait(20), 0)
            self.assertEqual({e["end"]["code"] for e in nlb.events(24)}, {"completed"})

    def test_events_that_the_new_file_does_not_name(self):
        """Still written, still with an opinion about the target's certificate, still named to a probe."""
        with Nlb(TLS.format(nlb="events = first.jsonl")) as nlb:
            for other in ("", "events = second.jsonl"):
                path = os.path.join(nlb.folder, "nlb.ini")
                with open(path, "w", encoding="utf-8") as f:
                    f.write(TLS.format(nlb=other))
                said_before = len(nlb.stderr())
                nlb.signal(signal.SIGHUP)
                nlb._wait_ready(nlb.notify)
                self.assertSaid(nlb.stderr()[said_before:], "events")
                self.assertEqual(about(nlb, "s")["events"], os.path.realpath(nlb.path("first.jsonl")))
                call(nlb)
                until(lambda: os.path.getsize(nlb.path("first.jsonl")), "no event")
                with open(nlb.path("first.jsonl"), encoding="utf-8") as f:
                    event = json.loads(f.readlines()[-1])
                self.assertIn("PKIX", event["back"]["validating_client"]["error"])
            self.assertFalse(os.path.exists(nlb.path("second.jsonl")))

    def test_access_log(self):
        with Nlb(TLS.format(nlb="access_log = first.log")) as nlb:
            self.assertSaid(nlb.reload(TLS.format(nlb="access_log = second.log")), "access_log")
            call(nlb)
            until(lambda: os.path.getsize(nlb.path("first.log")), "no line")
            self.assertFalse(os.path.exists(nlb.path("second.log")))

    def test_metrics(self):
        with Nlb(TLS.format(nlb="metrics = 127.0.0.1:0")) as nlb:
            at = nlb.ready["metrics"]
            self.assertSaid(nlb.reload(TLS.format(nlb="")), "metrics")
            self.assertEqual(nlb.ready["metrics"], at)
            call(nlb)
            self.assertIn("nlb_new_flows_total", page(nlb, "/metrics"))

    def test_who_the_load_balancer_is(self):
        first = "metrics = 127.0.0.1:0\nregion = eu-west-1\naccount_id = 111122223333\nload_balancer_id = 00000000000000aa"
        other = "metrics = 127.0.0.1:0\nregion = us-west-2\naccount_id = 444455556666\nload_balancer_id = 00000000000000bb"
        with Nlb(TLS.format(nlb=first)) as nlb:
            said = nlb.reload(TLS.format(nlb=other).replace("name = t", "name = u"))
            for key in ("name", "region", "account_id", "load_balancer_id"):
                self.assertSaid(said, key)
            call(nlb)
            event = json.dumps(nlb.event())
            self.assertIn("net/t/00000000000000aa", page(nlb, "/metrics?format=cloudwatch"))
            for text in (event, page(nlb, "/metrics?format=cloudwatch"), page(nlb, "/targets")):
                for new in ("us-west-2", "444455556666", "00000000000000bb"):
                    self.assertNotIn(new, text)
            self.assertIn("arn:aws:elasticloadbalancing:eu-west-1:111122223333:", page(nlb, "/targets"))

    def test_time_scale(self):
        """An idle timeout of 350 s takes under a second at time_scale = 1000, also for flows after the reload."""
        with Target(echo()) as target:
            ini = tcp_ini(target, nlb="time_scale = 1000\n", listener="tcp.idle_timeout.seconds = 350\n")
            with Nlb(ini) as nlb:
                self.assertSaid(nlb.reload(ini.replace("time_scale = 1000", "time_scale = 1")), "time_scale")
                with connect(nlb.address("l")) as s:
                    self.assertEqual(nlb.event()["end"]["code"], "idle_timeout")
                    s.close()

    def test_signposts_stay_over_reloads(self):
        """Kept addresses keep their post at every reload, gone ones lose it, new ones get one."""
        with Target(echo()) as target, Nlb(tcp_ini(target)) as nlb:
            two = tcp_ini(target) + "\n[listener m]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
            for turn in range(6):
                nlb.reload(two if turn % 2 else tcp_ini(target))
                for name in nlb.listeners:
                    self.assertEqual(about(nlb, name)["listener"], name)

    def test_a_signpost_that_cannot_be_put_up_is_told(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with socket.socket(socket.AF_UNIX) as taken, Target(echo()) as target:
            taken.bind(f"\0nlbsim-about-127.0.0.1:{port}")
            with Nlb(tcp_ini(target).replace("127.0.0.1:0", f"127.0.0.1:{port}")) as nlb:
                self.assertRegex(nlb.stderr(), r"err signpost listener=l address=127\.0\.0\.1:\d+ .*in use")
                self.assertAlive(nlb)


if __name__ == "__main__":
    unittest.main()
