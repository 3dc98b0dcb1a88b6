"""What is on the disk of a benchmark host: the recorded state of its role, as files that its own programs read."""

import os
import shutil
from pathlib import Path

from bench.recording import Site
from bench.sshd import sshd_folder
from bench.stubs import signature_answers, write_stubs

PROGRAMS = "/usr/lib/heretic-bench"
"""Folder of sshd on a host."""

_PASSWD = """root:x:0:0:root:/root:/bin/bash
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534::/:/bin/false
"""
_SHADOW = "root:*:20000:0:99999:7:::\nsshd:!:20000::::::\nnobody:*:20000::::::\n"


def write_layer(layer: Path, site: Site, node: str, host_key: Path, authorized: str) -> Path:
    """Writes one role.

    Args:
        layer: Where.
        site: The recorded site.
        node: Which of its hosts.
        host_key: File of the private host key.
        authorized: The public key that may log in.

    Returns:
        The folder; beside the files of the root, it has ``.dev`` and ``.sys`` to be copied into these.
    """
    machine, answers = site.machines[node], site.answers(node)
    for path, file in machine.files.items():
        if not path.startswith(("/proc/", "/run/", "/sys/")):
            _file(layer, path, file.content, int(file.mode, 8))
    for path, content in (("/etc/passwd", _PASSWD), ("/etc/shadow", _SHADOW), ("/root/.bashrc", "")):
        _file(layer, path, content)
    _file(layer, "/etc/ssh/bench_authorized_keys", authorized)
    _file(layer, "/etc/ssh/bench_host_key", host_key.read_text(), 0o600)
    shutil.copytree(sshd_folder(), layer / PROGRAMS.strip("/"))
    programs = layer / "usr/sbin"
    programs.mkdir(parents=True)
    write_stubs(programs, answers | signature_answers(answers[("@signatures",)]))
    _links(layer, answers[("@links",)].stdout)
    _holders_and_speeds(
        layer, answers[("@signatures",)].stdout, next(o for a, o in answers.items() if a[0] == "find").stdout
    )
    _bricks(layer, answers[("@bricks",)].stdout)
    return layer


def _file(layer: Path, path: str, content: str, mode: int = 0o644) -> None:
    target = layer / path.strip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    target.chmod(mode)


def _links(layer: Path, text: str) -> None:
    for line in text.splitlines():
        link, device = line.split(" ")
        path = layer / ".dev/disk" / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(f"../../{Path(device).name}")


def _holders_and_speeds(layer: Path, signatures: str, speeds: str) -> None:
    disk = ""
    for line in signatures.splitlines():
        word, _, rest = line.partition(" ")
        if word == "disk":
            disk = Path(rest).name
            (layer / ".sys/class/block" / disk / "holders").mkdir(parents=True)
        elif word == "holder":
            _file(layer, f"/.sys/class/block/{disk}/holders/{rest}", "")
    for line in speeds.splitlines():
        path, _, speed = line.partition(":")
        _file(layer, f"/.sys{path.removeprefix('/sys')}", f"{speed}\n")


def _bricks(layer: Path, text: str) -> None:
    for line in text.splitlines():
        path, empty, volume = line.split(" ")
        folder = layer / path.strip("/")
        folder.mkdir(parents=True)
        if empty == "0":
            (folder / ".glusterfs").mkdir()
        if volume != "-":
            os.setxattr(folder, "trusted.glusterfs.volume-id", bytes.fromhex(volume.removeprefix("0x")))
