"""The lab by hand: `PYTHONPATH=tests uv run python -m lab up` and so on; see the README beside this file."""

import os
import sys
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
import yaml
from pydantic import ValidationError

from lab import booted, container, image, platforms, system
from lab.binaries import find_binaries
from lab.disks import Part
from lab.errors import LabError
from lab.node import Node
from lab.shell import say
from lab.site import Site
from lab.spec import NetworkName, SiteSpec

app = typer.Typer(help="A site of virtual machines on this machine.", no_args_is_help=True, add_completion=False)
State = Annotated[
    Path | None,
    typer.Option("--state", envvar="HERETIC_LAB_STATE", help="The folder of the site's disks, keys and state."),
]
NodeName = Annotated[str, typer.Argument(metavar="NODE", help="node1 ... node5")]
Network = Annotated[str, typer.Argument(metavar="NETWORK", help="mgmt, gluster, lan or internal")]


def _node(state: Path | None, name: str) -> Node:
    nodes = Site.open(state).nodes
    if name not in nodes:
        raise LabError(f"no {name}; the site has {', '.join(nodes)}")
    return nodes[name]


def _network(name: str) -> NetworkName:
    if name not in get_args(NetworkName):
        raise LabError(f"{name!r} is not a network: {', '.join(get_args(NetworkName))}")
    return cast("NetworkName", name)


@app.command()
def install() -> None:
    """Install the programs that the lab needs (Debian, Ubuntu)."""
    system.install()


@app.command("binaries")
def build_binaries() -> None:
    """Build the control plane's programs, if this machine has not got them yet; print where they are."""
    print(find_binaries().kubectl.parent)


@app.command("image")
def build_image() -> None:
    """Build the node image of the platform, if this machine has not got it yet; print where it is."""
    print(image.ensure(platforms.chosen()).folder)


@app.command("operator-image")
def build_operator_image(
    base: Annotated[str | None, typer.Option(help="The image to build upon, instead of one made here.")] = None,
) -> None:
    """Build the operator's container image, if this machine has not got it yet; print where its archive is."""
    system.install(container.PROGRAMS)
    built = container.ensure(base)
    print(f"{built.reference} is in {built.archive}")


@app.command()
def up(
    nodes: Annotated[int | None, typer.Option(min=1, max=5, help="How many equal nodes; 3 by default.")] = None,
    spec: Annotated[Path | None, typer.Option(exists=True, help="A YAML file with a SiteSpec.")] = None,
    state: State = None,
) -> None:
    """Bring a site up: the one that is there already, or a new one of 3 nodes with two blank disks each."""
    if spec is not None and nodes is not None:
        raise LabError("give --nodes or --spec, not both")
    if spec is not None:
        site = Site(SiteSpec.model_validate(yaml.safe_load(spec.read_text())), state)
    elif nodes is not None:
        site = Site(SiteSpec.uniform(nodes), state)
    else:
        site = _present(state) if Site.exists(state) else Site(state_dir=state)
    site.up()
    _print_status(site)


@app.command()
def down(state: State = None) -> None:
    """Remove the site: machines, networks, disks."""
    Site(state_dir=state).down()


@app.command()
def status(state: State = None) -> None:
    """Tell what there is."""
    _print_status(Site.open(state))


def _present(state: Path | None) -> Site:
    """The site that is there, unless another platform is asked for than its machines have."""
    site = Site.open(state)
    wanted = os.environ.get(platforms.VARIABLE)
    if wanted and platforms.named(wanted).name != site.spec.platform:
        raise LabError(f"the site in {site.state_dir} runs {site.spec.platform}; `down` it first to get {wanted}")
    return site


def _print_status(site: Site) -> None:
    print(f"platform {site.spec.platform}")
    for node in site.nodes.values():
        condition = "off" if not node.running else "up" if node.access.answers() else "on, no SSH"
        print(f"{node.name}  {node.address}  {node.storage_address}  {condition}")
        for disk in node.disks.values():
            kind = disk.spec.contents.kind if disk.spec.contents else "blank"
            where = disk.by_id or "no stable id"
            print(f"  {disk.name:8} {disk.spec.bus:6} {disk.spec.size:>6} {kind:10} {where}")
    print(f"key {site.key}\nknown hosts {site.known_hosts}\nconsoles {site.state_dir}/nodes/*/console.log")


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def ssh(
    node: NodeName,
    command: Annotated[list[str] | None, typer.Argument()] = None,
    user: Annotated[str, typer.Option(help="root or heretic")] = "root",
    state: State = None,
) -> None:
    """Log in, or run a command."""
    argv = [*_node(state, node).access.command(user), *(command or [])]
    os.execvp(argv[0], argv)


@app.command()
def snapshot(
    tag: str,
    cold: Annotated[bool, typer.Option(help="Shut the nodes down for it, and boot them again.")] = False,
    state: State = None,
) -> None:
    """Save the whole site, with memory."""
    Site.open(state).snapshot(tag, cold=cold)


@app.command()
def restore(tag: str, state: State = None) -> None:
    """Bring the whole site back to a saved state."""
    Site.open(state).restore(tag)


@app.command()
def reset(state: State = None) -> None:
    """Bring the whole site back to freshly installed, booted nodes with their original disks."""
    Site.open(state).reset()


@app.command()
def power_cut(node: NodeName, state: State = None) -> None:
    """Pull a node's plug."""
    _node(state, node).power_cut()


@app.command()
def power_on(node: NodeName, state: State = None) -> None:
    """Boot a node, and wait until it answers."""
    _node(state, node).power_on()


@app.command()
def reboot(node: NodeName, state: State = None) -> None:
    """Restart a node in an orderly way, and wait until it answers again."""
    _node(state, node).reboot()


@app.command()
def pause(node: NodeName, state: State = None) -> None:
    """Freeze a node: connections stay open, nothing answers."""
    _node(state, node).pause()


@app.command()
def resume(node: NodeName, state: State = None) -> None:
    """Let a frozen node go on."""
    _node(state, node).resume()


@app.command()
def cut_cable(
    node: NodeName,
    network: Network,
    carrier: Annotated[bool, typer.Option(help="The link stays up, frames are lost: a broken switch.")] = False,
    state: State = None,
) -> None:
    """Pull a network cable."""
    _node(state, node).cut_cable(_network(network), carrier=carrier)


@app.command()
def join_cable(node: NodeName, network: Network, state: State = None) -> None:
    """Plug a network cable in again."""
    _node(state, node).join_cable(_network(network))


@app.command()
def skew_clock(node: NodeName, seconds: float, state: State = None) -> None:
    """Set a node's clock that many seconds ahead of this machine's."""
    _node(state, node).skew_clock(seconds)


@app.command()
def pull_disk(node: NodeName, disk: str, state: State = None) -> None:
    """Take a disk out of a running node."""
    _node(state, node).pull_disk(disk)


@app.command()
def insert_disk(node: NodeName, disk: str, state: State = None) -> None:
    """Put a disk back into a running node."""
    _node(state, node).insert_disk(disk)


@app.command()
def damage_disk(
    node: NodeName,
    disk: str,
    parts: Annotated[list[str] | None, typer.Argument(help="head, tail or everywhere; none: all is well.")] = None,
    state: State = None,
) -> None:
    """Make parts of a disk unreadable."""
    for part in parts or []:
        if part not in get_args(Part):
            raise LabError(f"{part!r} is not a part of a disk: {', '.join(get_args(Part))}")
    _node(state, node).damage_disk(disk, *cast("list[Part]", parts or []))


@app.command()
def swap_disks(node: NodeName, disk: str, other_node: NodeName, other_disk: str, state: State = None) -> None:
    """Let two disks of nodes that are off change places."""
    Site.open(state).swap_disks((node, disk), (other_node, other_disk))


@app.command()
def checksum(node: NodeName, disk: str, state: State = None) -> None:
    """Print a hash of everything on a disk."""
    print(_node(state, node).checksum(disk))


@app.command()
def clean() -> None:
    """Remove kept booted nodes, and images of older recipes, of every platform from the cache."""
    if list(Path("/run/netns").glob("heretic-lab-*")):
        raise LabError("a site is up, and its disks build upon the cached ones: `down` it first")
    booted.forget(keep={image.folder_name(platform) for platform in platforms.PLATFORMS.values()})


def main() -> None:
    try:
        app()
    except (LabError, ValidationError) as error:
        say(f"error: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
