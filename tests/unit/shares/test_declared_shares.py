"""What cannot be of what a FileShare declares, seen together with the rest of the site."""

from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Network, Node, Resource
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.gluster.purposes import PROFILES
from heretic.domain.kind import Observed
from heretic.domain.plan import Blocked, Wait
from heretic.domain.shares.declared import obstacles
from heretic.kinds import KINDS
from sim.declared import network, node, site, volume
from sim.site_rules import resource
from wrong_manifests import SPECS

SMB: dict[str, Any] = {
    "protocol": "SMB",
    "volume": "winshare",
    "smb": {"users": ["anna"]},
    "folders": [{"name": "groups"}],
}


def share(name: str = "files", **spec: Any) -> FileShare:
    found: FileShare = resource(FileShare, name, SPECS["FileShare"] | spec)
    return found


def server(number: int, **spec: Any) -> Node:
    there: dict[str, Any] = {
        "roles": ["Storage", "FileServer"],
        "addresses": [{"network": "lan", "address": f"172.20.12.{10 + number}"}],
    }
    return node(f"n{number}", 10 + number, **there | spec)


def declared(*instead: Resource, without: str = "") -> SiteView:
    """Three file servers, of which the third is the arbiter, two Networks and two volumes, with some in their place."""
    objects: list[Resource] = [
        site({"nodes": ["n1", "n2", "n3"], "arbiter": "n3"}),
        *(server(n) for n in (1, 2, 3)),
        network("mgmt", "Management", "172.20.10.0/24"),
        network("lan", "LAN", "172.20.12.0/24", gateway="172.20.12.1"),
        volume("unixshare", purpose="NFSShare"),
        volume("winshare", purpose="SMBShare"),
    ]
    return SiteView.holding(o for o in objects if o.metadata.name != without).having(*instead)


def told(found: FileShare, view: SiteView) -> list[tuple[type[Blocked | Wait], Reason]]:
    return [(type(o), o.reason) for o in obstacles(found, view.having(found))]


@pytest.mark.parametrize("found", [share(), share(**SMB)], ids=["NFS", "SMB"])
def test_a_share_of_a_sound_site_can_be(found: FileShare) -> None:
    assert told(found, declared()) == []


def test_two_shares_may_have_the_same_addresses() -> None:
    assert told(share(), declared(share("office", **SMB))) == []


def test_what_is_missing_is_waited_for() -> None:
    assert told(share(), declared(without="unixshare")) == [(Wait, Reason.VOLUME_NOT_FOUND)]
    assert told(share(), declared(without="lan")) == [(Wait, Reason.NETWORK_NOT_FOUND)]
    alone = SiteView.holding(
        [site(), *(o for o in declared().of(GlusterVolume).values()), *declared().of(Network).values()]
    )
    assert told(share(), alone) == [(Wait, Reason.NO_FILE_SERVER)]


def test_the_volume_of_the_other_protocol_is_refused() -> None:
    assert told(share(volume="winshare"), declared()) == [(Blocked, Reason.VOLUME_OF_OTHER_PURPOSE)]
    assert told(share(**SMB | {"volume": "unixshare"}), declared()) == [(Blocked, Reason.VOLUME_OF_OTHER_PURPOSE)]


@pytest.mark.parametrize("purpose", [purpose for purpose, made in PROFILES.items() if made.sharded])
def test_a_volume_for_disk_images_is_refused_for_its_pieces(purpose: Purpose) -> None:
    view = declared(volume("images", purpose=purpose.value))
    assert told(share(volume="images"), view) == [(Blocked, Reason.VOLUME_SHARDED)]


@pytest.mark.parametrize(("sharded", "found"), [(True, [(Blocked, Reason.VOLUME_SHARDED)]), (False, []), (None, [])])
def test_a_volume_that_was_found_with_its_files_in_pieces_is_refused(
    sharded: bool | None, found: list[tuple[type[Blocked], Reason]]
) -> None:
    assert told(share(), declared(volume("unixshare", {"sharded": sharded}, purpose="NFSShare"))) == found


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("172.20.13.101", Reason.ADDRESS_OUTSIDE_NETWORK),
        ("172.20.12.0", Reason.ADDRESS_OUTSIDE_NETWORK),
        ("172.20.12.255", Reason.ADDRESS_OUTSIDE_NETWORK),
        ("172.20.12.1", Reason.ADDRESS_IN_USE),
        ("172.20.12.12", Reason.ADDRESS_IN_USE),
    ],
)
def test_a_public_address_is_free_and_in_its_network(address: str, reason: Reason) -> None:
    assert told(share(addresses=["172.20.12.101", address]), declared()) == [(Blocked, reason)]


def test_public_addresses_are_of_ipv4_so_their_network_is() -> None:
    view = declared(network("lan", "LAN", "fd00:20:12::/64"), *(server(n, addresses=[]) for n in (1, 2, 3)))
    assert (Blocked, Reason.ADDRESS_OUTSIDE_NETWORK) in told(share(), view)


def test_a_file_server_that_is_known_by_ipv6_only_is_refused() -> None:
    view = declared(server(1, address="fd00:20:10::11"))
    assert told(share(), view) == [(Blocked, Reason.INVALID_SPEC)]


def test_the_only_file_server_is_not_the_arbiter() -> None:
    view = declared(server(1, roles=["Storage"]), server(2, roles=["Storage"]))
    assert told(share(), view) == [(Blocked, Reason.NO_FILE_SERVER)]


def test_who_may_have_public_addresses_has_an_address_in_their_network() -> None:
    assert told(share(), declared(server(2, addresses=[]))) == [(Blocked, Reason.INVALID_SPEC)]
    assert told(share(), declared(server(3, addresses=[]))) == []  # the arbiter gets none


def test_an_address_in_the_management_network_is_that_of_the_node_itself() -> None:
    view = declared(*(server(n, addresses=[]) for n in (1, 2, 3)))
    assert told(share(network="mgmt", addresses=["172.20.10.101"]), view) == []


def test_a_file_server_that_is_known_by_name_only_is_refused() -> None:
    view = declared(server(1, address="n1.mgmt.private"))
    assert told(share(), view) == [(Blocked, Reason.INVALID_SPEC)]


def test_a_folder_is_for_users_that_there_are() -> None:
    folders = [{"name": "accounts", "smb": {"users": ["anna", "bert"]}}]
    (found,) = obstacles(share(**SMB | {"folders": folders}), declared())
    assert (found.reason, "bert" in found.message, "anna" in found.message) == (Reason.ACCOUNT_UNKNOWN, True, False)


def test_shares_of_one_server_agree() -> None:
    other = share("office", **SMB | {"smb": {"users": ["anna"], "workgroup": "OFFICE"}, "folders": [{"name": "a"}]})
    (found,) = obstacles(share(**SMB), declared(other))
    assert (found.reason, "spec.smb.workgroup" in found.message) == (Reason.FILE_SHARES_DIFFER, True)
    alike = share("office", **SMB | {"folders": [{"name": "all"}, {"name": "Groups"}]})
    assert told(share(**SMB), declared(alike)) == [(Blocked, Reason.FILE_SHARES_DIFFER)]
    gone = alike.model_copy(update={"metadata": alike.metadata.model_copy(update={"deletion_timestamp": "now"})})
    assert told(share(**SMB), declared(gone)) == []


def test_the_names_for_dns_are_in_the_status() -> None:
    for found, name in ((share(), "files"), (share(hostName="nas.office.private"), "nas.office.private")):
        status = KINDS["FileShare"].assess(found, declared(found), Observed()).report.status.model_dump()
        assert status["names"] == [{"name": name, "addresses": ["172.20.12.101"]}]
