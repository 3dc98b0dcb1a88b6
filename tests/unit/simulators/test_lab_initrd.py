"""An initrd without compression holds the same archives in the same order."""

import gzip
import lzma

import pytest

from lab.errors import LabError
from lab.initrd import uncompressed


def entry(name: str, content: bytes = b"") -> bytes:
    """One file of a cpio archive in the format "newc"."""
    fields = [0, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return padded(padded(header + name.encode() + b"\0") + content)


def padded(data: bytes, to: int = 4) -> bytes:
    return data + bytes(-len(data) % to)


def archive(*entries: bytes) -> bytes:
    return b"".join(entries) + entry("TRAILER!!!")


MODULES = archive(entry("usr/lib/modules/ext4.ko.xz", b"070701 \x1f\x8b TRAILER!!!"), entry("empty"))
INIT = archive(entry("init", b"#!/bin/sh\n"), entry("bin/busybox", bytes(range(256))))
MICROCODE = archive(entry("kernel/x86/microcode/GenuineIntel.bin", b"\0" * 30))


@pytest.mark.parametrize(
    ("initrd", "parts"),
    [
        pytest.param(gzip.compress(INIT), [INIT], id="compressed, as Debian 12 makes it"),
        pytest.param(MODULES + gzip.compress(INIT), [MODULES, INIT], id="a plain part first, as Debian 13 makes it"),
        pytest.param(padded(MODULES, 512) + gzip.compress(INIT), [MODULES, INIT], id="zeros in between"),
        pytest.param(MICROCODE + MODULES + gzip.compress(INIT), [MICROCODE, MODULES, INIT], id="microcode before both"),
        pytest.param(gzip.compress(MODULES) + gzip.compress(INIT), [MODULES, INIT], id="two compressed parts"),
        pytest.param(padded(gzip.compress(INIT), 512), [INIT], id="zeros at the end"),
        pytest.param(INIT, [INIT], id="nothing compressed"),
    ],
)
def test_every_part_is_there_once_and_plain(initrd: bytes, parts: list[bytes]) -> None:
    assert uncompressed(initrd) == b"".join(parts)


def test_a_part_begins_where_the_kernel_looks_for_it() -> None:
    odd = gzip.compress(INIT + b"\0") + gzip.compress(MODULES)
    assert uncompressed(odd) == padded(INIT + b"\0") + MODULES


@pytest.mark.parametrize(
    ("initrd", "said"),
    [
        pytest.param(lzma.compress(INIT), "neither cpio nor gzip", id="another compression"),
        pytest.param(MODULES + b"!" + gzip.compress(INIT), "neither cpio nor gzip", id="something in between"),
        pytest.param(gzip.compress(INIT)[:-9], "within a gzip stream", id="a cut gzip stream"),
        pytest.param(MODULES[:-40], "within a cpio archive", id="a cut last entry"),
        pytest.param(entry("init", b"x" * 100)[:-20], "within a cpio archive", id="a cut file"),
        pytest.param(entry("init"), "within a cpio archive", id="no last entry"),
    ],
)
def test_what_is_not_an_initrd_is_refused(initrd: bytes, said: str) -> None:
    with pytest.raises(LabError, match=said):
        uncompressed(initrd)
