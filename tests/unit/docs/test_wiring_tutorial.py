"""The wiring tutorial is done as it is written: its manifests on simulated hosts with its cables give what it shows."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from heretic.cli import render
from heretic.cli.declared import read_objects
from heretic.cli.screen import compose
from heretic.cli.status import picture
from heretic.cli.yaml_text import load_documents
from heretic.reconcile import outages
from sim.addresses import PREFIX
from sim.link_site import link_site
from sim.wires import SimWire
from sim.world import NAMESPACE
from unit.wiring.conftest import LinkWorld

PAGE = (Path(__file__).resolve().parents[3] / "docs/tutorial/wiring.md").read_text()
SECTIONS = re.split(r"^## (?:One|Two|Three|Four) networks?\n", PAGE, flags=re.MULTILINE)[1:]
SUBNET = "172.20.10."
"""Of the page; simulated hosts listen in another one."""

OFFICE, RACK, HALL = SimWire("a", {0: "mgmt"}), SimWire("b", {0: "gluster"}), SimWire("d", {0: "internal"})
TAGGED = SimWire("b", {0: "gluster", 12: "lan"})
CABLES: list[dict[str, SimWire | None]] = [
    {"eno1": OFFICE, "eno2": None, "eno3": None, "eno4": None},
    {"eno1": OFFICE, "eno2": RACK, "eno3": RACK, "eno4": None},
    {"eno1": OFFICE, "eno2": TAGGED, "eno3": TAGGED, "eno4": None},
    {"eno1": OFFICE, "eno2": TAGGED, "eno3": TAGGED, "eno4": HALL},
]
ANSWERING = {
    "mgmt": f"{PREFIX}1",
    "gluster": "172.20.11.200",
    "lan": "172.20.12.1",
    "internal": "172.20.13.200",
}


def blocks(section: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)


def manifests(number: int) -> list[dict[str, Any]]:
    """What has been written by the end of a section; a later Node stands for an earlier one."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for section in SECTIONS[: number + 1]:
        for text in blocks(section, "yaml"):
            for document in load_documents(text.replace(SUBNET, PREFIX)):
                found[document["kind"], document["metadata"]["name"]] = document
    return list(found.values())


def world_of(number: int) -> LinkWorld:
    site = link_site(nodes=3)
    site.there = {network: {address} for network, address in ANSWERING.items()}
    for links in site.links.values():
        for port, wire in CABLES[number].items():
            links.ports[port].wire = wire
    return LinkWorld(site)


def declare(world: LinkWorld, number: int) -> None:
    """Applies the manifests; each Node of the page stands for three hosts, and gets the way to its simulated one."""
    for key in [key for key in world.api.objects if key.kind in ("Network", "Node")]:
        del world.api.objects[key]
    for document in manifests(number):
        if document["kind"] != "Node":
            world.api.apply(document)
            continue
        for place, name in enumerate(world.site.servers, 1):
            way = world.site.node_spec(name)
            own = [e | {"address": f"{e['address'][:-1]}{place}"} for e in document["spec"].get("addresses", [])]
            spec = document["spec"] | {"address": way["address"], "ssh": way["ssh"], "hostKeys": way["hostKeys"]}
            world.api.apply(document | {"metadata": {"name": name}, "spec": spec | ({"addresses": own} if own else {})})


def is_proved(world: LinkWorld) -> bool:
    networks = [key.name for key in world.api.objects if key.kind == "Network"]
    return all(world.condition("Network", name, "MtuProved").get("status") == "True" for name in networks)


async def shown(world: LinkWorld) -> list[str]:
    """The tables of networks and links."""
    objects = await read_objects(world.api, NAMESPACE)  # type: ignore[arg-type]
    console = render.console(no_color=True, width=render.SCREEN)
    lines = [line.plain.rstrip() for line in picture(console, compose(NAMESPACE, objects, datetime.now(UTC)))]
    first = next(place for place, line in enumerate(lines) if line.startswith("NETWORK"))
    last = next(place for place, line in enumerate(lines) if line.startswith("LINKS OF"))
    end = next((place for place, line in enumerate(lines) if place > last and not line), len(lines))
    return [line.replace(PREFIX, SUBNET) for line in lines[first:end]]


@pytest.mark.parametrize("number", range(4), ids=["one", "two", "three", "four"])
async def test_the_manifests_and_cables_of_the_page_give_the_screen_of_the_page(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "APART", 0.0)
    async with world_of(number) as world:
        declare(world, number)
        await world.start_operator()
        await world.run(rounds=20, until=lambda: world.ready() and is_proved(world))
        found = await shown(world)
        assert world.site.refusals == []
    assert found == blocks(SECTIONS[number], "text")[-1].splitlines()
