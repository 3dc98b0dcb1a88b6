"""Questions to a person at a terminal."""

from collections.abc import Callable
from typing import TypeVar

from heretic.cli.errors import fail
from heretic.domain.errors import HereticError

T = TypeVar("T")


def ask(question: str, default: str, read: Callable[[str], T]) -> T:
    """Asks until the answer can be read.

    Args:
        question: What is asked.
        default: What an empty answer stands for; empty = there has to be one.
        read: Makes of the answer what is needed; its HereticError is told, and the question asked again.

    Raises:
        HereticError: The person went away.
    """
    while True:
        answer = _answer(f"{question} [{default}]: " if default else f"{question}: ") or default
        try:
            return read(answer)
        except HereticError as error:
            print(f"  {error.failure.message}")


def confirm(question: str, *, default: bool) -> bool:
    """Asks for yes or no.

    Args:
        question: What is asked.
        default: What an empty answer stands for.

    Raises:
        HereticError: The person went away.
    """

    def read(answer: str) -> bool:
        if answer.lower() not in ("y", "yes", "n", "no"):
            raise fail("answer y or n")
        return answer.lower().startswith("y")

    return ask(f"{question} (y/n)", "y" if default else "n", read)


def _answer(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except EOFError:
        raise fail("no answer came; nothing was written") from None
