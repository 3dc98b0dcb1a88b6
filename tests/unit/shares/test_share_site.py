"""A whole site, from blank hosts to a share that is served: what the operator does over real connections."""

from pathlib import Path

from heretic.reconcile.store import Key
from sim.folder_limits import GIB
from sim.machine import File
from sim.share_site import PASSWORD, SHARE, ShareWorld, share_world
from sim.world import NAMESPACE

GROUPS = "winshare/groups"
CONFIGURATION = "/etc/samba/smb.conf"


async def test_blank_hosts_come_to_serve_and_are_left_alone_then(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    async with share_world(audit) as made:
        await made.settle()
        assert made.world.condition("FileShare", "office", "Served")["status"] == "True"
        assert made.servers.typed == {"anna": f"{PASSWORD}\n" * 2}
        assert made.servers.folders == {"winshare/groups": ("0", "20000", "2770")}
        told = audit.read_text() + str(made.world.api.objects) + str(made.world.api.events)
        assert PASSWORD not in told
        assert not any(PASSWORD in word for m in made.site.machines.values() for argv in m.ran for word in argv)
        assert made.limits.limits == {GROUPS: 10 * GIB}
        for spoil in (
            edit_configuration,
            stop_samba,
            open_folder,
            forget_user,
            lose_address,
            make_folder_anew,
            hide_limit,
        ):
            spoil(made)
            await made.settle()
            assert made.world.condition("FileShare", "office", "Served")["status"] == "True", spoil
            assert made.limits.limits == {GROUPS: 10 * GIB}, spoil
        assert made.limits.enabled == {"winshare": 1}


async def test_a_folder_that_is_full_is_told_and_a_smaller_quota_waits_until_it_holds_less() -> None:
    async with share_world() as made:
        await made.settle()
        made.limits.held[GROUPS] = 12 * GIB
        await made.world.round()
        assert made.says("Degraded")["reason"] == "FolderFull"
        assert "groups" in made.says("Degraded")["message"]
        assert made.says("Served")["status"] == "True"
        share = Key("FileShare", NAMESPACE, "office")
        assert made.world.api.objects[share]["status"]["folders"] == [
            {"name": "groups", "quota": "10Gi", "used": "10Gi"}
        ]
        made.limits.held[GROUPS] = 6 * GIB
        made.world.api.patch(share, {"folders": [{**SHARE["folders"][0], "quota": "5Gi"}]})
        await made.world.round()
        assert (made.says("Degraded")["reason"], made.limits.limits) == ("QuotaBelowUse", {GROUPS: 10 * GIB})
        made.limits.held[GROUPS] = 3 * GIB
        await made.settle()
        assert (made.says("Degraded")["status"], made.limits.limits) == ("False", {GROUPS: 5 * GIB})


async def test_addresses_leave_a_host_before_its_maintenance_and_come_back_after() -> None:
    async with share_world() as made:
        await made.settle()
        node = Key("Node", NAMESPACE, "node1")
        made.world.api.patch(node, {"maintenance": True})
        assert made.world.condition("Node", "node1", "Maintenance")["status"] == "False"
        await made.world.run(until=lambda: set(made.servers.holders().values()) == {"node2"})
        before = len(made.site.machines["node1"].effects)
        await made.world.run(
            until=lambda: made.world.condition("Node", "node1", "Maintenance").get("status") == "True", rounds=10
        )
        made.world.api.patch(node, {"maintenance": False})
        await made.settle()
        assert set(made.servers.holders().values()) == {"node1", "node2"}
        assert made.site.machines["node1"].effects[before:] == []
        assert made.servers.out == set()


def edit_configuration(made: ShareWorld) -> None:
    made.site.machines["node2"].files[CONFIGURATION] = File("[global]\n")


def stop_samba(made: ShareWorld) -> None:
    made.site.machines["node1"].units["smbd.service"].active = "inactive"


def open_folder(made: ShareWorld) -> None:
    made.servers.folders["winshare/groups"] = ("0", "0", "0777")


def forget_user(made: ShareWorld) -> None:
    made.servers.logins.clear()


def make_folder_anew(made: ShareWorld) -> None:
    made.limits.make_anew(GROUPS)


def hide_limit(made: ShareWorld) -> None:
    made.site.pool.volumes["winshare"].options["features.quota-deem-statfs"] = "off"


def lose_address(made: ShareWorld) -> None:
    made.site.machines["node1"].files["/etc/ctdb/public_addresses"] = File("172.20.12.101/24 eth2\n")
