"""Text files (``@file``): a line with the mode in octal, then the content."""

import hashlib
import re

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact
from heretic.domain.host.facts import FileContent
from heretic.domain.host.parse.reading import NotUnderstood, read

_NO_SUCH_FILE = 1
_MODE = re.compile(r"[0-7]{3,4}")


def parse_file(output: Output, path: str) -> Fact[FileContent]:
    """Parses ``@file``; Absent when there is no such file."""
    if output.rc == _NO_SUCH_FILE and not output.stdout:
        return Absent()
    return read(output, path, _content)


def parse_text(output: Output, path: str) -> Fact[str]:
    """The stripped content of a file that is only read, for example below /proc."""
    if output.rc == _NO_SUCH_FILE and not output.stdout:
        return Absent()
    return read(output, path, lambda text: _content(text).content.strip())


def _content(text: str) -> FileContent:
    mode, newline, content = text.partition("\n")
    if not newline or not _MODE.fullmatch(mode):
        raise NotUnderstood(f"there is no mode before the content: {mode[:40]!r}")
    if "\ufffd" in content:
        # Writing it back with a changed line would damage the bytes that could not be read.
        raise NotUnderstood("the content is not UTF-8")
    return FileContent(content, hashlib.sha256(content.encode()).hexdigest(), mode.zfill(4))
