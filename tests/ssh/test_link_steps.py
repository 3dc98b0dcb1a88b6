"""Steps that change links, in real shells; NetworkManager is played by files that say which profiles are active."""

from dataclasses import replace

import pytest

from heretic.domain.wiring.link_steps import SECONDS, KeepLinks, TryLinks, key_of
from heretic.domain.wiring.profiles import Addressing, port_profile
from heretic.hosts.fence import Fence
from heretic.hosts.frames import Frame
from heretic.hosts.script import render_proof
from ssh.shell import Shell

NEW = port_profile("eno2", 9000, "", Addressing(("172.20.11.11/24",)))
OLD = "11111111-1111-4111-8111-111111111111"
ROUTER, SWITCH = "172.20.10.1", "172.20.11.200"

NMCLI = """state={sandbox}
echo "$*" >>$state/said
case $* in
  '-g UUID connection show --active') cat $state/active ;;
  '-g UUID,FILENAME connection show')
    for k in {sandbox}/etc/NetworkManager/system-connections/heretic-*; do
      [ ! -e $k ] || echo "{uuid}:{sandbox}/etc/NetworkManager/system-connections/${{k##*/}}"
    done ;;
  *'connection up uuid'*) for k; do :; done; echo $k >$state/active ;;
esac
"""
IP = """! grep -qx {uuid} {sandbox}/active || echo '2: eno2    inet 172.20.11.11/24 brd 172.20.11.255 scope global eno2'
"""
BUSCTL = """state={sandbox}
echo "$2 $6 $7 $8" >>$state/bus
case $* in
  *Checkpoints) cat $state/checkpoints ;;
  *CheckpointCreate*) echo 'ao 1 "/checkpoint/7"' >$state/checkpoints ;;
  *CheckpointDestroy*) echo 'ao 0' >$state/checkpoints ;;
  *CheckpointRollback*) echo "$*" >$state/rolled && echo 'ao 0' >$state/checkpoints ;;
esac
"""


@pytest.fixture
def step(shell: Shell) -> TryLinks:
    """A step; SWITCH answers once the new profile is active, ROUTER always."""
    shell.program("nmcli", NMCLI.format(sandbox=shell.sandbox, uuid=NEW.uuid))
    shell.program("busctl", BUSCTL.format(sandbox=shell.sandbox))
    answers = f"for k; do :; done\ngrep -qx $k {shell.sandbox}/answer\n"
    shell.program("ping", answers)
    shell.program("ip", IP.format(sandbox=shell.sandbox, uuid=NEW.uuid))
    shell.program("systemctl", f"case $* in *.timer) cat {shell.sandbox}/timer ;; *) echo inactive ;; esac\n")
    shell.program(
        "systemd-run", f"echo active >{shell.sandbox}/timer\nfor k; do :; done\ncp $k {shell.sandbox}/revert\n"
    )
    put(shell, active=OLD, checkpoints="ao 0", timer="inactive", answer=f"{ROUTER}\n{SWITCH}")
    return TryLinks(
        host="n1",
        why="eno2 has no address",
        ports=("eno2",),
        links=("eno2",),
        profiles=(NEW,),
        before=(ROUTER, "172.20.10.99"),
        after=(SWITCH,),
    )


def put(shell: Shell, **state: str) -> None:
    for name, text in state.items():
        (shell.sandbox / name).write_text(f"{text}\n")


def read(shell: Shell, name: str) -> str:
    path = shell.sandbox / name
    return path.read_text().strip() if path.exists() else ""


async def proved(shell: Shell, step: TryLinks) -> Frame:
    script = step.script()
    assert script.trial is not None
    return await shell.send(render_proof(script, script.trial, Fence()))


TRIED = f"run/NetworkManager/system-connections/{NEW.file}"


async def test_links_are_tried_where_a_boot_forgets_them_within_a_checkpoint(shell: Shell, step: TryLinks) -> None:
    assert (await shell.perform(step.script())).name == "changed:0"
    assert read(shell, TRIED) == NEW.text.strip()
    assert not (shell.sandbox / "etc/NetworkManager/system-connections").exists()
    assert read(shell, "active") == NEW.uuid
    assert read(shell, "checkpoints") == 'ao 1 "/checkpoint/7"'
    put(shell, timer="inactive")
    assert (await shell.perform(step.script())).name == "unchanged:0"


async def test_a_proof_ends_the_checkpoint(shell: Shell, step: TryLinks) -> None:
    await shell.perform(step.script())
    assert (await proved(shell, step)).name == "changed:0"
    assert read(shell, "checkpoints") == "ao 0"


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        pytest.param(SWITCH, ROUTER, id="who answered before does not any more"),
        pytest.param(ROUTER, SWITCH, id="nobody of the new network answers"),
        pytest.param("", f"{ROUTER} {SWITCH}", id="nobody answers"),
    ],
)
async def test_who_is_lost_is_told_and_remembered(shell: Shell, step: TryLinks, answer: str, lost: str) -> None:
    await shell.perform(step.script())
    put(shell, answer=answer)
    frame = await proved(shell, step)
    assert (frame.name, frame.output.stderr) == ("proof:3", f"no answer from {lost}")
    assert read(shell, "checkpoints") == 'ao 1 "/checkpoint/7"'
    await shell.run((shell.sandbox / "revert").read_text())
    assert read(shell, "run/heretic/links/taken-back") == f"{key_of((NEW,))} 1 {lost}"


@pytest.mark.parametrize(
    ("neighbour", "answer", "somebody"),
    [
        pytest.param("", ROUTER, "", id="nobody"),
        pytest.param("dev eno2 FAILED", ROUTER, "", id="nobody answered to the question for its hardware address"),
        pytest.param("dev eno2 lladdr 02:00:00:00:00:01 REACHABLE", ROUTER, SWITCH, id="somebody who drops pings"),
        pytest.param("", f"{ROUTER}\n{SWITCH}", SWITCH, id="somebody behind a router"),
    ],
)
async def test_an_address_that_somebody_has_is_not_taken(
    shell: Shell, step: TryLinks, neighbour: str, answer: str, somebody: str
) -> None:
    links = IP.format(sandbox=shell.sandbox, uuid=NEW.uuid)
    shell.program("ip", f"case $* in *neigh*) echo '{SWITCH} {neighbour}' && exit ;; esac\n{links}")
    put(shell, answer=answer)
    frame = await shell.perform(replace(step, fresh=(SWITCH,)).script())
    assert frame.name == ("guard:2" if somebody else "changed:0")
    if somebody:
        assert frame.output.stderr.strip().startswith(f"somebody has {somebody}")
        assert read(shell, "active") == OLD


PARTNER, NOBODY = "02:00:00:00:00:01", "00:00:00:00:00:00"


def aggregate(shell: Shell, partner: str, **ports: tuple[str, str]) -> None:
    """What the kernel shows of a bond: its partner, and of each port its link and its aggregate."""
    shown = {"bond0/bonding/ad_partner_mac": partner, "bond0/bonding/ad_aggregator": "1"}
    for name, (carrier, own) in ports.items():
        shown |= {f"{name}/carrier": carrier, f"{name}/bonding_slave/ad_aggregator_id": own}
    for path, text in shown.items():
        file = shell.sandbox / "sys/class/net" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("partner", "second", "lost"),
    [
        pytest.param(PARTNER, ("1", "1"), "", id="all ports work with the switch"),
        pytest.param(PARTNER, ("0", "2"), "", id="a port without a link counts for nothing"),
        pytest.param(PARTNER, ("1", "2"), "bond0 eno3", id="a port works by itself"),
        pytest.param(PARTNER, ("1", "N/A"), "bond0 eno3", id="a port is in no aggregate"),
        pytest.param(NOBODY, ("1", "2"), "bond0", id="nobody speaks LACP"),
        pytest.param("", ("1", "N/A"), "bond0", id="it is no bond of 802.3ad"),
    ],
)
async def test_an_aggregate_is_proved_by_its_partner_and_its_ports(
    shell: Shell, step: TryLinks, partner: str, second: tuple[str, str], lost: str
) -> None:
    step = replace(step, aggregate=("bond0", "eno2", "eno3"))
    await shell.perform(step.script())
    aggregate(shell, partner, eno2=("1", "1"), eno3=second)
    frame = await proved(shell, step)
    said = f"no LACP aggregate: {lost}" if lost else ""
    assert (frame.name, frame.output.stderr) == ("proof:3" if lost else "changed:0", said)
    assert read(shell, "run/heretic/links/lost") == lost


async def test_a_bond_that_is_not_there_is_no_aggregate(shell: Shell, step: TryLinks) -> None:
    step = replace(step, aggregate=("bond0", "eno2", "eno3"))
    await shell.perform(step.script())
    assert (await proved(shell, step)).name == "proof:3"


async def test_what_was_taken_off_a_link_by_hand_is_not_there(shell: Shell, step: TryLinks) -> None:
    await shell.perform(step.script())
    shell.program("ip", "echo '2: eno2    inet6 fe80::1/64 scope link'\n")
    assert (await proved(shell, step)).name == "proof:2"


async def test_a_new_router_must_answer(shell: Shell, step: TryLinks) -> None:
    step = replace(step, routers=("172.20.11.1",))
    await shell.perform(step.script())
    frame = await proved(shell, step)
    assert (frame.name, frame.output.stderr) == ("proof:4", "no answer from 172.20.11.1")
    put(shell, answer=f"{ROUTER}\n{SWITCH}\n172.20.11.1")
    assert (await proved(shell, step)).name == "changed:0"


async def test_what_is_taken_back_is_gone_and_counted(shell: Shell, step: TryLinks) -> None:
    for times in ("1", "2"):
        await shell.perform(step.script())
        put(shell, timer="inactive")
        await shell.run((shell.sandbox / "revert").read_text())
        assert read(shell, "rolled").endswith("CheckpointRollback o /checkpoint/7")
        assert not (shell.sandbox / TRIED).exists()
        assert read(shell, "active") == OLD
        assert read(shell, "run/heretic/links/taken-back") == f"{key_of((NEW,))} {times}"


async def test_it_is_taken_back_too_where_network_manager_has_forgotten_its_checkpoint(
    shell: Shell, step: TryLinks
) -> None:
    await shell.perform(step.script())
    put(shell, checkpoints="ao 0")
    await shell.run((shell.sandbox / "revert").read_text())
    assert (read(shell, "rolled"), read(shell, "active")) == ("", OLD)


@pytest.mark.parametrize(
    ("program", "text", "verdict"),
    [
        pytest.param("busctl", "echo 'ao 1 \"/checkpoint/3\"'\n", "guard:1", id="somebody else changes links"),
        pytest.param("ip", "echo inet 192.0.2.1/24\n", "guard:2", id="the port carries something by now"),
        pytest.param("systemd-run", "exit 1\n", "arm:1", id="nothing would take it back"),
    ],
)
async def test_nothing_is_changed_where_a_guard_says_no(
    shell: Shell, step: TryLinks, program: str, text: str, verdict: str
) -> None:
    shell.program(program, text)
    assert (await shell.perform(step.script())).name == verdict
    assert read(shell, "active") == OLD
    assert not (shell.sandbox / TRIED).exists()


async def test_without_a_checkpoint_nothing_is_changed(shell: Shell, step: TryLinks) -> None:
    shell.program("busctl", "case $* in *Checkpoints) echo 'ao 0' ;; *) exit 1 ;; esac\n")
    assert (await shell.perform(step.script())).name == "act:2"
    assert not (shell.sandbox / TRIED).exists()


def keep() -> KeepLinks:
    return KeepLinks(host="n1", why="proved", links=("eno2",), profiles=(NEW,))


async def test_what_was_proved_is_written_where_a_boot_reads_it(shell: Shell, step: TryLinks) -> None:
    await shell.perform(step.script())
    put(shell, timer="inactive")
    assert (await shell.perform(keep().script())).name == "changed:0"
    assert (shell.sandbox / "etc/NetworkManager/system-connections" / NEW.file).read_text() == NEW.text
    assert not (shell.sandbox / TRIED).exists()
    assert (await shell.perform(keep().script())).name == "unchanged:0"


async def test_a_kept_file_that_was_edited_is_written_again(shell: Shell, step: TryLinks) -> None:
    await shell.perform(step.script())
    put(shell, timer="inactive")
    await shell.perform(keep().script())
    file = shell.sandbox / "etc/NetworkManager/system-connections" / NEW.file
    file.write_text(NEW.text.replace("172.20.11.11", "172.20.11.99"))
    assert (await shell.perform(keep().script())).name == "changed:0"
    assert file.read_text() == NEW.text


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        pytest.param({"timer": "active"}, "guard:1", id="it may still be taken back"),
        pytest.param({"active": OLD}, "guard:3", id="it was taken back"),
    ],
)
async def test_what_is_not_proved_is_not_kept(
    shell: Shell, step: TryLinks, state: dict[str, str], verdict: str
) -> None:
    await shell.perform(step.script())
    put(shell, timer="inactive")
    put(shell, **state)
    assert (await shell.perform(keep().script())).name == verdict
    assert not (shell.sandbox / "etc/NetworkManager/system-connections").exists()


def test_network_manager_waits_longer_than_the_host() -> None:
    script = TryLinks(host="n1", why="", ports=(), links=(), profiles=(NEW,), before=(), after=()).script()
    (seconds,) = [a.argv[1] for a in script.actions if getattr(a, "argv", ("",))[0] == "@checkpoint"]  # type: ignore[union-attr]
    assert script.trial is not None
    assert int(seconds) > script.trial.seconds == SECONDS
