"""What clients send: XML or JSON, checked against the model as the engine does, then read by the SDK's readers."""

import json
from typing import Any
from xml.etree import ElementTree as ET

from ovirtsdk4.reader import Reader

from sim.engine.messages import BareError, FaultError, HttpRequest, NotToldError, PlainError
from sim.engine.model import Element, elements, reader_of

# Elements that the engine takes in every structure and ignores.
_IGNORED = frozenset({"link", "actions"})


def read_body(request: HttpRequest, tag: str, usage: str) -> Any:
    """The structure in the body of a request.

    Args:
        request: With the body.
        tag: Of the root that the operation expects.
        usage: Where the documentation of the operation is, below the API's.

    Raises:
        EngineError: As the engine refuses the body.
        NotToldError: It is not known how the engine takes it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/xml":
        root = _parse_xml(request, usage)
    elif kind == "application/json":
        root = _parse_json(request, tag, usage)
    else:
        raise BareError(415)
    if root.tag != tag:
        if reader_of(root.tag) is None:
            raise NotToldError(f"a body whose root is {root.tag}")
        raise PlainError(500, "argument type mismatch")
    _check(root, reader_of(tag) or "", _incorrect(request, usage))
    try:
        return Reader.read(ET.tostring(root, encoding="unicode"))
    except ValueError as error:
        raise NotToldError(f"a value of a wrong type: {error}") from error


def _incorrect(request: HttpRequest, usage: str) -> FaultError:
    detail = f"For correct usage, see: {request.base}/ovirt-engine/apidoc#{usage}"
    return FaultError(400, detail, "Request syntactically incorrect.")


def _parse_xml(request: HttpRequest, usage: str) -> ET.Element:
    try:
        return ET.fromstring(request.body)
    except ET.ParseError:
        raise _incorrect(request, usage) from None


def _parse_json(request: HttpRequest, tag: str, usage: str) -> ET.Element:
    try:
        value = json.loads(request.body)
    except ValueError:
        raise _incorrect(request, usage) from None
    root = ET.Element(tag)
    _fill(root, value, reader_of(tag) or "")
    return root


def _fill(into: ET.Element, value: object, reader: str) -> None:
    if not isinstance(value, dict):
        raise NotToldError(f"JSON that has no object at {into.tag}")
    for name, inner in value.items():
        if name in ("id", "href"):
            into.set(name, str(inner))
        elif (element := elements(reader).get(name)) is None:
            shown = "".join(part.capitalize() for part in into.tag.split("_"))
            raise PlainError(
                400,
                f"Unrecognized field &quot;{name}&quot; (class org.ovirt.engine.api.model.{shown}),"
                " not marked as ignorable",
            )
        else:
            _fill_one(ET.SubElement(into, name), inner, element)


def _fill_one(into: ET.Element, value: object, element: Element) -> None:
    if element.many:
        # {"usages": {"usage": ["vm"]}}
        if not isinstance(value, dict):
            raise NotToldError(f"JSON that has no object at {into.tag}")
        for name, items in value.items():
            for item in items:
                _fill_one(ET.SubElement(into, name), item, Element(reader=element.reader, enum=element.enum))
    elif element.reader:
        _fill(into, value, element.reader)
    else:
        into.text = json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _check(node: ET.Element, reader: str, incorrect: FaultError) -> None:
    known = elements(reader)
    for child in node:
        if child.tag in _IGNORED:
            continue
        element = known.get(child.tag)
        if element is None:
            raise incorrect
        for inner in child if element.many else (child,):
            if element.reader:
                _check(inner, element.reader, incorrect)
            elif element.enum is not None:
                _check_value(inner.text or "", element.enum)


def _check_value(text: str, enum: Any) -> None:
    allowed = [value.value for value in enum]
    if text not in allowed:
        values = ", ".join(f"'{value}'" for value in allowed)
        detail = f"The string '{text}' isn't a valid value for the '{enum.__name__}' enumerated type."
        raise FaultError(400, f"{detail} Valid values are: {values}.", "Invalid value")
