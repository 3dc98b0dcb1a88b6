"""The model of the engine's API, as the oVirt SDK has it: which paths and operations there are, how bodies are written.

This is the only place that imports the SDK, and it is imported itself only when the first engine is spoken to: the SDK
has a hundred thousand lines of tables, and a site without an engine does not pay for them. Everything here takes
processor time, so it runs in a thread (heretic/engine/worker.py). HTTP is not the SDK's (docs/adr/0038).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import ovirtsdk4
from ovirtsdk4 import reader, services, types, writer

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import ApiMethod, BodyElement, EngineRequest
from heretic.domain.engine.record import Record

_METHODS = {ApiMethod.ADD: "POST", ApiMethod.UPDATE: "PUT", ApiMethod.REMOVE: "DELETE"}


class NotInModelError(Exception):
    """Something is asked for that the API does not have."""


class NotReadableError(Exception):
    """An answer that the model does not know."""


_ANSWERS: ContextVar[bool] = ContextVar("answers", default=False)
"""Whether what is read is an engine's answer. Only then the SDK's readers take what they would refuse or drop."""


def _take_more_in_answers() -> None:
    """One word must not make a whole list unknown (docs/adr/0049). What we write is read as strictly as ever."""
    strict = reader.Reader
    enum, date = strict.parse_enum, strict.parse_date

    def parse_enum(known: Any, text: str | None) -> Any:
        """A word of a newer engine is kept as it is; the SDK would say that there is none."""
        if not _ANSWERS.get():
            return enum(known, text)
        told = (text or "").strip().lower()
        found = enum(known, told)
        if found is not None or not told:
            return found
        word = object.__new__(known)  # the SDK's fields take nothing but a member of their type
        word._value_ = word._name_ = told
        return word

    def parse_date(text: str | None) -> Any:
        """Finer and other forms of ISO 8601 than the SDK's."""
        try:
            return date(text)
        except ValueError:
            if not _ANSWERS.get():
                raise
            return datetime.fromisoformat(str(text))

    strict.parse_enum = staticmethod(parse_enum)
    strict.parse_date = staticmethod(_content_of(parse_date))
    strict.parse_integer = staticmethod(_content_of(strict.parse_integer))
    strict.parse_boolean = staticmethod(_content_of(strict.parse_boolean))


def _content_of(parse: Callable[[str | None], Any]) -> Callable[[str | None], Any]:
    """Reads ``<mtu></mtu>`` as it does ``<mtu/>`` and no element: not told. Blanks around a value mean nothing."""

    def parsed(text: str | None) -> Any:
        return parse((text or "").strip() or None) if _ANSWERS.get() else parse(text)

    return parsed


_take_more_in_answers()

_PATH = re.compile(r"[\w~-][\w.~-]*(/[\w~-][\w.~-]*)*", re.ASCII)


def route(request: EngineRequest) -> tuple[str, str]:
    """The method and the path of a request.

    Raises:
        NotInModelError: There is no such path, or it has no such operation.
    """
    check(request.path, request.operation)
    if isinstance(request.operation, ApiMethod):
        return _METHODS[request.operation], request.path
    return "POST", f"{request.path}/{request.operation.replace('_', '')}"


def check(path: str, operation: str) -> None:
    """Sees that the API has an operation.

    Raises:
        NotInModelError: It has not.
    """
    if not _PATH.fullmatch(path):
        raise NotInModelError(f"{path!r} is no path")
    try:
        service = services.SystemService(None, "").service(path)
    except ovirtsdk4.Error as error:
        raise NotInModelError(str(error)) from None
    if operation.startswith("_") or not callable(getattr(service, operation, None)):
        raise NotInModelError(f"{path} has no operation {operation}")


def body_of(element: BodyElement, secrets: Mapping[SecretRef, str]) -> bytes:
    """Writes a body.

    The engine answers an element that it does not know with "syntactically incorrect" and no name, so the model reads
    the body first: what does not come out again is not in it.

    Args:
        element: The body.
        secrets: The value of each secret that it names.

    Raises:
        NotInModelError: An element has no place where it stands.
    """
    written = _xml(element, secrets)
    try:
        understood = writer.Writer.write(reader.Reader.read(written), root=element.name)
    except Exception as error:  # the SDK's part in C raises nothing more precise
        raise NotInModelError(f"the API has no such {element.name}: {type(error).__name__}") from None
    missing = set(_leaves(written)) - set(_leaves(understood))
    if missing:
        raise NotInModelError(f"in {element.name} the API has no {', '.join(sorted(missing))}")
    return written.encode()


def records_of(body: bytes, path: str = "") -> list[Record]:
    """Reads an answer: all things of a list, or the one thing that it is.

    Args:
        body: XML.
        path: Of the list that was asked for; "" = what is answered may be called anything.

    Raises:
        NotReadableError: The model does not know what was answered, or it is no proof that the list is empty.
    """
    body = body.lstrip()  # before its declaration, XML allows nothing
    if not body:
        raise NotReadableError("it is empty")
    token = _ANSWERS.set(True)
    try:
        found = reader.Reader.read(body)
        things = [_plain(one) for one in (found if isinstance(found, list) else [found])]
    except Exception as error:  # likewise
        raise NotReadableError(str(error)[:200]) from None
    finally:
        _ANSWERS.reset(token)
    if found is None:
        raise NotReadableError("it is empty")
    if not things:
        _see_empty(body, path)
    return things


_LISTED_AS = {"fenceagents": "agents"}
"""What the engine calls a list, where that is not the last word of its path."""


def _see_empty(body: bytes, path: str) -> None:
    """Only an empty list of what was asked for says that there is none of it.

    Raises:
        NotReadableError: It is another list, or one with something in it that nobody knows.
    """
    root = ElementTree.fromstring(body)  # noqa: S314 - as in errors.py; the SDK has read it
    wanted = path.rpartition("/")[2]
    name = root.tag.rpartition("}")[2]
    if wanted and name.replace("_", "") != _LISTED_AS.get(wanted, wanted):
        raise NotReadableError(f"it is a list of {name}")
    if (root.text or "").strip() or len(root):
        raise NotReadableError("what it lists is not known")


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case list():
            return [_plain(one) for one in value]
        case ovirtsdk4.Struct():
            return dict(_fields(value))
        case datetime():
            # Away from the SDK's own sort of time zone. Who names none means what all engines mean in their API.
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _fields(struct: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(struct).items():
        # A list of which the engine gave the address alone was not told.
        told = not (isinstance(value, ovirtsdk4.List) and value.href is not None and not value)
        if value is not None and told and name != "_href":
            yield name[1:], _plain(value)
    if isinstance(struct, types.Identified) and struct.id is None and struct.href:
        yield "id", unquote(urlsplit(struct.href).path.rstrip("/").rpartition("/")[2])


def _xml(element: BodyElement, secrets: Mapping[SecretRef, str]) -> str:
    start = element.name + (f" id={quoteattr(element.id)}" if element.id else "")
    match element.content:
        case tuple():
            inner = "".join(_xml(one, secrets) for one in element.content)
        case bool():
            inner = str(element.content).lower()
        case SecretRef():
            inner = escape(secrets[element.content])
        case _:
            inner = escape(str(element.content))
    return f"<{start}>{inner}</{element.name}>"


def _leaves(xml: str) -> Iterable[str]:
    """Each element without others in it and each id, as a path; without values, which may be secret."""
    root = ElementTree.fromstring(xml)  # noqa: S314 - it was written here
    waiting = [(root.tag, root)]
    while waiting:
        path, at = waiting.pop()
        if "id" in at.attrib:
            yield f"{path}/@id"
        if not len(at):
            yield path
        waiting.extend((f"{path}/{inner.tag}", inner) for inner in at)
