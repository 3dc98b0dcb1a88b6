"""Captured answers of gluster 10.3 and 11.1, parsed; and everything that must stay Unknown."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.facts import BrickState, VolumeState
from heretic.domain.pool.parse.clients import parse_clients
from heretic.domain.pool.parse.heal import parse_heal_summary
from heretic.domain.pool.parse.peers import parse_operating_version, parse_peers
from heretic.domain.pool.parse.volume_info import parse_volume_info
from heretic.domain.pool.parse.volume_status import parse_volume_detail, parse_volume_status
from heretic.domain.pool.probes import assemble_pool, pool_probes
from lab.platforms import PLATFORMS

BRICK = "/gluster_bricks/vmstore/brick1/brick"
N1 = f"n1.gluster.private:{BRICK}"


@dataclass(frozen=True)
class Captured:
    """A trusted pool of three nodes as one release of Gluster told of it; the third is the arbiter of vmstore.

    Attributes:
        platform: Whose Gluster it is; names the folder of the answers.
        nodes: Names of its nodes, where their peers know them.
        volumes: Those that are started when all is well.
        created: Those of another answer that were never started.
        brick_size: Of vmstore, on the first node.
        clients: Connections of each started volume that are no daemons of Gluster's own.
        second: UUID of the second node's glusterd.
    """

    platform: str
    nodes: tuple[str, str, str]
    volumes: tuple[str, ...]
    created: tuple[str, ...]
    brick_size: int
    clients: Mapping[str, int]
    second: str

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(f"{node}.gluster.private" for node in self.nodes)

    @property
    def bricks(self) -> tuple[str, ...]:
        return tuple(f"{host}:{BRICK}" for host in self.hosts)

    def text(self, name: str) -> str:
        return (DATA / self.platform / name).read_text(encoding="utf-8")

    def output(self, name: str, rc: int = 0) -> Output:
        return Output(rc, self.text(name), "")


DATA = Path(__file__).resolve().parents[2] / "data/gluster"
GLUSTER_10 = Captured(
    platform="debian12",
    nodes=("n1", "n2", "n3"),
    volumes=("lock", "vmstore"),
    created=("lock", "vmstore"),
    brick_size=352321536,
    clients={"lock": 0, "vmstore": 2},
    second="447f988f-fc22-45e7-bd6e-4d52a1940950",
)
GLUSTER_11 = Captured(
    platform="debian13",
    nodes=("node1", "node2", "node3"),
    volumes=("engine", "lock", "share", "vmstore"),
    created=("fresh",),
    brick_size=42882564096,
    clients={"engine": 0, "lock": 0, "share": 0, "vmstore": 2},
    second="a0644b04-697d-4060-ba95-d73ed4939f38",
)


@pytest.fixture(params=[GLUSTER_11, GLUSTER_10], ids=lambda captured: captured.platform)
def pool(request: pytest.FixtureRequest) -> Captured:
    captured: Captured = request.param
    return captured


T = TypeVar("T")


def known(fact: Fact[T]) -> T:
    assert isinstance(fact, Known), fact
    return fact.value


def test_every_platform_has_captured_answers() -> None:
    assert {captured.platform for captured in (GLUSTER_10, GLUSTER_11)} == PLATFORMS.keys()


def test_volume_info(pool: Captured) -> None:
    volumes = known(parse_volume_info(pool.output("volume-info.xml")))
    assert tuple(sorted(volumes)) == pool.volumes
    vmstore = volumes["vmstore"]
    assert (vmstore.state, vmstore.replica_count, vmstore.arbiter_count) == (VolumeState.STARTED, 3, 1)
    assert [(b.host, b.path, b.arbiter) for b in vmstore.bricks] == [
        (host, BRICK, host == pool.hosts[2]) for host in pool.hosts
    ]
    assert vmstore.options["nfs.disable"] == "on"
    assert volumes["lock"].arbiter_count == 0


def test_volume_info_with_the_stripe_count_of_older_releases(pool: Captured) -> None:
    old = pool.text("volume-info.xml").replace("<replicaCount>", "<stripeCount>1</stripeCount><replicaCount>")
    assert parse_volume_info(Output(0, old, "")) == parse_volume_info(pool.output("volume-info.xml"))


def test_volumes_that_were_never_started(pool: Captured) -> None:
    volumes = known(parse_volume_info(pool.output("volume-info-created.xml")))
    assert tuple(sorted(v.name for v in volumes.values() if v.state is VolumeState.CREATED)) == pool.created


def test_no_volumes(pool: Captured) -> None:
    none = "<volumes><count>0</count></volumes>"
    empty = re.sub(r"<volumes>.*</volumes>", none, pool.text("volume-info.xml"), flags=re.S)
    assert known(parse_volume_info(Output(0, empty, ""))) == {}


def test_status_and_detail_of_a_healthy_pool(pool: Captured) -> None:
    status = known(parse_volume_status(pool.output("volume-status.xml")))["vmstore"]
    assert {key: b.online for key, b in status.bricks.items()} == dict.fromkeys(pool.bricks, True)
    assert status.self_heal == {"localhost": True, pool.hosts[1]: True, pool.hosts[2]: True}
    assert status.tasks == ()
    rooms = known(parse_volume_detail(pool.output("volume-status-detail.xml")))["vmstore"]
    room = rooms[pool.bricks[0]]
    assert room.size == pool.brick_size
    assert 0 < room.free < room.size


def test_a_brick_without_process_has_no_port_and_no_pid(pool: Captured) -> None:
    status = known(parse_volume_status(pool.output("brick-down-volume-status.xml")))["vmstore"]
    first, second, _ = pool.bricks
    assert status.bricks[second] == BrickState(online=False, pid=None, size=None, free=None, host_uuid=pool.second)
    assert status.bricks[first].online


def test_bricks_of_a_dead_peer_are_missing_and_not_down(pool: Captured) -> None:
    status = known(parse_volume_status(pool.output("node-dead-volume-status.xml")))["vmstore"]
    assert sorted(status.bricks) == list(pool.bricks[:2])
    peers = known(parse_peers(pool.output("node-dead-peer-status.xml")))
    assert {p.hostnames[0]: p.connected for p in peers} == {pool.hosts[1]: True, pool.hosts[2]: False}


def test_heal_summary(pool: Captured) -> None:
    heal = known(parse_heal_summary(pool.output("heal-summary.xml")))
    assert heal.pending == dict.fromkeys(pool.bricks, Known(0))
    assert heal.split_brain == heal.pending


@pytest.mark.parametrize("file", ["brick-down-heal-summary.xml", "node-dead-heal-summary.xml"])
def test_heal_counts_of_a_brick_that_does_not_answer_are_unknown(pool: Captured, file: str) -> None:
    heal = known(parse_heal_summary(pool.output(file)))
    unknown = [key for key, count in heal.pending.items() if isinstance(count, Unknown)]
    assert unknown == [pool.bricks[1 if "brick-down" in file else 2]]
    assert all(count.value > 0 for count in heal.pending.values() if isinstance(count, Known))


BAD_BRICKS = {
    "a total of 0 and no other counts": "<status>Failed to process entries completely. (Transport endpoint is not "
    "connected)</status><totalNumberOfEntries>0</totalNumberOfEntries>",
    "the count glued to the status": "<status>Failed to process entries completely. (Transport endpoint is not "
    "connected)totalNumberOfEntries0</status>",
    "dashes for counts": "<status>Transport endpoint is not connected</status>"
    "<totalNumberOfEntries>-</totalNumberOfEntries><numberOfEntriesInSplitBrain>-</numberOfEntriesInSplitBrain>",
    "connected, and dashes for counts": "<status>Connected</status><totalNumberOfEntries>-</totalNumberOfEntries>",
    "connected, and no counts": "<status>Connected</status>",
    "a negative count": "<status>Connected</status><totalNumberOfEntries>-1</totalNumberOfEntries>",
}


@pytest.mark.parametrize("shape", BAD_BRICKS)
def test_every_shape_of_a_bad_brick_is_unknown(shape: str) -> None:
    document = (
        f"<cliOutput><healInfo><bricks><brick hostUuid='-'><name>{N1}</name>{BAD_BRICKS[shape]}</brick></bricks>"
        "</healInfo><opRet>0</opRet><opErrno>0</opErrno><opErrstr/></cliOutput>"
    )
    heal = known(parse_heal_summary(Output(0, document, "")))
    assert isinstance(heal.pending[N1], Unknown)


def test_clients_leave_glusters_own_daemons_out(pool: Captured) -> None:
    assert known(parse_clients(pool.output("client-list.txt"))) == pool.clients


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("gfapi.glfsheal                      2", 0, id="a heal count is running"),
        pytest.param("gfapi.smbd                          2", 2, id="Samba"),
        pytest.param("something-new                       1", 1, id="a client that nobody knows"),
    ],
)
def test_clients_by_name(said: str, expected: int) -> None:
    count = int(said.split()[1])
    text = (
        f"Client connections for volume v\nName  count\n-----  ------\n{said}\n\ntotal clients for volume v : {count}\n"
    )
    assert known(parse_clients(Output(0, text, ""))) == {"v": expected}


def test_a_client_list_that_does_not_add_up_says_nothing(pool: Captured) -> None:
    before, last, rows = pool.text("client-list.txt").partition("Client connections for volume vmstore\n")
    cut = before + last + rows.partition("fuse")[0]
    assert known(parse_clients(Output(0, cut, ""))) == {n: c for n, c in pool.clients.items() if n != "vmstore"}
    wrong, changes = re.subn(r"(total clients for volume lock :) \d+", r"\1 99", pool.text("client-list.txt"))
    assert changes == 1
    assert "lock" not in known(parse_clients(Output(0, wrong, "")))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("UUID=2f6e\noperating-version=100000\n", Known(100000)),
        ("operating-version = 31202", Known(31202)),
        ("UUID=2f6e\n", None),
        ("operating-version=\n", None),
        ("operating-version=-1\n", None),
        ("max-operating-version=100000\n", None),
    ],
)
def test_the_op_version_at_which_one_glusterd_works(said: str, expected: Known[int] | None) -> None:
    found = parse_operating_version(Output(0, said, ""))
    assert found == expected if expected else isinstance(found, Unknown)


PARSERS: dict[str, tuple[Callable[[Output], Fact[object]], str]] = {
    "info": (parse_volume_info, "volume-info.xml"),
    "status": (parse_volume_status, "volume-status.xml"),
    "detail": (parse_volume_detail, "volume-status-detail.xml"),
    "heal": (parse_heal_summary, "heal-summary.xml"),
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param(GLUSTER_10.output("transaction-in-progress.xml"), "Another transaction", id="locked"),
        pytest.param(Output(1, "Error : Request timed out\n", ""), "whole XML", id="glusterd gave up"),
        pytest.param(Output(1, "", "Connection failed. Please check if gluster daemon is operational."), "", id="down"),
        pytest.param(Output(124, "", ""), "in time", id="timed out"),
        pytest.param(Output(1, "", ""), "printed nothing", id="the lock on the host was busy"),
    ],
)
def test_what_did_not_work_is_unknown_and_says_why(name: str, output: Output, said: str) -> None:
    fact = PARSERS[name][0](output)
    assert isinstance(fact, Unknown)
    assert said in fact.cause


@pytest.mark.parametrize("name", PARSERS)
def test_every_cut_off_answer_is_unknown(pool: Captured, name: str) -> None:
    parse, file = PARSERS[name]
    whole = pool.text(file).rstrip()
    assert isinstance(parse(Output(0, whole, "")), Known)
    for end in range(0, len(whole), 97):
        assert isinstance(parse(Output(0, whole[:end], "")), Unknown), end


@pytest.mark.parametrize("name", [*PARSERS, "clients"])
def test_without_gluster_the_answer_is_absent(name: str) -> None:
    parse = PARSERS[name][0] if name in PARSERS else parse_clients
    assert parse(Output(127, "", "not found")) == Absent()


def test_a_heal_answer_of_a_volume_without_running_bricks_is_unknown(pool: Captured) -> None:
    assert isinstance(parse_heal_summary(pool.output("heal-summary-no-bricks.xml", 251)), Unknown)


def answers(pool: Captured) -> dict[str, Output]:
    return {
        "gluster-volume-info": pool.output("volume-info.xml"),
        "gluster-volume-status": pool.output("volume-status.xml"),
        "gluster-volume-detail": pool.output("volume-status-detail.xml"),
        "gluster-clients": pool.output("client-list.txt"),
        "gluster-heal-vmstore": pool.output("heal-summary.xml"),
        "heal-note-vmstore": Output(1, "", ""),
    }


def test_the_probes_ask_for_all_that_is_assembled(pool: Captured) -> None:
    assert {p.name for p in pool_probes(["vmstore"])} == set(answers(pool))
    assert all(p.timeout <= 60 for p in pool_probes(["vmstore"]))


def test_assembled_pool(pool: Captured) -> None:
    facts = assemble_pool(pool.nodes[0], answers(pool))
    status = known(facts.status["vmstore"])
    assert status.self_heal[pool.nodes[0]] is True
    assert status.bricks[pool.bricks[0]].size == pool.brick_size
    assert facts.clients == {name: Known(count) for name, count in pool.clients.items()}
    assert known(known(Known(facts.heal["vmstore"]))).pending[pool.bricks[0]] == Known(0)
    assert isinstance(facts.heal["lock"], Unknown), "lock was not asked"


def test_a_volume_that_an_answer_leaves_out_is_unknown(pool: Captured) -> None:
    left_out = re.sub(r"<volume>\s*<volName>vmstore.*?</volume>", "", pool.text("volume-status.xml"), flags=re.S)
    facts = assemble_pool(pool.nodes[0], answers(pool) | {"gluster-volume-status": Output(0, left_out, "")})
    assert isinstance(facts.status["vmstore"], Unknown)
    assert isinstance(facts.status["lock"], Known)


def test_without_answers_everything_is_unknown() -> None:
    facts = assemble_pool("n1", {})
    assert isinstance(facts.volumes, Unknown)
    assert (facts.status, facts.heal, facts.clients) == ({}, {}, {})


def test_tasks_that_are_over_are_no_tasks(pool: Captured) -> None:
    task = "<tasks><task><type>Rebalance</type><id>1</id><status>1</status><statusStr>{}</statusStr></task></tasks>"
    for state, expected in (("in progress", ("Rebalance in progress",)), ("completed", ()), ("failed", ())):
        document = pool.text("volume-status.xml").replace("<tasks/>", task.format(state))
        assert known(parse_volume_status(Output(0, document, "")))["vmstore"].tasks == expected
