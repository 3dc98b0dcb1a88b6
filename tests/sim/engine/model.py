"""Which elements the API's types have, as the SDK's readers know them.

The readers skip an element that they do not know, where the engine answers 400. They are generated, every element in
the same form, so their source is the list of elements.
"""

import re
from dataclasses import dataclass
from functools import cache
from inspect import getsource
from typing import Any

from ovirtsdk4 import readers, types
from ovirtsdk4.reader import Reader

_BRANCH = re.compile(r"if tag == '(\w+)':\n\s+obj\.\w+ = (?:(\w+)\.)?(read_\w+)\((?:types\.(\w+), )?reader\)")


@dataclass(frozen=True)
class Element:
    """What an element holds.

    Attributes:
        many: A list of structures, in elements of its own; else one.
        reader: The name of the reader of the structure; None: text.
        enum: The values that a text may have; None: any.
    """

    many: bool = False
    reader: str | None = None
    enum: Any = None


@cache
def elements(reader: str) -> dict[str, Element]:
    """The elements of a structure by their tags."""
    source = getsource(getattr(readers, reader).read_one)
    found = {}
    for tag, owner, method, enum in _BRANCH.findall(source):
        if owner == "Reader":
            found[tag] = Element(many=method.endswith("s"), enum=getattr(types, enum) if enum else None)
        else:
            found[tag] = Element(many=method == "read_many", reader=owner)
    return found


def reader_of(tag: str) -> str | None:
    """The name of the reader of a document with that root, which is one structure."""
    method = Reader._readers.get(tag)
    name: str = method.__qualname__ if method else ""
    return name.removesuffix(".read_one") if name.endswith(".read_one") else None
