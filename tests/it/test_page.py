# SPDX-License-Identifier: Apache-2.0
"""The HTML page of the matrix in a real browser: it renders, has no script errors, asks nobody for anything."""
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from nlbtest import missing, nlbsim

BROWSER = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")
# Browsers also ask for themselves (time, updates); the proxy keeps that inside. Nothing of ours names these hosts.
BROWSERS_OWN = re.compile(r"[/ .](google|googleapis|gvt1|gstatic)\.com\b")


@contextlib.contextmanager
def counting_proxy():
    """A proxy that answers nobody and keeps the first line of what it was asked."""
    asked = []

    def serve(listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError):
                sock.settimeout(5)
                asked.append(sock.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@unittest.skipUnless(BROWSER, missing("chromium"))
class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nlbsim-page-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def path(self, name):
        return os.path.join(self.dir, name)

    def browse(self, page, *args):
        """What the browser prints, what it complains about, and what it asked of the outside."""
        with counting_proxy() as (port, asked):
            with subprocess.Popen([BROWSER, *FLAGS, "--user-data-dir=" + tempfile.mkdtemp(dir=self.dir), "--enable-logging=stderr",
                                   f"--proxy-server=http://127.0.0.1:{port}", "--window-size=1200,1600", *args,
                                   "file://" + page], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, start_new_session=True) as p:
                try:
                    out, err = p.communicate(timeout=120)
                except subprocess.TimeoutExpired:
                    os.killpg(p.pid, signal.SIGKILL)  # the group is the browser's own
                    p.communicate()
                    self.fail("the browser does not end")
            console = re.findall(r"CONSOLE.*", err.decode(errors="replace"))
        return out.decode(errors="replace"), console, [line for line in asked if not BROWSERS_OWN.search(line)]

    def test_the_page(self):
        page, shot = self.path("m.html"), self.path("m.png")
        self.assertEqual(nlbsim("matrix", "--filter", "C", "--html", page).returncode, 0)
        with open(page, encoding="utf-8") as f:
            text = f.read()
        self.assertIsNone(BROWSERS_OWN.search(text))
        articles = text.count("<article ")
        dom, console, asked = self.browse(page, "--dump-dom")
        self.assertEqual((console, asked), ([], []))
        self.assertEqual(dom.count("<article "), articles)
        self.assertRegex(dom, r'class="hop bad">refused<i></i>')
        _, console, asked = self.browse(page, "--screenshot=" + shot, "--hide-scrollbars")
        self.assertEqual((console, asked), ([], []))
        with open(shot, "rb") as f:
            head = f.read(24)
        self.assertEqual(struct.unpack(">II", head[16:24]), (1200, 1600))
        self.assertGreater(os.path.getsize(shot), 20000, "an empty picture")

    def test_a_bad_page_would_be_found(self):
        page = self.path("bad.html")
        with open(page, "w", encoding="utf-8") as f:
            f.write('<!doctype html><body><img src="http://outside.test/x.png"><script>nobody.knows()</script></body>')
        _, console, asked = self.browse(page, "--dump-dom")
        self.assertTrue(any("nobody is not defined" in line for line in console), console)
        self.assertTrue(any("outside.test" in line for line in asked), asked)


if __name__ == "__main__":
    unittest.main()
