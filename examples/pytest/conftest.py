# SPDX-License-Identifier: Apache-2.0
"""The fixture: one load balancer for each test module."""
import pathlib

import pytest
from nlbsim_fixture import private_api


@pytest.fixture(scope="module")
def api():
    with private_api(pathlib.Path(__file__).parent.parent / "topology.ini") as running:
        yield running
