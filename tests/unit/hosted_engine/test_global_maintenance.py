"""Global maintenance: what follows from what is declared and from what the hosts say."""

from typing import Any

import pytest

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.conditions import State
from heretic.domain.engine.facts import EngineFacts, EngineHost, EngineIdentity
from heretic.domain.engine.host_parts import HostedEngineRole, OwnMachine
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.hosted_engine.maintenance import SetGlobalMaintenance, maintenance_condition, plan_maintenance
from heretic.domain.plan import Blocked, Wait

ON, OFF = True, False


def role(on: bool | None, *, active: bool = True, configured: bool = True) -> HostedEngineRole:
    return HostedEngineRole(configured, active, 3400, on, local_maintenance=False)


def host(name: str, of: HostedEngineRole | None, status: str = "up") -> EngineHost:
    return EngineHost(f"id-{name}", name, "172.20.10.11", status, "", "cluster", False, of)


def engine(declared: bool | None) -> HostedEngine:
    spec = {"fqdn": "engine.example.test", "deployment": "Existing", "globalMaintenance": declared}
    return HostedEngine.model_validate({"metadata": {"name": "engine"}, "spec": spec})


def facts(machine: Fact[OwnMachine | None]) -> EngineFacts:
    return EngineFacts(identity=EngineIdentity("id", "4.5.7", None), own_machine=machine)


BOTH_OFF = (host("n1", role(OFF)), host("n2", role(OFF)))
ALIVE_AND_DEAD = (host("n1", role(ON)), host("n2", role(OFF), "non_responsive"), host("n3", role(OFF, active=False)))


@pytest.mark.parametrize(
    ("declared", "hosts", "planned"),
    [
        pytest.param(None, BOTH_OFF, None, id="nothing is declared"),
        pytest.param(OFF, BOTH_OFF, None, id="as declared"),
        pytest.param(ON, BOTH_OFF, ("id-n1", "id-n2"), id="it is off"),
        pytest.param(OFF, (host("n1", role(ON)),), ("id-n1",), id="left on by hand"),
        pytest.param(ON, (host("n1", role(ON)), host("n2", role(OFF))), ("id-n1", "id-n2"), id="hosts disagree"),
        pytest.param(ON, ALIVE_AND_DEAD, None, id="what hosts that are out said last does not count"),
        pytest.param(ON, (*BOTH_OFF, host("n3", None)), ("id-n1", "id-n2"), id="a host without a part in it"),
        pytest.param(ON, (host("n1", role(None)),), Reason.NOT_OBSERVED, id="a host does not tell"),
        pytest.param(ON, (host("n1", role(OFF), "connecting"),), Reason.HOSTS_NOT_UP, id="no host is up"),
        pytest.param(ON, (), Reason.HOSTS_NOT_UP, id="there is no host yet"),
        pytest.param(ON, (host("n1", None),), Reason.INVALID_SPEC, id="not self-hosted"),
        pytest.param(ON, (host("n1", role(OFF, configured=False)),), Reason.INVALID_SPEC, id="no part configured"),
    ],
)
def test_what_is_done(declared: bool | None, hosts: tuple[EngineHost, ...], planned: Any) -> None:
    plan = plan_maintenance(engine(declared), facts(Known(OwnMachine("vm", ""))), Known(hosts), wanted=declared)
    match plan:
        case SetGlobalMaintenance():
            assert (plan.machine, plan.on, plan.hosts) == ("vm", declared, planned)
            assert "is declared" in plan.why
        case Wait() | Blocked():
            assert plan.reason is planned
            assert isinstance(plan, Blocked) is (planned is Reason.INVALID_SPEC)
        case None:
            assert planned is None


def test_what_is_not_known_is_waited_for() -> None:
    for machine, hosts in ((Known(OwnMachine("vm", "")), NOT_OBSERVED), (NOT_OBSERVED, Known(BOTH_OFF))):
        plan = plan_maintenance(engine(ON), facts(machine), hosts, wanted=ON)
        assert isinstance(plan, Wait)
        assert plan.reason is Reason.NOT_OBSERVED


def test_an_engine_that_does_not_know_its_own_machine_is_told_with_the_command_for_a_host() -> None:
    plan = plan_maintenance(engine(ON), facts(Known(None)), Known(BOTH_OFF), wanted=ON)
    assert isinstance(plan, Blocked)
    assert "hosted-engine --set-maintenance --mode=global" in plan.message


@pytest.mark.parametrize(
    ("declared", "hosts", "state", "says"),
    [
        (None, Known(BOTH_OFF), State.FALSE, "the hosts look after the engine's machine"),
        (None, Known((host("n1", role(ON)),)), State.TRUE, "nobody restarts the engine's machine"),
        (OFF, Known((host("n1", role(ON)),)), State.TRUE, "and off is declared"),
        (ON, Known(BOTH_OFF), State.FALSE, "and on is declared"),
        (ON, Known((host("n1", role(ON)), host("n2", role(OFF)))), State.UNKNOWN, "on says n1, off n2"),
        (ON, Known((host("n1", role(None)),)), State.UNKNOWN, "do not agree"),
        (None, Known((host("n1", role(ON), "non_responsive"),)), State.UNKNOWN, "on says nobody"),
        (None, Known((host("n1", None),)), State.FALSE, "no host of the cluster may run"),
        (None, NOT_OBSERVED, State.UNKNOWN, "are not known"),
    ],
)
def test_what_is_told(declared: bool | None, hosts: Fact[tuple[EngineHost, ...]], state: State, says: str) -> None:
    told = maintenance_condition(engine(declared), hosts)
    assert told.state is state
    assert says in told.message
