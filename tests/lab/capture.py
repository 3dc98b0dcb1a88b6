"""Captures what lab machines answer, for the tests of the parsers: `python -m lab.capture host node1 bricks`.

A host answers every question of a pass, in one script as the operator sends it. A trusted pool answers what the
operator asks of it, a file for each question. Both are kept below tests/data under the machines' platform.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from heretic.domain.commands import Output, Probe
from heretic.domain.pool.probes import pool_probes
from heretic.hosts.frames import parse_frames
from heretic.hosts.script import render_observation
from lab.__main__ import NodeName, State
from lab.errors import LabError
from lab.node import Node
from lab.shell import say
from lab.site import Site
from sim.asked import ASKED

DATA = Path(__file__).resolve().parents[1] / "data"
_FILES = {
    "gluster-volume-info": "volume-info.xml",
    "gluster-volume-status": "volume-status.xml",
    "gluster-volume-detail": "volume-status-detail.xml",
    "gluster-clients": "client-list.txt",
    "peers": "peer-status.xml",
}
"""Names of files by the probes that they answer."""

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command()
def host(
    node: NodeName,
    situation: Annotated[str, typer.Argument(help="What is to be seen there, such as blank or bricks.")],
    state: State = None,
) -> None:
    """Capture the answers of one host to everything that a pass asks it."""
    site = Site.open(state)
    sent = time.time()
    outputs = ask(_node(site, node), ASKED.probes)
    batch = {
        "sent_at": sent,
        "received_at": time.time(),
        "outputs": {name: [o.rc, o.stdout, o.stderr] for name, o in outputs.items()},
    }
    _write(DATA / "probes" / f"{site.spec.platform}-{situation}.json", json.dumps(batch, indent=1) + "\n")


@app.command()
def pool(
    node: NodeName,
    volume: Annotated[str, typer.Argument(help="Whose heal counts are asked for.")],
    situation: Annotated[str, typer.Option(help="What happened, such as node-dead; nothing: all is well.")] = "",
    state: State = None,
) -> None:
    """Capture what one member of the trusted pool answers about the pool and its volumes."""
    site = Site.open(state)
    peers = next(p for p in ASKED.probes if p.name == "peers")
    folder = DATA / "gluster" / site.spec.platform
    for name, output in ask(_node(site, node), (peers, *pool_probes((volume,)))).items():
        file = _FILES.get(name, "heal-summary.xml")
        _write(folder / "-".join(filter(None, (situation, file))), output.stdout)
        if output.rc or output.stderr:
            say(f"{name}: status {output.rc} {output.stderr.strip()}")


def ask(node: Node, probes: tuple[Probe[object], ...]) -> dict[str, Output]:
    """The answers by the name of the probe."""
    answer = node.ssh("sh -s", stdin=render_observation(probes), timeout=600)
    return {frame.name: frame.output for frame in parse_frames(answer.stdout.encode())}


def _node(site: Site, name: str) -> Node:
    if name not in site.nodes:
        raise LabError(f"no {name}; the site has {', '.join(site.nodes)}")
    return site.nodes[name]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    say(f"{len(text)} characters in {file}")


if __name__ == "__main__":
    try:
        app()
    except LabError as error:
        say(f"error: {error}")
        sys.exit(1)
