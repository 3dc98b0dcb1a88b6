"""What the rules of a host's configuration share: what they look at, and how a file is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import Node
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.profiles import Profile
from heretic.domain.host.steps import WriteFile
from heretic.domain.plan import Obstacle, PlanItem, Step, Wait

NOTE = "# Written by Heretic; changes are undone.\n"
"""The first line of a file that is Heretic's alone."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a Node's plan.

    Attributes:
        steps: In order.
        obstacles: What stays in the way of the rest.
    """

    steps: tuple[Step, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True)
class HostContext:
    """What every rule of a host's configuration looks at."""

    node: Node
    view: SiteView
    facts: HostFacts
    profile: Profile

    @property
    def name(self) -> str:
        """Name of the Node."""
        return self.node.metadata.name


def unseen(facts: HostFacts, what: str, fact: Absent | Unknown) -> Wait:
    """Waits for a fact that was not seen."""
    cause = fact.cause if isinstance(fact, Unknown) else "there is none"
    return Wait(Reason.NOT_OBSERVED, f"{facts.host}: {what} is not known: {cause}")


def write_file(
    host: HostContext,
    path: str,
    content: Callable[[str], str],
    why: str,
    *,
    reader: str = "",
    tell: tuple[tuple[str, ...], ...] = (),
    step: Callable[..., WriteFile] = WriteFile,
) -> Iterator[PlanItem]:
    """Writes a file unless it is as it should be and its reader knows.

    Args:
        host: The host.
        path: Of the file.
        content: Makes the new content from the present one, "" where there is none.
        why: What is declared.
        reader: The service that must be told.
        tell: Commands that do it, in order.
        step: Makes the step: another kind of it, where more has to hold before this file is written.
    """
    file = host.facts.files.get(path, NOT_OBSERVED)
    if isinstance(file, Unknown):
        yield unseen(host.facts, path, file)
        return
    old = file.value.content if isinstance(file, Known) else ""
    new = content(old)
    marked = isinstance(host.facts.reloads, Known) and reader in host.facts.reloads.value
    if new == old and not marked and (isinstance(file, Known) or not new):
        return
    yield step(
        host=host.name,
        why=f"{path} {'may not have been read' if new == old else 'differs'}: {why}",
        path=path,
        content=new,
        mode=file.value.mode if isinstance(file, Known) else "0644",
        replaces_sha256=file.value.sha256 if isinstance(file, Known) else "",
        reader=reader,
        tell=tell,
    )
