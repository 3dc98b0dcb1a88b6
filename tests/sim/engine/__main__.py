"""The simulated engine by itself, for any client of oVirt: `PYTHONPATH=tests python -m sim.engine --help`."""

import signal
import sys
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from sim.engine.engine import SimEngine
from sim.engine.self_hosted import deploy_hosted_engine
from sim.engine.server import EngineServer
from sim.engine.storage import StoragePlace


def main(
    address: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free.")] = 8443,
    name: Annotated[str, typer.Option(help="What the certificate says the engine is called.")] = "localhost",
    password: Annotated[str, typer.Option(help="Of admin@internal.")] = "secret",
    ca_file: Annotated[Path | None, typer.Option(help="Where to write the certificate of its authority.")] = None,
    reach: Annotated[
        list[str] | None, typer.Option(help="An address at which it reaches a host; as often as you like.")
    ] = None,
    share: Annotated[
        list[str] | None, typer.Option(help="ADDRESS:/PATH of what its hosts can mount; likewise.")
    ] = None,
    self_hosted: Annotated[
        str, typer.Option(help="NAME=ADDRESS of the host on which its machine runs; empty: it runs elsewhere.")
    ] = "",
    storage: Annotated[str, typer.Option(help="ADDRESS:/VOLUME in which its machine lies then.")] = "node1:/engine",
) -> None:
    """Run a simulated oVirt engine until it is interrupted; then tell what it was asked and not told."""
    engine = SimEngine()
    engine.sso.passwords["admin"] = password
    engine.state.reachable.update(reach or ())
    engine.state.storage.update((place, StoragePlace()) for place in share or ())
    if self_hosted:
        host, _, at = self_hosted.partition("=")
        deploy_hosted_engine(engine.state, host=host, address=at, storage=storage, fqdn=name)
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
