"""The simulated engine by itself, as a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

TESTS = Path(__file__).parents[2]
SSH = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY)


@dataclass
class Standalone:
    """A process that is an engine.

    Attributes:
        system: Its API.
        status: How the process ended; None: it still runs.
        errors: What it said at its end.
    """

    system: Any
    status: int | None = None
    errors: str = ""


@contextmanager
def standalone(folder: Path, *options: str) -> Iterator[Standalone]:
    """Runs one, and ends it."""
    trusted = folder / "ca.pem"
    process = subprocess.Popen(
        [sys.executable, "-m", "sim.engine", "--port", "0", "--password", "other", "--ca-file", trusted, *options],
        env={"PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    made = Standalone(None)
    try:
        assert process.stdout
        url = process.stdout.readline().split()[0]
        connection = ovirtsdk4.Connection(url=url, username="admin@internal", password="other", ca_file=str(trusted))
        made.system = connection.system_service()
        yield made
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        _, made.errors = process.communicate(timeout=30)
        made.status = process.returncode


def test_it_runs_by_itself_and_tells_at_the_end_what_it_was_not_told(tmp_path: Path) -> None:
    with standalone(tmp_path) as engine:
        assert engine.system.get().product_info.version.full_version == "4.5.7.0"
        with pytest.raises(ovirtsdk4.Error):
            engine.system.disks_service().list()
    assert engine.status == 0
    assert engine.errors == "not told: GET /ovirt-engine/api/disks: list of DisksService\n"


def test_it_is_self_hosted_and_finds_what_it_is_told_to_find(tmp_path: Path) -> None:
    own = ("--self-hosted", "n1=192.0.2.11", "--storage", "n1:/engine")
    around = ("--reach", "192.0.2.12", "--share", "n1:/vmstore", "--share", "n1:/iso")
    with standalone(tmp_path, *own, *around) as engine:
        (vm,) = engine.system.vms_service().list()
        (host,) = engine.system.hosts_service().list()
        assert (vm.origin, vm.fqdn, host.name, host.address) == (
            "managed_hosted_engine",
            "localhost",
            "n1",
            "192.0.2.11",
        )
        for name in ("vmstore", "iso"):
            storage = types.HostStorage(type=types.StorageType.NFS, address="n1", path=f"/{name}")
            purpose = types.StorageDomainType.DATA
            given = types.StorageDomain(name=name, type=purpose, storage=storage, host=types.Host(name="n1"))
            engine.system.storage_domains_service().add(given)
        cluster = types.Cluster(name="Default")
        second = types.Host(name="n2", address="192.0.2.12", cluster=cluster, ssh=SSH)
        engine.system.hosts_service().add(second, deploy_hosted_engine=True)
    assert (engine.status, engine.errors) == (0, "")
