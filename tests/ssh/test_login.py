"""Identity and login: keys of hosts, certificates, settings that cannot work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncssh
import pytest

from heretic.domain.errors import NeedsUser, Reason
from heretic.hosts import Hosts, HostSettings
from sim.server import SimServer, client_key
from ssh.failing import PROBE, failure_of, fingerprint
from ssh.targets import settings_for


async def test_no_such_key_there(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    server.faults.refuse_login = True
    failure = await failure_of(hosts, settings)
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.AUTHENTICATION_FAILED
    assert "user 'root' may not log in" in failure.message
    server.faults.refuse_login = False
    await asyncio.sleep(0.05)
    await hosts.probe(settings, [PROBE])


async def test_another_host_key_than_the_pinned_one(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    pinned = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    failure = await failure_of(hosts, replace(settings, host_keys=(pinned,)))
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.HOST_KEY_MISMATCH
    assert f"expected key {fingerprint(pinned)}" in failure.message
    assert f"presents the host key {fingerprint(server.host_key_line)}" in failure.message
    assert server.logins == 0


@pytest.mark.parametrize("kind", ["ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_a_pinned_key_of_a_kind_that_the_host_does_not_have(
    hosts: Hosts, server: SimServer, settings: HostSettings, kind: str
) -> None:
    pinned = asyncssh.generate_private_key(kind).export_public_key("openssh").decode()
    failure = await failure_of(hosts, replace(settings, host_keys=(pinned,)))
    assert failure.reason is Reason.HOST_KEY_MISMATCH
    assert fingerprint(server.host_key_line) in failure.message


@pytest.mark.parametrize("kind", ["ecdsa-sha2-nistp256", "ssh-rsa", "ssh-ed25519"])
async def test_a_pinned_key_of_any_kind_is_enough(hosts: Hosts, kind: str) -> None:
    server = await SimServer(host_key=asyncssh.generate_private_key(kind)).start()
    await hosts.probe(settings_for(server), [PROBE])
    await server.stop()


async def test_no_host_key_pinned(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    failure = await failure_of(hosts, replace(settings, host_keys=()))
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.HOST_KEY_NOT_PINNED
    assert server.host_key_line.split()[1] in failure.message
    assert fingerprint(server.host_key_line) in failure.message
    assert server.logins == 0
    assert hosts.trusted_key("node1") is None


async def test_first_use_is_trusted_once(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    trusting = replace(settings, host_keys=(), trust_on_first_use=True)
    await hosts.probe(trusting, [PROBE])
    assert hosts.trusted_key("node1") == server.host_key_line
    await server.stop()
    server.host_key = asyncssh.generate_private_key("ssh-ed25519")
    await server.start()
    await asyncio.sleep(0.05)
    failure = await failure_of(hosts, trusting)
    assert failure.reason is Reason.HOST_KEY_MISMATCH
    assert server.logins == 1


async def test_first_use_recorded_as_pinned_keeps_the_connection(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    await hosts.probe(replace(settings, host_keys=(), trust_on_first_use=True), [PROBE])
    recorded = hosts.trusted_key("node1")
    assert recorded is not None
    await hosts.probe(replace(settings, host_keys=(recorded + " a comment",)), [PROBE])
    assert server.logins == 1


async def test_opting_in_does_not_weaken_a_pinned_key(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    pinned = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    failure = await failure_of(hosts, replace(settings, host_keys=(pinned,), trust_on_first_use=True))
    assert failure.reason is Reason.HOST_KEY_MISMATCH
    assert server.logins == 0


@asynccontextmanager
async def certified(principal: str, authority: asyncssh.SSHKey, address: str = "127.0.0.1") -> AsyncIterator[SimServer]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_host_certificate(key, "node1", principals=[principal])
    server = await SimServer(address=address, host_key=key, host_certificate=certificate).start()
    yield server
    await server.stop()


def line_of(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").decode()


async def test_a_certificate_of_a_trusted_authority(hosts: Hosts) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    async with certified("127.0.0.1", authority) as server:
        trusting = replace(settings_for(server), host_keys=(), certificate_authorities=(line_of(authority),))
        await hosts.probe(trusting, [PROBE])
        assert server.logins == 1
        assert hosts.trusted_key("node1") is None


async def test_a_host_is_reached_at_an_address_of_ipv6_by_the_key_that_is_pinned(hosts: Hosts) -> None:
    server = await SimServer(address="::1").start()
    settings = replace(settings_for(server), address="::1")
    assert str(settings) == f"node1 ([::1]:{server.port})"
    await hosts.probe(settings, [PROBE])
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    failure = await failure_of(hosts, replace(settings, name="node2", host_keys=(other,)))
    assert failure.reason is Reason.HOST_KEY_MISMATCH
    assert failure.message.startswith(f"node2 ([::1]:{server.port})")
    first = await failure_of(hosts, replace(settings, name="node3", host_keys=()))
    assert first.reason is Reason.HOST_KEY_NOT_PINNED
    await hosts.probe(replace(settings, name="node4", host_keys=(), trust_on_first_use=True), [PROBE])
    assert hosts.trusted_key("node4") == " ".join(server.host_key_line.split()[:2])
    await server.stop()


async def test_a_host_that_does_not_listen_at_its_address_of_ipv6_is_told_with_it(hosts: Hosts) -> None:
    server = await SimServer(address="127.0.0.1").start()
    failure = await failure_of(hosts, replace(settings_for(server), address="::1"))
    assert failure.reason is Reason.UNREACHABLE
    assert f"[::1]:{server.port}" in failure.message
    await server.stop()


@pytest.mark.parametrize(("principal", "fits"), [("::1", True), ("127.0.0.1", False)])
async def test_a_certificate_names_an_address_of_ipv6(hosts: Hosts, principal: str, *, fits: bool) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    async with certified(principal, authority, "::1") as server:
        trusting = replace(
            settings_for(server), address="::1", host_keys=(), certificate_authorities=(line_of(authority),)
        )
        if fits:
            await hosts.probe(trusting, [PROBE])
        else:
            assert (await failure_of(hosts, trusting)).reason is Reason.HOST_KEY_MISMATCH
        assert server.logins == fits


async def test_a_certificate_of_another_authority(hosts: Hosts) -> None:
    expected, shown = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    async with certified("127.0.0.1", shown) as server:
        trusting = replace(settings_for(server), host_keys=(), certificate_authorities=(line_of(expected),))
        failure = await failure_of(hosts, trusting)
        assert failure.reason is Reason.HOST_KEY_MISMATCH
        assert f"signed by {expected.get_fingerprint()}" in failure.message
        assert f"signed by {shown.get_fingerprint()}" in failure.message
        assert server.logins == 0


async def test_a_certificate_for_another_address(hosts: Hosts) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    async with certified("10.0.0.1", authority) as server:
        trusting = replace(settings_for(server), host_keys=(), certificate_authorities=(line_of(authority),))
        failure = await failure_of(hosts, trusting)
        assert failure.reason is Reason.HOST_KEY_MISMATCH
        assert "principal" in failure.message
        assert server.logins == 0


async def test_an_authority_and_a_host_without_a_certificate(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    failure = await failure_of(
        hosts, replace(settings, host_keys=(), certificate_authorities=(line_of(authority),), trust_on_first_use=True)
    )
    assert failure.reason is Reason.HOST_KEY_MISMATCH
    assert server.logins == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"private_key": "-----BEGIN nonsense"}, Reason.CREDENTIALS_MISSING),
        ({"private_key": ""}, Reason.CREDENTIALS_MISSING),
        (
            {"private_key": client_key().export_private_key("pkcs8-pem", passphrase="secret-passphrase").decode()},
            Reason.CREDENTIALS_MISSING,
        ),
        ({"host_keys": ("ssh-ed25519",)}, Reason.INVALID_SPEC),
        ({"certificate_authorities": ("nonsense",)}, Reason.INVALID_SPEC),
    ],
    ids=["garbled key", "empty key", "key with a passphrase", "garbled host key", "garbled authority"],
)
async def test_settings_that_cannot_work(
    hosts: Hosts, settings: HostSettings, change: dict[str, object], reason: Reason
) -> None:
    failure = await failure_of(hosts, replace(settings, **change))  # type: ignore[arg-type]
    assert isinstance(failure, NeedsUser)
    assert failure.reason is reason
