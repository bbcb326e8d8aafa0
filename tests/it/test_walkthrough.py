# SPDX-License-Identifier: Apache-2.0
"""docs/walkthrough.md: every command of it is run, in order, and what it shows is compared.

`console` blocks: "$ " begins a command (a trailing & leaves it running until `kill %1`), "(exit status N)" tells its exit
status when it is not 0, every other line must come in its output, in order; "..." stands for anything. `ini` blocks that
begin with "; file: NAME" are written to that file. The document's ports are exchanged for free ones."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from nlbtest import Deadline

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "walkthrough.md")


class Command:
    def __init__(self, line, number):
        self.line, self.number, self.status, self.expected = line, number, 0, []


def steps(text):
    """(file name, text) and Command, in the order of the document."""
    inside, name, lines = None, None, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if inside == "ini" and name:
                yield name, "\n".join(lines) + "\n"
            if inside == "console":
                yield from lines
            inside, name, lines = (line[3:] if inside is None else None), None, []
        elif inside == "ini":
            if line.startswith("; file: "):
                name = line[8:]
            lines.append(line)
        elif inside == "console":
            if line.startswith("$ "):
                lines.append(Command(line[2:], number))
            elif m := re.fullmatch(r"\(exit status (\d+)\)", line):
                lines[-1].status = int(m[1])
            else:
                lines[-1].expected.append(line)


def free_ports(text):
    held = []
    for port in sorted(set(re.findall(r"127\.0\.0\.1:(\d{4})\b", text))):
        held.append(socket.create_server(("127.0.0.1", 0)))
        text = re.sub(rf"\b{port}\b", str(held[-1].getsockname()[1]), text)
    for s in held:
        s.close()
    return text


class Walkthrough(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nlbsim-walk-")
        self.addCleanup(folder.cleanup)
        self.dir, self.running = folder.name, None
        self.env = {**os.environ, "PATH": os.path.dirname(NLBSIM) + ":" + os.environ["PATH"], "NO_COLOR": "1"}
        self.addCleanup(self.stop)

    def start(self, line):
        self.assertIsNone(self.running, "something still runs")
        log = os.path.join(self.dir, ".running.log")
        with open(log, "wb") as out:
            self.running = subprocess.Popen(["bash", "-c", "exec " + line], cwd=self.dir, env=self.env, stdout=out,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        deadline = Deadline()
        while True:
            with open(log, encoding="utf-8") as f:
                text = f.read()
            if re.search(r"^ready ", text, re.M):
                return
            self.assertIsNone(self.running.poll(), text)
            self.assertGreater(deadline.left(), 0, "not ready: " + text)
            time.sleep(0.01)

    def stop(self):
        if self.running is None:
            return
        self.running.send_signal(signal.SIGTERM)
        try:
            self.running.wait(20)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
            raise
        finally:
            self.running = None

    def do(self, step):
        if step.line.endswith(" &"):
            return self.start(step.line[:-2])
        if step.line == "kill %1":
            self.assertIsNotNone(self.running)
            return self.stop()
        p = subprocess.run(["bash", "-c", step.line], cwd=self.dir, env=self.env, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
        out = p.stdout.decode(errors="replace")
        self.assertEqual(p.returncode, step.status, out)
        lines = iter(out.splitlines())
        for want in step.expected:
            if want != "...":
                pattern = ".*".join(map(re.escape, want.split("...")))
                self.assertTrue(any(re.fullmatch(pattern, line) for line in lines), f"no line like {want!r} in\n{out}")

    def test_every_command(self):
        with open(DOC, encoding="utf-8") as f:
            todo = list(steps(free_ports(f.read())))
        self.assertGreater(sum(isinstance(s, Command) for s in todo), 40)
        for step in todo:
            if isinstance(step, tuple):
                with open(os.path.join(self.dir, step[0]), "w", encoding="utf-8") as f:
                    f.write(step[1])
            else:
                with self.subTest(f"docs/walkthrough.md:{step.number}: {step.line}"):
                    self.do(step)
        self.assertIsNone(self.running)


if __name__ == "__main__":
    unittest.main()
