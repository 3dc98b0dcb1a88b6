"""Reads what scripts print: ``heretic/1 COUNT``, a line each, the bytes, ``heretic/1 end``."""

from dataclasses import dataclass

from heretic.domain.commands import Output

MARK = b"heretic/1 "
"""Begins every answer."""
_END = b"heretic/1 end\n"


class FrameError(ValueError):
    """The bytes are not an answer of a script."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One framed answer.

    Attributes:
        name: Name of the probe, or the verdict of a step and the number of the line that it is about.
        output: What the program returned.
    """

    name: str
    output: Output


def parse_frames(data: bytes) -> tuple[Frame, ...]:
    """Takes an answer apart.

    Args:
        data: Everything that the script printed. What a shell's configuration prints before the answer is skipped, be
            it lines, a title for the window or a prompt; so are whole lines after it.

    Returns:
        The frames in the order in which they were asked for.

    Raises:
        FrameError: The answer is missing, cut short or garbled, or there is more than one.
    """
    position = data.find(MARK)
    error = FrameError("there is no answer in it")
    while position >= 0:
        try:
            heads, body = _contents(data, position)
        except FrameError as odd:
            error = odd
            position = data.find(MARK, position + 1)
            continue
        # With a whole table of contents this is the answer or what is left of it; what lies in it is no other answer.
        frames, end = _frames(data, heads, body)
        if MARK in data[end:]:
            raise FrameError("there is more than one answer in it")
        if not _is_noise(data[end:]):
            raise FrameError("its length is not what it says")
        return frames
    raise error


_Head = tuple[str, int, int, int]


def _contents(data: bytes, start: int) -> tuple[list[_Head], int]:
    """The table of contents of an answer that begins at ``start``, and where its bytes begin."""
    count, position = _line(data, start)
    if len(count) != 2 or not _number(count[1]):
        raise FrameError("its first line is garbled")
    heads: list[_Head] = []
    for _ in range(int(count[1])):
        words, position = _line(data, position)
        if len(words) != 4 or not all(map(_number, words[1:])):
            raise FrameError("its table of contents is garbled")
        heads.append((words[0], int(words[1]), int(words[2]), int(words[3])))
    return heads, position


def _frames(data: bytes, heads: list[_Head], position: int) -> tuple[tuple[Frame, ...], int]:
    frames = []
    for name, rc, out, err in heads:
        stdout, position = data[position : position + out], position + out
        stderr, position = data[position : position + err], position + err
        frames.append(Frame(name, Output(rc, _decoded(stdout), _decoded(stderr))))
    if not data.startswith(_END, position):
        raise FrameError("its length is not what it says")
    return tuple(frames), position + len(_END)


def _is_noise(rest: bytes) -> bool:
    """Whether what follows an answer is whole lines or a control sequence; a part of a line may be cut from one."""
    return not rest or rest.endswith((b"\n", b"\r")) or rest.startswith(b"\x1b")


def _line(data: bytes, position: int) -> tuple[list[str], int]:
    end = data.find(b"\n", position)
    if end < 0:
        raise FrameError("it ends in its table of contents")
    return data[position:end].decode("ascii", "replace").split(" "), end + 1


def _number(word: str) -> bool:
    return word.isdigit() and len(word) <= 10


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
