"""What goes wrong between the operator and a host, and which of the closed reasons it becomes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

import heretic.hosts.link
import heretic.hosts.script
import heretic.hosts.session
from heretic.domain.commands import Output
from heretic.domain.errors import HereticError, NeedsUser, Reason, Transient
from heretic.domain.plan import Done, Failed
from heretic.hosts import Hosts, HostSettings
from sim.admission import Anybody
from sim.machine import File
from sim.server import SimServer
from ssh.failing import PROBE, STEP, failure_of
from ssh.targets import settings_for


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
