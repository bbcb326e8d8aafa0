# SPDX-License-Identifier: Apache-2.0
"""docs/command-line.md is what the tables of the commands say."""
import os
import subprocess
import unittest

NLBSIM = os.environ.get("NLBSIM", "build/release/nlbsim")
PAGE = "docs/command-line.md"


class Page(unittest.TestCase):
    def test_the_page_is_what_the_binary_prints(self):
        printed = subprocess.run([NLBSIM, "help", "--markdown"], check=True, text=True, stdout=subprocess.PIPE).stdout
        self.assertGreater(printed.count("\n| `"), 80)
        with open(PAGE, encoding="utf-8") as f:
            self.assertEqual(f.read(), printed, f"write `nlbsim help --markdown` to {PAGE}")


if __name__ == "__main__":
    unittest.main()
