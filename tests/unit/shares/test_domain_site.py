"""A whole site in an Active Directory domain, from blank hosts: joined once, kept, left; and what is told meanwhile."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from heretic.domain.shares.feature import NAMES
from heretic.domain.shares.samba.domain_plan import SCRIPT, WINBIND
from heretic.reconcile.store import Key
from sim.active_directory import OTHERS, PEOPLE
from sim.blank_site import declared
from sim.machine import File
from sim.share_oracles import ShareOracles
from sim.share_site import DOMAIN, IN_DOMAIN, DomainWorld
from sim.world import NAMESPACE

OFFICE = Key("FileShare", NAMESPACE, "office")
Spoil = Callable[[DomainWorld], None]


@asynccontextmanager
async def domain_world(audit: Path | None = None) -> AsyncIterator[tuple[DomainWorld, ShareOracles]]:
    made = DomainWorld()
    oracles = ShareOracles(made.servers, made.domain)
    async with made.world:
        made.declare()
        oracles.watch(await made.world.start_operator(audit_log=audit))
        yield made, oracles


def stop_winbind(made: DomainWorld) -> None:
    made.site.machines["node2"].units[WINBIND].active = "inactive"


def drop_script(made: DomainWorld) -> None:
    made.servers.own["node1"].scripts.discard(SCRIPT)


def forget_names(made: DomainWorld) -> None:
    made.site.machines["node3"].files[NAMES] = File("passwd: files\ngroup: files\n")


def give_folder_away(made: DomainWorld) -> None:
    made.servers.folders["winshare/groups"] = ("0", "0", "2770")


async def test_blank_hosts_join_once_serve_users_of_the_domain_and_leave_it_at_last(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    async with domain_world(audit) as (made, oracles):
        await made.settle()
        directory = made.domain.directory
        assert made.says("Served")["status"] == "True"
        assert directory.joined == ["node1"]
        assert directory.computers.keys() == {*OTHERS, "FILES"}
        assert made.servers.folders == {"winshare/groups": ("11103", "10512", "2770")}
        assert all(made.domain.knows(name) for name in made.site.machines)
        for spoil in (stop_winbind, drop_script, forget_names, give_folder_away):
            spoil(made)
            await made.settle()
            assert made.says("Served")["status"] == "True", spoil
            assert made.servers.folders == {"winshare/groups": ("11103", "10512", "2770")}, spoil
        made.domain.directory.changed = 8
        made.domain.change_secret()
        await made.settle()
        assert made.says("Degraded")["status"] == "False"
        assert all(made.domain.knows(name) for name in made.site.machines)
        made.world.api.delete(OFFICE)
        await made.world.run(until=lambda: OFFICE not in made.world.api.objects)
        assert directory.computers == OTHERS
        assert (made.domain.secret, made.servers.out, directory.joined) == ("", set(), ["node1"])
        assert made.servers.folders == {"winshare/groups": ("11103", "10512", "2770")}
        assert oracles.take() == []
        told = audit.read_text() + str(made.world.api.objects) + str(made.world.api.events)
        assert PEOPLE not in told
        assert not any(PEOPLE in word for m in made.site.machines.values() for argv in m.ran for word in argv)


def wrong_password(made: DomainWorld) -> None:
    made.world.api.secrets["heretic-domain"]["password"] = b"wrong"


def no_right(made: DomainWorld) -> None:
    made.domain.directory.joiners.clear()


def unit_missing(made: DomainWorld) -> None:
    made.domain.directory.units.discard("File Servers")


def name_taken(made: DomainWorld) -> None:
    made.domain.directory.computers["FILES"] = "of another"


def clock_off(made: DomainWorld) -> None:
    made.domain.directory.offset = -1200


def out_of_reach(made: DomainWorld) -> None:
    made.domain.directory.away = True


def password_again(made: DomainWorld) -> None:
    """Another Secret: a change inside the same one is not noticed."""
    made.world.api.secrets["corrected"] = {"username": b"joiner", "password": PEOPLE.encode()}
    rename(made, {"joinSecretRef": {"name": "corrected"}})


def right_given(made: DomainWorld) -> None:
    made.domain.directory.joiners.add("joiner")
    password_again(made)


def another_unit(made: DomainWorld) -> None:
    made.domain.directory.units.add("Servers")
    rename(made, {"organizationalUnit": "Servers"})


def another_name(made: DomainWorld) -> None:
    rename(made, {}, netbiosName="FILES2")


def clock_right(made: DomainWorld) -> None:
    made.domain.directory.offset = 1


def in_reach(made: DomainWorld) -> None:
    made.domain.directory.away = False


def rename(made: DomainWorld, domain: dict[str, Any], **smb: Any) -> None:
    changed = {"activeDirectory": {**DOMAIN, **domain}, **smb}
    made.world.api.apply(declared("FileShare", "office", {**IN_DOMAIN, "smb": changed}))


IN_THE_WAY: dict[str, tuple[Spoil, Spoil]] = {
    "DomainLogonRefused": (wrong_password, password_again),
    "DomainJoinForbidden": (no_right, right_given),
    "DomainUnitMissing": (unit_missing, another_unit),
    "DomainNameTaken": (name_taken, another_name),
    "ClockSkewed": (clock_off, clock_right),
    "DomainUnreachable": (out_of_reach, in_reach),
}


async def test_whatever_keeps_a_domain_from_being_joined_has_its_reason_and_ends_when_it_is_corrected() -> None:
    async with domain_world() as (made, oracles):
        await made.world.run(until=made.given)
        restore = made.world.checkpoint()
        for reason, (spoil, correct) in IN_THE_WAY.items():
            await made.world.kill_operator()
            restore()
            oracles.take()
            oracles.watch(await made.world.start_operator())
            spoil(made)
            await made.told(reason)
            for _ in range(3):
                await made.world.round()
            assert made.says("Served")["reason"] == reason
            directory = made.domain.directory
            assert (directory.joined, directory.refused) == ([], int(spoil is wrong_password)), reason
            correct(made)
            await made.settle()
            assert (len(directory.joined), directory.refused) == (1, int(spoil is wrong_password)), reason
            assert oracles.take() == [], reason


async def test_a_join_that_was_cut_short_behind_the_account_goes_on_with_that_account() -> None:
    async with domain_world() as (made, oracles):
        await made.world.run(until=made.given)
        made.domain.directory.cut = True
        await made.settle()
        assert made.domain.directory.joined == ["node1"]
        assert made.domain.directory.computers.keys() == {*OTHERS, "FILES"}
        assert oracles.take() == []
