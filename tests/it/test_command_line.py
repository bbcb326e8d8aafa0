#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: help that fits, wrong words with the way out, closed pipes."""
import fcntl
import os
import re
import signal
import struct
import subprocess
import tempfile
import termios
import unittest

from nlbtest import NLBSIM, nlbsim, open_terminal

VERBS = ("run", "check", "demo", "probe", "matrix", "validate", "explain", "target", "lab", "policies",
         "cert show", "cert issue", "cert audit", "cert client", "completion", "version", "help")
BAD_PORTS = ("0", "65536", "99999", "", "abc", "-1")


class CommandLine(unittest.TestCase):
    def test_an_unknown_option_is_named_with_the_whole_command(self):
        for verb in VERBS:
            with self.subTest(verb=verb):
                done = nlbsim(*verb.split(), "--no-such-option")
                text = done.stderr.decode()
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertTrue(text.startswith(f"nlbsim {verb}: unknown option '--no-such-option'"), text)
                self.assertIn(f"nlbsim {verb}", text.split("\n", 1)[1], "no way to the help")
                self.assertNotIn("see above", text)

    def test_help_has_an_example_and_goes_to_standard_output(self):
        for verb in VERBS + ("cert",):
            with self.subTest(verb=verb):
                done = nlbsim(*verb.split(), "--help")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertRegex(done.stdout.decode(), f"(?i)example[^$]*nlbsim {verb}")

    def test_each_way_to_the_help_prints_the_same(self):
        for verb in VERBS + ("cert",):
            with self.subTest(verb=verb):
                first = nlbsim(*verb.split(), "--help")
                for words in ((*verb.split(), "-h"), ("help", *verb.split())):
                    self.assertEqual((nlbsim(*words).returncode, nlbsim(*words).stdout), (0, first.stdout))
        root = nlbsim("--help").stdout
        self.assertEqual([nlbsim(word).stdout for word in ("-h", "help")], [root, root])
        for verb in VERBS:
            self.assertRegex(root.decode(), rf"(?m)^  {verb.split()[0]} ", "the list lacks a verb")
        self.assertEqual(nlbsim("version").stdout, nlbsim("--version").stdout)

    def test_help_fits_the_columns(self):
        """80 when nobody knows the width; every verb, and the list of verbs."""
        plain = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
        for columns in (None, 60, 80, 132):
            env = plain if columns is None else {**plain, "COLUMNS": str(columns)}
            longest = 0
            for verb in VERBS + ("cert", ""):
                done = subprocess.run([NLBSIM, "help", *verb.split()], stdout=subprocess.PIPE, check=True, env=env,
                                      timeout=20)
                for line in done.stdout.decode().splitlines():
                    with self.subTest(verb=verb, columns=columns, line=line):
                        self.assertLessEqual(len(line), columns or 80)
                    longest = max(longest, len(line))
            self.assertGreater(longest, (columns or 80) - 8, "the width is not made use of")

    def test_output_fits_the_columns(self):
        """What has words to break: with COLUMNS, and on a terminal of that width; a pipe gets sentences whole."""
        event = (b'{"listener":"https","protocol":"TLS","end":{"code":"target_connect_refused","party":"target"},'
                 b'"back":{"target":"10.0.0.5:8443"}}\n')
        commands = (("lab", "--list"), ("policies",), ("target", "--faults"), ("demo",), ("matrix", "--filter", "A0*"),
                    ("explain", "-"), ("policies", "TLS13-1-2-Res-PQ-2025-09"))
        for columns in (80, 120):
            for words in commands:
                done = subprocess.run([NLBSIM, *words], input=event, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      check=True, timeout=60, env={**os.environ, "COLUMNS": str(columns)})
                for line in done.stdout.decode().splitlines():
                    if "──" in line or "https://" in line or " => " in line:
                        continue  # a picture, a link, and its headline are not broken
                    with self.subTest(words=words, columns=columns, line=line):
                        self.assertLessEqual(len(line), columns)
        env = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
        terminal, inner = open_terminal()
        self.addCleanup(os.close, terminal)
        for columns in (60, 100):
            fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
            done = subprocess.run([NLBSIM, "help", "version"], stdout=inner, check=True, env=env, timeout=60)
            lines = os.read(terminal, 65536).decode().splitlines()
            self.assertTrue(columns - 12 < max(map(len, lines)) <= columns, lines)
        os.close(inner)
        whole = subprocess.run([NLBSIM, "lab", "--list"], stdout=subprocess.PIPE, check=True, env=env, timeout=60).stdout
        self.assertGreater(max(map(len, whole.decode().splitlines())), 100)

    def test_a_misspelt_verb_is_guessed(self):
        cases = (("prob", "unknown verb 'prob'; did you mean 'probe'?"),
                 ("polices", "did you mean 'policies'?"), ("xyzzy", "unknown verb 'xyzzy'\n"),
                 ("--hlep", "did you mean '--help'?"), ("--verson", "did you mean '--version'?"),
                 ("nlb.ini", "did you mean 'nlbsim run nlb.ini'?"),
                 ("https://api.example.com/", "did you mean 'nlbsim probe https://api.example.com/'?"),
                 ("cert shwo", "unknown command 'shwo'; did you mean 'show'?"),
                 ("cert client rotat", "unknown command 'rotat'; did you mean 'rotate'?"),
                 ("help prob", "did you mean 'probe'?"), ("help cert audt", "did you mean 'audit'?"))
        for words, text in cases:
            with self.subTest(words=words):
                done = nlbsim(*words.split())
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(text, done.stderr.decode())
                self.assertLess(done.stderr.count(b"\n"), 3, "a sentence, not the whole help")

    def test_a_misspelt_option_is_guessed(self):
        """For every option of every verb: one letter too few, and the right one is named."""
        tried = 0
        for verb in VERBS:
            for name in re.findall(r"^(?:  -\w, | {6})--([a-z-]+)", nlbsim("help", *verb.split()).stdout.decode(), re.M):
                wrong = name[0] + name[2:] if len(name) > 3 else None
                if wrong is None:
                    continue
                tried += 1
                with self.subTest(verb=verb, option=wrong):
                    done = nlbsim(*verb.split(), f"--{wrong}=x")
                    self.assertEqual((done.returncode, done.stdout), (2, b""))
                    self.assertIn(f"'--{wrong}'; did you mean '--{name}'?", done.stderr.decode())
        self.assertGreater(tried, 80)

    def test_an_option_without_its_value(self):
        for words, text in (("run x.ini --ready-file", "--ready-file has no value; write --ready-file PATH"),
                            ("probe --connect --json https://a.example/", "--connect HOST:PORT has no value: '--json'"),
                            ("matrix --json=1", "--json takes no value ('1' was given)"),
                            ("lab --seed a --seed b d", "--seed 'b': given twice")):
            with self.subTest(words=words):
                done = nlbsim(*words.split())
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(text, done.stderr.decode())

    def test_both_forms_of_a_value_and_the_end_of_options(self):
        for words in ("policies --json -- TLS13-1-3-2021-06", "policies TLS13-1-3-2021-06 --json",
                      "policies --js TLS13-1-3-2021-06"):
            self.assertIn(b'"ELBSecurityPolicy-TLS13-1-3-2021-06"', nlbsim(*words.split()).stdout)
        self.assertEqual(nlbsim("check", "--", "--json").stderr, b"--json: No such file or directory\n")
        for words in ("lab --list --at=+1d", "lab --list --at +1d", "lab --at -1d --list"):
            self.assertEqual(nlbsim(*words.split()).returncode, 0)

    def test_standard_input_wherever_a_file_is_read(self):
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder:
            nlbsim("lab", "--no-large-rsa", "--seed", "stdin", os.path.join(folder, "pki"))

            def run(*words, files=("server/valid.pem",)):
                text = b""
                for name in files:
                    with open(os.path.join(folder, "pki", name), "rb") as f:
                        text += f.read()
                return subprocess.run([os.path.abspath(NLBSIM), *words], input=text, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, check=False, timeout=60, cwd=folder)

            self.assertIn(b"CN=api.example.com", run("cert", "show", "-").stdout)
            self.assertIn(b"(trust store)", run("cert", "show", "--trust-store", "-", "pki/server/valid.pem",
                                                files=("public.pem",)).stdout)
            for words, files in ((("cert", "audit", "--trust-store", "pki/public.pem", "-"), ("server/valid.pem",)),
                                 (("cert", "audit", "--trust-store", "-", "pki/server/valid.pem"), ("public.pem",)),
                                 (("validate", "--chain", "-", "--trust-store", "pki/public.pem"), ("server/valid.pem",)),
                                 (("validate", "--chain=pki/server/valid.pem", "--trust-store=-"), ("public.pem",))):
                with self.subTest(words=words):
                    self.assertEqual(run(*words, files=files).returncode, 0)
                    self.assertNotEqual(run(*words, files=()).returncode, 0, "standard input was not read")
            for words in (("--client-certificate", "-", "--trust-store", "pki/public.pem"), ("--trust-store", "-"),
                          ("--data", "@-", "--trust-store", "pki/public.pem")):
                with self.subTest(words=words):
                    files = ("public.pem",) if words[1] == "-" and len(words) == 2 else ("client/client.pem", "client/client.key")
                    done = run("probe", *words, "https://127.0.0.1:1/", files=files)
                    self.assertEqual((done.returncode, done.stderr), (1, b""))
            with open(os.path.join(folder, "pki", "nlb.ini"), "w", encoding="ascii") as f:
                f.write("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
                        "[target_group g]\nprotocol = TCP\ntarget = 127.0.0.1:9\n")
            self.assertIn(b"-: ok: 1 listener", run("check", "-", files=("nlb.ini",)).stdout)
            self.assertIn(b"-:8: ", run("check", "-", files=("nlb.ini", "public.pem")).stderr)
            self.assertIn(b"no scenario", run("matrix", "-", files=("nlb.ini",)).stderr)
            self.assertEqual(run("explain", "-", files=()).returncode, 0)
        for words in ("validate --chain - --trust-store -", "cert audit - -", "probe --data @- --trust-store - http://a/"):
            with self.subTest(words=words):
                done = nlbsim(*words.split())
                self.assertEqual(done.returncode, 2)
                self.assertIn(b"standard input is one file only", done.stderr)
        for words in ("matrix --junit -", "run --ready-file - x.ini", "probe --events - http://a/"):
            self.assertIn(b"'-': the name of a file is wanted", nlbsim(*words.split()).stderr)

    def test_a_closed_pipe_ends_quietly(self):
        """`| head -1`: no error text, and the status of a program that SIGPIPE ended, also when whoever starts it
        ignores that signal."""
        commands = ("--help", "--version", "version", "help probe", "policies", "policies --json", "lab --list",
                    "lab --list --json", "target --faults", "check --keys", "explain /dev/null", "cert --help",
                    "completion bash", "help --markdown", "matrix --filter A01", "matrix --filter A01 --json", "demo",
                    "probe --json http://127.0.0.1:1/", "cert show /dev/null --help", "run --help")
        for ignored in (False, True):
            for command in commands:
                with self.subTest(command=command, ignored=ignored):
                    reader, writer = os.pipe()
                    os.close(reader)
                    done = subprocess.run(
                        [NLBSIM, *command.split()], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60,
                        restore_signals=False,
                        preexec_fn=lambda how=signal.SIG_IGN if ignored else signal.SIG_DFL: signal.signal(
                            signal.SIGPIPE, how))
                    os.close(writer)
                    self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))

    def test_a_port_outside_1_to_65535_is_a_usage_error(self):
        for port in BAD_PORTS:
            with self.subTest(port=port):
                done = nlbsim("probe", "--connect", f"127.0.0.1:{port}", "https://api.example.com/")
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(b"HOST:PORT", done.stderr)
                done = nlbsim("explain", "--from", f"127.0.0.1:{port}")
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(b"HOST:PORT", done.stderr)

    def test_an_audit_of_a_directory_without_certificates_does_not_pass(self):
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder:
            done = nlbsim("cert", "audit", folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no certificate in it", done.stderr)

    def test_a_stray_operand_of_validate_is_named(self):
        done = nlbsim("validate", "--json", "cases.jsonl")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"unexpected operand 'cases.jsonl'", done.stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_output_that_cannot_be_written_is_status_3(self):
        commands = ("--help", "--version", "policies", "policies --json", "lab --list", "lab --list --json",
                    "target --faults", "check --keys", "explain /dev/null", "cert --help", "probe --help")
        for command in commands:
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                done = subprocess.run([NLBSIM, *command.split()], stdout=full, stderr=subprocess.PIPE, check=False,
                                      timeout=20)
                self.assertEqual(done.returncode, 3)
                self.assertIn(b"No space left on device", done.stderr)


class ValidateWithALab(unittest.TestCase):
    """A lab's authorities are made anew each time: only the seed says which lab issued a chain."""

    def test_a_lab_store_needs_its_seed(self):
        with tempfile.TemporaryDirectory() as folder:
            lab = os.path.join(folder, "pki")
            self.assertEqual(nlbsim("lab", "--seed", "s", "--no-large-rsa", lab).returncode, 0)
            ask = ("validate", "--chain", os.path.join(lab, "server", "valid.pem"), "--trust-store", "lab:public")
            refused = nlbsim(*ask)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(b"--seed", refused.stderr)
            self.assertEqual(refused.stdout, b"")
            self.assertEqual(nlbsim(*ask, "--seed", "s").returncode, 0)
            self.assertEqual(nlbsim(*ask, "--seed", "other").returncode, 1)


if __name__ == "__main__":
    unittest.main()
