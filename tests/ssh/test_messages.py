"""What is said of steps that failed: trouble of the host is recognized, and no secret is repeated."""

import pytest

import heretic.hosts.script
from heretic.domain.commands import Command, Expect, Output, PutFile, Script
from heretic.domain.errors import NeedsUser, Reason, Transient
from heretic.domain.plan import Failed
from heretic.hosts import Hosts, HostSettings
from heretic.hosts.fence import Fence
from sim.admission import Anybody
from sim.machine import failed, ok
from sim.server import SimServer

STEP = Script(done=(Command(("made",)),), actions=(PutFile("/a", "x"),))


@pytest.fixture(autouse=True)
def knows_step(server: SimServer) -> None:
    server.machine.tools["made"] = lambda m, argv, stdin: Output(0 if "/a" in m.files else 1, "", "")


@pytest.mark.parametrize(
    ("said", "reason", "kind"),
    [
        ("cp: error writing '/a': No space left on device", Reason.DISK_FULL, NeedsUser),
        ("Error: At least 50MB more space needed on the / filesystem.", Reason.DISK_FULL, NeedsUser),
        ("mkdir: cannot create directory 'x': Read-only file system", Reason.READ_ONLY_ROOT, NeedsUser),
        (
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (apt-get)",
            Reason.PACKAGE_MANAGER_LOCKED,
            Transient,
        ),
        (
            "dpkg: error: dpkg frontend lock was locked by another process with pid 7",
            Reason.PACKAGE_MANAGER_LOCKED,
            Transient,
        ),
        ("Waiting for process with pid 4711 to finish.", Reason.PACKAGE_MANAGER_LOCKED, Transient),
        (
            "peer probe: failed: Peer node2.gluster.private does not support required op-version",
            Reason.OP_VERSION_REFUSED,
            NeedsUser,
        ),
        (
            "volume set: failed: One or more connected clients cannot support the feature being set. These clients "
            "need to be upgraded or disconnected before running this command again",
            Reason.OP_VERSION_REFUSED,
            NeedsUser,
        ),
        ("volume set: failed: Required op_version (110000) is not supported.", Reason.OP_VERSION_REFUSED, NeedsUser),
        ("something else", Reason.COMMAND_FAILED, Transient),
    ],
)
async def test_trouble_of_the_host_is_recognized(
    hosts: Hosts, server: SimServer, settings: HostSettings, said: str, reason: Reason, kind: type
) -> None:
    server.machine.tools["install"] = lambda m, argv, stdin: failed(said, 100)
    script = Script(done=(Command(("made",)),), actions=(Command(("install", "x")),))
    result = await hosts.perform(settings, script, admission=Anybody())
    assert isinstance(result, Failed)
    assert isinstance(result.failure, kind)
    assert result.failure.reason is reason
    assert "node1: `install x` failed: " in result.failure.message
    assert said in result.failure.message


async def test_trouble_is_recognized_in_the_output_of_a_program_that_timed_out(
    hosts: Hosts, server: SimServer, settings: HostSettings
) -> None:
    server.machine.tools["dnf"] = lambda m, argv, stdin: Output(124, "Waiting for process with pid 1 to finish.\n", "")
    script = Script(done=(Command(("made",)),), actions=(Command(("dnf", "install", "x")),))
    result = await hosts.perform(settings, script, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.PACKAGE_MANAGER_LOCKED


@pytest.mark.parametrize(
    ("error", "reason"),
    [("No space left on device", Reason.DISK_FULL), ("Read-only file system", Reason.READ_ONLY_ROOT)],
)
async def test_a_file_that_cannot_be_written(
    hosts: Hosts, server: SimServer, settings: HostSettings, error: str, reason: Reason
) -> None:
    server.machine.put_error = error
    result = await hosts.perform(settings, STEP, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure.reason is reason
    assert "writing /a failed" in result.failure.message


async def test_another_step_holds_the_lock(hosts: Hosts, server: SimServer, settings: HostSettings) -> None:
    server.machine.lock_held = True
    result = await hosts.perform(settings, STEP, admission=Anybody())
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.HOST_BUSY
    assert server.machine.effects == []


# --- secrets ---

CANARY = "canary-5f2d9a"


async def test_no_secret_leaves_by_a_message_a_repr_or_the_log(
    hosts: Hosts, server: SimServer, settings: HostSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    server.machine.tools |= {
        "leak": lambda m, argv, stdin: failed(f"bad password: {stdin}", 1, stdin or ""),
        "never": lambda m, argv, stdin: failed("no"),
        "show": lambda m, argv, stdin: ok(m.files["/secret"].content if "/secret" in m.files else ""),
    }
    never, put = Command(("never",)), PutFile("/a", "x")
    leak = Command(("leak",), stdin=f"user\n{CANARY}\n")
    shows_file = Command(("show",), expect=Expect.EQUALS, text="never")
    scripts = [
        Script((never,), (leak,)),
        Script((leak,), (put,)),
        Script((never,), (put,), guards=(leak,)),
        Script((shows_file,), (PutFile("/secret", CANARY + "\n", secret=True),)),
    ]
    for script in scripts:
        result = await hosts.perform(settings, script, admission=Anybody())
        assert isinstance(result, Failed)
        assert CANARY not in f"{result!r}{script!r}"
        server.faults.garble = lambda d, script=script: repr(heretic.hosts.script.render_step(script, Fence())).encode()
        result = await hosts.perform(settings, script, admission=Anybody())
        assert isinstance(result, Failed)
        assert result.failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD
        assert CANARY not in repr(result)
        server.faults.garble = None
    assert CANARY not in caplog.text
    assert settings.private_key.splitlines()[1] not in caplog.text + repr(settings) + str(settings)
