"""What tests of a Node share."""

import pytest

from heretic.domain.plan import Converged
from sim.one_host import OneHost
from unit.node.one_node import one_host, settle


@pytest.fixture
def ready() -> OneHost:
    host = one_host()
    assert isinstance(settle(host), Converged)
    return host
