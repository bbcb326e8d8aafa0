# SPDX-License-Identifier: Apache-2.0
"""Half a minute of scripts/soak."""
import unittest

from nlbtest import NlbTest
from soak import Soak


class Short(NlbTest):
    def test_half_a_minute(self):
        soak = Soak(30, 1).run()
        self.assertEqual(soak.faults, [], soak.report())
        for what in ("reloads", "famines of descriptors", "full disks", "hostile clients", "hostile targets", "scrapes",
                     "honest: TLS 1.2", "honest: TLS 1.3", "honest: TCP", "honest: slow reader", "honest: slow writer"):
            self.assertGreater(soak.counts[what], 0, f"{what}: none\n{soak.report()}")


if __name__ == "__main__":
    unittest.main()
