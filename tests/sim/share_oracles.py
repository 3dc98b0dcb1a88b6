"""What must hold of file servers at every moment, whatever is disturbed: the promises of safety.md about shares."""

from collections.abc import Iterator

from heretic.main import Operator
from heretic.reconcile.gateway import API_SERVER, Effect
from sim.active_directory import OTHERS, DomainSite
from sim.file_servers import FileServerSite


class ShareOracles:
    """Looks at the file servers of a site after each effect.

    Args:
        servers: They.
        domain: The domain beside them, if there is one.
        later: Hosts that become file servers when others serve already; they need their lock once CTDB runs there.
    """

    def __init__(
        self, servers: FileServerSite, domain: DomainSite | None = None, later: frozenset[str] = frozenset()
    ) -> None:
        self._servers = servers
        self._later = later
        self._domain = domain
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
        bound = {name for name in hosts if name not in self._later or servers.runs(name)}
        for name in sorted(name for name in bound if held and not servers.locks(name)):
            yield f"{', '.join(held)} is given, and {name} has no proved lock"
        now = {name for name in hosts if servers.serves(name)}
        self._served |= now
        if len(gone := self._served - now) > 1:
            yield f"{', '.join(sorted(gone))} have served, and do not any more"
        disabled = [name for name in sorted(hosts) if servers.own[name].disabled]
        if len(disabled) > 1:
            yield f"{', '.join(disabled)} are taken out at once"
        if self._domain is not None:
            yield from _wrong_with(self._domain)
        if lost := self._folders - set(servers.folders):
            yield f"{', '.join(sorted(lost))} is gone"
        self._folders |= set(servers.folders)


def _wrong_with(domain: DomainSite) -> Iterator[str]:
    """A domain is joined once, and everybody else's account in it stays as it is."""
    directory = domain.directory
    if len(directory.joined) > 1 or directory.taken:
        yield f"the domain was joined by {', '.join(directory.joined)}"
    if changed := [name for name, secret in OTHERS.items() if directory.computers.get(name) != secret]:
        yield f"the account of {', '.join(changed)} is another's"
