"""Reads what the scripts of prologue.sh print: ``heretic/1 COUNT``, a line each, the bytes, ``heretic/1 end``."""

from dataclasses import dataclass

from heretic.domain.commands import Output

_START = b"heretic/1 "
_END = b"heretic/1 end\n"


class FrameError(ValueError):
    """The bytes are not an answer of prologue.sh."""


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
        data: Everything that the script printed. Lines before the answer are skipped: a login shell's
            configuration may print some.

    Returns:
        The frames in the order in which they were asked for.

    Raises:
        FrameError: The answer is missing, cut short or garbled.
    """
    start = 0 if data.startswith(_START) else data.find(b"\n" + _START) + 1
    if not data.startswith(_START, start):
        raise FrameError("there is no answer in it")
    count, position = _line(data, start)
    if len(count) != 2 or not _number(count[1]):
        raise FrameError("its first line is garbled")
    heads: list[tuple[str, int, int, int]] = []
    for _ in range(int(count[1])):
        words, position = _line(data, position)
        if len(words) != 4 or not all(map(_number, words[1:])):
            raise FrameError("its table of contents is garbled")
        heads.append((words[0], int(words[1]), int(words[2]), int(words[3])))
    frames = []
    for name, rc, out, err in heads:
        stdout, position = data[position : position + out], position + out
        stderr, position = data[position : position + err], position + err
        frames.append(Frame(name, Output(rc, _decoded(stdout), _decoded(stderr))))
    if data[position:] != _END:
        raise FrameError("its length is not what it says")
    return tuple(frames)


def _line(data: bytes, position: int) -> tuple[list[str], int]:
    end = data.find(b"\n", position)
    if end < 0:
        raise FrameError("it ends in its table of contents")
    return data[position:end].decode("ascii", "replace").split(" "), end + 1


def _number(word: str) -> bool:
    return word.isdigit() and len(word) <= 10


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
