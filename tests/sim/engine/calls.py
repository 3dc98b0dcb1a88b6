"""One call of the API, and what an operation may answer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

from ovirtsdk4 import types

from sim.engine.bodies import read_body
from sim.engine.messages import BareError, FaultError, HttpRequest, NotToldError
from sim.engine.render import Item, Listing, ref
from sim.engine.routes import API, Route
from sim.engine.state import EngineState, Table

ADMIN_ID = "0a85e5ea-e92c-11f1-be33-02fc00000001"


@dataclass(frozen=True)
class Created:
    """201: something new, where the engine says it is."""

    item: Item


@dataclass(frozen=True)
class Performed:
    """200: an action, or a deletion, which the engine counts among them.

    Attributes:
        job: Id of the job that it is.
        told: The action, where it says more than that it is complete.
    """

    job: str | None = None
    told: Any = None


@dataclass(frozen=True)
class RecordedDocument:
    """200: a document of a real engine, as it is."""

    root: ET.Element


CallAnswer = Item | Listing | Created | Performed | RecordedDocument


@dataclass(frozen=True)
class Call:
    """An operation that somebody wants.

    Attributes:
        state: What the engine remembers.
        request: As it came.
        route: Which operation it is.
        user: Who wants it.
        correlation: The id under which the engine notes it.
    """

    state: EngineState
    request: HttpRequest
    route: Route
    user: str
    correlation: str

    def body(self, tag: str, fields: Iterable[str] = ()) -> Any:
        """The structure in the body.

        Args:
            tag: Of its root.
            fields: What the operation reads of it. A body with anything else is refused, not shortened.
        """
        found = read_body(self.request, tag, self.route.usage)
        only(found, tag, fields)
        return found

    @property
    def href(self) -> str:
        """The place that was asked for."""
        return f"{API}/{self.route.path}"

    def flag(self, name: str) -> bool:
        """A parameter of the query that is true."""
        return self.request.query.get(name) == "true"

    @property
    def all_content(self) -> bool:
        """What costs the engine an effort is wanted, too."""
        return self.flag("all_content") or self.request.headers.get("all-content") == "true"

    @property
    def key(self) -> str:
        """The id in the path: of the entity, or of the one that a collection belongs to."""
        return self.route.ids[-1]

    def the(self, table: Table) -> Any:
        """The entity whose id stands in the path.

        Raises:
            EngineError: There is none: 404 without a body.
        """
        try:
            return table[self.key]
        except KeyError:
            raise BareError(404) from None

    def parent(self, table: Table, kind: str) -> Any:
        """The entity to which the collection in the path belongs, or the collection of the entity in the path.

        Raises:
            EngineError: There is none: 404 with a fault that names the kind.
        """
        of_entity = self.route.path.count("/") % 2
        try:
            return table[self.route.ids[-2 if of_entity else -1]]
        except KeyError:
            raise FaultError(404, f"Entity not found: {kind}") from None

    @contextmanager
    def job(self, description: str, lasts: timedelta = timedelta()) -> Iterator[str]:
        """Notes a job, which fails when the engine refuses what is done inside. Gives its id.

        Args:
            description: What the engine calls it.
            lasts: So long after the answer it still runs, if it does not fail.
        """
        job = self.state.insert(
            self.state.jobs,
            types.Job(
                description=description,
                auto_cleared=True,
                external=False,
                start_time=self.state.time(),
                owner=types.User(id=ADMIN_ID),
            ),
        )
        job.status = types.JobStatus.FAILED
        job.end_time = self.state.time()
        yield job.id
        job.status = types.JobStatus.FINISHED
        job.end_time = self.state.time() + lasts

    def event(self, code: int, description: str, **about: Any) -> None:
        """Notes an event that this call causes."""
        add_event(
            self.state,
            code,
            description,
            correlation_id=self.correlation,
            user=ref(types.User, ADMIN_ID, name=self.user),
            **about,
        )


def only(given: Any, tag: str, fields: Iterable[str]) -> None:
    """Refuses a structure with a field that the operation does not read.

    Raises:
        NotToldError: It has one.
    """
    read = {*fields, "href", "id"}
    for name, value in vars(given).items():
        if value is not None and name.removeprefix("_") not in read:
            raise NotToldError(f"{name.removeprefix('_')} of {tag}")


Operation = Callable[[Call], CallAnswer]
Operations = dict[tuple[Any, str], Operation]


def add_event(state: EngineState, code: int, description: str, severity: str = "normal", **about: Any) -> None:
    """Notes an event, which gets the next number."""
    number = len(state.events) + 1
    state.insert(
        state.events,
        types.Event(
            code=code,
            description=description,
            severity=types.LogSeverity(severity),
            index=number,
            custom_id=-1,
            flood_rate=0,
            origin="oVirt",
            time=state.time(),
            **about,
        ),
        key=str(number),
    )


def lookup(table: Table, given: Any, kind: str) -> Any:
    """The entity that a body names by id or by name.

    Raises:
        EngineError: None has that name.
        KeyError: None has that id, which each operation answers in its own way.
    """
    if given.id:
        return table[given.id]
    for value in table.values():
        if value.name == given.name:
            return value
    raise FaultError(404, f"Entity not found: {kind}: name={given.name}")
