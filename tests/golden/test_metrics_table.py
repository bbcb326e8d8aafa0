#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md holds the table of observe/metrics.def.

`test_metrics_table.py --update` writes the table into the page.
"""
import os
import re
import sys
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(REPO, "docs/metrics.md")
TABLE = os.path.join(REPO, "observe/metrics.def")
BEGIN, END = "<!-- metrics -->\n", "<!-- end of metrics -->\n"
DIMENSIONS = {"LB": "LB", "AZ": "LB; AZ+LB", "TG": "LB+TG; AZ+LB+TG"}


def rows():
    with open(TABLE, encoding="utf-8") as f:
        return re.findall(r'^METRIC\((\w+),\s+"(\w+)",\s+"(\w+)",\s+(\w+),\s+(\w+),\s+(\w+),\s+(\w+),\s+"(.*)"\)$',
                          f.read(), re.M)


def table():
    lines = ["| CloudWatch | Prometheus | dimensions | reported | what |", "| --- | --- | --- | --- | --- |"]
    for _, name, prometheus, _, _, dimensions, reported, what in rows():
        lines.append(f"| {name} | `{prometheus}` | {DIMENSIONS[dimensions]} | {reported.lower()} | {what} |")
    return "\n".join(lines) + "\n"


class Table(unittest.TestCase):
    maxDiff = None

    def test_every_row_is_read(self):
        with open(TABLE, encoding="utf-8") as f:
            self.assertEqual(len(rows()), len(re.findall(r"^METRIC\(", f.read(), re.M)))

    def test_page_holds_the_table(self):
        with open(PAGE, encoding="utf-8") as f:
            self.assertEqual(f.read().split(BEGIN)[1].split(END)[0], table(),
                             "run tests/golden/test_metrics_table.py --update and review the difference")

    def test_names(self):
        names = [r[2] for r in rows()]
        self.assertEqual(len(names), len(set(names)))
        for row in rows():
            self.assertEqual(row[3] == "COUNTER", row[2].endswith("_total"), row[2])


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        with open(PAGE, encoding="utf-8") as f:
            head, rest = f.read().split(BEGIN)
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(head + BEGIN + table() + END + rest.split(END)[1])
    else:
        unittest.main()
