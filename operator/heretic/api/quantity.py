"""Kubernetes quantities of bytes: "500Gi" ↔ 536870912000.

The grammar is that of apimachinery's resource.Quantity without what makes no sense for space on a disk: signs,
exponents and the fractional suffixes m, u and n.
"""

import re
from decimal import ROUND_CEILING, Decimal

BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
DECIMAL = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_UNITS = {"": 1, **BINARY, **DECIMAL}
_GRAMMAR = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P|)")
_READABLE = 4
"""Digits up to which an exact whole number of a unit is easier to read than a rounded one of a larger unit."""


def parse_bytes(text: str) -> int:
    """Reads a quantity.

    Args:
        text: For example "500Gi", "1.5T" or "1048576".

    Returns:
        Bytes; part of a byte counts as one, as in Kubernetes.

    Raises:
        ValueError: The text is not a quantity of bytes; the message says what one looks like.
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        units = ", ".join([*BINARY, *DECIMAL])
        raise ValueError(f"{text!r} is not a size: give a number and a unit ({units}), for example 500Gi")
    number, unit = match.groups()
    return int((Decimal(number) * _UNITS[unit]).to_integral_value(ROUND_CEILING))


def format_bytes(size: int) -> str:
    """Writes bytes as a quantity for people, in the largest unit that keeps it short.

    A size that is a whole number of some unit is exact ("500Gi", "100G"). Any other has two decimals and is
    rounded down, so that a message never promises space that is not there ("465.76Gi").

    Args:
        size: Bytes, not negative.

    Returns:
        A quantity that ``parse_bytes`` reads.

    Raises:
        ValueError: The size is negative.
    """
    if size < 0:
        raise ValueError(f"{size} bytes: a size is never negative")
    for unit, factor in sorted((BINARY | DECIMAL).items(), key=lambda u: (u[0] not in BINARY, -u[1])):
        if size and size % factor == 0 and len(str(size // factor)) <= _READABLE:
            return f"{size // factor}{unit}"
    for unit, factor in sorted(BINARY.items(), key=lambda u: -u[1]):
        if size >= factor:
            hundredths = size * 100 // factor
            return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".") + unit
    return str(size)
