"""What goes wrong between the operator and a host, and which of the closed reasons it becomes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncssh
import pytest

import heretic.hosts.link
import heretic.hosts.script
import heretic.hosts.session
from heretic.domain.commands import Command, Output, Probe, PutFile, Script
from heretic.domain.errors import Failure, HereticError, NeedsUser, Reason, Transient
from heretic.domain.facts import Known
from heretic.domain.plan import Done, Failed
from heretic.hosts import Hosts, HostSettings
from sim.admission import Anybody
from sim.machine import File
from sim.server import SimServer, client_key
from ssh.targets import settings_for

PROBE: Probe[Output] = Probe("p", ("@file", "/etc/hostname"), Known, timeout=1)
STEP = Script(done=(Command(("made",)),), actions=(PutFile("/a", "x"),))


@pytest.fixture(autouse=True)
def knows_step(server: SimServer) -> None:
    server.machine.tools["made"] = lambda m, argv, stdin: Output(0 if "/a" in m.files else 1, "", "")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs is given up after two seconds."""
    monkeypatch.setattr(heretic.hosts.script, "_MARGIN", 1)
    monkeypatch.setattr(heretic.hosts.session, "CLOSE_TIMEOUT", 0.5)
    monkeypatch.setattr(heretic.hosts.session, "OPEN_TIMEOUT", 1.0)
    monkeypatch.setattr(heretic.hosts.session, "LOGIN_TIMEOUT", 1.0)


async def failure_of(hosts: Hosts, settings: HostSettings) -> Failure:
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    result = await hosts.perform(settings, STEP, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure == raised.value.failure, "a step must fail as a batch does"
    return raised.value.failure


def fingerprint(line: str) -> str:
    return asyncssh.import_public_key(line).get_fingerprint()


# --- identity and login ---


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
async def certified(principal: str, authority: asyncssh.SSHKey) -> AsyncIterator[SimServer]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_host_certificate(key, "node1", principals=[principal])
    server = await SimServer(host_key=key, host_certificate=certificate).start()
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


# --- the network ---


async def test_nobody_listens(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    await server.stop()
    failure = await failure_of(hosts, settings)
    assert isinstance(failure, Transient)
    assert failure.reason is Reason.UNREACHABLE
    assert "Connection refused (ECONNREFUSED)" in failure.message
    assert failure.message.startswith(f"node1 (127.0.0.1:{settings.port}): ")


@pytest.mark.parametrize("address", ["host.invalid", "host..invalid", "x" * 70])
async def test_no_such_name(hosts: Hosts, settings: HostSettings, address: str) -> None:
    failure = await failure_of(hosts, replace(settings, address=address))
    assert isinstance(failure, Transient)
    assert failure.reason is Reason.NAME_NOT_RESOLVED


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speaks_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("handler", [silent, hangs_up, speaks_http], ids=lambda h: h.__name__)
@pytest.mark.usefixtures("impatient")
async def test_something_else_listens(hosts: Hosts, settings: HostSettings, handler: Handler) -> None:
    other = await asyncio.start_server(handler, "127.0.0.1", 0)
    failure = await failure_of(hosts, replace(settings, port=other.sockets[0].getsockname()[1]))
    assert isinstance(failure, Transient)
    assert failure.reason is Reason.UNREACHABLE
    other.close()
    await other.wait_closed()


# --- during a call ---


async def test_the_connection_breaks_before_the_script_ran(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    server.faults.drop_before = 1
    result = await hosts.perform(settings, STEP, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.CONNECTION_LOST
    assert server.machine.effects == []
    await asyncio.sleep(0.05)
    assert await hosts.perform(settings, STEP, admission=Anybody()) == Done(changed=True)


async def test_the_reply_is_lost(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    server.faults.drop_after = 1
    result = await hosts.perform(settings, STEP, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.CONNECTION_LOST
    await asyncio.sleep(0.05)
    assert await hosts.perform(settings, STEP, admission=Anybody()) == Done(changed=False)
    assert server.machine.effects == [("put", "/a")]


@pytest.mark.usefixtures("impatient")
async def test_a_script_that_hangs_is_given_up_and_the_connection_kept(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    server.faults.hang = True
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert isinstance(raised.value.failure, Transient)
    assert raised.value.failure.reason is Reason.COMMAND_TIMED_OUT
    server.faults.hang = False
    await hosts.probe(settings, [PROBE])
    assert server.logins == 1


@pytest.mark.usefixtures("impatient")
async def test_a_host_that_freezes_loses_its_connection(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    await hosts.probe(settings, [PROBE])
    server.freeze()
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert raised.value.failure.reason is Reason.COMMAND_TIMED_OUT
    await asyncio.sleep(0.05)
    await hosts.probe(settings, [PROBE])
    assert server.logins == 2


async def test_a_host_that_opens_no_more_sessions_gets_a_new_connection(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    await hosts.probe(settings, [PROBE])
    server.faults.refuse_sessions = True
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert raised.value.failure.reason is Reason.CONNECTION_LOST
    assert "opens no further session" in raised.value.failure.message
    server.faults.refuse_sessions = False
    await asyncio.sleep(0.05)
    await hosts.probe(settings, [PROBE])
    assert server.logins == 2


async def test_a_host_that_opens_no_session_at_all_needs_a_person_and_is_tried_with_new_logins(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    server.faults.max_sessions = 0
    failure = await failure_of(hosts, settings)
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.LOGIN_REFUSED
    assert "MaxSessions" in failure.message
    server.faults.max_sessions = 1
    await asyncio.sleep(0.15)
    await hosts.probe(settings, [PROBE])
    assert server.logins == 2, "sshd reads its configuration anew for new connections only"


async def test_sudo_refuses(hosts: Hosts) -> None:
    server = await SimServer(user="operator").start()
    server.faults.refuse_sudo = "sudo: a password is required\n"
    failure = await failure_of(hosts, replace(settings_for(server), user="operator"))
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.NO_ROOT
    assert "a password is required" in failure.message
    server.faults.refuse_sudo = None
    await hosts.probe(replace(settings_for(server), user="operator"), [PROBE])
    await server.stop()


@pytest.mark.parametrize(
    "garble",
    [lambda d: b"", lambda d: d[:-1], lambda d: d + b"x", lambda d: b"%PDF", lambda d: d.replace(b" 0", b" zero")],
    ids=["nothing", "cut short", "too long", "something else", "garbled table"],
)
async def test_an_answer_that_is_not_one(
    hosts: Hosts, server: SimServer, settings: HostSettings, garble: Callable[[bytes], bytes]
) -> None:
    server.faults.garble = garble
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert isinstance(raised.value.failure, Transient)
    assert raised.value.failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Welcome!\nheretic\n", ""),
        ("Loading modules... ", ""),
        ("\x1b]0;root@node1\x07", ""),
        ("\x00\x07\ufeff", ""),
        ("Authorized use only\r", ""),
        ("x" * 300_000, ""),
        ("this host is kept by heretic/1 and heretic/2\n", ""),
        ("heretic/1 ", ""),
        ("heretic/1 end\n", ""),
        ("heretic/1 3\nheretic/1 1\np 0 1\n", ""),
        ("", "logout\n"),
        ("", "\x1b[H\x1b[2J"),
    ],
)
async def test_a_login_shell_that_chatters_does_no_harm(
    hosts: Hosts, server: SimServer, settings: HostSettings, before: str, after: str
) -> None:
    server.machine.files["/etc/hostname"] = File("node1\n")
    server.faults.noise = before
    server.faults.garble = lambda answer: answer + after.encode()
    assert (await hosts.probe(settings, [PROBE])).outputs["p"].stdout == "0644\nnode1\n"


WHOLE = b"heretic/1 1\np 0 4 0\nevilheretic/1 end\n"


@pytest.mark.parametrize(
    "garble",
    [
        lambda d: WHOLE + d,
        lambda d: d + WHOLE,
        lambda d: d[:-1],
        lambda d: d[: d.index(WHOLE) + len(WHOLE)],
        lambda d: b"",
    ],
    ids=["an answer before it", "an answer after it", "cut", "cut after an answer that it holds", "nothing"],
)
async def test_noise_is_never_taken_for_an_answer(
    hosts: Hosts, server: SimServer, settings: HostSettings, garble: Callable[[bytes], bytes]
) -> None:
    server.machine.files["/etc/hostname"] = File(f"{WHOLE.decode()}and more\n")
    assert (await hosts.probe(settings, [PROBE])).outputs["p"].stdout.endswith("and more\n"), (
        "as content it is harmless"
    )
    server.faults.noise = "Loading modules... "
    server.faults.garble = garble
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert raised.value.failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD


REFUSALS = [
    ("ops", 1, "", "Sorry, user ops is not allowed to execute '/usr/bin/sh -s' as root on node1."),
    ("ops", 1, "", "ops ist nicht in der sudoers-Datei."),
    ("ops", 1, "", "sudo: Account or password is expired, reset your password and try again"),
    ("ops", 127, "", "bash: line 1: sudo: command not found"),
    ("ops", 126, "", "sudo: unable to execute /usr/bin/sh: Permission denied"),
    ("ops", 1, "This account is currently not available.", ""),
    ("root", 1, "This account is currently not available.", ""),
    ("root", 1, "", "Password change required but no TTY available."),
    ("root", 142, "Please login as the user rocky rather than the user root.", ""),
    ("root", 254, "", "Too many logins for 'root'."),
    ("root", 1, "This service allows sftp connections only.", ""),
    ("root", 1, "", ""),
]


@pytest.mark.parametrize(("user", "status", "stdout", "stderr"), REFUSALS)
async def test_a_host_that_lets_in_and_refuses_needs_a_person(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch, user: str, status: int, stdout: str, stderr: str
) -> None:
    server = await SimServer(user=user).start()

    async def refuse(script: bytes) -> tuple[bytes, bytes, int]:
        return stdout.encode(), stderr.encode(), status

    monkeypatch.setattr(server, "execute", refuse)
    failure = await failure_of(hosts, replace(settings_for(server), user=user))
    assert isinstance(failure, NeedsUser)
    assert failure.reason is (Reason.LOGIN_REFUSED if user == "root" else Reason.NO_ROOT)
    assert (stdout or stderr or "nothing") in failure.message, "the host's own words"
    assert ("sudoers" if user == "ops" else "chsh") in failure.message, "what to do"
    await server.stop()


@pytest.mark.parametrize("status", [2, 70, 0])
async def test_our_own_shell_that_cannot_work_is_no_refusal(
    hosts: Hosts, server: SimServer, settings: HostSettings, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def fail(script: bytes) -> tuple[bytes, bytes, int]:
        return b"", b"sh: out of something", status

    monkeypatch.setattr(server, "execute", fail)
    failure = await failure_of(hosts, settings)
    assert isinstance(failure, Transient)
    assert failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD


async def test_an_answer_without_end_is_cut_off(
    hosts: Hosts, server: SimServer, settings: HostSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heretic.hosts.session, "MAX_ANSWER", 1000)
    server.machine.files["/etc/hostname"] = File("x" * 2000)
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert raised.value.failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD
    assert "longer than" in raised.value.failure.message
