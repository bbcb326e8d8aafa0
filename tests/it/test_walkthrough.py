# SPDX-License-Identifier: Apache-2.0
"""docs/walkthrough.md: every command of it is typed into an interactive bash on a terminal, in order, as a reader would.

`console` blocks: "$ " begins a command (a trailing & leaves it running until `kill $!`), "(exit status N)" tells its exit
status when it is not 0, every other line must come in its output, in order; "..." stands for anything. `ini` blocks that
begin with "; file: NAME" are written to that file. The document's ports are exchanged for free ones."""
import fcntl
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
import termios
import unittest

from nlbtest import Deadline, needs_localhost, open_terminal

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


class Shell:
    """An interactive bash on a pseudo-terminal of its own, without echo and prompts."""

    def __init__(self, cwd, env):
        self.terminal, inner = open_terminal()
        attributes = termios.tcgetattr(inner)
        attributes[1] &= ~termios.OPOST
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, attributes)
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 2000, 0, 0))
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "--noediting", "-i"], cwd=cwd, stdin=inner, stdout=inner, stderr=inner,
            env={**env, "PS1": "", "PS2": "", "TERM": "dumb"}, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(inner)
        self.said, self.n = "", 0

    def type(self, line):
        os.write(self.terminal, line.encode() + b"\n")

    def read_until(self, pattern, seconds):
        """What was said up to the first match, which is consumed; AssertionError when time or the shell ends first."""
        deadline = Deadline(seconds)
        while not (m := re.search(pattern, self.said, re.M)):
            if not select.select([self.terminal], [], [], deadline.left())[0]:
                raise AssertionError(f"no {pattern!r} in\n{self.said}")
            self.said += os.read(self.terminal, 65536).decode(errors="replace")
        before, self.said = self.said[:m.start()], self.said[m.end():]
        return before, m

    def do(self, line):
        """(exit status, output) of one command line."""
        self.n += 1
        self.type(line)
        self.type(f"printf '\\n<%s> %s\\n' {self.n} $?")
        out, m = self.read_until(rf"^<{self.n}> (\d+)\n", 120)
        return int(m[1]), out

    def close(self):
        self.type("kill $(jobs -p) 2>/dev/null; wait; exit 0")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            os.close(self.terminal)


@needs_localhost  # the document calls it
class Walkthrough(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nlbsim-walk-")
        self.addCleanup(folder.cleanup)
        self.dir, self.running = folder.name, None
        env = {**os.environ, "PATH": os.path.dirname(NLBSIM) + ":" + os.environ["PATH"], "NO_COLOR": "1"}
        self.shell = Shell(self.dir, env)
        self.addCleanup(self.shell.close)

    def do(self, step):
        if step.line.endswith(" &"):
            self.assertIsNone(self.running, "something still runs")
            self.running = step
            self.shell.type(step.line)
            self.shell.read_until(r"^ready .*\n", None)
            return
        status, out = self.shell.do(step.line)
        self.assertEqual(status, step.status, out)
        if step.line == "kill $!":
            self.assertIsNotNone(self.running)
            self.running = None
            self.assertIn(self.shell.do("wait $!")[0], (0, 143))
            return
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
