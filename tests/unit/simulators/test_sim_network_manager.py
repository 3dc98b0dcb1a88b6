"""The simulated NetworkManager answers what a real one answered (1.52.1 of Debian 13, in a network namespace)."""

from collections.abc import Callable

import pytest

from heretic.domain.wiring.profiles import KEPT, TRIED, Addressing, LinkProfile, port_profile
from sim.machine import File, Machine
from sim.network_manager import BUS, NetworkManager

OLD, NEW, OTHER = (port_profile("e1", 1500, "", Addressing((f"172.20.10.{n}/24",))) for n in (11, 12, 13))
FREE = port_profile("e2", 1400, "", Addressing(("172.20.11.11/24",)))
MEMBER = port_profile("e2", 1500, "bond0", Addressing())
NOWHERE = port_profile("zz", 1500, "", Addressing(("172.20.11.11/24",)))
UP = ("nmcli", "-w", "10", "connection", "up", "uuid")


class Host:
    """A host with two ports, of which e1 has a profile on its disk."""

    def __init__(self) -> None:
        self.machine, self.time = Machine(), 0.0
        self.put(KEPT, OLD)
        self.manager = NetworkManager(self.machine, lambda: {"e1": True, "e2": True}, lambda: self.time)
        self.manager.start()

    def put(self, folder: str, profile: LinkProfile, text: str = "") -> None:
        self.machine.files[f"{folder}/{profile.file}"] = File(text or profile.text, "0600")

    def gone(self, folder: str, profile: LinkProfile) -> None:
        del self.machine.files[f"{folder}/{profile.file}"]
        self.nmcli("connection", "reload")

    def nmcli(self, *words: str) -> int:
        output = self.manager.nmcli(self.machine, ("nmcli", *words), None)
        assert output is not None
        return output.rc

    def bus(self, *words: str) -> tuple[int, str]:
        output = self.manager.busctl(self.machine, ("busctl", *words), None)
        assert output is not None
        return output.rc, output.stdout.strip()

    def checkpoint(self) -> int:
        return self.bus("call", *BUS, "CheckpointCreate", "aouu", "0", "60", "6")[0]

    def tried(self, profile: LinkProfile) -> int:
        self.put(TRIED, profile)
        assert self.nmcli("connection", "load", f"{TRIED}/{profile.file}") == 0
        return self.nmcli(*UP[1:], profile.uuid)

    @property
    def active(self) -> dict[str, str]:
        return {link: profile.uuid for link, profile in self.manager.active.items()}


def test_a_profile_for_an_idle_port_comes_up_when_it_is_loaded_and_one_for_a_busy_port_waits() -> None:
    host = Host()
    for profile in (FREE, NEW):
        host.put(TRIED, profile)
        host.nmcli("connection", "load", f"{TRIED}/{profile.file}")
    assert host.active == {"e1": OLD.uuid, "e2": FREE.uuid}


def test_a_profile_whose_file_is_gone_leaves_its_port_to_the_one_that_is_left() -> None:
    host = Host()
    assert (host.tried(NEW), host.tried(FREE)) == (0, 0)
    assert host.active == {"e1": NEW.uuid, "e2": FREE.uuid}
    host.gone(TRIED, NEW)
    host.gone(TRIED, FREE)
    assert host.active == {"e1": OLD.uuid}


def test_what_moves_from_run_to_etc_stays_up() -> None:
    host = Host()
    host.tried(FREE)
    before = host.manager.active["e2"]
    host.put(KEPT, FREE)
    host.gone(TRIED, FREE)
    assert host.manager.active["e2"] is before


def test_what_is_edited_in_place_is_not_applied() -> None:
    host = Host()
    host.put(KEPT, OLD, OLD.text.replace("172.20.10.11", "172.20.10.99"))
    host.nmcli("connection", "reload")
    assert host.manager.active["e1"].addresses == ("172.20.10.11/24",)
    host.nmcli(*UP[1:], OLD.uuid)
    assert host.manager.active["e1"].addresses == ("172.20.10.99/24",)


@pytest.mark.parametrize(
    ("act", "rc"),
    [
        pytest.param(lambda h: h.nmcli("connection", "load", f"{TRIED}/none.nmconnection"), 0, id="load of nothing"),
        pytest.param(lambda h: h.nmcli(*UP[1:], NEW.uuid), 10, id="up of nothing"),
        pytest.param(lambda h: h.tried(NOWHERE), 4, id="no such port"),
        pytest.param(lambda h: h.tried(MEMBER), 4, id="no such bond"),
        pytest.param(lambda h: (h.checkpoint(), h.checkpoint())[1], 1, id="a second checkpoint"),
        pytest.param(lambda h: h.bus("call", *BUS, "CheckpointDestroy", "o", "/")[0], 0, id="no checkpoint to end"),
        pytest.param(lambda h: h.bus("call", *BUS, "CheckpointRollback", "o", "/9")[0], 1, id="none to go back to"),
    ],
)
def test_exit_status(act: Callable[[Host], int], rc: int) -> None:
    assert act(Host()) == rc


@pytest.mark.parametrize("by", ["time", "word"])
def test_a_checkpoint_brings_back_links_and_deletes_what_is_new(by: str) -> None:
    host = Host()
    host.checkpoint()
    host.tried(NEW)
    host.tried(FREE)
    if by == "time":
        host.time = 60.0
        host.manager.expire()
    else:
        name = host.bus("get-property", *BUS, "Checkpoints")[1].split('"')[1]
        assert host.bus("call", *BUS, "CheckpointRollback", "o", name)[0] == 0
    assert host.active == {"e1": OLD.uuid}
    assert list(host.machine.files) == [f"{KEPT}/{OLD.file}"]
    assert host.bus("get-property", *BUS, "Checkpoints") == (0, "ao 0")


def test_a_checkpoint_dies_with_network_manager_and_the_change_stays() -> None:
    host = Host()
    host.checkpoint()
    host.tried(OTHER)
    host.manager.die()
    host.time = 60.0
    host.manager.expire()
    assert host.active == {"e1": OTHER.uuid}
