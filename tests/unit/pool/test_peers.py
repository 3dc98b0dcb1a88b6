"""A host's view of the pool, parsed."""

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.parse.peers import Peer, parse_peers, parse_uuid

OWN = "5ff3eb22-1111-4a7e-8d6e-7d7b5c9b0e01"


def answer(body: str, op_ret: int = 0, error: str = "") -> Output:
    return Output(
        0,
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput>\n  <opRet>{op_ret}</opRet>\n'
        f"  <opErrno>0</opErrno>\n  <opErrstr>{error}</opErrstr>\n{body}</cliOutput>\n",
        "",
    )


PEER = """  <peerStatus>
    <peer>
      <uuid>8b0e0c6b-0f38-4f6f-9a5a-2b4f0b6f4a02</uuid>
      <hostname>n2.gluster.private</hostname>
      <hostnames>
        <hostname>n2.gluster.private</hostname>
        <hostname>172.20.11.12</hostname>
      </hostnames>
      <connected>{connected}</connected>
      <state>{state}</state>
      <stateStr>{text}</stateStr>
    </peer>
  </peerStatus>
"""


def peer(connected: bool, state: str) -> Peer:
    return Peer("8b0e0c6b-0f38-4f6f-9a5a-2b4f0b6f4a02", ("n2.gluster.private", "172.20.11.12"), connected, state)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(
            answer(PEER.format(connected=1, state=3, text="Peer in Cluster")),
            Known((peer(True, "Peer in Cluster"),)),
            id="healthy",
        ),
        pytest.param(
            answer(PEER.format(connected=0, state=3, text="Peer in Cluster")),
            Known((peer(False, "Peer in Cluster"),)),
            id="peer is dead",
        ),
        pytest.param(
            answer(PEER.format(connected=1, state=6, text="Peer Rejected")),
            Known((peer(True, "Peer Rejected"),)),
            id="rejected",
        ),
        pytest.param(answer("  <peerStatus/>\n"), Known(()), id="alone"),
        pytest.param(Output(127, "", "sh: 1: gluster: not found"), Absent(), id="gluster is not installed"),
    ],
)
def test_peers(output: Output, expected: Fact[tuple[Peer, ...]]) -> None:
    assert parse_peers(output) == expected


WHOLE = answer(PEER.format(connected=1, state=3, text="Peer in Cluster")).stdout


@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param(Output(124, "", ""), "in time", id="timed out"),
        pytest.param(Output(1, "", "Connection failed. Check glusterd."), "Connection failed", id="glusterd is down"),
        pytest.param(answer("", -1, "Locking failed on n3"), "Locking failed on n3", id="opRet -1 with rc 0"),
        pytest.param(answer("", -1, "(null)"), "no reason given", id="opErrstr is (null)"),
        pytest.param(Output(0, WHOLE[:-60], ""), "whole XML", id="cut off"),
        pytest.param(Output(0, "Number of Peers: 0\n", ""), "whole XML", id="text instead of XML"),
        pytest.param(answer(""), "no <peerStatus>", id="without the list"),
        pytest.param(
            answer(PEER.format(connected="N/A", state=3, text="")), "without uuid", id="connected is not a number"
        ),
        pytest.param(Output(0, '<!DOCTYPE x [<!ENTITY a "b">]>' + WHOLE, ""), "whole XML", id="document type refused"),
    ],
)
def test_peers_that_cannot_be_trusted_are_unknown(output: Output, said: str) -> None:
    fact = parse_peers(output)
    assert isinstance(fact, Unknown)
    assert said in fact.cause


def test_every_prefix_of_a_good_answer_is_unknown() -> None:
    whole = WHOLE.rstrip()
    assert isinstance(parse_peers(Output(0, whole, "")), Known)
    for end in range(len(whole)):
        assert isinstance(parse_peers(Output(0, whole[:end], "")), Unknown), end


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(Output(0, f"0600\nUUID={OWN.upper()}\noperating-version=100000\n", ""), Known(OWN), id="file"),
        pytest.param(Output(0, f"UUID: {OWN}\n", ""), Known(OWN), id="command"),
        pytest.param(Output(1, "", ""), Absent(), id="no file yet"),
        pytest.param(Output(127, "", "not found"), Absent(), id="not installed"),
    ],
)
def test_uuid(output: Output, expected: Fact[str]) -> None:
    assert parse_uuid(output) == expected


@pytest.mark.parametrize("text", ["", "0600\n", "UUID=nonsense\n", "0600\noperating-version=100000\n"])
def test_uuid_that_cannot_be_read_is_unknown(text: str) -> None:
    assert isinstance(parse_uuid(Output(0, text, "")), Unknown)
