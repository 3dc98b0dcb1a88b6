"""The program that asks ports, in real networks: namespaces with bridges, of which one machine has a port in each."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "operator" / "heretic" / "hosts" / "ask_ports.py"

SETUP = """set -e
mount -t tmpfs tmpfs /run
ip netns add host; ip netns add pc
number=9
for n in mgmt gluster lan; do
  number=$((number + 1))
  ip -n pc link add $n type bridge
  ip -n pc link set $n up
  ip -n pc addr add 172.20.$number.1/24 dev $n
done
ip -n pc addr add fd00:12::1/64 dev lan nodad
i=0
for n in mgmt mgmt gluster gluster lan; do
  i=$((i + 1))
  ip -n host link add e$i type veth peer name p$i netns pc
  ip -n pc link set p$i master $n
  ip -n pc link set p$i up
  ip -n host link set e$i up
done
ip -n host addr add 172.20.10.11/24 dev e1
sleep 1
ip -n host -o addr show scope global >/run/before
ip netns exec host python3 -I "$PROGRAM" "$REQUEST"
ip -n host -o addr show scope global | diff - /run/before
[ -z "$(ip -n host neigh)" ]
"""


def _may() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "-n", "-m", "true"], check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _may(), reason="namespaces are root's to make")


def ask(ports: list[str], listeners: list[str], *questions: tuple[str, str]) -> dict[str, Any]:
    """What the ports told; the host is as before, and has learnt nobody's address."""
    asked = [{"vlan": 0, "target": target, "source": source, "mtu": 1500} for target, source in questions]
    request = json.dumps({"ports": ports, "listeners": listeners, "questions": asked, "seconds": 2})
    done = subprocess.run(
        ["unshare", "-n", "-m", "sh", "-c", SETUP],
        env=os.environ | {"PROGRAM": str(PROGRAM), "REQUEST": request},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["ports"]
    return found


STORAGE, GUESTS = ("172.20.11.1", "172.20.11.11"), ("172.20.12.1", "172.20.12.11")


def test_a_machine_that_answers_everywhere_is_believed_on_its_own_network_alone() -> None:
    told = ask(["e2", "e3", "e5"], ["e1"], ("172.20.10.1", ""), STORAGE, GUESTS, ("fd00:12::1", ""))
    proved = {name: sorted(a["target"] for a in port["answers"] if a["echo"]) for name, port in told.items()}
    assert proved == {"e1": [], "e2": [], "e3": ["172.20.11.1"], "e5": ["172.20.12.1", "fd00:12::1"]}
    assert {a["target"] for a in told["e2"]["answers"]} == {"172.20.10.1", "172.20.11.1", "172.20.12.1"}
    (whole,) = {a["mtu"] for a in told["e3"]["answers"] if a["echo"]}
    assert whole == 1500


def test_ports_of_one_network_hear_each_other() -> None:
    told = ask(["e2", "e3", "e4"], ["e1"], STORAGE)
    assert told["e1"]["hears"] == [["e2", 0]]
    assert (told["e3"]["hears"], told["e4"]["hears"]) == ([["e4", 0]], [["e3", 0]])
    assert told["e2"]["hears"] in ([], [["e1", 0]])


def test_an_address_that_somebody_else_has_is_told_and_not_asked_from() -> None:
    told = ask(["e3"], [], ("172.20.11.77", "172.20.11.1"))
    assert list(told["e3"]["taken"]) == ["172.20.11.1"]


def test_a_port_that_is_in_use_is_not_asked() -> None:
    told = ask(["e1", "gone"], [], STORAGE)
    assert told == {"e1": {"error": "it has an address by now"}, "gone": {"error": "it is gone"}}
