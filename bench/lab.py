#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the certificate lab: writing it, and starting with many certificates.

   python3 bench/lab.py [--rounds N] [--most N]

Wall time and the program's own CPU time; medians of the rounds, and the range, for a large RSA key is
a matter of luck.
"""
import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

NLBSIM = os.path.abspath(os.environ.get("NLBSIM", "build/release/nlbsim"))
TAIL = "target_group = t\n[target_group t]\nprotocol = TCP\ntarget = 127.0.0.1:9\n"


def cpu():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def timed(*argv):
    before, began = cpu(), time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began, cpu() - before


def start(folder, ini):
    """Seconds from exec to READY=1, and the CPU time of the whole run."""
    path, notify = os.path.join(folder, "n.ini"), os.path.join(folder, "notify")
    with open(path, "w", encoding="utf-8") as f:
        f.write(ini)
    before = cpu()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(notify)
        s.settimeout(300)
        began = time.monotonic()
        with subprocess.Popen([NLBSIM, "run", path], env=dict(os.environ, NOTIFY_SOCKET=notify), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as p:
            while b"READY=1" not in s.recv(4096):
                pass
            took = time.monotonic() - began
            p.terminate()
    os.unlink(notify)
    return took, cpu() - before


def report(name, samples):
    wall, used = [s[0] for s in samples], [s[1] for s in samples]
    print(f"{name:48} {statistics.median(wall) * 1000:9.1f} ms   ({min(wall) * 1000:.1f} to {max(wall) * 1000:.1f})"
          f"   cpu {statistics.median(used) * 1000:9.1f} ms", flush=True)


def listener(specs):
    return "[listener l]\nprotocol = TLS\nlisten = 127.0.0.1:0\n" + "".join(f"certificate = {s}\n" for s in specs) + TAIL


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--most", type=int, default=10000, help="certificates of the largest listener")
    o = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="nlbsim-bench-")
    try:
        pki = os.path.join(folder, "pki")
        report("nlbsim lab --no-large-rsa", [timed(NLBSIM, "lab", "--no-large-rsa", "--force", pki) for _ in range(o.rounds)])
        report("nlbsim lab", [timed(NLBSIM, "lab", "--force", pki) for _ in range(o.rounds)])
        pems = []
        for i in range(min(1000, o.most)):
            pems.append(os.path.join(folder, f"h{i}.pem"))
            subprocess.run([NLBSIM, "cert", "issue", "--lab", pki, "--out", pems[-1][:-4], f"h{i}.example.com"], check=True,
                           stderr=subprocess.DEVNULL)
        for n in (1, 10, 100, 1000, 10000):
            if n <= o.most:
                labs = [f"lab:valid/h{i}.example.com" for i in range(n)]
                report(f"start to ready, {n} lab: certificates", [start(folder, listener(labs)) for _ in range(o.rounds if n <= 1000 else 1)])
            if n <= len(pems):
                report(f"start to ready, {n} PEM certificates", [start(folder, listener(pems[:n])) for _ in range(o.rounds)])
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
