#!/usr/bin/env python3
"""Stand-in for what deploys an engine on a lab machine: oVirt's role and its runner, hosted-engine, libvirt, clean-up.

One program under several names; it says and leaves what tests/sim/deployment.py does for simulated hosts. It needs
nothing but Python, and role_variables.py of tests/sim beside it. Its wishes are in etc/heretic-stand-in.json below its
root: ``seconds`` for each task, ``fails`` with the beginning of a task's name, ``holds`` likewise (there it goes no
further while the wish stands), ``storage`` with a folder where the engine's volume is mounted and a storage domain
left on it, ``announce`` with a command that begins when the engine is there (it lets the simulated engine listen, and
reads in one line what the role was told), ``authority`` with the file of its authority.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from sim.role_variables import ROLE_VARIABLES
except ModuleNotFoundError:  # on a lab machine, where it lies beside this file
    from role_variables import ROLE_VARIABLES  # type: ignore[import-not-found, no-redef, unused-ignore]

ROOT = Path(os.environ.get("HERETIC_STAND_IN_ROOT", "/"))
WISHES = ROOT / "etc/heretic-stand-in.json"
STATE = ROOT / "var/lib/heretic-stand-in.json"
ROLE = ROOT / "usr/share/ansible/collections/ansible_collections/ovirt/ovirt/roles/hosted_engine_setup"
CONFIGURATION = ROOT / "etc/ovirt-hosted-engine/hosted-engine.conf"
AUTHORITY = ROOT / "etc/pki/vdsm/certs/cacert.pem"
LOGS = ROOT / "var/log/ovirt-hosted-engine-setup"
LISTS = (["-r", "list", "--all", "--name"], ["-r", "list", "--name"])
DOMAIN = "b1f4d3a2-6f0e-4f6b-9f0e-3a8d7c5b2e11"
NAMES = ("hosted-engine", "ansible-playbook", "ovirt-hosted-engine-cleanup", "virsh")

TASKS = (
    ("Install required packages for oVirt Hosted Engine deployment", "No module named 'netaddr'"),
    ("Validate network connectivity check configuration", "The selected network interface is not valid"),
    ("Wait for the local VM", "Timeout when waiting for 192.168.222.11:22"),
    ("Execute engine-setup", "engine-setup exited with a non-zero code"),
    ("Wait for the host to be up", "The host has been set in non_operational status, deployment errors: code 504"),
    ("Activate storage domain", "Error: the target storage domain contains only 40GiB of available space"),
    ("Copy local VM disk to shared storage", "qemu-img exited with status 1"),
    ("Check engine VM health", "The engine failed to start inside the engine VM; please check engine.log."),
)
LOCAL, KNOWN = "HostedEngineLocal", "HostedEngine"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _machines(names: list[str]) -> None:
    STATE.parent.mkdir(parents=True, exist_ok=True)
    STATE.write_text(json.dumps({"machines": names}))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def install(folder: Path) -> None:
    """Puts the program under its names into a folder, and makes what a host with oVirt's packages has."""
    for name in NAMES:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path(__file__).resolve())
    for place in (ROLE, CONFIGURATION.parent, LOGS):
        place.mkdir(parents=True, exist_ok=True)


def hosted_engine(arguments: list[str]) -> int:
    """Answers the two questions."""
    if arguments == ["--check-deployed"]:
        return 0 if CONFIGURATION.exists() else 1
    if arguments != ["--vm-status", "--json"]:
        return 64
    if not CONFIGURATION.exists():
        print("You must run deploy first")
        return 1
    up = KNOWN in _read(STATE).get("machines", [])
    words = ("up", "good", "Up", "") if up else ("down", "bad", "unknown", "vm not running on this host")
    engine = dict(zip(("vm", "health", "detail", "reason"), words, strict=True))
    row = {"host-id": 1, "host-ts": int(time.monotonic()), "score": 3400, "hostname": os.uname().nodename}
    row |= {"maintenance": False, "stopped": False, "live-data": True, "engine-status": engine}
    print(json.dumps({"1": row, "global_maintenance": False}))
    return 0


def playbook(arguments: list[str]) -> int:
    """Runs the role, as far as anybody can tell."""
    if arguments == ["--version"]:
        print("ansible-playbook [core 2.14.17]")
        return 0
    if os.environ.get("LC_ALL", "").upper() not in ("C.UTF-8", "C.UTF8", "EN_US.UTF-8"):
        print("ERROR: Ansible requires the locale encoding to be UTF-8; Detected None.", file=sys.stderr)
        return 1
    variables, play = Path(arguments[-2].removeprefix("@")), Path(arguments[-1])
    told = _read(variables)
    unknown = sorted(told.keys() - ROLE_VARIABLES)
    if unknown or not told.get("he_fqdn"):
        print(f"ERROR! the role knows no {unknown}, or is not told he_fqdn", file=sys.stderr)
        return 4
    file = variables.with_name("password")
    password = file.read_text().strip() if str(file) in play.read_text() else ""
    if not password:
        print("ERROR! the playbook reads no password", file=sys.stderr)
        return 4
    file.unlink()
    backup = told.get("he_restore_from_file")
    if backup and not Path(backup).exists():
        print(f"ERROR! there is no {backup}", file=sys.stderr)
        return 4
    return _run(_read(WISHES), told, password)


def _tasks(*, restore: bool) -> Iterator[tuple[str, str]]:
    for task, message in TASKS:
        yield task, message
        if restore and task == "Wait for the local VM":
            yield "Run engine-backup", "non-zero return code"


def _run(wishes: dict[str, Any], told: dict[str, Any], password: str) -> int:
    log = LOGS / f"ovirt-hosted-engine-setup-ansible-bootstrap_local_vm-{time.strftime('%Y%m%d%H%M%S')}-0a1b2c.log"
    LOGS.mkdir(parents=True, exist_ok=True)
    with log.open("w") as kept:

        def say(line: str) -> None:
            print(line, flush=True)
            kept.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},000+0000 INFO ansible {line}\n")

        for task, message in _tasks(restore=bool(told.get("he_restore_from_file"))):
            say(f"TASK [ovirt.ovirt.hosted_engine_setup : {task}] {'*' * 20}")
            time.sleep(float(wishes.get("seconds", 1)))
            while (held := _read(WISHES).get("holds")) and task.startswith(held):
                time.sleep(0.2)
            if task.startswith("Wait for the local VM"):
                _machines([LOCAL])
            elif task.startswith("Activate storage domain") and wishes.get("storage"):
                _make_domain(told, Path(wishes["storage"]))
            elif task.startswith("Check engine VM health"):
                _write(CONFIGURATION, "host_id=1\n")
                _machines([KNOWN])
            if wishes.get("fails") and task.startswith(wishes["fails"]):
                say(f"fatal: [localhost]: FAILED! => {json.dumps({'changed': False, 'msg': message})}")
                return 2
            say("changed: [localhost]")
    if authority := wishes.get("authority"):
        _write(AUTHORITY, Path(authority).read_text())
    if announce := wishes.get("announce"):
        line = json.dumps({"variables": told, "password": password}) + "\n"
        subprocess.run(announce, input=line, text=True, check=True)
    return 0


def _make_domain(told: dict[str, Any], folder: Path) -> None:
    """Mounts the volume as it was told, and leaves on it what a storage domain looks like."""
    options = ["-o", told["he_mount_options"]] if told.get("he_mount_options") else []
    source = f"{told['he_storage_domain_addr']}:{told['he_storage_domain_path']}"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", told["he_domain_type"], *options, source, str(folder)], check=True)
    try:
        _write(folder / DOMAIN / "dom_md/metadata", "CLASS=Data\nDESCRIPTION=hosted_storage\n")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def main(name: str, arguments: list[str]) -> int:
    """Does what the program of this name does."""
    match name:
        case "hosted-engine":
            return hosted_engine(arguments)
        case "ansible-playbook":
            return playbook(arguments)
        case "ovirt-hosted-engine-cleanup" if arguments == ["-q"]:
            _machines([])
            CONFIGURATION.unlink(missing_ok=True)
            return 0
        case "virsh" if arguments in LISTS:
            print("\n".join([*_read(STATE).get("machines", []), ""]))
            return 0
        case "stand_in.py" if arguments[:1] == ["install"]:
            install(Path(arguments[1]))
            return 0
    print(f"the stand-in does not know {name} {arguments}", file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[0]).name, sys.argv[1:]))
