# SPDX-License-Identifier: Apache-2.0
"""The probe joins the load balancer's view in memory: every verdict is the same with and without `events`, nothing is
kept while nobody watches, and nobody else's processes may watch."""
import array
import json
import os
import re
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from nlbtest import Nlb, nlbsim, until
import test_probe
from test_probe import URL, FileNlb, probe


ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class QuietNlb(FileNlb):
    """No event stream at all."""

    EVENTS = ""


def ini_of(page):
    """The first complete INI of a page of the documentation, on free ports and without a stream of events."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        text = next(t for t in re.findall(r"```ini\n(.*?)```", f.read(), re.S) if "[listener" in t and "[target_group" in t)
    return re.sub(r"(?m)^(listen\s*=\s*\S+):\d+", r"\1:0", re.sub(r"(?m)^(events|metrics)\b.*\n", "", text))


def words(j):
    """What a person reads, without what differs from run to run."""
    j = {key: j[key] for key in ("ok", "status", "error", "hop", "verdict", "evidence", "listener")}
    j["listener"].pop("flow")
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", json.dumps(j, indent=1, sort_keys=True))
    text = re.sub(r"flow \(\d+\)", "flow (N)", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?|[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d [\d:]+ \w+ \d{4}", "TIME", text)


class WithAndWithout(unittest.TestCase):
    maxDiff = None

    def compare(self, text, calls):
        """`calls` are the options of probe; one call through each listener with each."""
        said = []
        with_events = text if "[nlb]" in text else "[nlb]\n" + text
        for kind, ini in ((FileNlb, with_events.replace("[nlb]\n", "[nlb]\nevents = e.jsonl\n", 1)), (Nlb, text), (QuietNlb, text)):
            with kind(ini) as nlb:
                said.append({(name, *options): words(probe(nlb, name, *options))
                             for name in sorted(nlb.listeners) for options in calls})
                self.assertTrue(all('"joined": true' in text for text in said[-1].values()), said[-1])
        for key, text in said[0].items():
            for others in said[1:]:
                with self.subTest(key):
                    self.assertEqual(text, others[key])

    def test_behind_a_listener(self):
        self.addCleanup(test_probe.BehindTls.doClassCleanups)
        self.compare(test_probe.BehindTls.text(), [[], ["--timeout", "2"]])

    def test_the_pages_configurations(self):
        for page in ("README.md", "docs/walkthrough.md"):
            with self.subTest(page):
                self.compare(ini_of(page), [[], ["--at", "+3000d"]])

    def test_a_successful_call_through_tcp(self):
        """What the target presents is known though nobody else listens."""
        text = ("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\nprotocol = TCP\n"
                "target = lab:t\n[lab_target t]\nprotocol = HTTPS\ncertificate = lab:valid/api.example.com\n")
        with QuietNlb(text) as nlb:
            j = probe(nlb, "l")
            self.assertTrue(j["ok"] and j["listener"]["joined"], j)
            self.assertTrue(j["listener"]["target"])

    def test_every_call_of_many(self):
        with QuietNlb("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
                      "[target_group g]\nprotocol = TCP\ntarget = lab:t\n[lab_target t]\nprotocol = HTTPS\n"
                      "certificate = lab:valid/api.example.com\nfault = close-after-request\n") as nlb:
            done = nlbsim("probe", "--json", "--connect", "%s:%d" % nlb.address("l"), "--count", "100", "--concurrency", "10", URL)
            calls = [json.loads(line)["listener"] for line in done.stdout.decode().splitlines()]
            self.assertEqual([c["joined"] for c in calls], [True] * 100)
            self.assertEqual(len({c["flow"] for c in calls}), 100)


def watch(address):
    """Ask the signpost of a listener: (connection, what it says, descriptors that came with it)."""
    post = socket.socket(socket.AF_UNIX)
    post.connect("\0nlbsim-about-%s:%d" % address)
    text, fds = b"", []
    while True:
        data, control, _, _ = post.recvmsg(65536, socket.CMSG_SPACE(16))
        for level, kind, raw in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds += array.array("i", raw[:len(raw) // 4 * 4])
        if not data:
            return post, json.loads(text), fds
        text += data


class Watching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nlb = QuietNlb("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n[target_group g]\n"
                           "protocol = TCP\ntarget = lab:t\n[lab_target t]\nprotocol = HTTP\n").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.nlb.__exit__(None, None, None)

    def memory(self):
        """Files of events in the load balancer's memory."""
        folder, found = "/proc/%d/fd" % self.nlb.process.pid, 0
        for fd in os.listdir(folder):
            try:
                found += "nlbsim-events" in os.readlink(os.path.join(folder, fd))
            except FileNotFoundError:
                pass
        return found

    def call(self):
        with socket.create_connection(self.nlb.address("l")) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while s.recv(65536):
                pass
            return "%s:%d" % s.getsockname()

    def test_only_while_somebody_does(self):
        self.assertEqual(self.memory(), 0)
        first, about, (one,) = watch(self.nlb.address("l"))
        second, _, (two,) = watch(self.nlb.address("l"))
        self.assertEqual((about["listener"], about["events"]), ("l", None))
        self.assertEqual(self.memory(), 1)
        first.close()
        client = self.call()
        until(lambda: client.encode() in os.pread(two, 1 << 20, 0), "the event does not come")
        self.assertEqual(json.loads(os.pread(two, 1 << 20, 0).splitlines()[-1])["client"], client)
        second.close()
        until(lambda: self.memory() == 0, "it is kept though nobody watches")
        os.close(one)
        os.close(two)
        third, _, (new,) = watch(self.nlb.address("l"))
        self.assertEqual(os.fstat(new).st_size, 0)
        third.close()
        os.close(new)

    def test_no_more_than_so_many(self):
        """Whoever comes later is answered all the same."""
        held = [watch(self.nlb.address("l")) for _ in range(34)]
        self.assertEqual([len(fds) for _, _, fds in held], [1] * 32 + [0] * 2)
        self.assertEqual({about["listener"] for _, about, _ in held}, {"l"})
        for post, _, fds in held:
            post.close()
            for fd in fds:
                os.close(fd)
        until(lambda: self.memory() == 0, "it is kept though nobody watches")

    def test_a_reload_does_not_end_it(self):
        post, _, (fd,) = watch(self.nlb.address("l"))
        self.nlb.reload(self.nlb.text)
        client = self.call()
        until(lambda: client.encode() in os.pread(fd, 1 << 20, 0), "the event does not come")
        post.close()
        os.close(fd)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_another_user_may_not(self):
        pid_out, pid_in = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.dup2(pid_in, 1)
                os.setgid(65534)
                os.setuid(65534)
                post, about, fds = watch(self.nlb.address("l"))
                os.write(1, b"%s %d" % (about["listener"].encode(), len(fds)))
            finally:
                os._exit(0)
        os.close(pid_in)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(os.read(pid_out, 100), b"l 0")
        os.close(pid_out)


if __name__ == "__main__":
    unittest.main()
