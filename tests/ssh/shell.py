"""A real shell that runs scripts without SSH."""

import asyncio
from pathlib import Path

from heretic.domain.commands import Output, Probe, Script
from heretic.hosts.fence import Fence
from heretic.hosts.frames import Frame, parse_frames
from heretic.hosts.script import render_observation, render_step
from ssh.targets import ShellServer


class Shell:
    """A sandbox and a real shell to run scripts in it."""

    def __init__(self, sandbox: Path, shell: str) -> None:
        self.server = ShellServer(shell=shell, sandbox=sandbox)
        self.server.prepare()
        self.sandbox = sandbox
        self.files = sandbox / "files"

    async def run(self, script: str | bytes) -> tuple[bytes, bytes, int]:
        data = script.encode() if isinstance(script, str) else script
        async with asyncio.timeout(30):
            return await self.server.execute(data)

    async def ask(self, *probes: Probe[Output], change: tuple[str, str] = ("", "")) -> list[Output]:
        stdout, _, _ = await self.run(render_observation(probes).replace(*change))
        return [f.output for f in parse_frames(stdout)]

    async def perform(self, script: Script, token: int = 0, change: tuple[str, str] = ("", "")) -> Frame:
        fence = Fence("here", token, "operator") if token else Fence()
        return await self.send(render_step(script, fence).replace(*change))

    async def send(self, text: str) -> Frame:
        stdout, stderr, _ = await self.run(text)
        assert stderr == b""
        (frame,) = parse_frames(stdout)
        return frame

    def program(self, name: str, text: str) -> None:
        path = self.sandbox / "bin" / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    @property
    def fence(self) -> Path:
        """Where the host keeps who may send steps."""
        return self.sandbox / "var/lib/heretic/fence"

    def left(self) -> list[str]:
        """What a script left in memory, but for what it means to leave."""
        found = [p for p in (self.sandbox / "run").iterdir() if p.name != "heretic"]
        found += (self.sandbox / "dev/shm").iterdir()
        return [str(p) for p in found]


def here(host: Shell, path: str) -> str:
    """A path of the host, where the sandbox has it."""
    return f"{host.sandbox}{path}"


def write(host: Shell, path: str, content: str) -> None:
    """Makes a file of the host."""
    file = host.sandbox / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
