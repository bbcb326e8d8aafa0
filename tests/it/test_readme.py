# SPDX-License-Identifier: Apache-2.0
"""README.md's first configuration, as printed, and the change that it suggests."""
import os
import re
import unittest

from nlbtest import Nlb, NlbTest, nlbsim

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md"), encoding="utf-8") as f:
    README = f.read()
INI = re.search(r"```ini\n(.*?)```", README, re.S)[1]
PROBE = re.search(r"^    nlbsim (probe .*?)(?: +#.*)?$", README, re.M)[1].split()


class FirstConfiguration(NlbTest):
    def probe(self, ini):
        with Nlb(ini.replace("127.0.0.1:8443", "127.0.0.1:0")) as nlb:
            at = f"127.0.0.1:{nlb.port('https')}"
            return nlbsim(*(at if word == "127.0.0.1:8443" else word for word in PROBE))

    def test_it_checks(self):
        self.assertEqual(nlbsim("check", "-", data=INI.encode()).returncode, 0)

    def test_a_tls_listener_hides_the_target(self):
        done = self.probe(INI)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_tcp_listener_does_not(self):
        tcp = re.sub(r"^(certificate|ssl_policy) .*\n", "", INI.split("[target_group")[0], flags=re.M)
        tcp = (tcp + "[target_group" + INI.split("[target_group")[1]).replace("protocol     = TLS", "protocol     = TCP")
        done = self.probe(tcp)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        text = done.stdout.decode()
        self.assertIn("PKIX path building failed", text)
        self.assertIn("Decided by: target", text)


if __name__ == "__main__":
    unittest.main()
