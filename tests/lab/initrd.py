"""Unpacking an initrd: an emulated processor starts sooner from one that is not compressed."""

import zlib

from lab.errors import LabError

_CPIO = b"070701"
_GZIP = b"\x1f\x8b"
_HEADER = 110
_LAST = b"TRAILER!!!"


def uncompressed(initrd: bytes) -> bytes:
    """The same initrd with no part of it compressed.

    An initrd is a row of cpio archives, each of them plain or compressed, with zeros in between; the kernel unpacks one
    after the other. Debian 13 begins with a plain one for what would not shrink, its compressed kernel modules.

    Raises:
        LabError: A part is neither plain nor gzip, or not complete.
    """
    parts = []
    rest = initrd.lstrip(b"\0")
    while rest:
        if rest.startswith(_CPIO):
            size = _archive_size(rest)
            part, rest = rest[:size], rest[size:]
        elif rest.startswith(_GZIP):
            stream = zlib.decompressobj(wbits=31)
            part = stream.decompress(rest)
            if not stream.eof:
                raise LabError("the initrd ends within a gzip stream")
            rest = stream.unused_data
        else:
            raise LabError(f"the initrd has a part that begins with {rest[:6]!r}: neither cpio nor gzip")
        parts.append(part + bytes(-len(part) % 4))  # the kernel looks for the next archive at a multiple of four
        rest = rest.lstrip(b"\0")
    return b"".join(parts)


def _archive_size(data: bytes) -> int:
    """How many bytes the cpio archive at the beginning has, its last entry included."""
    at = 0
    while data.startswith(_CPIO, at) and len(data) >= at + _HEADER:
        size, name_size = int(data[at + 54 : at + 62], 16), int(data[at + 94 : at + 102], 16)
        name = data[at + _HEADER : at + _HEADER + name_size - 1]
        at = _aligned(_aligned(at + _HEADER + name_size) + size)
        if name == _LAST and at <= len(data) + 3:
            return min(at, len(data))
    raise LabError("the initrd ends within a cpio archive")


def _aligned(offset: int) -> int:
    return offset + -offset % 4
