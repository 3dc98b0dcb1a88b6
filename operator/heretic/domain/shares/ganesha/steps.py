"""Steps that bring Ganesha's exports into force, while clients of the others go on."""

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.host.steps import WriteFile
from heretic.domain.plan import HostStep
from heretic.domain.shares.ctdb.steps import file_is, runs_on_its_lock
from heretic.domain.shares.ganesha.facts import MANAGER, TRIED
from heretic.domain.shares.ganesha.texts import CONFIGURATION, NEXT, SERVICE
from heretic.domain.shares.lock_steps import lock_is_mounted

_TRIAL = "/run/heretic/nfs-trial.conf"
_TRY = """\
next=$1 trial=$2 tried=$3 digest=$4 numbers=$5 words=
shift 5
mkdir -p "${trial%/*}" "${tried%/*}" || exit 1
for id in $numbers; do
  sed "s/^\tExport_Id = $id;$/\tExport_Id = 0;/" "$next" >"$trial" || exit 1
  said=$("$@" AddExport ss "$trial" "EXPORT(Export_Id=0)" 2>&1) && said="an export has the number 0"
  case $said in
  *"already active"*) ;;
  *Details:* | *"Error while parsing"* | *"number 0"*) words="$words$id: ${said#*Details:}
" ;;
  *) echo "$said" >&2; exit 1 ;;
  esac
done
printf "%s\n%s" "$digest" "$words" >"$tried.new" && mv "$tried.new" "$tried"
"""
"""Offers each export under the number of the root of all exports, which is taken: Ganesha then reads the export, opens
its folder in Gluster, and does not add it. What it does not like it says; else it says that the number is taken."""


def is_active() -> Command:
    """Proves that Ganesha runs."""
    return Command(("systemctl", "is-active", SERVICE), expect=Expect.EQUALS, text="active")


def update(number: int) -> tuple[str, ...]:
    """What has the running Ganesha read one export again; its clients go on."""
    return (*MANAGER, "UpdateExport", "ss", CONFIGURATION, f"EXPORT(Export_Id={number})")


@dataclass(frozen=True, kw_only=True)
class TryExports(HostStep):
    """Has the running Ganesha try what shall be in force next, without an effect on clients, and notes its words.

    Attributes:
        sha256: Of that file.
        numbers: Of its exports.
    """

    verb: ClassVar[str] = "TryExports"

    sha256: str
    numbers: tuple[int, ...]

    def script(self) -> Script:
        """Words of complaint are an answer too; only an answer that is neither fails the step."""
        numbers = " ".join(str(number) for number in self.numbers)
        words = (NEXT, _TRIAL, TRIED, self.sha256, numbers, *MANAGER)
        return Script(
            done=(Command(("grep", "-qxF", self.sha256, TRIED)),),
            guards=(file_is(NEXT, self.sha256),),
            actions=(Command(("sh", "-c", _TRY, "sh", *words), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class PutGaneshaConfiguration(WriteFile):
    """Replaces ganesha.conf, and has the running Ganesha read again the exports that it has: clients go on.

    Attributes:
        tried: Whether a Ganesha runs here, and has tried this file.
    """

    verb: ClassVar[str] = "PutGaneshaConfiguration"

    tried: bool

    def script(self) -> Script:
        """What is put in force is what the Ganesha of this host has understood (rule:proved-configuration)."""
        digest = hashlib.sha256(self.content.encode()).hexdigest()
        proof = (Command(("cat", TRIED), expect=Expect.EQUALS, text=digest),) if self.tried else ()
        return replace(super().script(), guards=(file_is(NEXT, digest), *proof))


@dataclass(frozen=True, kw_only=True)
class StartGanesha(HostStep):
    """Starts Ganesha, which no boot does: CTDB starts it where it may serve."""

    verb: ClassVar[str] = "StartGanesha"

    def script(self) -> Script:
        """Only where CTDB runs with its lock, and on the volume that keeps what clients have open."""
        return Script(
            done=(is_active(),),
            guards=(lock_is_mounted(), runs_on_its_lock()),
            actions=(
                Command(("systemctl", "reset-failed", f"{SERVICE[:-1]}[{SERVICE[-1]}]")),
                Command(("systemctl", "start", SERVICE), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class PutEventScript(WriteFile):
    """Writes the script that tells Ganesha of CTDB's events, and takes a host out whose Ganesha does not answer."""

    verb: ClassVar[str] = "PutEventScript"

    def script(self) -> Script:
        """Not before Ganesha runs: CTDB would take the host out at once."""
        return replace(super().script(), guards=(runs_on_its_lock(), is_active()))


def _listed(number: int, path: str) -> str:
    """A pattern of the list of exports with this one in it."""
    return f'*[[]{number},"{path}",*'


@dataclass(frozen=True, kw_only=True)
class AddExport(HostStep):
    """Adds an export of ganesha.conf to the running Ganesha.

    Attributes:
        number: Of the export.
        path: What clients mount.
        sha256: Of ganesha.conf.
    """

    verb: ClassVar[str] = "AddExport"

    number: int
    path: str
    sha256: str

    def script(self) -> Script:
        """An export that is added with errors is none that was declared: Ganesha leaves out what it does not know."""
        added = (*MANAGER, "AddExport", "ss", CONFIGURATION, f"EXPORT(Export_Id={self.number})")
        shown = Command((*MANAGER, "ShowExports"), expect=Expect.ONLY, text=_listed(self.number, self.path))
        said = '{"type":"s","data":["1 exports added"]}'
        return Script(
            done=(shown,),
            guards=(file_is(CONFIGURATION, self.sha256),),
            actions=(Command(added, timeout=60, expect=Expect.EQUALS, text=said),),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveExport(HostStep):
    """Takes an export out of the running Ganesha: clients lose it, and its files stay.

    Attributes:
        number: Of the export.
        path: What clients mounted.
    """

    verb: ClassVar[str] = "RemoveExport"

    number: int
    path: str

    def script(self) -> Script:
        """By number and path, so that nothing else goes that got the number meanwhile."""
        shown = (*MANAGER, "ShowExports")
        listed = _listed(self.number, self.path)
        return Script(
            done=(Command(shown, expect=Expect.NONE, text=listed),),
            guards=(Command(shown, expect=Expect.ONLY, text=listed),),
            actions=(Command((*MANAGER, "RemoveExport", "q", str(self.number)), timeout=60),),
        )
