from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heretic.cluster.client import Cluster
from unit.cluster.api_server import Answer, ApiServer, kubeconfig


@pytest.fixture
async def server(answers: list[Answer]) -> AsyncIterator[ApiServer]:
    """An API server in the process; a module says in a fixture what it answers."""
    async with ApiServer(answers) as running:
        yield running


@pytest.fixture
async def cluster(server: ApiServer, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A connection to it."""
    connected = await Cluster.connect(str(kubeconfig(tmp_path / "config", server.url)))
    yield connected
    await connected.close()
