#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong command lines: status 2, nothing on standard output, the full name of the command and the way to its help."""
import os
import subprocess
import tempfile
import unittest

from nlbtest import NLBSIM, nlbsim

VERBS = ("run", "check", "demo", "probe", "matrix", "validate", "explain", "target", "lab", "policies",
         "cert show", "cert issue", "cert audit", "cert client")
BAD_PORTS = ("0", "65536", "99999", "", "abc", "-1")


class CommandLine(unittest.TestCase):
    def test_an_unknown_option_is_named_with_the_whole_command(self):
        for verb in VERBS:
            with self.subTest(verb=verb):
                done = nlbsim(*verb.split(), "--no-such-option")
                text = done.stderr.decode()
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertTrue(text.startswith(f"nlbsim {verb}: unrecognized option '--no-such-option'"), text)
                self.assertIn(f"nlbsim {verb}", text.split("\n", 1)[1], "no way to the help")
                self.assertNotIn("see above", text)

    def test_help_has_an_example_and_goes_to_standard_output(self):
        for verb in VERBS + ("cert",):
            with self.subTest(verb=verb):
                done = nlbsim(*verb.split(), "--help")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertRegex(done.stdout.decode(), f"(?i)example[^$]*nlbsim {verb}")

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


if __name__ == "__main__":
    unittest.main()
