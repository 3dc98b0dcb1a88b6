"""The questions of a pass about a host's networks: files, and one that costs no program."""

from collections.abc import Mapping

from heretic.domain.commands import Probe
from heretic.domain.facts import Fact
from heretic.domain.host.section import Answers, Section
from heretic.domain.wiring.facts import Asked, DefaultRoute, Wires
from heretic.domain.wiring.parse.asked import ASKED_FILE, parse_asked
from heretic.domain.wiring.parse.kernel import CABLES, ROUTES, ROUTES6, default_routes, parse_changes

_CABLES = Probe("cables", ("@numbers", CABLES), parse_changes)


def _assemble(answers: Answers) -> Wires:
    return answers.of(
        _wires,
        answers.parsed(_CABLES.name, parse_changes),
        answers.of(parse_asked, answers.text(ASKED_FILE)),
        answers.of(default_routes, answers.text(ROUTES), answers.text(ROUTES6)),
    )


def _wires(changes: Fact[Mapping[str, int]], asked: Fact[Asked], routes: Fact[tuple[DefaultRoute, ...]]) -> Wires:
    return Wires(changes, asked, routes)


WIRES = Section(
    name="wires", assemble=_assemble, unseen=Wires(), probes=(_CABLES,), files=(ASKED_FILE, ROUTES, ROUTES6)
)
"""Asked of every host."""
