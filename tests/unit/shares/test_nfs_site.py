"""A whole site, from blank hosts to folders that are served over NFS: what the operator does over real connections."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from heretic.domain.shares.ganesha.texts import CONFIGURATION, DROP_IN, SCRIPT, SERVICE, owned_exports
from heretic.domain.shares.kerberos.texts import SCRIPT as KEYTAB_SCRIPT
from heretic.reconcile.gateway import Faults
from sim.active_directory import PEOPLE, DomainSite
from sim.blank_site import declared
from sim.crash_sweep import sweep, undisturbed
from sim.machine import File
from sim.nfs_server import NfsServerSite
from sim.share_oracles import ShareOracles
from sim.share_site import IN_DOMAIN, ShareWorld
from sim.struck import Disturbance, strikes

VOLUMES = {"lock": {"purpose": "Lock", "size": "1Gi"}, "unixshare": {"purpose": "NFSShare", "size": "20Gi"}}
FOLDERS = [{"name": "homes", "mode": "0711"}, {"name": "software", "readOnly": True}]
SHARE = {
    "protocol": "NFS",
    "volume": "unixshare",
    "network": "lan",
    "addresses": ["172.20.12.101", "172.20.12.102"],
    "folders": FOLDERS,
}
SOUND = "9.1-1"
SERVING = (
    *("TryExports", "PutGaneshaConfiguration", "StartGanesha", "AddExport", "RemoveExport", "PutEventScript"),
    "MakeFolder",
)
SERVED = {1: "/homes", 2: "/software"}
KERBERIZED = {
    **SHARE,
    "hostName": "files.office.private",
    "folders": FOLDERS[:1],
    "nfs": {"security": ["krb5p"], "realm": "office.private"},
}
PRINCIPAL = "nfs/files.office.private@OFFICE.PRIVATE"


class NfsWorld(ShareWorld):
    """Three file servers with a Ganesha of this version."""

    def __init__(
        self,
        version: str,
        volumes: Mapping[str, Mapping[str, str]] = VOLUMES,
        share: Mapping[str, Any] = SHARE,
    ) -> None:
        super().__init__(volumes, share)
        self.nfs = NfsServerSite(self.servers)
        self.nfs.attach()
        for machine in self.site.machines.values():
            packages = {**machine.host.platform.packages, "nfs-ganesha-gluster": version}
            machine.host.platform = replace(machine.host.platform, packages=packages)

    def exports(self) -> list[dict[int, str]]:
        """What each running Ganesha serves."""
        return [{n: e.path for n, e in (own.exports or {}).items()} for own in self.nfs.own.values()]

    def does_serve(self, exports: dict[int, str]) -> bool:
        """Whether all is Ready, and every Ganesha serves just this."""
        return self.world.ready() and self.exports() == [exports] * 3

    def served(self) -> Any:
        return self.world.condition("FileShare", "office", "Served")


@asynccontextmanager
async def nfs_world(version: str = SOUND) -> AsyncIterator[NfsWorld]:
    made = NfsWorld(version)
    async with made.world:
        made.declare()
        await made.world.start_operator()
        yield made


def edit_configuration(made: NfsWorld) -> None:
    made.site.machines["node2"].files[CONFIGURATION] = File("EXPORT {}\n")


def stop_ganesha(made: NfsWorld) -> None:
    made.nfs.stop("node1")


def take_export_out(made: NfsWorld) -> None:
    exports = made.nfs.own["node3"].exports
    assert exports is not None
    del exports[1]


def serve_something_else(made: NfsWorld) -> None:
    exports = made.nfs.own["node2"].exports
    assert exports is not None
    exports[9] = replace(exports[1], number=9, folder="etc")


def drop_script(made: NfsWorld) -> None:
    del made.site.machines["node1"].files[SCRIPT]


def boot(made: NfsWorld) -> None:
    made.site.machines["node2"].reboot()


async def test_blank_hosts_come_to_serve_and_are_left_alone_then() -> None:
    async with nfs_world() as made:
        await made.settle()
        assert made.served()["status"] == "True"
        assert made.exports() == [SERVED] * 3
        assert made.servers.folders["unixshare/homes"] == ("0", "0", "0711")
        status = made.world.api.objects[next(k for k in made.world.api.objects if k.kind == "FileShare")]["status"]
        assert status["exports"] == [{"name": "homes", "number": 1}, {"name": "software", "number": 2}]
        assert all(m.units[SERVICE].enabled == "disabled" for m in made.site.machines.values())
        for spoil in (edit_configuration, stop_ganesha, take_export_out, serve_something_else, drop_script, boot):
            spoil(made)
            await made.settle()
            assert (made.served()["status"], made.exports()) == ("True", [SERVED] * 3), spoil


async def test_a_change_that_one_ganesha_refuses_leaves_all_of_them_as_they_were() -> None:
    async with nfs_world() as made:
        await made.settle()
        before = deepcopy({name: own.exports for name, own in made.nfs.own.items()})
        made.nfs.own["node2"].refuses = "Unknown parameter (Squash)"
        folders = [{"name": "homes", "mode": "0711", "readOnly": True}, {"name": "software", "readOnly": True}]
        made.world.api.apply(declared("FileShare", "office", {**SHARE, "folders": folders}))
        await made.world.run(until=lambda: made.served()["reason"] == "GaneshaRefuses")
        assert "node2" in made.served()["message"]
        await made.world.round()
        assert {name: own.exports for name, own in made.nfs.own.items()} == before
        made.nfs.own["node2"].refuses = ""
        made.site.machines["node2"].files.pop("/var/lib/heretic/nfs-tried")
        await made.settle()
        for own in made.nfs.own.values():
            assert own.exports is not None
            assert "Access_Type = RO;" in own.exports[1].text


async def test_nothing_is_served_with_the_ganesha_of_debian_13_that_dies() -> None:
    async with nfs_world("6.5-5") as made:
        await made.world.run(until=lambda: made.served().get("reason") == "GaneshaUnsound")
        assert made.exports() == [{}] * 3
        assert "6.5-5" in made.served()["message"]
        assert not any(DROP_IN in machine.files for machine in made.site.machines.values())


class KerberosWorld(NfsWorld):
    """The same in a domain that the FileShare ``users`` has joined."""

    def __init__(self) -> None:
        super().__init__(SOUND, {**VOLUMES, "winshare": {"purpose": "SMBShare", "size": "20Gi"}}, KERBERIZED)
        self.domain = DomainSite(self.servers)
        self.domain.attach()

    def declare(self) -> None:
        self.world.api.secrets["heretic-domain"] = {"username": b"joiner", "password": PEOPLE.encode()}
        self.world.api.apply(declared("FileShare", "users", IN_DOMAIN))
        super().declare()

    def secure(self, *security: str) -> None:
        """Declares how clients prove who they are."""
        self.world.api.apply(declared("FileShare", "office", {**KERBERIZED, "nfs": _nfs(*security)}))

    def keys(self) -> list[list[tuple[int, str]]]:
        """Of every host."""
        return [self.domain.keytabs.of(name) for name in self.site.machines]

    def asks(self, security: str) -> bool:
        """Whether all is Ready, and every Ganesha asks its clients for this."""
        texts = [e.text for own in self.nfs.own.values() for e in (own.exports or {}).values()]
        return self.world.ready() and len(texts) == 3 and all(f"SecType = {security};" in text for text in texts)


def _nfs(*security: str) -> dict[str, Any]:
    return {"security": [*security], "realm": "office.private"}


async def test_keys_are_on_every_host_before_an_export_asks_for_tickets_and_follow_the_password() -> None:
    made = KerberosWorld()
    async with made.world:
        made.declare()
        await made.world.start_operator()
        await made.settle()
        assert made.asks("krb5p")
        assert made.keys() == [[(1, PRINCIPAL)]] * 3
        made.domain.change_secret()
        await made.settle()
        assert made.keys() == [[(1, PRINCIPAL), (2, PRINCIPAL)]] * 3
        made.secure("sys")
        await made.settle()
        assert made.asks("sys")
        assert made.keys() == [[]] * 3
        assert not any(KEYTAB_SCRIPT in machine.files for machine in made.site.machines.values())


@pytest.mark.timeout(600)
@strikes("RegisterService", "SyncKeytab", "RemoveKeytab")
async def test_keys_come_and_go_whichever_effect_is_disturbed(how: Disturbance) -> None:
    made = KerberosWorld()
    oracles = ShareOracles(made.servers, made.domain)

    async def start(faults: Faults | None = None) -> None:
        oracles.watch(await made.world.start_operator(faults))

    async with made.world:
        made.declare()
        made.secure("sys")
        await start()
        await made.world.run(until=partial(made.asks, "sys"), rounds=60)
        await made.world.kill_operator()
        for security, keys in (("krb5p", [(1, PRINCIPAL)]), ("sys", [])):
            made.secure(security)
            calm = await undisturbed(made.world, start, partial(made.asks, security))
            assert oracles.take() == []
            assert await sweep(made.world, calm, how, start, oracles.take) == []
            assert made.keys() == [keys] * 3


@strikes(*SERVING)
async def test_an_operator_that_dies_at_any_effect_is_followed_by_one_that_ends_the_same(how: Disturbance) -> None:
    made = NfsWorld(SOUND)
    oracles = ShareOracles(made.servers)

    async def start(faults: Faults | None = None) -> None:
        oracles.watch(await made.world.start_operator(faults))

    async with made.world:
        made.declare()
        await start()
        await made.world.run(until=made.given)
        await made.world.kill_operator()
        for served in ({1: "/homes"}, SERVED, {1: "/homes"}):
            spec = {**SHARE, "folders": FOLDERS[: len(served)]}
            made.world.api.apply(declared("FileShare", "office", spec))
            calm = await undisturbed(made.world, start, partial(made.does_serve, served))
            assert oracles.take() == []
            assert await sweep(made.world, calm, how, start, oracles.take) == []
            for machine in made.site.machines.values():
                assert len(list(owned_exports(machine.files[CONFIGURATION].content))) == len(served)
