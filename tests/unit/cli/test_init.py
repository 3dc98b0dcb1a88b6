"""The folder of a new site: what it says, what is asked, and when nothing is written."""

import asyncio
import stat
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml

from heretic.cli import choose_hosts, wanted
from heretic.cli.app import run as command
from heretic.cli.init import Finder, run
from heretic.cli.offline import read_manifests
from heretic.cli.options import Exit
from heretic.cli.wanted import Wanted
from heretic.domain.errors import HereticError
from heretic.hosts.discovery import SshServer
from heretic.hosts.errors import fingerprint_of

OPENSSH = "OpenSSH_10.0p2 Debian-7"
HOME = Wanted(name="home", ranges=("192.168.1.0/24",))


def key_of(kind: str = "ssh-ed25519") -> str:
    return asyncssh.generate_private_key(kind).export_public_key("openssh").decode().strip()


KEYS = [key_of() for _ in range(6)]


def server(number: int, software: str = OPENSSH, key: str = "", trouble: str = "") -> SshServer:
    line = "" if trouble else key or KEYS[number - 11]
    return SshServer(f"192.168.1.{number}", software, line, fingerprint_of(line) if line else "", trouble)


def finding(*servers: SshServer) -> Finder:
    """Finds these, as far as they are in the range."""

    async def find(addresses: Iterable[str], port: int) -> tuple[SshServer, ...]:
        wanted = set(addresses)
        return tuple(s for s in servers if s.address in wanted)

    return find


THREE = finding(server(11), server(12), server(13))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, on a machine without kubectl and without an SSH server."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(choose_hosts, "SSHD_KEYS", tmp_path / "etc")


def written(asked: Wanted = HOME, finder: Finder = THREE) -> dict[str, dict[str, Any]]:
    """Writes the folder, and reads its objects back: each spec by kind and name."""
    assert asyncio.run(run(asked, yes=True, finder=finder)) is Exit.OK
    (folder,) = Path().iterdir()
    objects = read_manifests([str(folder)], "other").objects
    assert {o["metadata"]["namespace"] for o in objects} == {asked.namespace or asked.name}
    return {f"{o['kind']}/{o['metadata']['name']}": o["spec"] for o in objects}


def refusal(asked: Wanted, finder: Finder = THREE) -> str:
    before = sorted(Path().rglob("*"))
    with pytest.raises(HereticError) as caught:
        asyncio.run(run(asked, yes=True, finder=finder))
    assert sorted(Path().rglob("*")) == before
    return caught.value.failure.message


class TestFolder:
    def test_three_hosts_become_a_whole_site(self, capsys: pytest.CaptureFixture[str]) -> None:
        specs = written()
        assert set(specs) == {
            "Site/home",
            "Network/mgmt",
            "Node/node1",
            "Node/node2",
            "Node/node3",
            "GlusterVolume/vmstore",
        }
        assert specs["Node/node2"]["address"] == "192.168.1.12"
        assert specs["Node/node2"]["hostKeys"] == [KEYS[1]]
        assert specs["Network/mgmt"] == {"role": "Management", "subnet": "192.168.1.0/24"}
        assert specs["Site/home"]["ssh"]["credentialsRef"] == {"name": "heretic-ssh"}
        assert specs["GlusterVolume/vmstore"] == {"purpose": "VirtualMachines", "size": "50Gi"}
        said = capsys.readouterr().out
        for number, key in zip((11, 12, 13), KEYS, strict=False):
            assert f"192.168.1.{number}  {fingerprint_of(key)}" in said
        assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in said

    def test_the_fingerprint_stands_above_each_key(self) -> None:
        written()
        lines = [line.strip() for line in Path("home/nodes.yaml").read_text().splitlines()]
        for key in KEYS[:3]:
            place = lines.index(f"- {key}")
            assert f"# {fingerprint_of(key)}" in lines[place - 2 : place]
            assert fingerprint_of(key) in Path("home/README.md").read_text()

    def test_it_can_be_read_by_everybody_and_holds_nothing_else(self) -> None:
        written()
        assert stat.S_IMODE(Path("home").stat().st_mode) == 0o755
        names = {"README.md", "kustomization.yaml", "site.yaml", "networks.yaml", "nodes.yaml", "volumes.yaml"}
        assert {path.name for path in Path("home").iterdir()} == names
        assert "PRIVATE" not in "".join(path.read_text() for path in Path("home").iterdir())

    def test_no_gitops_tool_prunes_it_and_the_namespace_is_not_part_of_it(self) -> None:
        written()
        content = yaml.safe_load(Path("home/kustomization.yaml").read_text())
        assert content["commonAnnotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
        assert not [
            line
            for p in Path("home").glob("*.yaml")
            for line in p.read_text().splitlines()
            if line == "kind: Namespace"
        ]

    def test_every_option_counts(self) -> None:
        asked = Wanted(
            name="shop",
            namespace="milan",
            folder="site",
            ranges=("192.168.1.11-13",),
            user="admin",
            port=2222,
            networks=wanted.networks(["management=192.168.0.0/16", "Gluster=10.0.0.0/16", "lan=10.9.0.0/16"]),
            disks=wanted.disks(["node2=wwn-0x1", "node2=/dev/disk/by-id/ata-X_1", "node1=123"]),
            minimum_disk="40G",
            volumes=wanted.volumes(["on=engine:60Gi", "files=NFSShare:1Ti"]),
        )
        specs = written(asked)
        assert Path("site").is_dir()
        assert specs["Site/shop"]["ssh"]["port"] == 2222
        assert specs["Site/shop"]["ssh"]["user"] == "admin"
        assert specs["Network/mgmt"]["subnet"] == "192.168.0.0/16"
        assert specs["Network/gluster"] == {"role": "Gluster", "subnet": "10.0.0.0/16"}
        assert specs["Network/lan"]["role"] == "LAN"
        assert {a["network"]: a["address"] for a in specs["Node/node3"]["addresses"]} == {
            "gluster": "10.0.1.13",
            "lan": "10.9.1.13",
        }
        assert specs["Node/node1"]["disks"] == {"selection": "ById", "ids": ["123"]}
        assert specs["Node/node2"]["disks"] == {"selection": "ById", "ids": ["wwn-0x1", "ata-X_1"]}
        assert specs["Node/node3"]["disks"] == {"selection": "Auto", "minimumSize": "40G"}
        assert specs["GlusterVolume/on"] == {"purpose": "Engine", "size": "60Gi"}
        assert specs["GlusterVolume/files"] == {"purpose": "NFSShare", "size": "1Ti"}

    @pytest.mark.parametrize("name", ["123", "on", "null", "true", "1e3", "0x1f", "a" * 63])
    def test_a_name_that_yaml_takes_for_something_else_stays_a_name(self, name: str) -> None:
        asked = Wanted(name=name, ranges=HOME.ranges, user="null", volumes=wanted.volumes([f"{name[:50]}=ISO:1Gi"]))
        specs = written(asked)
        assert specs[f"Site/{name}"]["ssh"]["user"] == "null"

    @pytest.mark.parametrize(
        ("kind", "file"),
        [("ecdsa-sha2-nistp256", "ssh_host_ecdsa_key.pub"), ("ssh-rsa", "ssh_host_rsa_key.pub")],
    )
    def test_the_console_is_asked_for_the_key_that_was_shown(
        self, kind: str, file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        written(finder=finding(server(11, key=key_of(kind)), server(12), server(13)))
        assert f"ssh-keygen -lf /etc/ssh/{file}" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("ranges", "subnet"),
        [
            (("192.168.1.0/24",), "192.168.1.0/24"),
            (("192.168.0.0/22",), "192.168.0.0/22"),
            (("192.168.1.11-13",), "192.168.1.0/24"),
            (("192.168.1.11/32", "192.168.1.12-13"), "192.168.1.0/24"),
            (("192.168.1.8/29",), "192.168.1.8/29"),
        ],
    )
    def test_the_management_network_is_the_one_that_was_searched_else_a_usual_one(
        self, ranges: tuple[str, ...], subnet: str
    ) -> None:
        specs = written(Wanted(name="home", ranges=ranges))
        assert specs["Network/mgmt"]["subnet"] == subnet
        assert "# Guessed" in Path("home/networks.yaml").read_text()

    def test_hosts_in_two_networks_get_one_that_has_both(self) -> None:
        far = SshServer("192.168.3.13", OPENSSH, KEYS[2], fingerprint_of(KEYS[2]))
        asked = Wanted(name="home", ranges=("192.168.1.11-12", "192.168.3.13"))
        specs = written(asked, finding(server(11), server(12), far))
        assert specs["Network/mgmt"]["subnet"] == "192.168.0.0/22"


class TestAddressPlan:
    """What has which number in every network."""

    @pytest.mark.parametrize(
        ("networks", "offsets", "addresses"),
        [
            pytest.param(["gluster=10.0.0.0/24"], [], {"gluster": "10.0.0.12"}, id="the number that it was found with"),
            pytest.param(
                ["gluster=10.0.0.0/24", "lan=10.0.1.0/24", "internal=10.0.2.0/24"],
                ["nodes=10"],
                {"gluster": "10.0.0.11", "lan": "10.0.1.11", "internal": "10.0.2.11"},
                id="HVP's numbers, in each network",
            ),
            pytest.param(["lan=fd00:1::/64"], [], {"lan": "fd00:1::12"}, id="IPv6 alone: the same digits"),
            pytest.param(
                ["lan=10.0.1.0/24,fd00:1::/64"], [], {"lan": "10.0.1.12", "lan of IPv6": "fd00:1::12"}, id="both"
            ),
            pytest.param(
                ["management=192.168.1.0/24,fd00::/64"],
                ["nodes=40"],
                {"mgmt": "192.168.1.12", "mgmt of IPv6": "fd00::12"},
                id="IPv6 beside the address that was found, with its number",
            ),
        ],
    )
    def test_each_host_has_an_address_in_each_network(
        self, networks: list[str], offsets: list[str], addresses: dict[str, str]
    ) -> None:
        asked = replace(HOME, networks=wanted.networks(networks), offsets=wanted.offsets(offsets))
        found: dict[str, str] = {}
        for entry in written(asked)["Node/node2"]["addresses"]:
            found[entry["network"]] = entry["address"]
            if "ipv6" in entry:
                found[f"{entry['network']} of IPv6"] = entry["ipv6"]
        assert found == addresses

    def test_a_network_of_both_families_is_written_so(self) -> None:
        specs = written(replace(HOME, networks=wanted.networks(["lan=10.0.1.0/24,fd00:1::/64"])))
        assert specs["Network/lan"] == {"role": "LAN", "subnet": "10.0.1.0/24", "ipv6": {"subnet": "fd00:1::/64"}}

    @pytest.mark.parametrize(
        ("offsets", "rows"),
        [
            pytest.param(
                [],
                [
                    "| the engine | mgmt | 192.168.1.5 |",
                    "| BMCs | mgmt | 192.168.1.100 to 192.168.1.102 |",
                    "| shares | mgmt | 192.168.1.30 to 192.168.1.32 |",
                    "| shares | lan | 10.0.1.30 to 10.0.1.32 |",
                ],
                id="HVP's",
            ),
            pytest.param(
                ["engine=9", "bmcs=200", "shares=50"],
                [
                    "| the engine | mgmt | 192.168.1.9 |",
                    "| BMCs | mgmt | 192.168.1.200 to 192.168.1.202 |",
                    "| shares | lan | 10.0.1.50 to 10.0.1.52 |",
                ],
                id="others",
            ),
        ],
    )
    def test_what_comes_later_has_addresses_that_are_kept_free(self, offsets: list[str], rows: list[str]) -> None:
        networks = wanted.networks(["gluster=10.0.0.0/24", "lan=10.0.1.0/24"])
        written(replace(HOME, networks=networks, offsets=wanted.offsets(offsets)))
        readme = Path("home/README.md").read_text()
        assert [row for row in rows if row not in readme] == []
        assert "| gluster |" not in readme, "no share has an address between the bricks"
        assert "No address is kept" not in readme

    @pytest.mark.parametrize(
        ("offsets", "said"),
        [
            (["engine=12"], "number 12 of mgmt is that of node2, and of the engine by the address plan"),
            (["bmcs=10"], "number 11 of mgmt is that of node1, and of BMCs by the address plan"),
            (["shares=4"], "number 5 of mgmt is that of the engine, and of shares by the address plan"),
            (["nodes=29"], "number 30 of lan is that of node2"),
            (["bmcs=253"], "192.168.1.0/24 has no address of the number 255, and of BMCs"),
            (["nodes=253"], "node3 is number 255 by --offset nodes, and 10.0.1.0/24 has no address of that number"),
        ],
    )
    def test_two_things_of_one_number_are_refused_where_a_person_said_so(self, offsets: list[str], said: str) -> None:
        asked = replace(HOME, networks=wanted.networks(["lan=10.0.1.0/24"]), offsets=wanted.offsets(offsets))
        if offsets == ["nodes=29"]:  # what nobody asked for gives way
            written(asked)
            assert f"No address is kept for shares in lan ({said})" in Path("home/README.md").read_text()
        else:
            assert said in refusal(asked)

    def test_hosts_that_were_found_where_others_would_be_are_taken_as_they_are(self) -> None:
        key = [fingerprint_of(line) for line in KEYS]
        found = [SshServer(f"192.168.1.{n}", OPENSSH, KEYS[i], key[i]) for i, n in enumerate((5, 30, 100))]
        assert written(finder=finding(*found))["Node/node1"]["address"] == "192.168.1.5"
        readme = Path("home/README.md").read_text()
        for what, host in (("the engine", "node1"), ("BMCs", "node3"), ("shares", "node2")):
            assert f"No address is kept for {what} in mgmt (number" in readme
            assert f"is that of {host})" in readme


class TestHosts:
    @pytest.mark.parametrize(
        ("odd", "said"),
        [
            (
                server(14, "dropbear_2022.83"),
                "192.168.1.14 is left out: its SSH server is dropbear_2022.83, not OpenSSH",
            ),
            (server(14, trouble="it showed no host key"), "192.168.1.14 is left out: it showed no host key"),
            (server(14, key=KEYS[0]), "192.168.1.14 is left out: it shows the host key of 192.168.1.11"),
        ],
        ids=["a router", "no key", "a second address"],
    )
    def test_what_is_no_host_of_its_own_is_left_out(
        self, odd: SshServer, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        specs = written(finder=finding(server(11), server(12), server(13), odd))
        assert len([name for name in specs if name.startswith("Node/")]) == 3
        assert said in capsys.readouterr().err

    def test_this_machine_is_left_out(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/ssh_host_ed25519_key.pub").write_text(f"{KEYS[3]} root@support\n")
        specs = written(finder=finding(server(11), server(12), server(13), server(14)))
        assert "Node/node4" not in specs
        assert "192.168.1.14 is left out: it is the machine on which you run this" in capsys.readouterr().err

    def test_an_excluded_address_is_not_even_asked(self) -> None:
        asked = Wanted(name="home", ranges=HOME.ranges, excluded=wanted.excluded(["192.168.1.12"]))
        specs = written(asked, finding(*(server(number) for number in (11, 12, 13, 14))))
        assert [specs[f"Node/node{n}"]["address"] for n in (1, 2, 3)] == [f"192.168.1.{n}" for n in (11, 13, 14)]

    @pytest.mark.parametrize(
        ("servers", "single", "said"),
        [
            ([], False, "no host was found in 192.168.1.0/24: is sshd running there, on port 22"),
            ([], True, "no host was found"),
            (
                [server(11)],
                False,
                "1 host found in 192.168.1.0/24 (192.168.1.11), and a site with as many keeps one copy",
            ),
            ([server(11), server(12)], False, "2 hosts found in 192.168.1.0/24 (192.168.1.11, 192.168.1.12)"),
            ([server(11), server(12)], True, "--single means one host, and 2 were found"),
            ([server(11), server(12), server(13, "dropbear")], False, "2 hosts found"),
        ],
        ids=["none", "none of one", "one", "two", "two of one", "two and a router"],
    )
    def test_too_few_are_refused_and_nothing_is_written(
        self, servers: list[SshServer], single: bool, said: str
    ) -> None:
        assert said in refusal(Wanted(name="home", ranges=HOME.ranges, single=single), finding(*servers))

    def test_one_is_enough_where_it_is_meant(self) -> None:
        specs = written(Wanted(name="home", ranges=HOME.ranges, single=True), finding(server(11)))
        assert len([name for name in specs if name.startswith("Node/")]) == 1
        assert "arbiter" not in Path("home/nodes.yaml").read_text()


class TestRefusals:
    @pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
    def test_what_exists_is_not_overwritten(self, make: Callable[[Path], object]) -> None:
        make(Path("home"))
        assert "home exists, and nothing is overwritten" in refusal(HOME)

    def test_a_folder_in_no_folder_cannot_be_made(self) -> None:
        assert "there is no folder" in refusal(Wanted(name="home", folder="no/where", ranges=HOME.ranges))

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (Wanted(name="home"), "give --name and --address-range, or run this at a terminal"),
            (Wanted(ranges=HOME.ranges), "give --name and --address-range"),
            (Wanted(name="Home", ranges=HOME.ranges), "'Home' cannot be used: must be the name of an object"),
            (Wanted(name="kube-system", ranges=HOME.ranges), "belongs to Kubernetes or to the operator"),
            (Wanted(name="home", namespace="a b", ranges=HOME.ranges), "the namespace 'a b' cannot be used"),
            (Wanted(name="home", user="the boss", ranges=HOME.ranges), "the account 'the boss' cannot be used"),
            (Wanted(name="home", minimum_disk="big", ranges=HOME.ranges), "the size 'big' cannot be used"),
            (
                Wanted(name="home", ranges=HOME.ranges, disks=wanted.disks(["node9=wwn-0x1"])),
                "--disk names node9, and the hosts that were found are node1, node2, node3",
            ),
            (
                Wanted(name="home", ranges=HOME.ranges, networks=wanted.networks(["gluster=10.0.0.0/29"])),
                "192.168.1.11 is number 11 of 192.168.1.0/24, and 10.0.0.0/29 has no address of that number",
            ),
            (
                Wanted(name="home", ranges=HOME.ranges, networks=wanted.networks(["management=192.168.2.0/24"])),
                "192.168.1.11 of node1 is not inside Network mgmt",
            ),
            (
                Wanted(name="home", ranges=HOME.ranges, volumes=wanted.volumes(["all=Engine:1Gi"])),
                "not a name that is taken ('all'",
            ),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_is_written(self, asked: Wanted, said: str) -> None:
        assert said in refusal(asked)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--network", "gluster"], "--network 'gluster' is not of the form ROLE=SUBNET"),
            (["--network", "storage=10.0.0.0/24"], "--network knows no 'storage': use one of Management, Gluster, LAN"),
            (["--network", "lan=10.0.0.1/24"], "the network '10.0.0.1/24' cannot be used"),
            (["--network", "lan=10.0.0.0/24", "--network", "LAN=10.0.1.0/24"], "--network names the role LAN twice"),
            (["--disk", "wwn-0x1"], "--disk 'wwn-0x1' is not of the form NODE=ID"),
            (["--disk", "node1=/dev/sda"], "the disk of node1 '/dev/sda' cannot be used"),
            (["--disk", "node1=a-part1"], "must be a whole disk, not a partition"),
            (["--disk", "node1=a", "--disk", "node1=a"], "--disk names a of node1 twice"),
            (["--network", "lan=fd00::/64,10.0.0.0/24"], "is neither one subnet nor one of IPv4 and then one of IPv6"),
            (["--offset", "nodes"], "--offset 'nodes' is not of the form WHAT=NUMBER"),
            (["--offset", "hosts=1"], "--offset knows no 'hosts': use one of nodes, engine, shares, bmcs"),
            (["--offset", "nodes=0"], "--offset 'nodes=0' has no number from 1 to 65535"),
            (["--offset", "nodes=1", "--offset", "nodes=2"], "--offset names nodes twice"),
            (["--volume", "vmstore"], "--volume 'vmstore' is not of the form NAME=PURPOSE:SIZE"),
            (["--volume", "vmstore=Engine"], "is not of the form NAME=PURPOSE:SIZE"),
            (["--volume", "vmstore=Films:1Gi"], "--volume knows no 'Films': use one of Engine, VirtualMachines"),
            (["--volume", "vmstore=Engine:1Zi"], "the size '1Zi' cannot be used"),
            (["--volume", "VM=Engine:1Gi"], "the name 'VM' cannot be used"),
            (["--volume", "a=ISO:1Gi", "--volume", "a=ISO:2Gi"], "--volume names a twice"),
            (["--exclude", "node1"], "--exclude 'node1' cannot be used"),
            (["--address-range", "10.0.0.0/8"], "has 16777215 addresses"),
            (["--port", "0"], "Input should be greater than or equal to 1"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_a_wrong_option_is_one_sentence(
        self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert command(["init", "--yes", "--name", "home", "--address-range", "192.0.2.1", *arguments]) == 1
        shown = capsys.readouterr()
        assert said in shown.err
        assert shown.err.count("\n") == 1
        assert shown.out == ""

    def test_a_disk_that_is_full_leaves_nothing_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object, **__: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_text", full)
        assert "home cannot be written: No space left on device" in refusal(HOME)


class TestAtATerminal:
    @pytest.fixture
    def answers(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What the person types; each question takes the first."""
        left: list[str] = []

        def answer(question: str) -> str:
            print(question)
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        return left

    def test_a_person_is_asked_for_what_no_option_says(
        self, answers: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers += ["", "192.168.1.0/24", "", "10.0.0.0/24", "200Gi", "", "y", "Y", "", "n"]
        odd = (server(14, "dropbear"), server(15))
        assert (
            asyncio.run(run(Wanted(), yes=False, finder=finding(server(11), server(12), server(13), *odd))) is Exit.OK
        )
        assert answers == []
        specs = {o["metadata"]["name"]: o["spec"] for o in read_manifests(["home"], "x").objects}
        assert specs["vmstore"]["size"] == "200Gi"
        assert specs["node3"]["addresses"] == [{"network": "gluster", "address": "10.0.0.13"}]
        assert "node4" not in specs
        assert "Is 192.168.1.14 (dropbear) a host of the site? (y/n) [n]" in capsys.readouterr().out

    def test_a_wrong_answer_is_told_and_asked_again(
        self, answers: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers += ["My Home", "kube-system", "home", "all", "192.168.1.0/24", "", "10/8", "", "huge", "50Gi"]
        answers += ["perhaps", "y", "y", "y"]
        assert asyncio.run(run(Wanted(), yes=False, finder=THREE)) is Exit.OK
        said = capsys.readouterr().out
        wrong = (
            "'My Home' cannot be used",
            "kube-system belongs to",
            "'all' is no range",
            "'10/8' cannot",
            "'huge' cannot",
        )
        assert [text for text in (*wrong, "answer y or n") if text not in said] == []

    def test_options_are_not_asked_again(self, answers: list[str]) -> None:
        asked = Wanted(name="home", ranges=HOME.ranges, user="root", networks={}, volumes=wanted.volumes(["a=ISO:1Gi"]))
        answers += ["y"] * 3
        assert asyncio.run(run(asked, yes=False, finder=THREE)) is Exit.OK

    def test_an_existing_folder_is_told_before_the_next_question(self, answers: list[str]) -> None:
        Path("home").mkdir()
        answers += ["home"]
        with pytest.raises(HereticError, match="home exists"):
            asyncio.run(run(Wanted(), yes=False, finder=THREE))

    def test_nobody_who_answers_ends_it(self, answers: list[str]) -> None:
        with pytest.raises(HereticError, match="no answer came; nothing was written"):
            asyncio.run(run(Wanted(), yes=False, finder=THREE))

    def test_yes_asks_nothing(self, answers: list[str]) -> None:
        assert asyncio.run(run(HOME, yes=True, finder=THREE)) is Exit.OK
