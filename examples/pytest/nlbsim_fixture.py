# SPDX-License-Identifier: Apache-2.0
"""`nlbsim run` around a test: free ports, a ready file, a clean end. Standard library only."""
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

NLBSIM = os.environ.get("NLBSIM", "nlbsim")


class PrivateApi:
    """What runs: where its listeners are, and a caller that acts as API Gateway does."""

    def __init__(self, ready):
        self.listeners = {item["name"]: f'{item["address"]}:{item["port"]}' for item in ready["listeners"]}

    def call(self, listener, uri, *options):
        """One call through the VPC link; the fields are those of `nlbsim probe --json`."""
        p = subprocess.run([NLBSIM, "probe", "--json", "--connect", self.listeners[listener], *options, uri],
                           stdout=subprocess.PIPE, timeout=60)
        if p.returncode not in (0, 1):
            raise RuntimeError(f"nlbsim probe ended with {p.returncode}")
        return json.loads(p.stdout)


@contextlib.contextmanager
def private_api(ini, timeout_s=30):
    """Start FILE.ini (port 0 picks free ports), wait until every listener accepts, stop it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        ready = pathlib.Path(folder, "ready.json")
        process = subprocess.Popen([NLBSIM, "run", "--ready-file", ready, ini])
        try:
            end = time.monotonic() + timeout_s
            while not ready.exists():  # it is written at once, when everything listens
                if process.poll() is not None:
                    raise RuntimeError(f"nlbsim run ended with {process.returncode}")
                if time.monotonic() > end:
                    raise RuntimeError("nlbsim run is not ready in time")
                time.sleep(0.01)
            yield PrivateApi(json.loads(ready.read_text()))
        finally:
            process.terminate()
            process.wait(timeout_s)
