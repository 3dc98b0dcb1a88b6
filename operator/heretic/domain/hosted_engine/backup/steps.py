"""Steps of a backup: on the engine's machine, and on the host that keeps it."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Job, PutFile, Script
from heretic.domain.disks.proofs import is_free
from heretic.domain.engine.machine import EngineMachineStep, is_of
from heretic.domain.hosted_engine.backup.names import SUM
from heretic.domain.jobs import JOB_PREFIX, not_at_work
from heretic.domain.plan import HostStep, Risk

BACKUP_JOB, FETCH_JOB = f"{JOB_PREFIX}engine-backup.service", f"{JOB_PREFIX}engine-backup-fetch.service"
STAGED = "/var/lib/heretic/engine-backups"
"""Where a backup lies on the engine's machine until it was fetched."""

KEPT = "/var/lib/heretic/engine-backup"
"""What the host that fetches keeps for it: its key, and which machine it believes."""
KEY, KNOWN_HOSTS = f"{KEPT}/key", f"{KEPT}/known_hosts"
LOG = "/var/log/ovirt-engine-backup"
PART = ".part"
"""Of the name of a file that is not whole yet."""

AUTHORIZED_KEYS = "/root/.ssh/authorized_keys"
_HOURS = 3600
_READS = 50
"""Seconds for reading a backup once; the longest that a condition may take."""


def has_sum(path: str, sha256: str) -> Command:
    """Whether a file has this checksum, read from its first to its last byte."""
    return Command(("sha256sum", "--check", "--status", "-"), timeout=_READS, stdin=f"{sha256}  {path}\n")


def verified_backup(name: str, folder: str, log: str) -> tuple[Command, ...]:
    """What makes a backup on the engine's machine. The file gets its name last: one that has it was verified.

    Args:
        name: Of the file.
        folder: Where it is made.
        log: Where the program writes what it did.
    """
    part = f"{folder}/{name}{PART}"
    program = ("engine-backup", f"--file={part}", f"--log={log}/{name}.log")
    return (
        Command(("mkdir", "-p", "-m", "700", folder, log)),
        Command(("find", folder, "-mindepth", "1", "-name", f"*{PART}", "-delete")),
        Command((*program, "--mode=backup", "--scope=all"), timeout=2 * _HOURS),
        Command((*program, "--mode=verify"), timeout=_HOURS),
        Command(("chmod", "600", part)),
        Command(("sync", part)),
        Command(("mv", "-T", part, f"{folder}/{name}")),
    )


@dataclass(frozen=True, kw_only=True)
class MakeBackupKey(HostStep):
    """Makes the key with which a host fetches backups, and nothing else; it never leaves the host."""

    verb: ClassVar[str] = "MakeBackupKey"
    routine: ClassVar[bool] = True

    folder: str = field(default=KEPT, repr=False)

    def script(self) -> Script:
        """A key that is there already is kept."""
        key = f"{self.folder}/key"
        make = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "heretic-engine-backup", "-f", key)
        return Script(
            done=(Command(("test", "-s", key)), Command(("test", "-s", f"{key}.pub"))),
            guards=(Command(("test", "!", "-e", key)),),
            actions=(Command(("mkdir", "-p", "-m", "700", self.folder)), Command(make)),
        )


@dataclass(frozen=True, kw_only=True)
class AuthorizeBackups(EngineMachineStep):
    """Lets a host read backups on the engine's machine, over SFTP, and do nothing else there.

    Attributes:
        line: The line with the host's key.
        content: The file with that line.
        replaces_sha256: Of the content that this was planned from, "" = there was none.
        path: Of the file.
    """

    verb: ClassVar[str] = "AuthorizeBackups"
    routine: ClassVar[bool] = True

    line: str
    content: str = field(repr=False)
    replaces_sha256: str = field(repr=False)
    path: str = field(default=AUTHORIZED_KEYS, repr=False)

    def script(self) -> Script:
        """What others wrote there stays, and is not written over when it changed meanwhile."""
        return Script(
            done=(Command(("grep", "-qxF", self.line, self.path)),),
            guards=(is_of(self.fqdn),),
            actions=(PutFile(self.path, self.content, "0600", self.replaces_sha256),),
        )


@dataclass(frozen=True, kw_only=True)
class BackUpEngine(EngineMachineStep):
    """Makes a backup of everything that the engine is, and lets oVirt's own program verify it; as a job.

    Attributes:
        name: Of the file.
        folder: Where it is made.
        log: Where the program writes what it did.
    """

    verb: ClassVar[str] = "BackUpEngine"
    routine: ClassVar[bool] = True

    name: str
    folder: str = field(default=STAGED, repr=False)
    log: str = field(default=LOG, repr=False)

    def script(self) -> Script:
        """It is there once it was verified (rule:backups-elsewhere)."""
        return Script(
            done=(Command(("test", "-s", f"{self.folder}/{self.name}")),),
            guards=(is_of(self.fqdn),),
            actions=verified_backup(self.name, self.folder, self.log),
            job=Job(BACKUP_JOB, limit=3 * _HOURS + 300),
        )


@dataclass(frozen=True, kw_only=True)
class FetchBackup(HostStep):
    """Fetches a backup from the engine's machine to the host that keeps it; as a job.

    Attributes:
        name: Of the file.
        folder: Where it is kept.
        sha256: Of the file on the engine's machine.
        machine: Address of that machine.
        port: Of its sshd.
        known_hosts: Which keys that machine may show.
        own: Where the host keeps its key.
    """

    verb: ClassVar[str] = "FetchBackup"
    routine: ClassVar[bool] = True

    name: str
    folder: str
    sha256: str
    machine: str
    port: int
    known_hosts: str = field(repr=False)
    own: str = field(default=KEPT, repr=False)
    staged: str = field(default=STAGED, repr=False)

    def script(self) -> Script:
        """Only a copy with the same checksum gets its name and the file that proves it (rule:backups-elsewhere)."""
        part, whole = f"{self.folder}/{self.name}{PART}", f"{self.folder}/{self.name}"
        machine = f"[{self.machine}]" if ":" in self.machine else self.machine
        known, own = f"{self.own}/known_hosts", f"{self.name.partition('_')[0]}_*.backup{PART}"
        options = ("BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=30")
        believed = (f"UserKnownHostsFile={known}", "GlobalKnownHostsFile=/dev/null", "ServerAliveInterval=30")
        said = tuple(word for option in (*options, *believed) for word in ("-o", option))
        fetch = ("sftp", "-q", "-F", "/dev/null", "-i", f"{self.own}/key", *said, "-P", str(self.port))
        proof = PutFile(f"{whole}{SUM}", f"{self.sha256}  {self.name}\n", mode="0600")
        return Script(
            done=(Command(("test", "-s", f"{whole}{SUM}")), has_sum(whole, self.sha256)),
            guards=(Command(("test", "-d", self.folder)),),
            actions=(
                PutFile(known, self.known_hosts, mode="0600"),
                Command(("find", self.folder, "-mindepth", "1", "-maxdepth", "1", "-name", own, "-delete")),
                Command((*fetch, f"root@{machine}:{self.staged}/{self.name}", part), timeout=_HOURS),
                Command(has_sum(part, self.sha256).argv, timeout=_HOURS, stdin=f"{self.sha256}  {part}\n"),
                Command(("chmod", "600", part)),
                Command(("sync", part)),
                Command(("mv", "-T", part, whole)),
                proof,
            ),
            job=Job(FETCH_JOB, limit=2 * _HOURS + 300),
        )


@dataclass(frozen=True, kw_only=True)
class MountBackupVolume(HostStep):
    """Mounts the volume on which backups are kept, until the next boot.

    Attributes:
        source: Server and volume.
        folder: Where it is mounted.
    """

    verb: ClassVar[str] = "MountBackupVolume"
    routine: ClassVar[bool] = True

    source: str
    folder: str

    def script(self) -> Script:
        """Mounts on a folder of its own only, and never over something that is mounted there."""
        shown = ("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", self.folder)
        content = ("find", self.folder, "-mindepth", "1", "-maxdepth", "1")
        return Script(
            done=(Command(shown, expect=Expect.EQUALS, text=self.source),),
            guards=(is_free(self.folder),),
            actions=(
                Command(("mkdir", "-p", "-m", "700", self.folder)),
                Command(content, expect=Expect.EMPTY),
                Command(("mount", "-t", "glusterfs", self.source, self.folder), timeout=50),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveStagedBackups(EngineMachineStep):
    """Removes backups from the engine's machine: those that were fetched, and what was left of one that failed.

    Attributes:
        names: Of the files.
        folder: Where they lie.
    """

    verb: ClassVar[str] = "RemoveStagedBackups"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE
    routine: ClassVar[bool] = True

    names: tuple[str, ...]
    folder: str = field(default=STAGED, repr=False)

    def script(self) -> Script:
        """Only while no backup is made: what is not whole would be that one."""
        paths = tuple(f"{self.folder}/{name}" for name in self.names)
        return Script(
            done=tuple(Command(("test", "!", "-e", path)) for path in paths),
            guards=(is_of(self.fqdn), not_at_work(BACKUP_JOB)),
            actions=(Command(("rm", "-f", *paths)),),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveOldBackups(HostStep):
    """Removes backups beyond the number that is kept.

    Attributes:
        folder: Where they are kept.
        names: Of those that go.
        newest: Of the one that has to stay.
        sha256: Of that one.
        others: Names of the others that stay.
    """

    verb: ClassVar[str] = "RemoveOldBackups"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE
    routine: ClassVar[bool] = True

    folder: str
    names: tuple[str, ...]
    newest: str
    sha256: str
    others: tuple[str, ...]

    def script(self) -> Script:
        """Only after the newest one was read again and is whole: the last good one is never removed."""
        paths = tuple(f"{self.folder}/{name}{end}" for name in self.names for end in ("", SUM))
        stay = tuple(f"{self.folder}/{name}{SUM}" for name in (self.newest, *self.others))
        return Script(
            done=tuple(Command(("test", "!", "-e", path)) for path in paths),
            guards=(
                has_sum(f"{self.folder}/{self.newest}", self.sha256),
                *(Command(("test", "-s", path)) for path in stay),
                not_at_work(FETCH_JOB),
            ),
            actions=(Command(("rm", "-f", *paths)),),
        )
