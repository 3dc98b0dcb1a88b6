"""Cuts texts that are too long for their place; an ellipsis shows that a text was cut."""


def shorten(text: str, most: int) -> str:
    """A text of at most ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def one_line(text: str, most: int) -> str:
    """The same on one line, with single blanks."""
    return shorten(" ".join(text.split()), most)
