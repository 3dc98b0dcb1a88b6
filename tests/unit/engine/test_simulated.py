"""The client against the simulated engine: what happens in between is what happens to a real one."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from heretic.domain.engine.call import ApiMethod, BodyElement, EngineCall, EngineRequest, Expectation, Thing
from heretic.domain.engine.facts import AttachedDomain, EngineFacts, StorageDomain
from heretic.domain.engine.host_parts import HostedEngineRole
from heretic.domain.errors import Failure, HereticError, NeedsUser, Reason
from heretic.domain.facts import Known
from heretic.domain.plan import Done, Failed, StepResult
from heretic.engine.engines import Engines
from heretic.engine.settings import EngineSettings
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.faults import changes, of_the_api
from sim.engine.self_hosted import deploy_hosted_engine
from sim.engine.server import EngineServer
from sim.engine.storage import GIB

NETWORK = Thing("networks", name="gluster", within=(("data_center.id", DEFAULT_DATA_CENTER),))
ADD = EngineCall(
    done=(Expectation(NETWORK, fields=(("mtu", 9000), ("usages", frozenset()), ("vlan.id", 11))),),
    request=EngineRequest(
        ApiMethod.ADD,
        "networks",
        BodyElement(
            "network",
            (
                BodyElement("name", "gluster"),
                BodyElement("data_center", id=DEFAULT_DATA_CENTER),
                BodyElement("mtu", 9000),
                BodyElement("usages"),
                BodyElement("vlan", id="11"),
            ),
        ),
        seconds=5,
    ),
    settle=0,
)
CLUSTER = Thing("clusters", id=DEFAULT_CLUSTER)
FLAG = "fencing_policy.skip_if_gluster_bricks_up"
CHANGE = EngineCall(
    done=(Expectation(CLUSTER, fields=((FLAG, True),)),),
    guards=(Expectation(CLUSTER, fields=(("fencing_policy.enabled", True),)),),
    request=EngineRequest(
        ApiMethod.UPDATE,
        f"clusters/{DEFAULT_CLUSTER}",
        BodyElement("cluster", (BodyElement("fencing_policy", (BodyElement("skip_if_gluster_bricks_up", True),)),)),
        seconds=5,
    ),
    settle=0,
)


class Cleared:
    """Everything may be done."""

    async def check(self) -> Failure | None:
        return None

    def barred(self) -> Failure | None:
        return None


@dataclass
class Simulated:
    """A simulated engine and the operator's side of it."""

    server: EngineServer
    engines: Engines

    @property
    def settings(self) -> EngineSettings:
        return EngineSettings(
            "home/engine",
            "localhost",
            "admin@internal",
            next(iter(self.server.engine.sso.passwords.values())),
            self.server.engine.authority.pem,
            self.server.port,
        )

    async def look(self) -> EngineFacts:
        return await self.engines.look(self.settings)

    async def perform(self, call: EngineCall) -> StepResult:
        return await self.engines.perform(
            self.settings, call, correlation="heretic-test", secrets={}, clearance=Cleared()
        )

    @property
    def writes(self) -> list[str]:
        return self.server.engine.writes


@pytest.fixture
def server() -> Iterator[EngineServer]:
    with EngineServer() as server:
        yield server
        assert server.engine.refused == []


@pytest.fixture
async def site(server: EngineServer) -> AsyncIterator[Simulated]:
    site = Simulated(server, Engines())
    yield site
    await site.engines.close()


CALLS = pytest.mark.parametrize("call", [ADD, CHANGE], ids=["add", "change"])


@CALLS
async def test_a_change_is_made_once_and_seen_by_the_next_look(site: Simulated, call: EngineCall) -> None:
    assert await site.perform(call) == Done(changed=True)
    assert await site.perform(call) == Done(changed=False)
    assert len(site.writes) == 1
    facts = await site.look()
    assert isinstance(facts.networks, Known)
    assert isinstance(facts.clusters, Known)
    gluster = [(one.mtu, one.vlan, one.for_machines) for one in facts.networks.value if one.name == "gluster"]
    assert gluster == ([(9000, 11, False)] if call is ADD else [])
    assert [one.fencing.spares_bricks for one in facts.clusters.value] == [call is CHANGE]


@CALLS
async def test_a_lost_reply_doubles_nothing(site: Simulated, call: EngineCall) -> None:
    await site.look()
    site.server.faults.at = changes
    site.server.faults.drop_after = 1
    assert await site.perform(call) == Done(changed=True)
    assert await site.perform(call) == Done(changed=False)
    posts = [one for one in site.writes if one.startswith("POST")]
    assert len(posts) == (1 if call is ADD else 0)


async def test_a_post_on_a_kept_connection_that_breaks_is_never_sent_again_by_itself(site: Simulated) -> None:
    await site.look()
    site.server.faults.at = changes
    site.server.faults.drop_before = 1
    result = await site.perform(ADD)
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.ENGINE_NOT_ANSWERING
    assert site.writes == []
    assert await site.perform(ADD) == Done(changed=True)


@CALLS
async def test_a_session_that_ends_in_flight_is_renewed(site: Simulated, call: EngineCall) -> None:
    await site.look()
    site.server.faults.at = changes
    site.server.faults.unauthorized = 1
    assert await site.perform(call) == Done(changed=True)
    assert site.engines.counters["home/engine"].logins == 2


async def test_an_engine_that_starts_is_waited_for(site: Simulated) -> None:
    site.server.faults.at = of_the_api
    site.server.faults.unavailable = 1
    with pytest.raises(HereticError) as raised:
        await site.look()
    assert raised.value.failure.reason is Reason.ENGINE_NOT_ANSWERING
    await site.look()


async def test_an_engine_that_was_restarted_is_logged_in_to_again(site: Simulated) -> None:
    await site.look()
    site.server.restart()
    await site.look()
    assert site.engines.counters["home/engine"].logins == 2


async def test_an_engine_that_is_away_cannot_be_reached(site: Simulated) -> None:
    await site.look()
    site.server.stop()
    with pytest.raises(HereticError) as raised:
        await site.look()
    assert raised.value.failure.reason in (Reason.ENGINE_UNREACHABLE, Reason.ENGINE_NOT_ANSWERING)


async def test_a_name_that_somebody_else_has_taken_for_something_else_is_told(site: Simulated) -> None:
    other = BodyElement("network", (BodyElement("name", "gluster"), BodyElement("data_center", id=DEFAULT_DATA_CENTER)))
    plain = EngineCall(done=(Expectation(NETWORK),), request=EngineRequest(ApiMethod.ADD, "networks", other))
    assert await site.perform(plain) == Done(changed=True)
    result = await site.perform(ADD)
    assert isinstance(result, Failed)
    assert isinstance(result.failure, NeedsUser)
    assert result.failure.reason is Reason.ENGINE_REFUSES
    assert "already used" in result.failure.message


async def test_a_look_tells_of_storage_and_of_the_engines_own_machine(site: Simulated) -> None:
    options = "backup-volfile-servers=node2:node3"
    own = deploy_hosted_engine(site.server.engine.state, mount_options=options)
    facts = await site.look()
    domain = StorageDomain(
        id=own.domain,
        name="hosted_storage",
        purpose="data",
        status="",
        storage="glusterfs",
        address="node1",
        path="/engine",
        mount_options=options,
        units=None,
        comment="",
        description="",
        warning=10,
        master=True,
        available=90 * GIB,
        used=10 * GIB,
    )
    assert facts.storage_domains == Known((domain,))
    assert facts.attached == {
        DEFAULT_DATA_CENTER: Known((AttachedDomain(own.domain, "hosted_storage", "active", master=True),))
    }
    assert isinstance(facts.hosts, Known)
    assert [host.hosted_engine for host in facts.hosts.value] == [HostedEngineRole(True, True, 3400, False, False)]


async def test_looking_changes_nothing(site: Simulated) -> None:
    await site.look()
    await site.look()
    assert site.writes == []
