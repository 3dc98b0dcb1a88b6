"""What the glusterd of a host says of itself and of the others in its trusted pool."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from heretic.domain.commands import Output, Probe
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.host.section import Answers, Section
from heretic.domain.pool.command import local
from heretic.domain.pool.parse.peers import Peer, parse_operating_version, parse_peers, parse_uuid

T = TypeVar("T")

INFO = "/var/lib/glusterd/glusterd.info"
"""Where glusterd keeps who it is."""


@dataclass(frozen=True, slots=True)
class Member:
    """One host as its own glusterd sees it.

    Attributes:
        uuid: Of its glusterd; Absent where it has none yet.
        op_version: At which glusterd works by its own file; members of a pool have the same.
        peers: The other members; Absent where gluster is not installed.
    """

    uuid: Fact[str] = NOT_OBSERVED
    op_version: Fact[int] = NOT_OBSERVED
    peers: Fact[tuple[Peer, ...]] = NOT_OBSERVED


_PEERS = Probe("peers", local("peer", "status", "--xml"), parse_peers, timeout=40)


def _assemble(answers: Answers) -> Member:
    return answers.of(_member, answers.text(INFO), answers.parsed(_PEERS.name, parse_peers))


def _member(info: Fact[str], peers: Fact[tuple[Peer, ...]]) -> Member:
    return Member(_in_info(parse_uuid, info), _in_info(parse_operating_version, info), peers)


def _in_info(parse: Callable[[Output], Fact[T]], info: Fact[str]) -> Fact[T]:
    return parse(Output(0, info.value, "")) if isinstance(info, Known) else info


MEMBER = Section(
    name="member of the trusted pool", assemble=_assemble, unseen=Member(), probes=(_PEERS,), files=(INFO,)
)
"""Asked of every host: one that lost its role may be a member still, and peers keep their names on all of them."""
