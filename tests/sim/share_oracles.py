"""What must hold of file servers at every moment, whatever is disturbed: the promises of safety.md about shares."""

from collections.abc import Iterator

from heretic.main import Operator
from heretic.reconcile.gateway import API_SERVER, Effect
from sim.file_servers import FileServerSite


class ShareOracles:
    """Looks at the file servers of a site after each effect.

    Args:
        servers: They.
    """

    def __init__(self, servers: FileServerSite) -> None:
        self._servers = servers
        self._violations: list[str] = []
        self._served: set[str] = set()
        self._folders: set[str] = set()

    def watch(self, operator: Operator) -> None:
        """Looks after everything that an operator does."""
        write = operator.audit.effect

        def effect(effect: Effect, *, outcome: str, seconds: float) -> None:
            write(effect, outcome=outcome, seconds=seconds)
            if effect.target != API_SERVER:
                self._violations += [f"after {effect.verb} on {effect.target}: {text}" for text in self._wrong()]

        operator.audit.effect = effect  # type: ignore[method-assign]

    def take(self) -> list[str]:
        """All that was violated; what is seen from now on belongs to another run."""
        found = [*self._violations, *self._wrong()]
        self._violations, self._served, self._folders = [], set(), set()
        return found

    def _wrong(self) -> Iterator[str]:
        servers = self._servers
        hosts = set(servers.site.machines)
        held = servers.holders()
        for name in sorted(name for name in hosts if held and not servers.locks(name)):
            yield f"{', '.join(held)} is given, and {name} has no proved lock"
        now = {name for name in hosts if servers.serves(name)}
        self._served |= now
        if len(gone := self._served - now) > 1:
            yield f"{', '.join(sorted(gone))} have served, and do not any more"
        if lost := self._folders - set(servers.folders):
            yield f"{', '.join(sorted(lost))} is gone"
        self._folders |= set(servers.folders)
