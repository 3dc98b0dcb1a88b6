"""Keys and secrets that are wrong: what is said, and that mending them is enough."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import asyncssh
import pytest

from integration.operator_process import RunningSite, converged_hosts, running_site
from lab.controlplane import ControlPlane
from sim.server import client_key

Change = Callable[[RunningSite], object]


def private(key: asyncssh.SSHKey) -> str:
    text: str = key.export_private_key("openssh").decode()
    return text


def public() -> str:
    """The public half of a key that nobody has."""
    line: str = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    return " ".join(line.split()[:2])


def pins(site: RunningSite) -> list[str]:
    keys: list[str] = site.hosts.node_spec("node1")["hostKeys"]
    return keys


@dataclass(frozen=True)
class Mistake:
    """Something wrong, how to mend it, and what must be said about it."""

    make: Change
    mend: Change
    reason: str
    said: str


MISTAKES = {
    "the Secret is missing": Mistake(
        lambda s: s.kubectl("delete", "secret", "heretic-ssh"),
        lambda s: s.write_secret(private(client_key())),
        "CredentialsMissing",
        "kubectl -n",
    ),
    "the Secret holds the key of somebody else": Mistake(
        lambda s: s.write_secret(private(asyncssh.generate_private_key("ssh-ed25519"))),
        lambda s: s.write_secret(private(client_key())),
        "AuthenticationFailed",
        "authorized_keys",
    ),
    "another host key is pinned": Mistake(
        lambda s: s.patch("hnode/node1", {"hostKeys": [public()]}),
        lambda s: s.patch("hnode/node1", {"hostKeys": pins(s)}),
        "HostKeyMismatch",
        "SHA256:",
    ),
    "no host key is pinned": Mistake(
        lambda s: s.patch("hnode/node1", {"hostKeys": None}),
        lambda s: s.patch("hnode/node1", {"hostKeys": pins(s)}),
        "HostKeyNotPinned",
        "ssh-keygen -lf",
    ),
}


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(control_plane, tmp_path_factory.mktemp("access"), converged_hosts()) as running:
        running.apply()
        yield running


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_and_mending_it_is_enough(site: RunningSite, name: str) -> None:
    mistake = MISTAKES[name]
    mistake.make(site)
    site.start_operator()  # a running one keeps its connections and a key that works
    site.wait(
        f"node1 is Stalled for {mistake.reason}",
        lambda: site.says("hnode/node1", "Stalled", "True", mistake.reason),
    )
    assert mistake.said in site.condition("hnode/node1", "Stalled")["message"]
    assert site.says("hnode/node1", "Reachable", "False", mistake.reason) or site.says(
        "hnode/node1", "Reachable", "Unknown", mistake.reason
    )
    assert not site.ready()
    mistake.mend(site)
    site.wait_ready()
    assert site.hosts.effects == []
    site.kill_operator()
    site.end_lease()
