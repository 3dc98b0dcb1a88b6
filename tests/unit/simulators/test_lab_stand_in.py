"""The stand-in for what deploys an engine on a lab machine, run as the programs that it stands for."""

import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import lab.stand_in
import sim.role_variables
from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known
from heretic.domain.hosted_engine.parse.vm_status import parse_vm_status
from heretic.domain.hosted_engine.stages import failure_of, stage_of
from heretic.domain.hosted_engine.variables import PASSWORD, PLAYBOOK_TEXT
from heretic.domain.jobs import FailedJob


class Host:
    """A folder that looks like a lab machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        programs = root / "programs"
        programs.mkdir()
        for source in (lab.stand_in.__file__, sim.role_variables.__file__):
            shutil.copy(source, programs)
        self.programs = programs
        self.environment = os.environ | {"HERETIC_STAND_IN_ROOT": str(root), "LC_ALL": "C.UTF-8"}
        (programs / "stand_in.py").chmod(0o755)
        assert self.run("stand_in.py", "install", str(programs)).rc == 0

    def run(self, name: str, *arguments: str) -> Output:
        argv = [str(self.programs / name), *arguments]
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return Output(done.returncode, done.stdout, done.stderr)

    def deploy(self, wishes: dict[str, object] | None = None, **variables: object) -> Output:
        (self.root / "etc/heretic-stand-in.json").write_text(json.dumps({"seconds": 0} | (wishes or {})))
        folder = self.root / "engine"
        folder.mkdir(exist_ok=True)
        (folder / "password").write_text("secret")
        (folder / "deploy.yml").write_text(PLAYBOOK_TEXT.replace(PASSWORD, str(folder / "password")))
        (folder / "variables.json").write_text(json.dumps({"he_fqdn": "engine.mgmt.private"} | variables))
        files = ("--extra-vars", f"@{folder / 'variables.json'}", str(folder / "deploy.yml"))
        return self.run("ansible-playbook", "--inventory", "localhost,", *files)

    @property
    def status(self) -> Output:
        return self.run("hosted-engine", "--vm-status", "--json")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_deploys_an_engine_and_its_answers_are_understood(host: Host) -> None:
    assert parse_vm_status(host.status) == Absent()
    assert host.run("hosted-engine", "--check-deployed").rc == 1
    up, authority = host.root / "up", host.root / "ca.pem"
    authority.write_text("the engine's")
    done = host.deploy({"announce": ["touch", str(up)], "authority": str(authority)})
    assert done.rc == 0, done
    assert all(stage_of(line) for line in done.stdout.splitlines() if line.startswith("TASK ["))
    assert up.exists()
    assert (host.root / "etc/pki/vdsm/certs/cacert.pem").read_text() == "the engine's"
    assert host.run("hosted-engine", "--check-deployed").rc == 0
    status = parse_vm_status(host.status)
    assert isinstance(status, Known)
    assert [report.good for report in status.value.hosts] == [True]
    assert host.run("virsh", "-r", "list", "--all", "--name").stdout.split() == ["HostedEngine"]
    assert not (host.root / "engine/password").exists()
    assert list((host.root / "var/log/ovirt-hosted-engine-setup").glob("ovirt-hosted-engine-setup-ansible-*.log"))


def test_it_leaves_a_domain_on_the_volume_that_it_was_told_and_hands_on_what_it_was_told(host: Host) -> None:
    mounted, storage, announced = host.root / "mounted", host.root / "storage", host.root / "announced"
    for name in ("mount", "umount"):
        (host.programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{mounted}\n')
        (host.programs / name).chmod(0o755)
    host.environment["PATH"] = f"{host.programs}:{host.environment['PATH']}"
    told = {
        "he_domain_type": "glusterfs",
        "he_storage_domain_addr": "node1.gluster.private",
        "he_storage_domain_path": "/engine",
        "he_mount_options": "backup-volfile-servers=node2.gluster.private:node3.gluster.private",
    }
    done = host.deploy({"storage": str(storage), "announce": ["sh", "-c", f"cat >{announced}"]}, **told)
    assert done.rc == 0, done
    assert mounted.read_text().splitlines() == [
        f"mount -t glusterfs -o {told['he_mount_options']} node1.gluster.private:/engine {storage}",
        f"umount {storage}",
    ]
    assert len(list(storage.glob("*/dom_md/metadata"))) == 1
    said = json.loads(announced.read_text())
    assert said == {"variables": {"he_fqdn": "engine.mgmt.private"} | told, "password": "secret"}


def test_it_goes_no_further_than_it_shall_until_the_wish_is_gone(host: Host) -> None:
    with ThreadPoolExecutor(max_workers=1) as other:
        done = other.submit(host.deploy, {"holds": "Execute engine-setup"})
        deadline = time.monotonic() + 30
        while "HostedEngineLocal" not in host.run("virsh", "-r", "list", "--all", "--name").stdout:
            assert time.monotonic() < deadline
        assert not done.done()
        (host.root / "etc/heretic-stand-in.json").write_text("{}")
        assert done.result(timeout=30).rc == 0


@pytest.mark.parametrize(("task", "message"), lab.stand_in.TASKS)
def test_it_fails_at_each_task_when_it_is_told_to(host: Host, task: str, message: str) -> None:
    done = host.deploy({"fails": task})
    assert done.rc == 2
    assert failure_of(FailedJob("exited 2", tuple(done.stdout.splitlines())))[1] == f"{task}: {message}"
    deployed = task.startswith("Check engine VM health")
    assert (host.run("hosted-engine", "--check-deployed").rc == 0) is deployed


def test_a_temporary_machine_stays_until_it_is_cleaned_up(host: Host) -> None:
    host.deploy({"fails": "Wait for the host"})
    assert "HostedEngineLocal" in host.run("virsh", "-r", "list", "--all", "--name").stdout
    assert host.run("ovirt-hosted-engine-cleanup", "-q").rc == 0
    assert not host.run("virsh", "-r", "list", "--all", "--name").stdout.strip()


def test_what_it_was_not_told_is_refused(host: Host) -> None:
    assert "he_unknown" in host.deploy(he_unknown=1).stderr
    assert host.run("hosted-engine", "--deploy").rc == 64
    host.environment["LC_ALL"] = "C"
    assert "UTF-8" in host.deploy().stderr
