# SPDX-License-Identifier: Apache-2.0
"""docs/probe.md: its examples are run, its tables are compared with the program's."""
import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nlbtest
from nlbtest import REPO, Nlb, nlbsim

with open(os.path.join(REPO, "docs/probe.md"), encoding="utf-8") as f:
    PAGE = f.read()


class FileNlb(Nlb):
    def stop(self):
        self.process.terminate()
        self._judge(self.process.wait(nlbtest.DEADLINE_S))


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)


class Examples(unittest.TestCase):
    maxDiff = None

    def pattern(self, text):
        """An ellipsis stands for anything on the line."""
        return "^" + ".*".join(re.escape(part) for part in text.split("…")) + "$"

    def run_block(self, block, ports, folder):
        env = dict(os.environ, PATH=os.path.dirname(nlbtest.NLBSIM) + ":" + os.environ["PATH"])
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, want = example.partition("\n")
            for shown, real in ports.items():
                command = command.replace(shown, real)
            if "jq " in command:
                nlbtest.needs("jq")
            with self.subTest(command):
                done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=env, cwd=folder,
                                      timeout=nlbtest.DEADLINE_S, check=False)
                self.assertEqual(done.stderr, "")
                got, expected = done.stdout.rstrip("\n").split("\n"), want.rstrip("\n").split("\n")
                self.assertEqual(len(got), len(expected), done.stdout)
                for g, e in zip(got, expected):
                    self.assertRegex(g, self.pattern(e))

    def test_examples(self):
        ini = blocks("ini")[0]
        self.assertEqual(len(blocks("ini")), 1)
        with FileNlb(ini.replace("127.0.0.1:8443", "127.0.0.1:0").replace("127.0.0.1:9443", "127.0.0.1:0")) as nlb:
            ports = {"127.0.0.1:8443": "%s:%d" % nlb.address("https"),
                     "127.0.0.1:9443": "%s:%d" % nlb.address("passthrough")}
            self.assertGreaterEqual(len(blocks("console")), 3)
            for block in blocks("console"):
                self.run_block(block, ports, nlb.folder)


class Tables(unittest.TestCase):
    def test_texts(self):
        with open(os.path.join(REPO, "vpclink/gateway_texts.def"), encoding="utf-8") as f:
            rows = re.findall(r'^BREAK\((\w+),\s*(\w+),\s*"(.*?)", "(.*?)", "(\w+)"', f.read(), re.M)
        self.assertGreater(len(rows), 15)
        for name, kind, config, network, _ in rows:
            text = (network if kind == "NETWORK" else config).split("{text}")[0].rstrip(" (")
            with self.subTest(name):
                self.assertIn(text, PAGE)

    def test_json_fields(self):
        done = nlbsim("probe", "--json", "--connect", "127.0.0.1:1", "http://h/")
        j = json.loads(done.stdout)
        for key in list(j) + list(j["listener"]):
            with self.subTest(key):
                self.assertIn(f"`{key}`", PAGE)

    def test_options(self):
        text = nlbsim("probe", "--help").stdout.decode()
        for option in re.findall(r"`(--[a-z-]+)", PAGE):
            with self.subTest(option):
                self.assertIn(option, text)


if __name__ == "__main__":
    unittest.main()
