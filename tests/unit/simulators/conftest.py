"""What the tests of the simulated engine share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.engine.engine import SimEngine
from sim.engine.faults import EngineFaults
from sim.engine.server import EngineServer
from sim.engine.state import EngineState
from unit.simulators.engine_site import Clock, EngineSite
from unit.simulators.storage_site import StorageSite, storage_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[EngineSite]:
    """An engine with a clock that only goes when it is told."""
    clock = Clock()
    with EngineServer(SimEngine(EngineState(now=clock))) as server:
        made = EngineSite(server, clock, tmp_path)
        yield made
        server.faults = EngineFaults()
        for connection in made.connections:
            connection.close(logout=False)


@pytest.fixture
def told(site: EngineSite) -> Iterator[EngineSite]:
    """The same; afterwards it is asserted that it was told all that it was asked."""
    yield site
    assert site.server.engine.refused == []


@pytest.fixture
def stores(told: EngineSite) -> StorageSite:
    """An engine with a host that is up, and with storage."""
    return storage_site(told)
