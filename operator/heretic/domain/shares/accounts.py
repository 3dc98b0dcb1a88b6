"""Users and groups of file servers: each must have one number everywhere, because files know nobody but numbers."""

from collections.abc import Iterable, Iterator, Mapping

from heretic.api.v1alpha1 import FileShare
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, Obstacle, PlanItem
from heretic.domain.shares.folder_steps import AddGroup, AddUser
from heretic.domain.shares.samba.domain import DomainAccount, is_of_domain
from heretic.domain.shares.samba.domain_facts import DOMAIN
from heretic.domain.shares.server_facts import SERVER

GROUP = "fileshares"
"""The group that every local user of shares belongs to, so that a folder can be theirs together."""
FIRST = 20000
"""Numbers are given from here on: above those that people and programs usually get on a host."""
_OF_PEOPLE = 1000
"""Below lie the accounts of the system."""

Numbers = Mapping[str, int]


def recorded(view: SiteView) -> dict[str, int]:
    """What FileShares recorded: all record the same."""
    return {a.name: a.number for share in view.of(FileShare).values() for a in share.status.accounts}


def numbers(users: Iterable[str], seen: Mapping[str, HostFacts], known: Numbers) -> Numbers | Obstacle:
    """The number of each user, and of their group.

    What a host has counts, else what was recorded; who is new gets the next one that is free everywhere.

    Args:
        users: Their names.
        seen: The file servers that can be asked.
        known: What was recorded.
    """
    taken: set[int] = set(known.values())
    there: dict[str, dict[str, int]] = {}
    for host, facts in seen.items():
        own = facts[SERVER]
        for fact in (own.users, own.groups):
            if not isinstance(fact, Known):
                return unseen(facts, "its accounts", fact)
            taken |= set(fact.value.values())
        found = own.users.value if isinstance(own.users, Known) else {}
        groups = own.groups.value if isinstance(own.groups, Known) else {}
        there[host] = {name: found[name] for name in users if name in found}
        there[host] |= {GROUP: groups[GROUP]} if GROUP in groups else {}
    given: dict[str, int] = {}
    for name in (GROUP, *users):
        held = {host: known_here[name] for host, known_here in there.items() if name in known_here}
        if obstacle := _trouble(name, held):
            return obstacle
        free = next(n for n in range(FIRST, FIRST + len(taken) + 1) if n not in taken)
        given[name] = next(iter(held.values()), known.get(name, free))
        taken.add(given[name])
    return given


def _trouble(name: str, held: Numbers) -> Blocked | None:
    what = "group" if name == GROUP else "user"
    if len(set(held.values())) > 1:
        where = ", ".join(f"{number} on {host}" for host, number in held.items())
        return Blocked(
            Reason.ACCOUNT_DIFFERS,
            f"{what} {name} has different numbers ({where}), and files know nobody but numbers; make them alike with "
            f"`{what}mod`, or choose another name",
        )
    if any(number < _OF_PEOPLE for number in held.values()):
        return Blocked(
            Reason.ACCOUNT_DIFFERS,
            f"{what} {name} is an account of the system ({next(iter(held.values()))}); choose another name",
        )
    return None


def adding(given: Numbers, seen: Mapping[str, HostFacts]) -> Iterator[PlanItem]:
    """What makes the accounts on the hosts that lack them."""
    for host, facts in seen.items():
        users, groups = facts[SERVER].users, facts[SERVER].groups
        if isinstance(groups, Known) and GROUP not in groups.value:
            yield AddGroup(host=host, why=f"there is no group {GROUP}", group=GROUP, number=given[GROUP])
        for name, number in given.items():
            if isinstance(users, Known) and name != GROUP and name not in users.value:
                yield AddUser(host=host, why=f"there is no user {name}", user=name, number=number, group=GROUP)


def _of_domain(name: str, facts: HostFacts, database: str) -> int | Obstacle:
    told = facts[DOMAIN].accounts
    if not isinstance(told, Known):
        return unseen(facts, "accounts of the domain", told)
    number = told.value.get(DomainAccount(database, name))
    if number is None:
        return Blocked(Reason.ACCOUNT_UNKNOWN, f"{facts.host} knows no {name}; add it in the domain, or correct it")
    return number


def resolved(name: str, facts: HostFacts, *, group: bool) -> int | Obstacle:
    """The number of a user or a group on a host.

    Args:
        name: As it is declared: a name, or a number.
        facts: Of the host.
        group: Whether a group is meant.
    """
    if name.isdigit():
        return int(name)
    if is_of_domain(name):
        return _of_domain(name, facts, "group" if group else "passwd")
    fact = facts[SERVER].groups if group else facts[SERVER].users
    if not isinstance(fact, Known):
        return unseen(facts, "its accounts", fact)
    if name not in fact.value:
        what = "group" if group else "user"
        return Blocked(
            Reason.ACCOUNT_UNKNOWN, f"{facts.host} has no {what} {name}; add it on every file server, or correct it"
        )
    return fact.value[name]
