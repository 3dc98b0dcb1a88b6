"""The simulated engine by itself, for any client of oVirt: `PYTHONPATH=tests python -m sim.engine --help`."""

import signal
import sys
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from sim.engine.engine import SimEngine
from sim.engine.server import EngineServer


def main(
    address: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free.")] = 8443,
    name: Annotated[str, typer.Option(help="What the certificate says the engine is called.")] = "localhost",
    password: Annotated[str, typer.Option(help="Of admin@internal.")] = "secret",
    ca_file: Annotated[Path | None, typer.Option(help="Where to write the certificate of its authority.")] = None,
) -> None:
    """Run a simulated oVirt engine until it is interrupted; then tell what it was asked and not told."""
    engine = SimEngine()
    engine.sso.passwords["admin"] = password
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with EngineServer(engine, address=address, port=port, names=(name,)) as server:
        if ca_file:
            ca_file.write_text(engine.authority.pem)
        print(f"{server.url} as admin@internal", flush=True)
        stopped.wait()
    for said in engine.refused:
        print(f"not told: {said}", file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
