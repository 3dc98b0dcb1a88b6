"""Failures of SSH connections, for tests."""

import asyncssh
import pytest

from heretic.domain.commands import Command, Output, Probe, PutFile, Script
from heretic.domain.errors import Failure, HereticError
from heretic.domain.facts import Known
from heretic.domain.plan import Failed
from heretic.hosts import Hosts, HostSettings
from sim.admission import Anybody

PROBE: Probe[Output] = Probe("p", ("@file", "/etc/hostname"), Known, timeout=1)
STEP = Script(done=(Command(("made",)),), actions=(PutFile("/a", "x"),))


async def failure_of(hosts: Hosts, settings: HostSettings) -> Failure:
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    result = await hosts.perform(settings, STEP, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure == raised.value.failure, "a step must fail as a batch does"
    return raised.value.failure


def fingerprint(line: str) -> str:
    return asyncssh.import_public_key(line).get_fingerprint()
