"""The model of the engine's API, as the oVirt SDK has it: which paths and operations there are, how bodies are written.

This is the only place that imports the SDK, and it is imported itself only when the first engine is spoken to: the SDK
has a hundred thousand lines of tables, and a site without an engine does not pay for them. Everything here takes
processor time, so it runs in a thread (heretic/engine/worker.py). HTTP is not the SDK's (docs/adr/0038).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import ovirtsdk4
from ovirtsdk4 import reader, services, writer

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import ApiMethod, BodyElement, EngineRequest
from heretic.domain.engine.record import Record

_METHODS = {ApiMethod.ADD: "POST", ApiMethod.UPDATE: "PUT", ApiMethod.REMOVE: "DELETE"}


class NotInModelError(Exception):
    """Something is asked for that the API does not have."""


class NotReadableError(Exception):
    """An answer that the model does not know."""


_PATH = re.compile(r"[\w.~-]+(/[\w.~-]+)*", re.ASCII)


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


def records_of(body: bytes) -> list[Record]:
    """Reads an answer: all things of a list, or the one thing that it is.

    Raises:
        NotReadableError: The model does not know what was answered.
    """
    try:
        found = reader.Reader.read(body)
    except Exception as error:  # likewise
        raise NotReadableError(str(error)[:200]) from None
    if found is None:
        raise NotReadableError("it is empty")
    return [_plain(one) for one in found] if isinstance(found, list) else [_plain(found)]


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case list():
            return [_plain(one) for one in value]
        case ovirtsdk4.Struct():
            return dict(_fields(value))
        case datetime():
            return value.astimezone(UTC)  # away from the SDK's own sort of time zone
    return value


def _fields(struct: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(struct).items():
        # A list of which the engine gave the address alone was not told.
        told = not (isinstance(value, ovirtsdk4.List) and value.href is not None and not value)
        if value is not None and told and name != "_href":
            yield name[1:], _plain(value)


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
