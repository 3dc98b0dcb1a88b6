"""What keeps the links of a host: NetworkManager, its active profiles, and the files of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heretic.api.v1alpha1 import Node
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.host.section import Answers, Section
from heretic.domain.wiring.profiles import KEPT, TRIED

DEVICES, NETWORKD = "/run/NetworkManager/devices", "/run/systemd/netif/links"
TAKEN_BACK = "/run/heretic/links/taken-back"
"""What was taken back since the boot: the key of the profiles, how often, and who did not answer any more."""


@dataclass(frozen=True, slots=True)
class Manager:
    """What keeps the links.

    Attributes:
        runs: Whether NetworkManager does.
        networkd: Whether systemd-networkd has configured any.
        active: UUIDs of the profiles that links have now.
        files: Content of each profile of ours, by its path.
    """

    runs: bool
    networkd: bool = False
    active: frozenset[str] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Profiles that were tried and taken back.

    Attributes:
        key: Of them.
        times: How often.
        lost: Addresses that answered before and did not any more.
    """

    key: str
    times: int
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptLinks:
    """What is asked of hosts whose links Heretic configures."""

    manager: Fact[Manager] = NOT_OBSERVED
    taken_back: Fact[TakenBack] = NOT_OBSERVED


def parse_manager(output: Output) -> Fact[Manager]:
    """Parses ``grep -r`` of files: the path, a colon and a line; a folder that is not there makes it exit 2."""
    if output.rc not in (0, 1, 2):
        return Unknown(f"grep exited {output.rc}")
    files: dict[str, str] = {}
    active: set[str] = set()
    runs = networkd = False
    for row in output.stdout.splitlines():
        path, colon, line = row.partition(":")
        if not colon:
            return Unknown(f"a line is {row[:80]!r}")
        folder = path.rpartition("/")[0]
        if folder == DEVICES:
            runs = True
            if line.startswith("connection-uuid="):
                active.add(line.removeprefix("connection-uuid="))
        elif folder == NETWORKD:
            networkd = networkd or line in ("ADMIN_STATE=configured", "ADMIN_STATE=configuring")
        else:
            files[path] = files.get(path, "") + f"{line}\n"
    return Known(Manager(runs, networkd, frozenset(active), files))


LINK_FILES = Probe(
    "link-files",
    (
        *("grep", "-rs", "--include=heretic-*.nmconnection", "--include=[0-9]", "--include=[0-9][0-9]"),
        *("--include=[0-9][0-9][0-9]", "--include=[0-9][0-9][0-9][0-9]", "", DEVICES, TRIED, KEPT, NETWORKD),
    ),
    parse_manager,
)


def parse_taken_back(text: Fact[str]) -> Fact[TakenBack]:
    """Parses the file: one line of words."""
    if not isinstance(text, Known):
        return text
    match text.value.split():
        case [key, times, *lost] if times.isdecimal():
            return Known(TakenBack(key, int(times), tuple(lost)))
    return Unknown(f"{TAKEN_BACK} was not understood")


def _wanted(view: SiteView) -> bool:
    return any(node.spec.configure_links for node in view.of(Node).values())


def _assemble(answers: Answers) -> KeptLinks:
    return answers.of(
        KeptLinks,
        answers.parsed(LINK_FILES.name, parse_manager),
        answers.of(parse_taken_back, answers.text(TAKEN_BACK)),
    )


KEPT_LINKS = Section(
    name="kept-links",
    assemble=_assemble,
    unseen=KeptLinks(),
    probes=(LINK_FILES,),
    files=(TAKEN_BACK,),
    wanted=_wanted,
)
"""Asked of the hosts of a site where the links of one are configured."""


def was_refused(links: KeptLinks, key: str, mortal: frozenset[str]) -> TakenBack | None:
    """What speaks against trying the same again.

    One trial may have lost its operator, or a node that died by itself; two have not.

    Args:
        links: Of a host.
        key: Of the profiles.
        mortal: Addresses of other nodes.
    """
    match links.taken_back:
        case Known(told) if told.key == key and (set(told.lost) - mortal or told.times > 1):
            return told
        case Known() | Absent() | Unknown():
            return None
