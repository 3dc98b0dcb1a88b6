"""Changes of an engine as data: what would be asked of it, before anybody asks.

An engine call is to an engine what a script is to a host: conditions that hold once the effect is there, guards, and
one request in between. Things are found by listing and comparing, never by a search: the engine answers a search that
it does not understand with an empty list.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from heretic.domain.commands import SecretRef
from heretic.domain.engine.record import Record, part
from heretic.domain.errors import Failure, NeedsUser, Reason, Transient
from heretic.domain.plan import Step, Target

ENGINE = "HostedEngine"
"""The kind of the objects that stand for an engine."""


@dataclass(frozen=True, slots=True)
class Among:
    """A list in any order in which some entries are.

    Attributes:
        entries: What each of them has, by paths within it; nothing else of it is compared.
        alone: Whether there is no other entry.
    """

    entries: tuple["Fields", ...]
    alone: bool = False


Value = str | int | bool | frozenset[str] | tuple[str, ...] | Among | None
"""What a field is compared with: a frozenset is a list in any order, its entries with parts as texts such as
"from_=1,to=2"; a tuple names every word that will do; None says that the thing has no such field."""

Fields = tuple[tuple[str, Value], ...]
"""Paths in a record, such as ``fencing_policy.enabled``, each with a value."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing in one of the engine's lists.

    Attributes:
        collection: Path of the list below the API's root, such as ``datacenters/ID/storagedomains``.
        name: Which one; "" where ``id`` or ``within`` say it.
        id: Likewise.
        within: What else it must have to be meant: data centers may have networks of the same name.
        all_content: Whether the list is asked for with what the engine tells on request alone.
    """

    collection: str
    name: str = ""
    id: str = ""
    within: Fields = ()
    all_content: bool = False

    def __str__(self) -> str:
        meant = [repr(self.name)] if self.name else []
        meant += [f"of id {self.id}"] if self.id else []
        meant += [f"with {path} {_shown(value)}" for path, value in self.within]
        return f"{self.collection}: {' '.join(meant)}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What holds of a thing.

    Attributes:
        thing: Which one.
        there: Whether it exists.
        fields: What it has, where it exists.
    """

    thing: Thing
    there: bool = True
    fields: Fields = ()


def unmet(expect: Expectation, records: Sequence[Record]) -> Failure | None:
    """Why an expectation does not hold; None where it does.

    Args:
        expect: Of one thing.
        records: All that its collection lists.
    """
    found = [record for record in records if _is_meant(expect.thing, record)]
    if len(found) > 1:
        ids = ", ".join(str(record.get("id", "?")) for record in found)
        message = f"{expect.thing} is there {len(found)} times (ids {ids}); rename or remove all but one"
        return NeedsUser(Reason.ENGINE_NAME_AMBIGUOUS, message)
    if not found:
        return Transient(Reason.VERIFICATION_FAILED, f"{expect.thing} is not there") if expect.there else None
    if not expect.there:
        return Transient(Reason.VERIFICATION_FAILED, f"{expect.thing} is there")
    for path, value in expect.fields:
        there = part(found[0], path)
        if not _equal(value, there):
            why = f"{expect.thing} has {path} {_shown(there)}, and {_shown(value)} is expected"
            return Transient(Reason.VERIFICATION_FAILED, why)
    return None


def _is_meant(thing: Thing, record: Record) -> bool:
    if thing.name and record.get("name") != thing.name:
        return False
    if thing.id and record.get("id") != thing.id:
        return False
    return all(_equal(value, part(record, path)) for path, value in thing.within)


def _equal(wanted: Value, there: object) -> bool:
    match wanted:
        case frozenset():
            return isinstance(there, list) and frozenset(map(_entry, there)) == wanted
        case tuple():
            return there in wanted
        case Among():
            return isinstance(there, list) and _are_among(wanted, there)
        case None:
            return there is None
        case _:
            return type(there) is type(wanted) and there == wanted


def _are_among(wanted: Among, there: list[Record]) -> bool:
    if wanted.alone and len(there) != len(wanted.entries):
        return False
    return all(
        any(all(_equal(value, part(one, path)) for path, value in entry) for one in there) for entry in wanted.entries
    )


def _entry(value: object) -> object:
    """An entry of a list as it is compared: one with parts as the text "name=value,…", in the order of the names."""
    return ",".join(f"{name}={value[name]}" for name in sorted(value)) if isinstance(value, Mapping) else value


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case frozenset() | list():
            return f"[{', '.join(sorted(map(str, value)))}]"
        case tuple():
            return " or ".join(value)
        case Among():
            entries = (" ".join(f"{path} {_shown(one)}" for path, one in entry) for entry in value.entries)
            return f"[{', '.join(entries)}]{'' if value.alone else ' among others'}"
        case bool():
            return str(value).lower()
        case _:
            return str(value)[:120]


@dataclass(frozen=True, slots=True)
class BodyElement:
    """An element of a request's body, by the names of the engine's API.

    Attributes:
        name: For example "cluster".
        content: A value, a secret, or the elements in it; () = an empty element, which says "none of them".
        id: Its attribute ``id``; "" = none.
    """

    name: str
    content: str | int | bool | SecretRef | tuple["BodyElement", ...] = ()
    id: str = ""


class ApiMethod(StrEnum):
    """What is done with the service at a path, in the SDK's words."""

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """The one request of a call that changes something.

    Attributes:
        operation: Or the name of an action in the SDK's words, for example "setup_networks".
        path: Of the service below the API's root.
        body: None where there is none.
        query: Parameters, such as ``deploy_hosted_engine``.
        seconds: How long the engine may take for its answer.
    """

    operation: ApiMethod | str
    path: str
    body: BodyElement | None = None
    query: tuple[tuple[str, str], ...] = ()
    seconds: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall:
    """How one step is done in an engine, safe to repeat.

    Attributes:
        done: What holds once the effect is there; never empty. Read before: where all of it holds, nothing is sent.
            Read after: that verifies the step, and tells whether the effect is there where the reply was lost.
        guards: Without which the step must not run; read in the same moment.
        request: What makes ``done`` true.
        settle: Seconds within which the effect shows; what takes longer is for later passes to see.
        unseen: Whether the engine does not show what is changed, a password: it is sent also where ``done`` holds, and
            once more where the reply was lost.
        gives: Key of the password that it gives to the engine (``password_key``); "" = none that is remembered.
    """

    done: tuple[Expectation, ...]
    request: EngineRequest
    guards: tuple[Expectation, ...] = ()
    settle: int = 5
    unseen: bool = False
    gives: str = ""

    @property
    def collections(self) -> frozenset[str]:
        """The lists that it reads."""
        return frozenset(expect.thing.collection for expect in (*self.done, *self.guards))

    @property
    def secrets(self) -> frozenset[SecretRef]:
        """The secrets that its request names."""
        return frozenset(_secrets(self.request.body)) if self.request.body else frozenset()


def _secrets(element: BodyElement) -> Iterator[SecretRef]:
    if isinstance(element.content, SecretRef):
        yield element.content
    elif isinstance(element.content, tuple):
        for inner in element.content:
            yield from _secrets(inner)


@dataclass(frozen=True, kw_only=True)
class EngineStep(Step):
    """A step in an engine: a call.

    Attributes:
        engine: Name of the object that stands for the engine.
    """

    _no_arguments: ClassVar[frozenset[str]] = Step._no_arguments | {"engine"}

    engine: str

    @property
    def target(self) -> Target:
        """Its engine."""
        return Target(ENGINE, self.engine)

    @abstractmethod
    def call(self) -> EngineCall:
        """How the step is done in its engine."""


_LONGEST_ID = 50


def correlation_id(key: str, step: Step) -> str:
    """The name of a step of an object in the engine's events and logs: the same at every try.

    Args:
        key: Kind/namespace/name of the object.
        step: What is done for it.

    Returns:
        At most 50 letters, digits and hyphens, which is what the engine takes.
    """
    arguments: Mapping[str, str] = step.arguments()
    body = json.dumps([key, str(step.target), step.verb, arguments], sort_keys=True)
    digest = hashlib.sha256(body.encode()).hexdigest()[:10]
    words = "".join(c if c.isascii() and c.isalnum() else "-" for c in f"heretic-{step.verb}-{key.rpartition('/')[2]}")
    return f"{words[: _LONGEST_ID - 11]}-{digest}"
