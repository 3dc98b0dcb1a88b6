"""What the engine sends: the SDK's writers, and around what they write the links and actions that they leave out."""

import json
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from ovirtsdk4 import types
from ovirtsdk4.writer import Writer

from sim.engine.as_json import to_json
from sim.engine.messages import JSON, XML, HttpResponse
from sim.engine.routes import API
from sim.engine.shapes import SHAPES, Shape


class EngineTime(datetime):
    """A time that is written as the engine does."""

    def isoformat(self, sep: str = "T", timespec: str = "milliseconds") -> str:
        return super().isoformat(sep, timespec).removesuffix("+00:00") + "Z"


class EngineDecimal(float):
    """A number that is written as the engine does: 1, not 1.0."""

    def __str__(self) -> str:
        return f"{self:g}"


@dataclass
class Item:
    """One entity as it is shown at one place.

    Attributes:
        value: Structure of the SDK; it is not changed.
        href: Its place in this answer; empty: it has none.
        links: It is shown with its links and actions.
        shape: Which ones; None: those of its type.
        followed: Collections that are shown inside of it: name of the element -> entities.
    """

    value: Any
    href: str = ""
    links: bool = True
    shape: Shape | None = None
    followed: dict[str, "list[Item]"] = field(default_factory=dict)


@dataclass
class Listing:
    """A collection.

    Attributes:
        root: Tag of the document.
        items: What is in it.
    """

    root: str
    items: list[Item] = field(default_factory=list)


def ref(kind: Any, key: str, place: str = "", **values: Any) -> Any:
    """A structure that only points to an entity.

    Args:
        kind: Type of the SDK.
        key: Its id.
        place: Its collection; empty: the one of its type.
        **values: What is said of it besides.
    """
    found = kind(id=key, **values)
    found.href = f"{API}/{place or SHAPES[kind].collection}/{key}"
    return found


def shown(value: Any, **changes: Any) -> Any:
    """A copy of a structure in which plain references got their places, with changes."""
    made = copy(value)
    for name, inner in vars(value).items():
        shape = SHAPES.get(type(inner))
        if shape and shape.collection and inner.id and not inner.href:
            setattr(made, name, ref(type(inner), inner.id))
    for name, inner in changes.items():
        setattr(made, name, inner)
    return made


def element(item: Item) -> ET.Element:
    """An entity as XML."""
    value = copy(item.value)
    value.href = item.href or None
    root = ET.fromstring(Writer.write(value))
    shape = item.shape or SHAPES.get(type(value))
    if shape and item.links and item.href:
        for name in shape.links:
            _link(root, item.href, name)
        if shape.actions or shape.acts:
            actions = ET.SubElement(root, "actions")
            for name in shape.actions:
                _link(actions, item.href, name)
    for tag, items in item.followed.items():
        inside = ET.SubElement(root, tag)
        inside.extend(element(inner) for inner in items)
    return root


def document(answer: Item | Listing) -> ET.Element:
    """An answer as XML."""
    if isinstance(answer, Item):
        return element(answer)
    root = ET.Element(answer.root)
    root.extend(element(item) for item in answer.items)
    return root


def _link(into: ET.Element, href: str, name: str) -> None:
    ET.SubElement(into, "link", {"href": f"{href}/{name}", "rel": name})


def action(job: str | None, told: Any = None) -> ET.Element:
    """What a finished action says of itself."""
    if told is not None:
        return element(Item(told))
    return element(Item(types.Action(job=ref(types.Job, job) if job else None, status="complete")))


def fault(detail: str, reason: str) -> ET.Element:
    """A fault as XML."""
    return element(Item(types.Fault(detail=detail or None, reason=reason)))


def response(status: int, root: ET.Element, as_json: bool = False) -> HttpResponse:
    """A document in the form that the client asked for."""
    if as_json:
        return HttpResponse(status, JSON, json.dumps(to_json(root), indent=2, separators=(",", " : ")).encode())
    ET.indent(root, "    ")
    text = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return HttpResponse(status, XML, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}\n'.encode())
