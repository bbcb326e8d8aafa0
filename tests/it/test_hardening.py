# SPDX-License-Identifier: Apache-2.0
"""The program is built with the protections that the Makefile asks for, and the check that says so notices each one that is lost."""
import os
import platform
import subprocess
import tempfile
import unittest

from nlbtest import NLBSIM, REPO, NlbTest, run

CHECK = os.path.join(REPO, "scripts", "hardening-check")

# The functions that the check looks into, as small as they can be.
SMALL = r"""
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void log_write(int level, const char *event, const char *fmt, ...);
int file_write(const char *path);
char *tls_engine_replay(const char *data, size_t n, size_t room);
void log_write(int level, const char *event, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    int n;
    if (level > 2)
        return;
    n = snprintf(line, sizeof line, "%d %s ", level, event);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    fputs(line, stderr);
}
int file_write(const char *path)
{
    char folder[8192];
    return snprintf(folder, sizeof folder, "%s/.", path) + puts(folder);
}
char *tls_engine_replay(const char *data, size_t n, size_t room)
{
    char *copy = malloc(room);
    if (copy != NULL)
        memcpy(copy, data, n);
    return copy;
}
int main(int argc, char **argv)
{
    log_write(argc, argv[0], "%s", argv[0]);
    return file_write(argv[0]) + (tls_engine_replay(argv[0], 1, (size_t)argc) == NULL);
}
"""


def flags(name):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "SAN")}
    return run("make", "-s", "-C", REPO, "SAN=", f"print-{name}", env=env, timeout=60, check=True).stdout.decode().split()


@unittest.skipUnless(platform.machine() == "x86_64", "the check reads x86-64 code only")
class Hardening(NlbTest):
    @classmethod
    def setUpClass(cls):
        cls.compile, cls.link = flags("HARDEN"), flags("LDHARDEN")

    def checked(self, compile_with=(), link_with=()):
        """The check's status and words about the small program, built with these flags behind the Makefile's."""
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder:
            source, out = os.path.join(folder, "small.c"), os.path.join(folder, "small")
            with open(source, "w", encoding="utf-8") as f:
                f.write(SMALL)
            run("gcc", "-O2", *self.compile, *compile_with, source, "-o", out, *self.link, *link_with, timeout=60, check=True)
            done = subprocess.run(["python3", CHECK, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def test_with_all_of_them_nothing_is_lost(self):
        status, said = self.checked()
        self.assertEqual(status, 0, said)

    def test_each_that_is_lost_is_named(self):
        for compile_with, link_with, word in (
                (["-fno-pie"], ["-no-pie"], "position independent"),
                ([], ["-Wl,-z,norelro"], "read-only relocations"),
                ([], ["-Wl,-z,lazy"], "no lazy binding"),
                ([], ["-Wl,-z,execstack"], "stack not executable"),
                ([], ["-Wl,-rpath,/tmp"], "no search path"),
                (["-fno-stack-protector"], [], "stack protector in functions"),
                (["-U_FORTIFY_SOURCE"], [], "checked library calls"),
                (["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"], [], "sizes known only at run time"),
                (["-ftrivial-auto-var-init=uninitialized"], [], "variables begin as zero"),
                (["-fzero-call-used-regs=skip"], [], "registers are wiped"),
                (["-fno-stack-clash-protection"], [], "large frames"),
                (["-fcf-protection=none"], [], "branch targets")):
            with self.subTest(lost=word):
                status, said = self.checked(compile_with, link_with)
                self.assertEqual(status, 1, said)
                self.assertRegex(said, f"lost: {word}")

    def test_a_function_that_is_gone_is_no_protection(self):
        done = run("python3", CHECK, "/bin/true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no log_write() in it any more", done.stderr.decode())

    @unittest.skipIf("/san-" in NLBSIM, "a sanitizer's build")
    def test_the_program_has_them(self):
        done = run("python3", CHECK, NLBSIM)
        self.assertEqual(done.returncode, 0, done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
