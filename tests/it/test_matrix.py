# SPDX-License-Identifier: Apache-2.0
"""nlbsim matrix: the catalogue passes, an expectation can be missed, shards partition, reports are well-formed."""
import html.parser
import json
import os
import re
import tempfile
import unittest
import xml.etree.ElementTree as ET

from nlbtest import nlbsim

# The catalogue as AWS's sources give it: id, who decides, status. Kept apart from scenarios/*.ini, so that an
# expectation changed there by mistake is seen here.
CATALOGUE = """
A01 listener 200 A03 listener 200 A04 listener 200 A06 listener 500 A07 listener 500 A08 listener 500 A12 listener 500
A16 listener 500 A18 listener 200 A20 listener 200 A38 target 504 B01 listener 200 B03 listener 500 B04 listener 500
C01 target 200 C02 target 500 C04 target 500 C05 target 500 C19 target 200 C26 target 504 D02 target 500 D07 network 504
F10 listener 500 A44 listener 500 C18 target 500 C30 target 500 D11 network 500
"""


def matrix(*args, **kwargs):
    return nlbsim("matrix", *args, **kwargs)


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.junit, cls.html = (os.path.join(cls.dir.name, n) for n in ("m.xml", "m.html"))
        cls.process = matrix("--json", "--jobs", "8", "--junit", cls.junit, "--html", cls.html, timeout=300)
        cls.doc = json.loads(cls.process.stdout)

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def test_everything_is_as_expected(self):
        missed = [f"{s['id']}: {s['missed']}" for s in self.doc["scenarios"] if s["ok"] is False]
        self.assertEqual(missed, [])
        self.assertEqual(self.process.returncode, 0)
        self.assertGreaterEqual(self.doc["passed"], 100)

    def test_every_id_of_the_catalogue_is_there(self):
        ids = {re.sub(r"[a-z]$", "", s["id"]) for s in self.doc["scenarios"]}
        want = {f"{k}{i:02}" for k, n in (("A", 44), ("B", 10), ("C", 30), ("D", 11), ("H", 8), ("F", 10))
                for i in range(1, n + 1)}
        self.assertEqual(ids, want)
        for s in self.doc["scenarios"]:
            with self.subTest(s["id"]):
                self.assertTrue(s["source"])
                self.assertIn(s["evidence"], ("documented", "reported", "inferred"))
                self.assertNotEqual(s["ok"] is None, s["not_acted"] is None)

    def test_outcomes_of_the_sources(self):
        by_id = {s["id"]: s for s in self.doc["scenarios"]}
        words = CATALOGUE.split()
        for name, hop, status in zip(words[::3], words[1::3], words[2::3]):
            with self.subTest(name):
                self.assertEqual((by_id[name]["hop"], by_id[name]["status"]), (hop, int(status)))
                self.assertTrue(by_id[name]["verdict"])

    def test_junit(self):
        root = ET.parse(self.junit).getroot()
        self.assertEqual(root.tag, "testsuites")
        suites = list(root)
        cases = [c for s in suites for c in s]
        self.assertEqual(len(cases), len(self.doc["scenarios"]))
        self.assertEqual(int(root.get("tests")), len(cases))
        self.assertEqual(sum(int(s.get("tests")) for s in suites), len(cases))
        self.assertEqual(sum(int(s.get("skipped")) for s in suites), self.doc["not_acted"])
        for c in cases:
            self.assertTrue(c.get("name") and c.get("classname") and float(c.get("time")) >= 0)
            self.assertTrue(all(e.tag in ("skipped", "failure") for e in c))

    def test_page_needs_nothing_else(self):
        class Reader(html.parser.HTMLParser):
            tags, outside, articles = [], [], 0

            def handle_starttag(self, tag, attrs):
                self.articles += tag == "article"
                self.outside += [v for k, v in attrs if k in ("src", "href", "action", "data")]
                self.tags.append(tag)

        with open(self.html, encoding="utf-8") as f:
            text = f.read()
        reader = Reader()
        reader.feed(text)
        self.assertEqual(reader.articles, len(self.doc["scenarios"]))
        self.assertEqual(reader.outside, [])
        self.assertNotIn("script", reader.tags)
        self.assertNotRegex(text, r"url\(|@import")


class Own(unittest.TestCase):
    INI = """
[listener https]
protocol = TLS
listen = 127.0.0.1:0
ssl_policy = ELBSecurityPolicy-TLS13-1-2-2021-06
certificate = lab:expired/api.example.com
target_group = g

[target_group g]
protocol = TCP
target = lab:app

[lab_target app]
protocol = HTTP

[integration orders]
uri = https://api.example.com/orders
listener = https
expect = {expect}
expect_status = {status}
expect_hop = {hop}
"""
    RIGHT = {"expect": "validity check failed", "status": 500, "hop": "listener"}

    def run_ini(self, **values):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "my.ini")
            with open(path, "w", encoding="utf-8") as f:
                f.write(self.INI.format(**{**self.RIGHT, **values}))
            return matrix("--json", path)

    def test_own_topology(self):
        run = self.run_ini()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_each_expectation_can_be_missed(self):
        for values in ({"expect": "ok"}, {"expect": "PKIX path building failed"}, {"status": 200}, {"hop": "target"}):
            with self.subTest(values):
                run = self.run_ini(**values)
                doc = json.loads(run.stdout)
                self.assertEqual((run.returncode, doc["failed"]), (1, 1))
                self.assertTrue(doc["scenarios"][0]["missed"])

    def test_table_says_what_was_missed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "my.ini")
            with open(path, "w", encoding="utf-8") as f:
                f.write(self.INI.format(**{**self.RIGHT, "expect": "ok"}))
            run = matrix(path)
        text = run.stdout.decode() if isinstance(run.stdout, bytes) else run.stdout
        self.assertEqual(run.returncode, 1)
        self.assertIn("MISSED", text)
        self.assertIn("expected ok, got", text)
        self.assertNotIn("\x1b[", text)


class Picking(unittest.TestCase):
    def ids(self, *args):
        return [s["id"] for s in json.loads(matrix("--json", "--filter", "H0", *args).stdout)["scenarios"]]

    def test_shards_partition(self):
        whole, parts = self.ids(), [self.ids("--shard", f"{k}/3") for k in (1, 2, 3)]
        self.assertEqual(sorted(sum(parts, [])), sorted(whole))
        self.assertEqual(len(whole), 8)

    def test_bad_usage(self):
        for args in (("--shard", "4/3"), ("--shard", "x"), ("--jobs", "0"), ("--filter", "no such scenario"), ("--nope",)):
            with self.subTest(args):
                self.assertEqual(matrix(*args).returncode, 2)
        self.assertEqual(matrix("/no/such/file.ini").returncode, 3)


if __name__ == "__main__":
    unittest.main()
