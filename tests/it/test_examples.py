# SPDX-License-Identifier: Apache-2.0
"""examples/: the shell script, the pytest files, and what can be run of the YAML files; JUnit against its schema."""
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

from nlbtest import missing

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")


def example(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as f:
        return f.read()


class InTemp(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nlbsim-ex-")
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.env = {**os.environ, "NLBSIM": NLBSIM, "PATH": os.path.dirname(NLBSIM) + ":" + os.environ["PATH"]}

    def path(self, name):
        return os.path.join(self.dir, name)

    def sh(self, *argv, **env):
        p = subprocess.run(argv, cwd=self.dir, env={**self.env, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL, timeout=300)
        return p.returncode, p.stdout.decode(errors="replace")

    def flipped(self):
        """The example with an expectation that cannot be met."""
        with open(self.path("flipped.ini"), "w", encoding="utf-8") as f:
            f.write(example("topology.ini").replace("expect        = ok\n", "expect        = PKIX <&>\"'\n", 1))
        return self.path("flipped.ini")


class Shell(InTemp):
    def test_it_passes_and_leaves_reports(self):
        status, out = self.sh(os.path.join(EXAMPLES, "check.sh"))
        self.assertEqual(status, 0, out)
        self.assertIn("3 as expected, 0 missed", out)
        self.assertEqual(len(list(ET.parse(self.path("reports/nlbsim.xml")).getroot().iter("testcase"))), 3)
        self.assertGreater(os.path.getsize(self.path("reports/nlbsim.html")), 1000)

    def test_it_fails_when_an_expectation_is_missed(self):
        status, out = self.sh(os.path.join(EXAMPLES, "check.sh"), self.flipped(), OUT="elsewhere")
        self.assertEqual(status, 1, out)
        self.assertEqual(len(list(ET.parse(self.path("elsewhere/nlbsim.xml")).getroot().iter("failure"))), 1)

    def test_it_stops_at_a_configuration_error(self):
        with open(self.path("bad.ini"), "w", encoding="utf-8") as f:
            f.write("[listener x]\nprotocl = TLS\n")
        self.assertEqual(self.sh(os.path.join(EXAMPLES, "check.sh"), self.path("bad.ini"))[0], 2)


class Pytest(InTemp):
    def test_its_tests_pass_with_the_fixture_and_without_pytest(self):
        folder = os.path.join(EXAMPLES, "pytest")
        os.environ["NLBSIM"] = NLBSIM

        def load(name):
            spec = importlib.util.spec_from_file_location(name, os.path.join(folder, name + ".py"))
            module = importlib.util.module_from_spec(spec)
            sys.dont_write_bytecode = True
            spec.loader.exec_module(module)
            return module
        tests = load("test_private_api")
        names = [n for n in dir(tests) if n.startswith("test_")]
        self.assertGreaterEqual(len(names), 4)
        with load("nlbsim_fixture").private_api(os.path.join(EXAMPLES, "topology.ini")) as api:
            for name in names:
                with self.subTest(name):
                    getattr(tests, name)(api)

    def test_under_pytest(self):
        if not importlib.util.find_spec("pytest"):
            self.skipTest(missing("pytest"))
        status, out = self.sh(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", os.path.join(EXAMPLES, "pytest"))
        self.assertEqual(status, 0, out)


class Yaml(InTemp):
    FILES = ("github-actions.yml", "gitlab-ci.yml", "docker-compose.yml", "kubernetes-job.yaml")

    def load(self, name):
        if not importlib.util.find_spec("yaml"):
            self.skipTest(missing("yaml"))
        import yaml
        return yaml.safe_load(example(name))

    def test_paths_in_them_exist(self):
        for name in self.FILES:
            for path in re.findall(r"nlbsim/((?:scripts|examples)/[\w./-]+)", example(name)):
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)), f"{name}: {path}")

    def test_an_image_is_built_from_sources_alone(self):
        with open(os.path.join(ROOT, ".dockerignore"), encoding="utf-8") as f:
            ignored = {line.strip() for line in f if not line.startswith("#")}
        self.assertLessEqual({"build", ".git"}, ignored)

    def test_a_checkout_with_submodules_has_git(self):
        """In a container without git, actions/checkout downloads an archive, and submodules stay empty."""
        steps = example("github-actions.yml").split("steps:")[1]
        self.assertIn("submodules: true", steps)
        self.assertRegex(steps[:steps.index("actions/checkout")], r"install .*\bgit\b")

    def test_github_actions(self):
        steps = self.load("github-actions.yml")["jobs"]["matrix"]["steps"]
        line = next(s["run"] for s in steps if "check.sh" in s.get("run", ""))
        os.symlink(ROOT, self.path("nlbsim"))
        status, out = self.sh("sh", "-ec", line.replace("NLBSIM=nlbsim/build/release/nlbsim", "NLBSIM=" + NLBSIM))
        self.assertEqual(status, 0, out)
        self.assertTrue(os.path.exists(self.path("reports/nlbsim.xml")))

    def test_gitlab_shards(self):
        job = self.load("gitlab-ci.yml")["catalogue"]
        n = job["parallel"]
        total = 0
        for k in range(1, n + 1):
            script = "\n".join(job["script"]).replace("nlbsim/build/release/nlbsim", NLBSIM)
            status, out = self.sh("sh", "-ec", script, CI_NODE_INDEX=str(k), CI_NODE_TOTAL=str(n))
            self.assertEqual(status, 0, out)
            total += len(list(ET.parse(self.path(f"reports/catalogue-{k}.xml")).getroot().iter("testcase")))
        self.assertGreater(total, 110)

    def test_compose_fits_its_ini(self):
        doc = self.load("docker-compose.yml")
        app = doc["services"]["app"]
        port = app["command"][app["command"].index("--listen") + 1].rpartition(":")[2]
        ini = example("compose.ini")
        self.assertIn(f"= {app['networks']['private']['ipv4_address']}:{port}\n", ini)
        call = doc["services"]["gateway"]["command"]
        self.assertIn(":" + call[call.index("--connect") + 1].rpartition(":")[2] + "\n", ini)
        status, out = self.sh(NLBSIM, "check", os.path.join(EXAMPLES, "compose.ini"))
        self.assertEqual(status, 0, out)

    def test_indexed_job_partitions(self):
        text = example("kubernetes-job.yaml")
        n = int(re.search(r"completions: (\d+)", text)[1])
        line = re.search(r"- (exec nlbsim matrix.*)", text)[1].replace("/scenarios/*.ini", os.path.join(ROOT, "scenarios/e-http-api.ini"))
        ids = []
        for k in range(n):
            status, out = self.sh("sh", "-c", line, JOB_COMPLETION_INDEX=str(k))
            self.assertEqual(status, 0, out)
            ids += [s["id"] for s in json.loads(out)["scenarios"]]
        self.assertEqual(sorted(ids), [f"H{i:02}" for i in range(1, 9)])

    def test_kubernetes_manifest(self):
        job = self.load("kubernetes-job.yaml")
        self.assertEqual((job["kind"], job["spec"]["completionMode"]), ("Job", "Indexed"))
        self.assertIn(f'/{job["spec"]["completions"]}"', job["spec"]["template"]["spec"]["containers"][0]["args"][0])


class Junit(InTemp):
    SCHEMA = os.path.join(ROOT, "tests", "junit.xsd")

    def setUp(self):
        super().setUp()
        if not shutil.which("xmllint"):
            self.skipTest(missing("xmllint"))

    def validate(self, path):
        return self.sh("xmllint", "--noout", "--nonet", "--schema", self.SCHEMA, path)

    def test_passed_missed_and_listed(self):
        xml = self.path("m.xml")
        self.assertEqual(self.sh(NLBSIM, "matrix", "--junit", xml, self.flipped(),
                                 os.path.join(ROOT, "scenarios", "f-front-door.ini"))[0], 1)
        kinds = {e.tag for e in ET.parse(xml).getroot().iter()}
        self.assertGreaterEqual(kinds, {"failure", "skipped"})
        status, out = self.validate(xml)
        self.assertEqual(status, 0, out)

    def test_the_schema_refuses_what_is_wrong(self):
        xml = self.path("m.xml")
        self.sh(NLBSIM, "matrix", "--junit", xml, os.path.join(EXAMPLES, "topology.ini"))
        with open(xml, encoding="utf-8") as f:
            text = f.read()
        for old, new in ((' classname="', ' klass="'), ('tests="3"', 'tests="three"'), ("<testcase ", "<case ")):
            with self.subTest(new):
                self.assertIn(old, text)
                with open(self.path("bad.xml"), "w", encoding="utf-8") as f:
                    f.write(text.replace(old, new, 1))
                self.assertNotEqual(self.validate(self.path("bad.xml"))[0], 0)


if __name__ == "__main__":
    unittest.main()
