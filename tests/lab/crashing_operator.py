"""The operator with a fuse: `python -m lab.crashing_operator before|after N [operator's arguments]`.

It dies as by kill -9, without any clean-up, right before or right after its Nth effect on a host. What it had
done is on the hosts, and nobody has heard of it: the worst moment to die.
"""

import asyncio
import contextlib
import os
import signal
import sys

from heretic.main import parse, run, set_up_logging
from heretic.reconcile.gateway import API_SERVER, Effect


class Fuse:
    """Kills this process at one effect."""

    def __init__(self, when: str, number: int) -> None:
        self._when = when
        self._left = number

    async def before(self, effect: Effect) -> None:
        if effect.target != API_SERVER:
            self._left -= 1
            self._blow("before")

    async def after(self, effect: Effect) -> None:
        if effect.target != API_SERVER:
            self._blow("after")

    def _blow(self, moment: str) -> None:
        if self._when == moment and self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Entry point."""
    when, number, *rest = sys.argv[1:]
    if when not in ("before", "after"):
        raise SystemExit(f"{when!r} is neither before nor after")
    set_up_logging()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(parse(rest), Fuse(when, int(number))))


if __name__ == "__main__":
    main()
