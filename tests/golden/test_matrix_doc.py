# SPDX-License-Identifier: Apache-2.0
"""docs/matrix.md: its table names the fields of --json, its example passes; docs/ci.md: what it links to exists."""
import json
import os
import re
import subprocess
import tempfile
import unittest

NLBSIM = os.environ.get("NLBSIM", "build/release/nlbsim")
DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "docs")


def read(name):
    with open(os.path.join(DOCS, name), encoding="utf-8") as f:
        return f.read()


class Doc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = read("matrix.md")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "my.ini")
            with open(path, "w", encoding="utf-8") as f:
                f.write(re.search(r"```ini\n(.*?)```", cls.text, re.S)[1])
            p = subprocess.run([NLBSIM, "matrix", "--json", path], stdout=subprocess.PIPE, timeout=60)
        cls.status, cls.doc = p.returncode, json.loads(p.stdout)

    def test_the_example_passes(self):
        self.assertEqual((self.status, self.doc["passed"]), (0, 1))

    def test_every_field_and_no_other(self):
        table = self.text.partition("## JSON")[2].partition("## JUnit")[0]
        named = [n for row in re.findall(r"^\| (`.*?) \|", table, re.M) for n in re.findall(r"`(\w+)`", row)]
        self.assertEqual(sorted(named), sorted(self.doc["scenarios"][0]))
        above = table.partition("| field")[0]
        self.assertEqual(set(re.findall(r"`(\w+)`", above)), set(self.doc))

    def test_options_are_those_of_the_help(self):
        p = subprocess.run([NLBSIM, "matrix", "--help"], stdout=subprocess.PIPE, check=True, timeout=60)
        wanted = set(re.findall(r"--[a-z]+", p.stdout.decode())) - {"--help"}
        self.assertEqual(wanted - set(re.findall(r"--[a-z]+", self.text)), set())

    def test_links_lead_somewhere(self):
        for name in ("matrix.md", "ci.md", "walkthrough.md"):
            for link in re.findall(r"\]\(([^)#:]+)\)", read(name)):
                self.assertTrue(os.path.exists(os.path.join(DOCS, link)), f"{name}: {link}")


if __name__ == "__main__":
    unittest.main()
