"""The engine's key in a real authorized_keys, by real shells."""

import hashlib

from heretic.domain.node.member_steps import AuthorizeEngine
from ssh.shell import Shell

KEY = "ssh-rsa AAAAB3NzaC1yc2E= ovirt-engine engine.mgmt.private, added by Heretic"


def step(shell: Shell, before: str, planned_from: str | None = None) -> AuthorizeEngine:
    seen = before if planned_from is None else planned_from
    return AuthorizeEngine(
        host="node1",
        why="the engine's key is not there",
        line=KEY,
        content=f"{seen}{KEY}\n",
        replaces_sha256=hashlib.sha256(seen.encode()).hexdigest() if seen else "",
        path=str(shell.files / "authorized_keys"),
    )


async def test_the_engines_key_is_added_once_and_the_rest_stays(shell: Shell) -> None:
    file = shell.files / "authorized_keys"
    file.write_text("ssh-ed25519 AAAAC3Nz admin\n")
    adding = step(shell, file.read_text()).script()
    assert (await shell.perform(adding)).name == "changed:0"
    assert (await shell.perform(adding)).name == "unchanged:0"
    assert file.read_text() == f"ssh-ed25519 AAAAC3Nz admin\n{KEY}\n"
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_somebody_changed_meanwhile_is_left_alone(shell: Shell) -> None:
    file = shell.files / "authorized_keys"
    file.write_text("ssh-ed25519 AAAAC3Nz another\n")
    await shell.perform(step(shell, "", planned_from="ssh-ed25519 AAAAC3Nz admin\n").script())
    assert file.read_text() == "ssh-ed25519 AAAAC3Nz another\n"
