"""Content of the files that Heretic writes on a host, as pure functions of what is there and what is declared."""

import re
from collections.abc import Iterable, Mapping, Set

from heretic.domain.host.rule import NOTE

BEGIN = "# BEGIN heretic"
END = "# END heretic"
_BLOCK = re.compile(rf"^{BEGIN}\n.*?^{END}\n?", re.MULTILINE | re.DOTALL)


def with_block(content: str, lines: Iterable[str], *, first: bool) -> str:
    """Puts marked lines into a file that others write too.

    Args:
        content: What is there.
        lines: Without newlines; none = no block.
        first: Whether a new block goes to the top of the file, else to its end.

    Returns:
        The content with exactly one block, which stays where it was.
    """
    body = "".join(f"{line}\n" for line in lines)
    block = f"{BEGIN}\n{body}{END}\n" if body else ""
    before, *after = _BLOCK.split(content)
    if after:
        return before + block + "".join(after)
    if first:
        return block + content
    separator = "" if not content or content.endswith("\n") or not block else "\n"
    return content + separator + block


def block_lines(content: str) -> tuple[str, ...]:
    """The lines between the marks; none where there is no block."""
    found = _BLOCK.search(content)
    return tuple(found.group().strip("\n").split("\n")[1:-1]) if found else ()


def hosts_lines(
    declared: Mapping[str, str], present: Iterable[str], pool_names: frozenset[str] | None
) -> tuple[str, ...]:
    """The lines of /etc/hosts that make peers resolvable.

    A name that the trusted pool still uses is kept although no Node declares it any more: glusterd does not start
    when it cannot resolve a peer (rule:glusterd-after-network).

    Args:
        declared: Storage addresses by peer name.
        present: The lines that are there now.
        pool_names: Names of this host's peers, None = unknown, which keeps every line.
    """
    lines = {name: f"{address} {name}" for name, address in declared.items()}
    for line in present:
        address, _, name = line.partition(" ")
        if name and name not in lines and (pool_names is None or name in pool_names):
            lines[name] = f"{address} {name}"
    return tuple(lines[name] for name in sorted(lines))


def followed(declared: Mapping[str, str], present: Iterable[str], has: Mapping[str, Set[str]]) -> dict[str, str]:
    """The address of each name: the declared one, or until its host has that the one by which it was known before.

    Args:
        declared: Storage addresses by peer name.
        present: The lines that are there now.
        has: The addresses that each host was last seen to have, by peer name.
    """
    before = {name: address for address, _, name in (line.partition(" ") for line in present)}

    def of(name: str, address: str) -> str:
        old, there = before.get(name, ""), has.get(name, frozenset())
        return old if old in there and address not in there else address

    return {name: of(name, address) for name, address in declared.items()}


def time_lines(servers: Iterable[str]) -> tuple[str, ...]:
    """Lines of chrony.conf for time servers."""
    return tuple(f"server {server} iburst" for server in servers)


def time_file(servers: Iterable[str]) -> str:
    """The sources file of chrony that is Heretic's alone."""
    return NOTE + "".join(f"{line}\n" for line in time_lines(servers))
