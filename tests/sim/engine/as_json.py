"""Documents as the engine writes them in JSON: every value is a string, every list lies in an object of its own."""

from typing import Any
from xml.etree import ElementTree as ET

from sim.engine.model import Element, elements, reader_of


def to_json(root: ET.Element) -> Any:
    """A document, whose root does not appear in JSON."""
    if reader := reader_of(root.tag):
        return _structure(root, reader)
    return _items(root, Element(many=True, reader=reader_of(root[0].tag) if len(root) else None))


def _structure(node: ET.Element, reader: str) -> Any:
    found: dict[str, Any] = {}
    known = elements(reader)
    for child in node:
        if child.tag == "link":
            found.setdefault("link", []).append(dict(child.attrib))
        elif child.tag == "actions":
            found["actions"] = {"link": [dict(link.attrib) for link in child]}
        elif (element := known[child.tag]).many:
            found[child.tag] = _items(child, element)
        else:
            found[child.tag] = _one(child, element)
    return found | node.attrib


def _items(node: ET.Element, element: Element) -> Any:
    found: dict[str, Any] = {}
    for child in node:
        found.setdefault(child.tag, []).append(_one(child, element))
    return found


def _one(node: ET.Element, element: Element) -> Any:
    return _structure(node, element.reader) if element.reader else node.text or ""
