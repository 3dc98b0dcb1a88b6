"""Every code that ``heretic verify`` may report: stable for scripts, monitoring and ``--ignore``.

A code is never reused for something else. docs/reference/verify-codes.md is generated from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Data or a service is down, unprotected or unknown."""
    WARNING = "warning"
    """Works now, and will not for long, or not after the next fault."""


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding.

    Attributes:
        id: HVP-, a letter for the subject (C declaration, S site, N node, D disks, W network, V volume, E engine), and
            a number.
        severity: How bad it is.
        title: What is so.
        advice: What to do.
    """

    id: str
    severity: Severity
    title: str
    advice: str


_E, _W = Severity.ERROR, Severity.WARNING

_ALL: tuple[Code, ...] = (
    Code("HVP-C001", _E, "The spec cannot be understood", "Correct the fields that the message names and apply again."),
    Code("HVP-C002", _E, "The declaration contradicts itself", "Correct the objects that the message names."),
    Code("HVP-C003", _E, "A person has to decide", "Do what the message says; until then the object stays as it is."),
    Code(
        "HVP-C004",
        _W,
        "The host differs from the declaration",
        "`heretic plan` shows the steps; in mode Apply the operator carries them out. If they stay, check whether it "
        "runs, and why the object waits.",
    ),
    Code("HVP-C005", _W, "A deletion is held up", "Do what the message says, or remove what keeps the object."),
    Code("HVP-C006", _W, "Waiting for something else", "Nothing, if it passes by itself; else see what it waits for."),
    Code("HVP-C007", _W, "Paused", "Set spec.paused to false when the work is done."),
    Code(
        "HVP-S001",
        _E,
        "The trusted pool is not whole",
        "Check that glusterd runs on every storage node, and that their storage addresses reach each other; a rejected "
        "peer needs a person.",
    ),
    Code("HVP-S002", _E, "The site does not serve all data", "See the findings of the volumes and nodes."),
    Code(
        "HVP-S003",
        _W,
        "The site does not survive the loss of one more node",
        "Bring back what is out and wait for heal; take no other node out until then. A site of one node never "
        "survives it.",
    ),
    Code(
        "HVP-S004",
        _E,
        "Storage nodes run different versions of Gluster",
        "Finish the upgrade, one node at a time; the volumes' configuration is left alone until then.",
    ),
    Code(
        "HVP-N001",
        _E,
        "A host cannot be reached",
        "Check its power, cables, address and sshd; the message says how far the connection came.",
    ),
    Code(
        "HVP-N002",
        _E,
        "Some facts of a host are not known",
        "Run the command that the message names on the host and see what it says.",
    ),
    Code("HVP-N003", _E, "A host is not configured as declared", "`heretic plan` shows what is missing."),
    Code("HVP-N004", _W, "A host is in maintenance", "Set spec.maintenance to false when the work is done."),
    Code(
        "HVP-N005",
        _E,
        "A host's identity is not proven",
        "Compare the fingerprints of the message with the console "
        "of the host. Only if the host was reinstalled, pin the new key in spec.hostKeys.",
    ),
    Code(
        "HVP-N006",
        _E,
        "A host does not let Heretic in",
        "Put the public key into authorized_keys of the account, and "
        "let it use sudo without a password when it is not root.",
    ),
    Code(
        "HVP-N007",
        _E,
        "A host's clock is wrong",
        "Check the time servers and chrony; storage is left alone until the clock is right.",
    ),
    Code(
        "HVP-N008",
        _E,
        "A host's filesystem is full or read-only",
        "Make room, or look for a failing disk in the kernel's log.",
    ),
    Code("HVP-N009", _W, "A job of Heretic failed on a host", "Read its log: journalctl -u the unit on the host."),
    Code("HVP-N010", _W, "A host's clock is not synchronized", "Check the time servers: chronyc sources on the host."),
    Code(
        "HVP-N011",
        _E,
        "A host is not up in the engine",
        "Read the engine's words in the message; a host that is not operational lacks a network, storage or a "
        "processor type that its cluster needs.",
    ),
    Code(
        "HVP-N012",
        _E,
        "The engine could not install a host",
        "Read the engine's words in the message, correct that on the host, and choose Reinstall in the engine.",
    ),
    Code(
        "HVP-N013",
        _E,
        "The engine has another host in place of a node",
        "Declare the address that it has, or rename, move or remove that host in the engine.",
    ),
    Code(
        "HVP-N014",
        _E,
        "The engine cannot switch a host's power",
        "Compare address, type, user, password and options of the fence agent with the device; see whether the other "
        "hosts reach it.",
    ),
    Code(
        "HVP-N015",
        _E,
        "The engine has another fence agent in place of a declared one",
        "Remove it in the engine, declare it, or give the declared one another order.",
    ),
    Code(
        "HVP-N016",
        _E,
        "The engine reaches the host of a node, and it is not operational",
        "Correct what the engine says of it (a network, storage, the processor); it looks again within 5 minutes.",
    ),
    Code(
        "HVP-D001",
        _E,
        "The disks of a node are not ready",
        "See what the message names; a disk that is not blank is never touched.",
    ),
    Code(
        "HVP-D002",
        _E,
        "A disk that Heretic is to use is not blank",
        "Look at the disk. If nothing on it is needed, wipe it yourself; else choose another one in spec.disks.",
    ),
    Code(
        "HVP-D003", _E, "A volume group lacks a disk", "Replace or reconnect the disk; see vgs and dmesg on the host."
    ),
    Code(
        "HVP-D004",
        _W,
        "A thin pool fills up",
        "Free space, or add space to the volume group: a full pool stops all "
        "bricks on it, and most often those of the other nodes too.",
    ),
    Code("HVP-D005", _E, "A thin pool is nearly full", "Free space now: a full pool stops all bricks on it."),
    Code(
        "HVP-D006",
        _W,
        "It is not known how full a thin pool is",
        "Check whether the pool is active: lvs -a on the host.",
    ),
    Code(
        "HVP-D007",
        _E,
        "A pool takes no writes",
        "Do what the message says; docs/how-to/thin-pool-takes-no-writes.md shows how. Room alone does not help a pool "
        "that failed or needs repair.",
    ),
    Code(
        "HVP-D008",
        _W,
        "The volumes in a thin pool are larger than the pool",
        "Remove volumes or snapshots that are not needed, or give the pool more room before they fill up.",
    ),
    Code(
        "HVP-D009",
        _E,
        "A brick's logical volume takes no writes",
        "Do what the message says; see lvs -a on the host.",
    ),
    Code(
        "HVP-D010",
        _W,
        "A RAID of logical volumes has lost redundancy",
        "Its data is served; see lvs -a and the kernel's log for the disk that fails, then lvchange --refresh or "
        "lvconvert --repair.",
    ),
    Code(
        "HVP-W001",
        _E,
        "A node is not attached to a network as declared",
        "Compare address and MTU of the node's port with the Network and the switch.",
    ),
    Code(
        "HVP-W002",
        _W,
        "A port of a bond does not work",
        "Check its cable, the port of the switch and, with LACP, the group there that the message names.",
    ),
    Code(
        "HVP-V001",
        _E,
        "Bricks are down or unknown",
        "See the findings of the brick's node; the message names the bricks.",
    ),
    Code("HVP-V002", _E, "A volume is not started", "The operator starts it as soon as its bricks are ready."),
    Code(
        "HVP-V003",
        _E,
        "A volume has no quorum, or that is not known",
        "Bring its bricks back. Never lower the quorum: both halves of a split site would write different things.",
    ),
    Code("HVP-V004", _W, "A volume heals", "Wait; take no other node out until it is done."),
    Code(
        "HVP-V005",
        _E,
        "It is not known whether a volume is healed",
        "Bring back the bricks that do not answer; until then treat the volume as not healed.",
    ),
    Code(
        "HVP-V006",
        _E,
        "A volume is in split-brain",
        "Choose the good copy of each file by hand: gluster volume heal "
        "VOLUME info split-brain; Heretic never chooses.",
    ),
    Code("HVP-V007", _W, "A volume is nearly full", "Free space or make the volume larger."),
    Code(
        "HVP-V008",
        _W,
        "A volume has lost redundancy",
        "Data is served; bring back what is out before anything else fails.",
    ),
    Code("HVP-V009", _W, "It is not known how full a volume is", "See the findings of its bricks and nodes."),
    Code(
        "HVP-V010",
        _W,
        "A heal stands still",
        "Read glustershd.log on the nodes that the finding names; take no other node out.",
    ),
    Code(
        "HVP-E001",
        _E,
        "The engine does not answer, or it is not known whether it is the declared one",
        "Do what the message says: name, certificate, user and password, or the service ovirt-engine on its machine.",
    ),
    Code(
        "HVP-E002",
        _E,
        "Data center or cluster are not as declared",
        "`heretic plan` shows the steps; what the engine does not let us change is in the message.",
    ),
    Code(
        "HVP-E003",
        _W,
        "Hosts of the cluster are in trouble",
        "See the hosts that the message names: their Nodes, and their events in the engine.",
    ),
    Code(
        "HVP-E004",
        _W,
        "Global maintenance is on: nobody restarts the engine's machine",
        "End it when the work on the engine is done: spec.globalMaintenance false, or hosted-engine --set-maintenance "
        "--mode=none on a host.",
    ),
)

CODES: Mapping[str, Code] = {code.id: code for code in _ALL}
"""By id."""


def reference() -> str:
    """The page docs/reference/verify-codes.md."""
    lines = [
        "<!-- Generated by make docs from operator/heretic/cli/codes.py; do not edit. -->",
        "# Codes of `heretic verify`",
        "",
        "`heretic verify` looks at the hosts themselves and changes nothing. Each finding has one of these codes,",
        "which stay the same from release to release; `--ignore CODE` leaves a code out. An error makes the exit",
        "status 1, warnings alone leave it 0.",
        "",
        "| Code | Severity | What is so | What to do |",
        "| --- | --- | --- | --- |",
        *(f"| {c.id} | {c.severity.value} | {c.title} | {c.advice} |" for c in _ALL),
    ]
    return "\n".join(lines) + "\n"
