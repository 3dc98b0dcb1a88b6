"""What adopt makes of facts: what is guessed says so, what is not known is left out."""

from typing import Any

import pytest

from heretic.cli.adopted import FoundSite, manifests
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import FileContent, HostFacts, LogicalVolume, Mount
from heretic.domain.host.interfaces import Interface
from heretic.domain.pool.facts import Brick, BrickState, PoolFacts, VolumeInfo, VolumeState, VolumeStatus
from heretic.domain.pool.member import MEMBER, Member

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlgpPgFxcZQxs8pTt2ca/oH18wooR7Prj1DY4mD/6DR"
GIB = 2**30
NODES = ("node1", "node2", "node3")


def port(name: str, *addresses: str, mtu: int = 1500) -> Interface:
    return Interface(name, "52:54:00:00:00:01", "ether", True, mtu, addresses=addresses)


def host(number: int, *more: Interface, hosts_file: str = "", **facts: Any) -> HostFacts:
    content = Known(FileContent(hosts_file, "", "0644"))
    return HostFacts(
        f"node{number}",
        interfaces=Known((port("lo", "127.0.0.1/8"), port("eth0", f"10.0.0.{number}/24"), *more)),
        sections={MEMBER.name: Member(uuid=Known(f"uuid-{number}"))},
        files={"/etc/hosts": content},
        **facts,
    )


def brick(number: int, volume: str = "vmstore", *, domain: str = "gluster.private", arbiter: bool = False) -> Brick:
    path = f"/gluster_bricks/{volume}/brick1/brick"
    return Brick(f"node{number}.{domain}", path, f"uuid-{number}", arbiter)


def volume(name: str = "vmstore", **changes: Any) -> VolumeInfo:
    bricks = (brick(1, name), brick(2, name), brick(3, name, arbiter=True))
    fields: dict[str, Any] = {"replica_count": 3, "arbiter_count": 1, "bricks": bricks} | changes
    return VolumeInfo(name, "id", VolumeState.STARTED, **fields)


def found(*volumes: VolumeInfo, hosts: dict[str, HostFacts] | None = None, size: int | None = 50 * GIB) -> FoundSite:
    known = hosts or {f"node{n}": host(n) for n in (1, 2, 3)}
    state = BrickState(True, 1, size, None)
    status = {v.name: Known(VolumeStatus({f"{b.host}:{b.path}": state for b in v.bricks})) for v in volumes}
    return FoundSite(
        site="demo",
        namespace="",
        user="root",
        port=22,
        addresses={name: f"10.0.0.{name[-1]}" for name in known},
        ports={},
        ips={name: f"10.0.0.{name[-1]}" for name in known},
        host_keys=dict.fromkeys(known, KEY),
        hosts=known,
        pool=PoolFacts("node1", volumes=Known({v.name: v for v in volumes}), status=status),
    )


def specs(what: FoundSite, kind: str) -> dict[str, dict[str, Any]]:
    made, _ = manifests(what)
    return {m.object["metadata"]["name"]: m.object["spec"] for m in made if m.object["kind"] == kind}


def remarks(what: FoundSite, kind: str) -> str:
    made, _ = manifests(what)
    return "\n".join(r for m in made if m.object["kind"] == kind for r in m.remarks)


def second(number: int) -> Interface:
    return port("eth1", f"10.0.1.{number}/24", mtu=9000)


class TestNetworks:
    def test_one_network_is_the_management_network(self) -> None:
        networks = specs(found(volume()), "Network")
        assert {n: (s["role"], s["subnet"]) for n, s in networks.items()} == {"mgmt": ("Management", "10.0.0.0/24")}

    def test_the_one_that_carries_gluster_s_names_is_known(self) -> None:
        names = "".join(f"10.0.1.{n} node{n}.gluster.private\n" for n in (1, 2, 3))
        third = {f"node{n}": host(n, second(n), port("eth2", f"10.0.2.{n}/24"), hosts_file=names) for n in (1, 2, 3)}
        what = found(volume(), hosts=third)
        assert {n: s["role"] for n, s in specs(what, "Network").items()} == {
            "mgmt": "Management",
            "gluster": "Gluster",
            "lan": "LAN",
        }
        assert specs(what, "Network")["gluster"]["mtu"] == 9000
        assert specs(what, "Node")["node2"]["addresses"] == [
            {"network": "gluster", "address": "10.0.1.2"},
            {"network": "lan", "address": "10.0.2.2"},
        ]

    def test_the_only_other_one_is_guessed_and_says_so(self) -> None:
        what = found(hosts={f"node{n}": host(n, second(n)) for n in (1, 2, 3)})
        assert set(specs(what, "Network")) == {"mgmt", "gluster"}
        assert "Guessed" in remarks(what, "Network")

    @pytest.mark.parametrize(
        "extra",
        [port("eth1", "192.168.1.1/24"), port("virbr0", "192.168.122.9/24"), port("eth1", "fe80::1/64")],
        ids=["the same address on every host", "inside a host", "IPv6"],
    )
    def test_what_is_no_network_of_the_site_is_left_out(self, extra: Interface) -> None:
        what = found(hosts={f"node{n}": host(n, extra) for n in (1, 2, 3)})
        assert set(specs(what, "Network")) == {"mgmt"}


class TestNames:
    def test_the_storage_domain_is_that_of_the_bricks(self) -> None:
        assert specs(found(volume()), "Site")["demo"]["domains"] == {"storage": "gluster.private"}

    def test_names_that_do_not_fit_the_nodes_are_told(self) -> None:
        bricks = tuple(Brick(f"gl{n}.lan", "/b/vmstore", f"uuid-{n}") for n in (1, 2, 3))
        what = found(volume(bricks=bricks))
        assert "domains" not in specs(what, "Site")["demo"]
        assert "ATTENTION: Gluster knows these hosts by names that are not NODE.DOMAIN: node1 is gl1.lan" in remarks(
            what, "Site"
        )
        assert "can only observe it" in remarks(what, "GlusterVolume")


class TestVolumes:
    def test_nothing_is_changed_by_applying_them(self) -> None:
        assert specs(found(volume()), "Site")["demo"]["mode"] == "Observe"

    def test_the_arbiter_is_the_node_that_has_all_arbiter_bricks(self) -> None:
        nodes = specs(found(volume(), volume("engine")), "Node")
        assert {name: spec.get("arbiter") for name, spec in nodes.items()} == {
            "node1": None,
            "node2": None,
            "node3": "Always",
        }

    def test_the_size_is_that_of_the_logical_volume_not_of_the_filesystem(self) -> None:
        lv = LogicalVolume("vg-x", "vmstore", 60 * GIB, pool="pool")
        mount = Mount("/gluster_bricks/vmstore", "/dev/mapper/vg--x-vmstore", "xfs")
        known = {
            f"node{n}": host(n, logical_volumes=Known((lv,)), mounts=Known((Mount("/", "/dev/sda1", "ext4"), mount)))
            for n in (1, 2, 3)
        }
        assert specs(found(volume(), hosts=known), "GlusterVolume")["vmstore"]["size"] == "60Gi"

    def test_chained_sets_add_up(self) -> None:
        chained = tuple(brick(n) for n in (1, 2, 3)) * 2
        assert specs(found(volume(bricks=chained)), "GlusterVolume")["vmstore"]["size"] == "100Gi"

    def test_an_option_that_differs_from_the_purpose_is_kept(self) -> None:
        what = found(volume(options={"network.ping-timeout": "42", "cluster.quorum-type": "none", "foreign.one": "x"}))
        assert specs(what, "GlusterVolume")["vmstore"]["options"] == [{"name": "network.ping-timeout", "value": "42"}]

    def test_a_name_that_no_object_can_have_stays_the_volume_s(self) -> None:
        spec = specs(found(volume("VM_Store")), "GlusterVolume")["vm-store"]
        assert spec["volumeName"] == "VM_Store"

    @pytest.mark.parametrize(
        ("options", "purpose"),
        [
            ({"features.shard": "on"}, "VirtualMachines"),
            ({"performance.cache-samba-metadata": "on"}, "SMBShare"),
            ({}, "NFSShare"),
        ],
    )
    def test_a_guessed_purpose_says_so(self, options: dict[str, str], purpose: str) -> None:
        what = found(volume("mine", options=options))
        assert specs(what, "GlusterVolume")["mine"]["purpose"] == purpose
        assert "The purpose is guessed" in remarks(what, "GlusterVolume")

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            (found(volume(replica_count=2, bricks=(brick(1), brick(2)))), "has 2 copies"),
            (found(volume(bricks=(brick(1), brick(2), brick(9)))), "which is none of the given hosts"),
            (found(volume(), size=None), "the size of volume vmstore is not known"),
        ],
        ids=["two copies", "a brick elsewhere", "unknown size"],
    )
    def test_what_cannot_be_declared_is_told_and_left_out(self, what: FoundSite, said: str) -> None:
        made, left_out = manifests(what)
        assert [m for m in made if m.object["kind"] == "GlusterVolume"] == []
        assert len(left_out) == 1
        assert said in left_out[0]

    def test_a_list_of_volumes_that_is_not_known_makes_none(self) -> None:
        what = found()
        unknown = FoundSite(
            **{f: getattr(what, f) for f in what.__slots__} | {"pool": PoolFacts("node1", Unknown("busy"))}
        )
        assert specs(unknown, "GlusterVolume") == {}
