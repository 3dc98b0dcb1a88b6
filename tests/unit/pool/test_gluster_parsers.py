"""Answers of gluster 10.3, recorded, parsed; and everything that must stay Unknown."""

import re
from collections.abc import Callable
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

DATA = Path(__file__).resolve().parents[2] / "data/gluster"
BRICK = "/gluster_bricks/vmstore/brick1/brick"
N1, N2, N3 = (f"n{i}.gluster.private:{BRICK}" for i in (1, 2, 3))


def recorded(name: str, rc: int = 0) -> Output:
    return Output(rc, (DATA / name).read_text(encoding="utf-8"), "")


T = TypeVar("T")


def known(fact: Fact[T]) -> T:
    assert isinstance(fact, Known), fact
    return fact.value


def test_volume_info() -> None:
    volumes = known(parse_volume_info(recorded("volume-info.xml")))
    assert sorted(volumes) == ["lock", "vmstore"]
    vmstore = volumes["vmstore"]
    assert (vmstore.state, vmstore.replica_count, vmstore.arbiter_count) == (VolumeState.STARTED, 3, 1)
    assert [(b.host, b.path, b.arbiter) for b in vmstore.bricks] == [
        ("n1.gluster.private", BRICK, False),
        ("n2.gluster.private", BRICK, False),
        ("n3.gluster.private", BRICK, True),
    ]
    assert vmstore.options["nfs.disable"] == "on"
    assert volumes["lock"].arbiter_count == 0


def test_volume_info_with_the_stripe_count_of_older_releases() -> None:
    old = (DATA / "volume-info.xml").read_text().replace("<replicaCount>", "<stripeCount>1</stripeCount><replicaCount>")
    assert parse_volume_info(Output(0, old, "")) == parse_volume_info(recorded("volume-info.xml"))


def test_volumes_that_were_never_started() -> None:
    volumes = known(parse_volume_info(recorded("volume-info-created.xml")))
    assert {v.state for v in volumes.values()} == {VolumeState.CREATED}


def test_no_volumes() -> None:
    empty = re.sub(r"<volumes>.*</volumes>", "<volumes><count>0</count></volumes>", text("volume-info.xml"), flags=re.S)
    assert known(parse_volume_info(Output(0, empty, ""))) == {}


def text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def test_status_and_detail_of_a_healthy_pool() -> None:
    status = known(parse_volume_status(recorded("volume-status.xml")))["vmstore"]
    assert {key: b.online for key, b in status.bricks.items()} == {N1: True, N2: True, N3: True}
    assert status.self_heal == {"localhost": True, "n2.gluster.private": True, "n3.gluster.private": True}
    assert status.tasks == ()
    rooms = known(parse_volume_detail(recorded("volume-status-detail.xml")))["vmstore"]
    assert rooms[N1].size == 352321536
    assert 0 < rooms[N1].free < rooms[N1].size


def test_a_brick_without_process_has_no_port_and_no_pid() -> None:
    status = known(parse_volume_status(recorded("brick-down-volume-status.xml")))["vmstore"]
    own = "447f988f-fc22-45e7-bd6e-4d52a1940950"
    assert status.bricks[N2] == BrickState(online=False, pid=None, size=None, free=None, host_uuid=own)
    assert status.bricks[N1].online


def test_bricks_of_a_dead_peer_are_missing_and_not_down() -> None:
    status = known(parse_volume_status(recorded("node-dead-volume-status.xml")))["vmstore"]
    assert sorted(status.bricks) == [N1, N2]
    peers = known(parse_peers(recorded("node-dead-peer-status.xml")))
    assert {p.hostnames[0]: p.connected for p in peers} == {"n2.gluster.private": True, "n3.gluster.private": False}


def test_heal_summary() -> None:
    heal = known(parse_heal_summary(recorded("heal-summary.xml")))
    assert heal.pending == {N1: Known(0), N2: Known(0), N3: Known(0)}
    assert heal.split_brain == heal.pending


@pytest.mark.parametrize("file", ["brick-down-heal-summary.xml", "node-dead-heal-summary.xml"])
def test_heal_counts_of_a_brick_that_does_not_answer_are_unknown(file: str) -> None:
    heal = known(parse_heal_summary(recorded(file)))
    unknown = [key for key, count in heal.pending.items() if isinstance(count, Unknown)]
    assert unknown == [N2 if "brick-down" in file else N3]
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


def test_clients_leave_glusters_own_daemons_out() -> None:
    assert known(parse_clients(recorded("client-list.txt"))) == {"lock": 0, "vmstore": 2}


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


def test_a_client_list_that_does_not_add_up_says_nothing() -> None:
    cut = text("client-list.txt").partition("fuse")[0]
    assert known(parse_clients(Output(0, cut, ""))) == {"lock": 0}
    wrong = text("client-list.txt").replace("total clients for volume lock : 4", "total clients for volume lock : 5")
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
        pytest.param(recorded("transaction-in-progress.xml"), "Another transaction is in progress", id="locked"),
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
def test_every_cut_off_answer_is_unknown(name: str) -> None:
    parse, file = PARSERS[name]
    whole = text(file).rstrip()
    assert isinstance(parse(Output(0, whole, "")), Known)
    for end in range(0, len(whole), 97):
        assert isinstance(parse(Output(0, whole[:end], "")), Unknown), end


@pytest.mark.parametrize("name", [*PARSERS, "clients"])
def test_without_gluster_the_answer_is_absent(name: str) -> None:
    parse = PARSERS[name][0] if name in PARSERS else parse_clients
    assert parse(Output(127, "", "not found")) == Absent()


def test_a_heal_answer_of_a_volume_without_running_bricks_is_unknown() -> None:
    assert isinstance(parse_heal_summary(recorded("heal-summary-no-bricks.xml", 251)), Unknown)


def answers(prefix: str = "") -> dict[str, Output]:
    def file(name: str) -> str:
        return f"{prefix}{name}" if (DATA / f"{prefix}{name}").exists() else name

    return {
        "gluster-volume-info": recorded("volume-info.xml"),
        "gluster-volume-status": recorded(file("volume-status.xml")),
        "gluster-volume-detail": recorded(file("volume-status-detail.xml")),
        "gluster-clients": recorded(file("client-list.txt")),
        "gluster-heal-vmstore": recorded(file("heal-summary.xml")),
    }


def test_the_probes_ask_for_all_that_is_assembled() -> None:
    assert {p.name for p in pool_probes(["vmstore"])} == set(answers())
    assert all(p.timeout <= 60 for p in pool_probes(["vmstore"]))


def test_assembled_pool() -> None:
    pool = assemble_pool("n1", answers())
    status = known(pool.status["vmstore"])
    assert status.self_heal["n1"] is True
    assert status.bricks[N1].size == 352321536
    assert pool.clients == {"lock": Known(0), "vmstore": Known(2)}
    assert known(known(Known(pool.heal["vmstore"]))).pending[N1] == Known(0)
    assert isinstance(pool.heal["lock"], Unknown), "lock was not asked"


def test_a_volume_that_an_answer_leaves_out_is_unknown() -> None:
    only_lock = re.sub(r"<volume>\s*<volName>vmstore.*?</volume>", "", text("volume-status.xml"), flags=re.S)
    pool = assemble_pool("n1", answers() | {"gluster-volume-status": Output(0, only_lock, "")})
    assert isinstance(pool.status["vmstore"], Unknown)
    assert isinstance(pool.status["lock"], Known)


def test_without_answers_everything_is_unknown() -> None:
    pool = assemble_pool("n1", {})
    assert isinstance(pool.volumes, Unknown)
    assert (pool.status, pool.heal, pool.clients) == ({}, {}, {})


def test_tasks_that_are_over_are_no_tasks() -> None:
    task = "<tasks><task><type>Rebalance</type><id>1</id><status>1</status><statusStr>{}</statusStr></task></tasks>"
    for state, expected in (("in progress", ("Rebalance in progress",)), ("completed", ()), ("failed", ())):
        document = text("volume-status.xml").replace("<tasks/>", task.format(state))
        assert known(parse_volume_status(Output(0, document, "")))["vmstore"].tasks == expected
