# SPDX-License-Identifier: Apache-2.0
"""Where events and logs go may be slow, full or gone: no worker waits, what is lost is counted and told, and what was
written is whole lines."""
import json
import os
import re
import resource
import subprocess
import tempfile
import unittest

from nlbtest import DEADLINE_S, NLBSIM, Nlb, NlbTest, Target, connect, echo, tcp_ini, until, write_ini

FLOWS = 400  # their events are more than a pipe and the smallest queue hold


def lost(text):
    return sum(int(n) for n in re.findall(r"events path=\S+ lost=(\d+)", text))


class Outputs(NlbTest):
    def flows(self, nlb, n):
        """Each is served: whoever waited for the events would not answer."""
        for _ in range(n):
            self.assertAlive(nlb)

    def test_a_pipe_that_nobody_reads(self):
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder:
            path = os.path.join(folder, "events")
            os.mkfifo(path)
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, reader)
            with Target(echo()) as target:
                with Nlb(tcp_ini(target, nlb=f"events = {path}\noutput_queue_bytes = 65536\n")) as nlb:
                    self.flows(nlb, FLOWS)
                    self.assertIn("lines are being lost", nlb.stderr())
                    nlb.stop()
                    data = b""
                    while chunk := os.read(reader, 65536):
                        data += chunk
                    whole = data[:data.rindex(b"\n")].split(b"\n")
                    for line in whole:
                        json.loads(line)
                    # the writer was ended inside a piece of many lines: those in the pipe may count as lost, too
                    self.assertGreaterEqual(len(whole) + lost(nlb.stderr()), FLOWS)
                    self.assertGreater(lost(nlb.stderr()), 0)

    def test_a_full_disk_leaves_no_half_line(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb="events = ev.jsonl\n")) as nlb:
            path = nlb.path("ev.jsonl")
            self.flows(nlb, 3)
            until(lambda: os.path.exists(path) and open(path, "rb").read().count(b"\n") == 3, "no events")
            size = os.path.getsize(path)
            resource.prlimit(nlb.process.pid, resource.RLIMIT_FSIZE, (size + size // 2, resource.RLIM_INFINITY))
            self.flows(nlb, 20)
            until(lambda: "lines are being lost" in nlb.stderr(), "a full disk is not told")
            resource.prlimit(nlb.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            self.flows(nlb, 1)
            until(lambda: lost(nlb.stderr()) > 0, "the number is not told")
            nlb.stop()
            with open(path, encoding="utf-8") as f:
                lines = [json.loads(line) for line in f]
            self.assertEqual(len(lines) + lost(nlb.stderr()), 24)

    def test_standard_output_that_is_closed(self):
        """`nlbsim run nlb.ini | head -1` with events = -: said once and counted; the load balancer goes on."""
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder, Target(echo()) as target:
            ready = os.path.join(folder, "ready.json")
            ini = write_ini(folder, tcp_ini(target), events="-")
            process = subprocess.Popen([NLBSIM, "run", "--ready-file", ready, ini], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.kill)
            until(lambda: os.path.exists(ready), "not ready")
            with open(ready, encoding="utf-8") as f:
                at = json.load(f)["listeners"][0]
            for n in range(4):
                with connect((at["address"], at["port"])) as s:
                    s.sendall(b"x")
                    self.assertEqual(s.recv(1), b"x")
                if n == 0:
                    json.loads(process.stdout.readline())
                    process.stdout.close()
            process.stdout = None
            process.terminate()
            text = process.communicate(timeout=DEADLINE_S)[1]
            self.assertEqual(process.returncode, 0, text)
            self.assertEqual(len(re.findall("events path=- error=\"Broken pipe\"", text)), 1, text)
            self.assertEqual(lost(text), 3, text)

    def test_standard_error_that_nobody_reads(self):
        with tempfile.TemporaryDirectory(prefix="nlbtest-") as folder, Target(echo()) as target:
            ready = os.path.join(folder, "ready.json")
            ini = write_ini(folder, tcp_ini(target), events="ev.jsonl")
            done = subprocess.Popen([NLBSIM, "run", "--debug", "--ready-file", ready, ini], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE)
            try:
                until(lambda: os.path.exists(ready), "not ready")
                with open(ready, encoding="utf-8") as f:
                    at = json.load(f)["listeners"][0]
                for _ in range(400):
                    with connect((at["address"], at["port"])) as s:
                        s.sendall(b"x")
                        self.assertEqual(s.recv(1), b"x")
                done.terminate()
                text = done.communicate(timeout=DEADLINE_S)[0 if done.stderr is None else 1]
                self.assertEqual(done.returncode, 0)
                self.assertNotIn(b"\n\n", text)
            finally:
                if done.poll() is None:
                    done.kill()
                    done.wait()


if __name__ == "__main__":
    unittest.main()
