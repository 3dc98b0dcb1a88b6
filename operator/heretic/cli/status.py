"""``heretic status``: the site on one screen, from what the operator last reported."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from heretic.cli import render
from heretic.cli.declared import connected, read_objects
from heretic.cli.errors import fail
from heretic.cli.kubeconfig import namespace_of
from heretic.cli.options import Exit, Format, Where
from heretic.cli.render import Cell
from heretic.cli.screen import Remark, Screen, compose
from heretic.cli.screen_links import MOST
from heretic.cluster.client import Cluster
from heretic.domain.errors import HereticError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

EVERY = 2.0
"""Seconds between two looks of --watch."""

OPERATOR_LEASE = ("heretic-system", "heretic-operator")

_STYLES = {
    "True": render.GOOD,
    "False": render.BAD,
    "Unknown": render.PENDING,
    "Degraded": render.PENDING,
    "Pending": render.DIM,
}


async def run(where: Where, output: Format, *, watch: bool, no_color: bool) -> Exit:
    """Reads the objects and shows them.

    Args:
        where: Which cluster and namespace.
        output: Text, or data.
        watch: Whether to stay and show changes.
        no_color: Whether the user wants no colours.

    Raises:
        HereticError: The API server does not answer, or there is nothing in the namespace.
    """
    namespace = where.namespace or namespace_of(where.kubeconfig, where.context)
    async with connected(where) as cluster:
        if watch:
            await _watch(cluster, namespace, no_color=no_color)
        screen = await look(cluster, namespace)
    if output is Format.TEXT:
        console = render.console(no_color=no_color, width=render.SCREEN)
        console.print(*picture(console, screen), sep="\n")
    else:
        render.write_data(screen.as_data(), output)
    return Exit.OK


async def look(cluster: Cluster, namespace: str) -> Screen:
    """The screen as of now.

    Raises:
        HereticError: The API server does not answer, or there is nothing in the namespace.
    """
    objects = await read_objects(cluster, namespace)
    if not objects:
        raise fail(f"namespace {namespace} has no objects of Heretic; give another one with --namespace")
    lease: dict[str, Any] | None = None
    with suppress(HereticError):  # most users may not read the operator's namespace
        lease = await cluster.read_lease(*OPERATOR_LEASE)
    return compose(namespace, objects, datetime.now(UTC), lease)


async def _watch(cluster: Cluster, namespace: str, *, no_color: bool) -> None:
    """Shows the screen again and again; keeps the last one, and says so, while the API server does not answer."""
    from rich.console import Group
    from rich.live import Live

    console = render.console(no_color=no_color, width=render.SCREEN)
    screen, banner = await look(cluster, namespace), ""
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            live.update(Group(*picture(console, screen, banner)), refresh=True)
            await asyncio.sleep(EVERY)
            try:
                screen, banner = await look(cluster, namespace), ""
            except HereticError as error:
                banner = banner or f"since {datetime.now().astimezone():%H:%M:%S}: {error.failure.message}"


def picture(console: "Console", screen: Screen, banner: str = "") -> list["Text"]:
    """The screen for people, line by line.

    Args:
        console: Gives the width.
        screen: What to show.
        banner: Why it is old; empty when it is not.
    """
    lines = render.paragraph(console, render.styled((f"What follows is old, {banner}", render.BAD))) if banner else []
    lines += _site(console, screen)
    if screen.nodes:
        rows = [[n.name, _state(n.ready), _state(n.reachable), n.role, n.disks, n.summary] for n in screen.nodes]
        lines += _section(render.columns(console, ["NODE", "READY", "REACHABLE", "ROLE", "DISKS", "STATUS"], rows))
    lines += _networks(console, screen)
    if screen.volumes:
        heads = ["VOLUME", "READY", "TOPOLOGY", "BRICKS", "HEAL", "USED", "STATUS"]
        rows = [[v.name, _state(v.ready), v.topology, v.bricks, v.heal, v.used, v.summary] for v in screen.volumes]
        lines += _section(render.columns(console, heads, rows))
    if screen.engines:
        heads = ["ENGINE", "READY", "UP", "VERSION", "HOSTS", "BACKUP", "MAINTENANCE", "STATUS"]
        rows = [
            [e.name, _state(e.ready), _state(e.up), e.version, e.hosts, e.backup, e.maintenance, e.summary]
            for e in screen.engines
        ]
        lines += _section(render.columns(console, heads, rows))
    lines += _remarks(console, "Now", screen.now)
    lines += _remarks(console, "Wrong", screen.wrong)
    for title, texts in (("Notes", screen.notes), ("Next", screen.next)):
        if texts:
            paragraphs = [line for text in texts for line in render.paragraph(console, text, 2)]
            lines += _section([render.styled((title, render.HEAD)), *paragraphs])
    return lines


def _site(console: "Console", screen: Screen) -> list["Text"]:
    states = (("Ready", screen.ready), ("Available", screen.available), ("N+1", screen.n_plus_one))
    parts: list[Cell] = [(f"Site {screen.site or '(none)'}", render.HEAD), f" in namespace {screen.namespace}"]
    for name, value in states:
        parts += [f"   {name} ", _state(value)]
    slot = f"Disruption slot: {screen.slot_holder or 'free'}" + "".join(f"   {v}" for v in screen.versions)
    return [*render.paragraph(console, render.styled(*parts)), *render.paragraph(console, slot)]


def _networks(console: "Console", screen: Screen) -> list["Text"]:
    """Networks, and the links of nodes: those that are wrong, and as many of the others as a screen bears."""
    lines: list[Text] = []
    if screen.networks:
        heads = ["NETWORK", "READY", "ROLE", "SUBNET", "VLAN", "MTU", "NODES", "STATUS"]
        rows = [[n.name, _state(n.ready), n.role, n.subnet, n.vlan, n.mtu, n.nodes, n.summary] for n in screen.networks]
        lines += _section(render.columns(console, heads, rows))
    if screen.links:
        heads = ["LINKS OF", "NETWORK", "GOOD", "ON", "PORTS", "MTU", "STATUS"]
        shown = [n for place, n in enumerate(screen.links) if place < MOST or n.state not in ("True", "-")]
        links: list[list[Cell]] = [[n.node, n.network, _state(n.state), n.on, n.ports, n.mtu, n.says] for n in shown]
        lines += _section(render.columns(console, heads, links))
        if len(shown) < len(screen.links):
            left = render.count(len(screen.links) - len(shown), "more link")
            lines += render.paragraph(console, f"and {left} without trouble; --output json shows all")
    return lines


def _remarks(console: "Console", title: str, remarks: tuple[Remark, ...]) -> list["Text"]:
    if not remarks:
        return []
    lines = [render.styled((title, render.HEAD))]
    for remark in remarks:
        since = f" for {remark.since}" if remark.since else ""
        head = f"{remark.object}, {render.words(remark.reason)}{since}: "
        lines += render.paragraph(console, render.styled((head, render.HEAD), remark.message), 2)
    return _section(lines)


def _section(lines: list["Text"]) -> list["Text"]:
    return [render.styled(""), *lines]


def _state(value: str) -> Cell:
    return (value, _STYLES.get(value, ""))
