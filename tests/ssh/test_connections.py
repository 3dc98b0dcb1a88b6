"""How connections come, stay, break and come back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncssh
import pytest

from heretic.domain.commands import Command, Output, Probe, PutFile, Script
from heretic.domain.errors import HereticError, Reason, Transient
from heretic.domain.facts import Known
from heretic.domain.plan import Done
from heretic.hosts import Hosts, HostSettings
from heretic.hosts.link import Limits, ReconnectDelays
from heretic.hosts.session import Session
from sim.admission import Anybody
from sim.machine import Argv, File, Machine
from sim.server import SimServer
from ssh.targets import eventually, settings_for

PROBE: Probe[Output] = Probe("p", ("@file", "/etc/hostname"), Known, timeout=5)
SOON = ReconnectDelays(first=0.02, most=0.1)


class Changes(list[str]):
    """Names of hosts whose connection changed, with something to wait on."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()

    def note(self, name: str) -> None:
        self.append(name)
        self.happened.set()

    async def next(self) -> None:
        await asyncio.wait_for(self.happened.wait(), 5)
        self.happened.clear()


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
async def watched(changes: Changes) -> AsyncIterator[Hosts]:
    hosts = Hosts(on_change=changes.note, delays=SOON)
    yield hosts
    await hosts.close()


async def failure_of(hosts: Hosts, settings: HostSettings) -> Transient:
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert isinstance(raised.value.failure, Transient)
    return raised.value.failure


async def test_many_callers_share_one_login(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    await asyncio.gather(*(hosts.probe(settings, [PROBE]) for _ in range(30)))
    assert server.logins == 1
    assert server.scripts == 30


async def test_a_host_runs_only_so_many_scripts_at_once(server: SimServer, settings: HostSettings) -> None:
    running, most = 0, 0
    execute = server.execute

    async def counted(script: bytes) -> tuple[bytes, bytes, int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return await execute(script)

    server.execute = counted  # type: ignore[method-assign]
    hosts = Hosts(limits=Limits(sessions=3))
    await asyncio.gather(*(hosts.probe(settings, [PROBE]) for _ in range(12)))
    await hosts.close()
    assert most == 3


async def test_a_script_does_not_wait_for_its_turn_without_end(server: SimServer, settings: HostSettings) -> None:
    server.faults.delay = 0.5
    hosts = Hosts(limits=Limits(sessions=1, queue_seconds=0.1))
    first = asyncio.create_task(hosts.probe(settings, [PROBE]))
    await asyncio.sleep(0.02)
    failure = await failure_of(hosts, settings)
    assert failure.reason is Reason.COMMAND_TIMED_OUT
    assert "kept the host busy" in failure.message
    await first
    await hosts.close()


@pytest.mark.parametrize("allowed", [1, 2, 3, 10])
async def test_a_host_that_allows_fewer_sessions_is_asked_for_no_more_and_loses_no_script(
    server: SimServer, settings: HostSettings, allowed: int
) -> None:
    server.faults.max_sessions = allowed
    server.faults.delay = 0.02
    hosts = Hosts(limits=Limits(sessions=4))
    for _ in range(3):
        await asyncio.gather(*(hosts.probe(settings, [PROBE]) for _ in range(8)))
    assert (server.logins, server.scripts) == (1, 24)
    await hosts.close()


async def test_a_step_that_runs_does_not_lose_its_connection_to_a_probe_for_which_there_is_no_session(
    server: SimServer, settings: HostSettings
) -> None:
    server.machine.tools["made"] = lambda m, argv, stdin: Output(0 if "/a" in m.files else 1, "", "")
    script = Script(done=(Command(("made",)),), actions=(PutFile("/a", "x"),))
    server.faults.max_sessions, server.faults.delay = 1, 0.3
    hosts = Hosts()
    step = asyncio.create_task(hosts.perform(settings, script, admission=Anybody()))
    await asyncio.sleep(0.1)
    await hosts.probe(settings, [PROBE])
    assert await step == Done(changed=True)
    assert server.logins == 1
    await hosts.close()


async def test_a_host_that_allows_more_sessions_again_is_asked_for_them_after_the_next_login(
    server: SimServer, settings: HostSettings
) -> None:
    server.faults.max_sessions, server.faults.delay = 1, 0.05
    hosts = Hosts(limits=Limits(sessions=2, steady_seconds=0.0))
    await asyncio.gather(*(hosts.probe(settings, [PROBE]) for _ in range(2)))
    server.faults.max_sessions = None
    server.drop()
    await asyncio.sleep(0.05)
    server.faults.delay = 1.0
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(hosts.probe(settings, [PROBE]) for _ in range(2)))
    assert asyncio.get_running_loop().time() - begun < 1.95, "both at the same time"
    await hosts.close()


async def test_only_so_many_logins_at_once() -> None:
    servers = [await SimServer(Machine()).start() for _ in range(6)]
    hosts = Hosts(limits=Limits(connects=2))
    await asyncio.gather(*(hosts.probe(settings_for(s, f"n{i}"), [PROBE]) for i, s in enumerate(servers)))
    assert [s.logins for s in servers] == [1] * 6
    await hosts.close()
    for s in servers:
        await s.stop()


async def test_between_attempts_callers_are_told_at_once_and_the_same(
    server: SimServer, settings: HostSettings
) -> None:
    await server.stop()
    attempts = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.close()

    listener = await asyncio.start_server(refuse, "127.0.0.1", settings.port)
    hosts = Hosts(delays=ReconnectDelays(first=30.0))
    failures = {await failure_of(hosts, settings) for _ in range(20)}
    assert len(failures) == 1
    assert attempts == 1
    assert failures.pop().message.endswith("; tried again within 30 s")
    await hosts.close()
    listener.close()
    await listener.wait_closed()


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (7, 30.0), (10_000, 30.0)])
def test_pauses_grow_up_to_a_limit(failures: int, seconds: float) -> None:
    assert ReconnectDelays().within(failures) == seconds


async def test_a_host_that_comes_back_is_noticed_without_a_call(
    watched: Hosts, changes: Changes, server: SimServer, settings: HostSettings
) -> None:
    await watched.probe(settings, [PROBE])
    assert changes == []
    await server.stop()
    await changes.next()
    assert changes == ["node1"]
    await asyncio.sleep(0.05)
    await failure_of(watched, settings)
    await server.start()
    await changes.next()
    assert changes == ["node1", "node1"]
    await watched.probe(settings, [PROBE])
    assert server.logins == 2


async def test_a_host_that_nobody_asks_for_is_not_tried_for_ever(server: SimServer, settings: HostSettings) -> None:
    await server.stop()
    hosts = Hosts(delays=SOON, limits=Limits(unused_seconds=0.0))
    await failure_of(hosts, settings)
    await server.start()
    await asyncio.sleep(0.2)
    assert server.logins == 0
    await hosts.close()


async def test_a_host_that_hangs_up_after_each_login_is_not_called_without_pause(
    server: SimServer, settings: HostSettings
) -> None:
    hosts = Hosts(delays=ReconnectDelays(first=30.0))
    server.faults.drop_before = 1
    first = await failure_of(hosts, settings)
    second = await failure_of(hosts, settings)
    assert first.reason is second.reason is Reason.CONNECTION_LOST
    assert "tried again within 30 s" in second.message
    assert server.logins == 1
    await hosts.close()


async def test_a_caller_that_goes_away_leaves_the_connection_to_the_others(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    tasks = [asyncio.create_task(hosts.probe(settings, [PROBE])) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert not isinstance(results[1], BaseException)
    assert not isinstance(results[2], BaseException)
    assert server.logins == 1


async def test_a_call_that_is_cancelled_midway_leaves_the_connection_usable(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    await hosts.probe(settings, [PROBE])
    server.faults.hang = True
    tasks = [asyncio.create_task(hosts.probe(settings, [PROBE])) for _ in range(6)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True))
    server.faults.hang = False
    await hosts.probe(settings, [PROBE])
    assert server.logins == 1


async def test_a_new_key_in_the_secret_takes_a_new_connection_and_spares_running_calls(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    server.machine.files["/etc/hostname"] = File("x")
    await hosts.probe(settings, [PROBE])
    server.faults.delay = 0.2
    running = asyncio.create_task(hosts.probe(settings, [PROBE]))
    await asyncio.sleep(0.05)
    other = replace(settings, private_key=asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode())
    with pytest.raises(HereticError) as raised:
        await hosts.probe(other, [PROBE])
    assert raised.value.failure.reason is Reason.AUTHENTICATION_FAILED
    assert (await running).outputs["p"].stdout == "0644\nx"
    server.faults.delay = 0.0
    await hosts.probe(settings, [PROBE])
    assert server.logins == 2


async def test_another_address_takes_another_connection(hosts: Hosts, settings: HostSettings) -> None:
    other = await SimServer(Machine(files={"/etc/hostname": File("other")})).start()
    await hosts.probe(settings, [PROBE])
    assert (await hosts.probe(settings_for(other), [PROBE])).outputs["p"].stdout == "0644\nother"
    await other.stop()


async def test_a_key_that_is_no_longer_pinned_ends_the_connection(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    await hosts.probe(settings, [PROBE])
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    with pytest.raises(HereticError) as raised:
        await hosts.probe(replace(settings, host_keys=(another,)), [PROBE])
    assert raised.value.failure.reason is Reason.HOST_KEY_MISMATCH
    assert server.logins == 1


async def test_times_around_a_batch_come_from_the_given_clock(settings: HostSettings) -> None:
    times = iter([100.0, 100.5])
    hosts = Hosts(clock=lambda: next(times))
    batch = await hosts.probe(settings, [PROBE])
    await hosts.close()
    assert (batch.sent_at, batch.received_at) == (100.0, 100.5)


async def test_traffic_is_counted(hosts: Hosts, settings: HostSettings) -> None:
    for _ in range(3):
        await hosts.probe(settings, [PROBE])
    traffic = hosts.counters["node1"]
    assert (traffic.round_trips, traffic.connects) == (3, 1)
    assert traffic.bytes_out > 3 * 1000
    assert 3 * 20 < traffic.bytes_in < 3 * 200


async def test_a_host_that_is_forgotten_is_let_go(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    await hosts.probe(settings, [PROBE])
    hosts.forget("node1")
    await eventually(lambda: server.connections == 0)
    assert hosts.counters == {}
    hosts.forget("never seen")


async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_closing_ends_connections_attempts_and_retries(server: SimServer, settings: HostSettings) -> None:
    changes = Changes()
    hosts = Hosts(on_change=changes.note, delays=SOON)
    await hosts.probe(settings, [PROBE])
    silent = await asyncio.start_server(never_answers, "127.0.0.1", 0)
    waiting = asyncio.create_task(
        hosts.probe(replace(settings, name="silent", port=silent.sockets[0].getsockname()[1]), [PROBE])
    )
    await failure_of(hosts, replace(settings, name="gone", port=1))
    await hosts.close()
    with pytest.raises(HereticError):
        await waiting
    await eventually(lambda: server.connections == 0)
    assert changes == []
    silent.close()
    await silent.wait_closed()


async def test_a_hundred_simulated_hosts_fit_in_one_loop() -> None:
    def hostname(machine: Machine, argv: Argv, stdin: str | None) -> Output:
        return Output(0, machine.name, "")

    servers = [await SimServer(Machine(name=f"n{i}", tools={"hostname": hostname})).start() for i in range(100)]
    hosts = Hosts()
    ask: Probe[Output] = Probe("name", ("hostname",), Known)
    batches = await asyncio.gather(*(hosts.probe(settings_for(s, s.machine.name), [ask]) for s in servers))
    assert [b.outputs["name"].stdout for b in batches] == [f"n{i}" for i in range(100)]
    await hosts.close()
    for server in servers:
        await server.stop()


async def test_a_host_that_is_known_not_to_answer_keeps_nobody_waiting(
    server: SimServer, settings: HostSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = Hosts(limits=Limits(known_seconds=0.2, steady_seconds=0.0))
    await hosts.probe(settings, [PROBE])

    async def silent(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Session, "open", silent)
    server.drop()
    await asyncio.sleep(0.1)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(HereticError) as raised:
        await hosts.probe(settings, [PROBE])
    assert raised.value.failure.reason is Reason.CONNECTION_LOST
    assert asyncio.get_running_loop().time() - begun < 5
    await hosts.close()
