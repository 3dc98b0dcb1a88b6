"""YAML as Kubernetes tools read and write it.

PyYAML alone follows YAML 1.1 to the letter and takes 22:30 for the number 1350 and 2026-01-01 for a date; kubectl
takes both for texts.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

_PREFIX = "tag:yaml.org,2002:"
_PLAIN: tuple[tuple[str, str, str], ...] = (
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
    ("bool", r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$", "yYnNtTfFoO"),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("merge", r"^<<$", "<"),
)


class _Loader(yaml.SafeLoader):
    """Builds nothing but plain values, like the SafeLoader that it is made from."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape


for _tag, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(_PREFIX + _tag, re.compile(_pattern), [*_first, *([""] if _tag == "null" else [])])


class _IndentingDumper(yaml.SafeDumper):
    """Indents list entries, and writes long texts on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def load_documents(text: str) -> Iterator[Any]:
    """The documents of a YAML (or JSON) text.

    Raises:
        ValueError: The text is not YAML; the message says where.
    """
    try:
        yield from yaml.load_all(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def dump(value: object) -> str:
    """One document, keys in the given order."""
    text: str = yaml.dump(value, Dumper=_IndentingDumper, sort_keys=False, allow_unicode=True, width=1000)
    return text
