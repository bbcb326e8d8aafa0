#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/configuration.md holds the key tables of the binary.

`test_configuration.py --update` writes them into the page.
"""
import os
import re
import subprocess
import sys
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NLBSIM = os.path.abspath(os.environ.get("NLBSIM") or os.path.join(REPO, "build/release/nlbsim"))
PAGE = os.path.join(REPO, "docs/configuration.md")
BEGIN, END = "<!-- keys -->\n", "<!-- end of keys -->\n"


def tables():
    return subprocess.run([NLBSIM, "check", "--keys"], check=True, stdout=subprocess.PIPE).stdout.decode()


def split(page):
    head, rest = page.split(BEGIN)
    middle, tail = rest.split(END)
    return head, middle, tail


class Page(unittest.TestCase):
    maxDiff = None

    def test_page_holds_the_tables_of_the_binary(self):
        with open(PAGE, encoding="utf-8") as f:
            self.assertEqual(split(f.read())[1].strip(), tables().strip(),
                             "run tests/golden/test_configuration.py --update and review the difference")

    def test_every_kind_of_section_is_there(self):
        self.assertEqual(re.findall(r"^### \[(\w+)", tables(), re.M),
                         ["nlb", "listener", "target_group", "lab_target", "integration"])

    def test_rows_are_complete(self):
        rows = [line for line in tables().splitlines() if line.startswith("| `")]
        self.assertGreater(len(rows), 60)
        for row in rows:
            cells = [c.strip() for c in row.strip("|").split("|")]
            self.assertEqual(len(cells), 6, row)
            self.assertTrue(all(cells), row)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        with open(PAGE, encoding="utf-8") as f:
            first, _, last = split(f.read())
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(first + BEGIN + "\n" + tables() + "\n" + END + last)
    else:
        unittest.main()
