#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion in real shells: typed on a terminal, with the tabulator key, in bash and zsh; asked of fish."""
import os
import re
import select
import shutil
import subprocess
import tempfile
import unittest

from nlbtest import NLBSIM, Deadline, missing, nlbsim, open_terminal

# What is typed before the tabulator key, and the whole line after it.
CASES = (
    ("nlbsim polic", "nlbsim policies "),
    ("nlbsim cert iss", "nlbsim cert issue "),
    ("nlbsim cert client rot", "nlbsim cert client rotate "),
    ("nlbsim help expl", "nlbsim help explain "),
    ("nlbsim completion fi", "nlbsim completion fish "),
    ("nlbsim run --drai", "nlbsim run --drain-timeout "),
    ("nlbsim probe --insec", "nlbsim probe --insecure-skip-verification "),
    ("nlbsim probe --wording cl", "nlbsim probe --wording classic "),
    ("nlbsim probe --wording=cl", "nlbsim probe --wording=classic "),
    ("nlbsim probe --json --skip-allows-plain-self-signed n", "nlbsim probe --json --skip-allows-plain-self-signed no "),
    ("nlbsim cert issue --profile expired-l", "nlbsim cert issue --profile expired-leaf-only "),
    ("nlbsim target --client-a", "nlbsim target --client-auth "),
    ("nlbsim target --client-auth req", "nlbsim target --client-auth requ"),  # request or require
    ("nlbsim target --client-auth requi", "nlbsim target --client-auth require "),
    ("nlbsim policies ELBSecurityPolicy-TLS13-1-3-R", "nlbsim policies ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07 "),
    ("nlbsim run only-", "nlbsim run only-here.ini "),
    ("nlbsim probe --trust-store only-", "nlbsim probe --trust-store only-here.ini "),
    ("nlbsim probe --trust-store=only-", "nlbsim probe --trust-store=only-here.ini "),
    ("nlbsim lab a-dir", "nlbsim lab a-directory/"),
    ("nlbsim xyzzy", "nlbsim xyzzy"),
)


class Folder(unittest.TestCase):
    """A folder with one file and one directory, and nlbsim in the PATH."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nlbtest-")
        self.addCleanup(self.folder.cleanup)
        os.mkdir(os.path.join(self.folder.name, "bin"))
        os.symlink(os.path.abspath(NLBSIM), os.path.join(self.folder.name, "bin", "nlbsim"))
        os.mkdir(os.path.join(self.folder.name, "a-directory"))
        with open(os.path.join(self.folder.name, "only-here.ini"), "w", encoding="ascii"):
            pass
        self.env = {"PATH": os.path.join(self.folder.name, "bin") + ":" + os.environ["PATH"], "TERM": "dumb",
                    "HOME": self.folder.name, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}


class Typed(Folder):
    def check(self, shell, prepare):
        if not shutil.which(shell[0]):
            self.skipTest(missing(shell[0]))
        terminal, inner = open_terminal()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen(shell, cwd=self.folder.name, stdin=inner, stdout=inner, stderr=inner, env=self.env,
                                   start_new_session=True)
        os.close(inner)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said = ""

        def wait_for(pattern):
            nonlocal said
            deadline = Deadline(60)
            while not (m := re.search(pattern, said)):
                if not select.select([terminal], [], [], deadline.left())[0]:
                    self.fail(f"{shell[0]}: no {pattern!r} in {said!r}")
                said += os.read(terminal, 65536).decode(errors="replace")
            said = said[m.end():]
            return m

        os.write(terminal, prepare.encode() + b"; echo rea''dy\n")
        wait_for("ready\r*\n")
        for number, (typed, whole) in enumerate(CASES):
            with self.subTest(shell=shell[0], typed=typed):
                # Once the key is pressed, the line is made an argument of echo: the shell itself tells it.
                os.write(terminal, f"{typed}\t\x01echo '<{number}-:\x05:>'\n".encode())
                m = wait_for(rf"\n?<{number}-:(.*?):>\r*\n")
                if shell[0] == "zsh":  # takes back the blank or slash it added, as something else follows
                    whole = whole.rstrip(" /")
                self.assertEqual(m[1], whole)

    def test_bash(self):
        self.check(["bash", "--norc", "--noprofile", "-i"],
                   "bind 'set bell-style none'; source <(nlbsim completion bash)")

    def test_zsh(self):
        self.check(["zsh", "-f", "-i"], "unset zle_bracketed_paste; bindkey -e; setopt no_beep; unsetopt auto_list prompt_sp; "
                   " source <(nlbsim completion zsh)")


class Asked(Folder):
    @unittest.skipUnless(shutil.which("fish"), missing("fish"))
    def test_fish(self):
        script = "nlbsim completion fish | source\n" + "".join(
            f"echo '<{number}'; complete -C '{typed}'\n" for number, (typed, _) in enumerate(CASES))
        done = subprocess.run(["fish", "--no-config"], input=script, text=True, cwd=self.folder.name, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        self.assertEqual(done.stderr, "")
        answers = done.stdout.split("<")[1:]
        self.assertEqual(len(answers), len(CASES))
        for (typed, whole), answer in zip(CASES, answers):
            with self.subTest(typed=typed):
                words = [line.split("\t")[0] for line in answer.splitlines()[1:]]
                if whole[-1] not in " /":
                    self.assertNotEqual(len(words), 1)
                else:
                    self.assertEqual(words, [whole.split()[-1]])

    def test_every_verb_and_every_option_is_completed(self):
        verbs = [line.split("\t")[0] for line in nlbsim("completion", "words", "").stdout.decode().splitlines()]
        self.assertEqual(verbs[-1], ":none")
        self.assertGreater(len(verbs), 13)
        for verb in verbs[:-1]:
            with self.subTest(verb=verb):
                words = nlbsim("completion", "words", verb, "--").stdout.decode()
                named = re.findall(r"^(?:  -\w, | {6})--([a-z-]+)", nlbsim("help", verb).stdout.decode(), re.M)
                named = named or ["help"]
                self.assertEqual([line.split("\t")[0] for line in words.splitlines()],
                                 [f"--{name}" for name in named] + [":none"])


if __name__ == "__main__":
    unittest.main()
