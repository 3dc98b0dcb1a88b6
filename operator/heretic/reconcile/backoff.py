"""How long to wait before trying again: doubling, with jitter, up to a limit."""

from collections.abc import Callable

BASE = 2.0
LIMIT = 120.0


class Backoff:
    """Pauses of one object.

    The waits before jitter are 2, 4, 8, 16, 32, 64, 120, 120, … seconds; jitter takes up to a fifth off, so that
    objects which failed together do not come back together.

    Args:
        random: Uniform in [0, 1).
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.failures = 0

    def failed(self) -> float:
        """Notes one more failure in a row and returns the seconds to wait."""
        wait = min(LIMIT, BASE * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return wait * (1 - 0.2 * self._random())

    def worked(self) -> None:
        """Forgets the failures."""
        self.failures = 0
