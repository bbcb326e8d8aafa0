# SPDX-License-Identifier: Apache-2.0
"""The judge beside a real JDK: fresh odd chains, one JDK process for all of them. Skipped where there is none."""
import json, os, shutil, subprocess, sys, tempfile, unittest

from nlbtest import missing

JDK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "jdk")
COUNT = int(os.environ.get("JUDGE_CASES", "800"))


def version():
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        return None
    text = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    return text.split('"')[1].split(".")[0] if '"' in text else None


class Live(unittest.TestCase):
    def test_generated_chains(self):
        if version() != "17":
            self.skipTest(f"no JDK 17 with javac to compare with (found {version()}; Debian: apt install openjdk-17-jdk-headless)")
        try:
            import cryptography  # noqa: F401
        except ImportError:
            self.skipTest(missing("cryptography"))
        with tempfile.TemporaryDirectory() as tmp:
            subprocess.run(["javac", "-d", tmp, os.path.join(JDK, "Oracle.java")], check=True)
            seed = os.environ.get("JUDGE_SEED", "live")
            cases = subprocess.run([sys.executable, os.path.join(JDK, "chains.py"), str(COUNT), seed],
                                   capture_output=True, text=True, check=True).stdout
            jdk = subprocess.run(["java", "-cp", tmp, "Oracle", "jdk"], input=cases, capture_output=True, text=True,
                                 check=True).stdout
        ours = subprocess.run([os.environ["NLBSIM"], "validate", "--client", "jdk", "--json", "-"], input=cases,
                              capture_output=True, text=True, check=True).stdout
        anchors = {d["id"]: len(d["trust"]) for d in map(json.loads, cases.rstrip("\n").split("\n"))}
        ours = {d["id"]: d["error"] for d in map(json.loads, ours.rstrip("\n").split("\n"))}
        wrong = []
        for d in map(json.loads, jdk.rstrip("\n").split("\n")):
            # among several anchors of one name a JDK picks at random (docs/differences-judge.md)
            if d["error"] != ours[d["id"]] and anchors[d["id"]] < 2 and d["error"] != "null":
                wrong.append(f"{d['id']}\n  jdk  {d['error']}\n  ours {ours[d['id']]}")
        self.assertEqual(len(ours), COUNT)
        self.assertFalse(wrong, "\n".join(wrong))

    def test_hosts_beside_apache_httpclient(self):
        jars = [f"/usr/share/java/{j}.jar" for j in ("httpclient", "httpcore", "commons-logging", "commons-codec")]
        if version() is None or not all(map(os.path.exists, jars)):
            self.skipTest("no javac, or no Apache HttpClient 4.5 (libhttpclient-java) to compare with")
        try:
            import cryptography  # noqa: F401
        except ImportError:
            self.skipTest(missing("cryptography"))
        cases = subprocess.run([sys.executable, os.path.join(JDK, "chains.py"), str(COUNT), os.environ.get("JUDGE_SEED", "live"),
                                "hosts"], capture_output=True, text=True, check=True).stdout
        with tempfile.TemporaryDirectory() as tmp:
            path = ":".join(jars + [tmp])
            subprocess.run(["javac", "-cp", path, "-d", tmp, os.path.join(JDK, "Oracle.java"),
                            os.path.join(JDK, "ApacheOracle.java")], check=True)
            theirs = subprocess.run(["java", "-cp", path, "ApacheOracle"], input=cases, capture_output=True, text=True,
                                    check=True).stdout
        ours = subprocess.run([os.environ["NLBSIM"], "validate", "--client", "apache", "--json", "-"], input=cases,
                              capture_output=True, text=True, check=True).stdout
        ours = {d["id"]: d["error"] for d in map(json.loads, ours.rstrip("\n").split("\n"))}
        hosts = {d["id"]: d["host"] for d in map(json.loads, cases.rstrip("\n").split("\n"))}
        wrong = []
        for d in map(json.loads, theirs.rstrip("\n").split("\n")):
            path_failed = (ours[d["id"]] or "").startswith(("PKIX", "Failed to parse"))
            # both sides of the wildcard overlap in the host (docs/differences-judge.md)
            if not path_failed and d["error"] != ours[d["id"]] and not (d["error"] or "").startswith("begin "):
                wrong.append(f"{d['id']} {hosts[d['id']]}\n  theirs {d['error']}\n  ours   {ours[d['id']]}")
        self.assertEqual(len(ours), COUNT)
        self.assertFalse(wrong, "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
