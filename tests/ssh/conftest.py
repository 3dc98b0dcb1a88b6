from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heretic.hosts import Hosts, HostSettings
from heretic.hosts.link import ReconnectDelays
from sim.machine import Machine
from sim.server import SimServer
from ssh.shell import Shell
from ssh.targets import SHELLS, ShellServer, ShellTarget, SimulatedTarget, Target, settings_for


@pytest.fixture
async def hosts() -> AsyncIterator[Hosts]:
    """Tries again soon, so that no test waits for seconds."""
    hosts = Hosts(delays=ReconnectDelays(first=0.02, most=0.1))
    yield hosts
    await hosts.close()


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    server = await SimServer(Machine()).start()
    yield server
    await server.stop()
    assert server.machine.refusals == []


@pytest.fixture
def settings(server: SimServer) -> HostSettings:
    return settings_for(server)


@pytest.fixture(params=["simulated", *SHELLS])
async def target(request: pytest.FixtureRequest, hosts: Hosts, tmp_path: Path) -> AsyncIterator[Target]:
    """The same contract for the simulator and for real shells."""
    server: SimServer
    if request.param == "simulated":
        server = await SimServer(Machine()).start()
        yield SimulatedTarget(hosts, server)
        assert server.machine.refusals == []
    else:
        shell = ShellServer(shell=SHELLS[request.param], sandbox=tmp_path)
        shell.prepare()
        server = await shell.start()
        yield ShellTarget(hosts, shell)
        assert not [p for p in (tmp_path / "run").iterdir() if p.name != "heretic"], "a script left its folder"
    await hosts.close()
    await server.stop()


@pytest.fixture(params=list(SHELLS.values()), ids=list(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path, request.param)
