# SPDX-License-Identifier: Apache-2.0
"""docs/lab.md against the tables it repeats.  `python3 tests/golden/test_lab_doc.py --write` renews them."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
SAMPLE = str(pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "pem" / "valid")  # any certificate
DOC = pathlib.Path(__file__).resolve().parents[2] / "docs" / "lab.md"


def output(*argv):
    return subprocess.run([NLBSIM, *argv], stdout=subprocess.PIPE, timeout=60).stdout.decode()


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(c or "" for c in row) + " |" for row in rows]) + "\n"


def blocks():
    listed = json.loads(output("lab", "--list", "--json"))
    rules = json.loads(output("cert", "audit", "--sarif", "--trust-store", "none", SAMPLE))
    out = {}
    for side in ("server", "client"):
        out[f"{side} profiles"] = table(
            ["profile", "what is wrong", "sent", "hop", "trust store", "API Gateway says", "badssl.com", "source"],
            [[f"`{p['profile']}`", p["wrong"], ", ".join(p["chain"]), p["hop"], p["trust_store"],
              f"`{p['says']}`" if p["says"] else "accepted", p["badssl"], p["source"]]
             for p in listed["profiles"] if p["side"] == side])
    out["authorities"] = table(["authority", "issued by", "what it is"],
                               [[f"`{a['authority']}`", a["issuer"] or "itself", a["what"]] for a in listed["authorities"]])
    out["stores"] = table(["store", "members", "what it is"],
                          [[f"`lab:{s['store']}`", s["members"].replace(" ", ", "), s["what"]] for s in listed["stores"]])
    out["findings"] = table(["code", "severity", "what will happen", "the way out"],
                            [[f"`{r['id']}`", r["defaultConfiguration"]["level"], r["shortDescription"]["text"], r["help"]["text"]]
                             for r in rules["runs"][0]["tool"]["driver"]["rules"]])
    return out


def in_doc(text):
    return dict(re.findall(r"<!-- table: ([a-z ]+) -->\n(.*?)<!-- end -->", text, re.S))


class Doc(unittest.TestCase):
    maxDiff = None

    def test_the_tables_are_those_of_the_program(self):
        expected, found = blocks(), in_doc(DOC.read_text())
        self.assertEqual(set(found), set(expected))
        for name, text in expected.items():
            self.assertEqual(found[name], text, f"docs/lab.md, table '{name}': renew with this file's --write")

    def test_every_option_is_described(self):
        text = DOC.read_text()
        for command in (["lab"], ["cert", "show"], ["cert", "issue"], ["cert", "audit"], ["cert", "client"]):
            for option in set(re.findall(r"^  (--[a-z-]+)", output(*command, "--help"), re.M)) - {"--help"}:
                self.assertIn(f"`{option}", text, " ".join(command))


if __name__ == "__main__":
    if "--write" in sys.argv:
        made = blocks()
        DOC.write_text(re.sub(r"(<!-- table: ([a-z ]+) -->\n).*?(<!-- end -->)",
                              lambda m: m[1] + made[m[2]] + m[3], DOC.read_text(), flags=re.S))
    else:
        unittest.main()
