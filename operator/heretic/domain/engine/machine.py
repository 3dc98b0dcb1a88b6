"""The machine on which the engine runs, as a host of its own: reached over SSH, for what the engine's API cannot do."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Script
from heretic.domain.engine.call import ENGINE
from heretic.domain.plan import Step, Target

SETTINGS = "/etc/ovirt-engine/engine.conf.d"
"""Where engine-setup writes down for which name it has set up the engine."""


@dataclass(frozen=True, kw_only=True)
class EngineMachineStep(Step):
    """A step on the engine's machine: a script, in the same lane as what is done in the engine itself.

    Attributes:
        engine: Name of the object that stands for the engine.
        fqdn: Of the engine; every script proves with it that the machine is that engine's.
    """

    _no_arguments: ClassVar[frozenset[str]] = Step._no_arguments | {"engine"}

    engine: str
    fqdn: str

    @property
    def target(self) -> Target:
        """Its engine: what is paused or only observed there holds this back, too."""
        return Target(ENGINE, self.engine)

    @abstractmethod
    def script(self) -> Script:
        """How the step is done on the machine.

        Returns:
            The commands; secrets only in stdin. ``is_of`` is among its guards.
        """


def is_of(fqdn: str) -> Command:
    """Proof that the engine on this machine was set up under this name.

    The key that the machine shows proves that it is the one that was pinned, not what runs on it.
    """
    return Command(("grep", "-rqxF", f"ENGINE_FQDN={fqdn}", SETTINGS))
