"""The questions of a pass about a host's networks: files, one that costs no program, and pings where they are due."""

from collections.abc import Mapping

from heretic.domain.commands import Probe
from heretic.domain.facts import Fact
from heretic.domain.host.section import Answers, Section
from heretic.domain.wiring.facts import Asked, DefaultRoute, Wires
from heretic.domain.wiring.parse.asked import ASKED_FILE, parse_asked
from heretic.domain.wiring.parse.kernel import CABLES, ROUTES, ROUTES6, default_routes, parse_changes
from heretic.domain.wiring.paths import PREFIX, answers_of, due_paths

_CABLES = Probe("cables", ("@numbers", CABLES), parse_changes)


def _assemble(answers: Answers) -> Wires:
    return answers.of(
        _wires,
        answers.parsed(_CABLES.name, parse_changes),
        answers.of(parse_asked, answers.text(ASKED_FILE)),
        answers.of(default_routes, answers.text(ROUTES), answers.text(ROUTES6)),
        answers.of(answers_of, answers.beginning(PREFIX)),
    )


def _wires(
    changes: Fact[Mapping[str, int]],
    asked: Fact[Asked],
    routes: Fact[tuple[DefaultRoute, ...]],
    passed: Mapping[str, Fact[bool]],
) -> Wires:
    return Wires(changes, asked, routes, passed)


WIRES = Section(
    name="wires",
    assemble=_assemble,
    unseen=Wires(),
    probes=(_CABLES,),
    files=(ASKED_FILE, ROUTES, ROUTES6),
    due=due_paths,
)
"""Asked of every host."""
