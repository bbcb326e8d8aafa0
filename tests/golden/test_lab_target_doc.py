# SPDX-License-Identifier: Apache-2.0
"""docs/lab-target.md holds the table of faults that the binary prints."""
import os
import subprocess
import unittest

NLBSIM = os.environ.get("NLBSIM", "build/release/nlbsim")
PAGE = "docs/lab-target.md"


class Page(unittest.TestCase):
    def test_table_of_faults(self):
        table = subprocess.run([NLBSIM, "target", "--faults", "--markdown"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        self.assertGreater(table.count("\n"), 35)
        with open(PAGE, encoding="utf-8") as f:
            self.assertIn(table, f.read(), "put `nlbsim target --faults --markdown` into " + PAGE)


if __name__ == "__main__":
    unittest.main()
