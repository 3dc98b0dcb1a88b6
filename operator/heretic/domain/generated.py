"""Passwords that nobody has to make up: a Secret that is made where the one that is named does not exist."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.plan import Step, Target

SECRET = "Secret"  # noqa: S105 - the name of a kind
"""The kind of the target: an object of the API server, in the namespace of the site."""


@dataclass(frozen=True, kw_only=True)
class GeneratePassword(Step):
    """Makes a Secret with a password that is made by chance. One that is there stays as it is.

    The password is made by who does the step, so that no plan, no record and no log has it.

    Attributes:
        secret: Name of the Secret.
        user: Who logs in with it.
        made_for: The object for which it is made, as people write it.
    """

    verb: ClassVar[str] = "GeneratePassword"
    _no_arguments: ClassVar[frozenset[str]] = Step._no_arguments | {"secret"}

    secret: str
    user: str
    made_for: str

    @property
    def target(self) -> Target:
        """The Secret."""
        return Target(SECRET, self.secret)
