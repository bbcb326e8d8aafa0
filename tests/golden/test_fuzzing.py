# SPDX-License-Identifier: Apache-2.0
"""docs/fuzzing.md, tests/fuzz/targets and the fuzz targets that there are name each other, and every one has seeds."""
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUZZ = ROOT / "tests" / "fuzz"


class Fuzzing(unittest.TestCase):
    def setUp(self):
        lines = (FUZZ / "targets").read_text().splitlines()
        self.targets = {l.split()[0] for l in lines if l and not l.startswith("#")}

    def test_every_target_is_listed(self):
        self.assertEqual({p.stem[len("fuzz_"):] for p in FUZZ.glob("fuzz_*.c")}, self.targets)

    def test_every_target_has_seeds(self):
        for name in self.targets:
            self.assertTrue(any((FUZZ / "corpus" / name).iterdir()), name)

    def test_the_page_says_what_the_books_say(self):
        books = json.loads((FUZZ / "farm.json").read_text())
        rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", (ROOT / "docs" / "fuzzing.md").read_text(), re.M)
        told = {name: int(n.replace(",", "")) for name, n in rows}
        self.assertEqual({n: e for n, e in told.items() if e > 0}, {n: b["executions"] for n, b in books.items()})

    def test_the_seeds_stay_small(self):
        self.assertLess(sum(p.stat().st_size for p in (FUZZ / "corpus").rglob("*") if p.is_file()), 512 * 1024)


if __name__ == "__main__":
    unittest.main()
