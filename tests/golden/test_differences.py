# SPDX-License-Identifier: Apache-2.0
"""docs/differences.md has every setting whose source says "unknown", and every scenario that is only listed."""
import glob
import os
import re
import subprocess
import unittest

NLBSIM = os.environ.get("NLBSIM", "build/release/nlbsim")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def nlbsim(*argv):
    return subprocess.run([NLBSIM, *argv], stdout=subprocess.PIPE, check=True, timeout=120).stdout.decode()


class Differences(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "docs", "differences.md"), encoding="utf-8") as f:
            cls.text = f.read()

    def test_every_unknown_key_with_its_default(self):
        rows = [re.split(r"(?<!\\) \| ", line.strip("| \n")) for line in nlbsim("check", "--keys").splitlines()
                if line.startswith("| `") and "unknown at AWS" in line]
        self.assertGreaterEqual(len(rows), 10)
        for key, _, default, *_ in rows:
            with self.subTest(key):
                row = next((r for r in self.text.splitlines() if r.startswith("| ") and " " + key[1:] in r.split(" | ")[0]), "")
                self.assertIn(default, row)

    def test_every_scenario_that_is_only_listed(self):
        named = set(re.findall(r"`([A-FH]\d\d)`", self.text))
        for first, last in re.findall(r"`([A-FH]\d\d)`-`([A-FH]\d\d)`", self.text):
            named |= {f"{first[0]}{i:02}" for i in range(int(first[1:]), int(last[1:]) + 1)}
        listed = set()
        for path in glob.glob(os.path.join(ROOT, "scenarios", "*.ini")):
            with open(path, encoding="utf-8") as f:
                for section in re.split(r"^\[integration ", f.read(), flags=re.M)[1:]:
                    if re.search(r"^not_acted\s*=", section.partition("\n[")[0], flags=re.M):
                        listed.add(section.partition("]")[0])
        self.assertTrue(listed)
        self.assertEqual(listed - named, set())

    def test_links_lead_somewhere(self):
        for name in re.findall(r"\]\(([^)#:]+)\)", self.text):
            self.assertTrue(os.path.exists(os.path.join(ROOT, "docs", name)), name)


if __name__ == "__main__":
    unittest.main()
