# SPDX-License-Identifier: Apache-2.0
"""nlbsim demo: the whole story on one screen, in time, without a trace; --stay leaves it running."""
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import time
import unittest

import nlbtest
from nlbtest import Deadline, nlbsim

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
# Title (a part), status, who decides, a part of the log line. From the sources, not from the output.
STEPS = (
    ("TLS listener, sound certificate", 200, "listener", "Successfully completed execution"),
    ("TCP listener, the same target", 500, "target", "configuration error: PKIX path building failed"),
    ("expired certificate", 500, "listener", "CertPathValidatorException: validity check failed"),
    ("certificate of another name", 500, "listener",
     "Host name 'api.example.com' does not match the certificate subject provided by the peer"),
    ("intermediate is not sent", 500, "listener", "configuration error: PKIX path building failed"),
    ("skip flag", 200, "listener", "Successfully completed execution"),
)


def plain(text):
    """One line per wrapped paragraph."""
    return re.sub(r"\n {12}", " ", text)


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        begin = time.monotonic()
        cls.done = nlbsim("demo", env={**os.environ, "PATH": "/nonexistent", "COLUMNS": "120"})  # it runs no other program
        cls.seconds = time.monotonic() - begin
        out = cls.done.stdout
        cls.out = out.decode() if isinstance(out, bytes) else out

    def test_it_all_comes_out(self):
        self.assertEqual(self.done.returncode, 0, self.out)
        parts = re.split(r"\n\n(?=\d\. |6 of)", plain(self.out))
        self.assertEqual(len(parts), len(STEPS) + 2)
        for part, (title, status, hop, log) in zip(parts[1:], STEPS):
            with self.subTest(title):
                self.assertIn(title, part)
                self.assertIn(f"=> {status}, decided by the {hop}\n", part)
                self.assertRegex(part, r"\n   API Gateway ──(trusts|REFUSES)──")
                self.assertEqual("REFUSES" in part, status != 200)
                self.assertIn(log, part)
                self.assertRegex(part, r"\n   verdict +API Gateway \w+ ")
        self.assertIn("6 of 6 as expected", parts[-1])

    def test_one_screen_without_colour_in_time(self):
        self.assertNotIn("\x1b", self.out)
        self.assertLessEqual(max(map(len, self.out.splitlines())), 120)
        self.assertLessEqual(len(self.out.splitlines()), 52)
        self.assertLess(self.seconds, 2 if "san-" not in NLBSIM else 20)

    def on_a_terminal(self, **env):
        ours, theirs = nlbtest.open_terminal()
        p = subprocess.Popen([NLBSIM, "demo"], stdout=theirs, stdin=subprocess.DEVNULL, env={**os.environ, **env})
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # EIO is how a terminal ends
            while chunk := os.read(ours, 65536):
                text += chunk
        os.close(ours)
        self.assertEqual(p.wait(30), 0)
        return text

    def test_colour_on_a_terminal_only_if_wanted(self):
        os.environ.pop("NO_COLOR", None)
        self.assertIn(b"\x1b[32m", self.on_a_terminal())
        self.assertNotIn(b"\x1b[", self.on_a_terminal(NO_COLOR="1"))

    def test_usage(self):
        self.assertEqual(nlbsim("demo", "x").returncode, 2)
        self.assertEqual(nlbsim("demo", "--nope").returncode, 2)
        self.assertEqual(nlbsim("demo", "--help").returncode, 0)


class Stay(unittest.TestCase):
    def setUp(self):
        self.p = subprocess.Popen([NLBSIM, "demo", "--stay"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(self.p.stdout.close)
        self.addCleanup(self.p.wait, 30)
        self.addCleanup(self.p.kill)
        self.lines, deadline = [], Deadline()
        while not self.lines or "Ctrl-C" not in self.lines[-1]:
            self.assertGreater(deadline.left(), 0)
            line = self.p.stdout.readline().decode()
            self.assertTrue(line, "it ended: " + "".join(self.lines[-5:]))
            self.lines.append(line)

    def command(self, program, name):
        """The arguments of the offered command with this remark."""
        lines = [s for s in self.lines if s.strip().startswith(program + " ") and name in s.partition("#")[2]]
        self.assertTrue(lines, name)
        return shlex.split(lines[0].partition("#")[0])

    def test_the_offered_commands_work(self):
        roots = self.command("nlbsim", "API Gateway")[5]
        if nlbtest.shutil.which("curl"):
            for name, code in (("https, TLS", 0), ("passthrough, TCP", 60), ("expired, TLS", 60), ("wrong-name", 60)):
                with self.subTest(name):
                    p = subprocess.run(self.command("curl", name) + ["-sS", "--noproxy", "*"], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, timeout=30)
                    self.assertEqual(p.returncode, code, p.stderr)
                    if code == 0:
                        self.assertEqual(json.loads(p.stdout)["target"], "app")
        probes = [shlex.split(s.partition("#")[0])[1:] for s in self.lines if s.strip().startswith("nlbsim probe")]
        self.assertEqual([nlbsim(*argv).returncode for argv in probes], [0, 1])
        self.p.send_signal(signal.SIGINT)
        self.assertEqual(self.p.wait(30), 0)
        self.assertFalse(os.path.exists(os.path.dirname(roots)), "the folder with the roots is left behind")


if __name__ == "__main__":
    unittest.main()
