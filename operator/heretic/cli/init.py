"""``heretic init``: the folder of a new site, from a few answers and from the hosts that are found."""

import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from heretic.api.v1alpha1.network import NetworkRole
from heretic.cli import render, wanted
from heretic.cli.address_plan import AddressPlan, Subnets, plan_addresses
from heretic.cli.adopted import NETWORK_NAMES
from heretic.cli.choose_hosts import chosen, enough
from heretic.cli.errors import fail
from heretic.cli.options import Exit
from heretic.cli.questions import ask
from heretic.cli.ranges import addresses_of, network_of
from heretic.cli.site_folder import NewHost, NewNetwork, NewSite, files_of
from heretic.cli.wanted import Wanted
from heretic.cli.yaml_text import load_documents
from heretic.domain.declared.validate import faults
from heretic.hosts.discovery import SshServer, find
from heretic.reconcile.store import ObjectStore

Finder = Callable[[Iterable[str], int], Awaitable[tuple[SshServer, ...]]]

WIDEST = 24
"""Prefix length of the smallest network that is guessed; homes and small offices have no smaller ones."""


async def run(asked: Wanted, *, yes: bool, finder: Finder = find) -> Exit:
    """Asks, finds the hosts, and writes the folder.

    Args:
        asked: What the options say.
        yes: Whether nothing is asked.
        finder: Finds SSH servers.

    Raises:
        HereticError: An option or an answer is wrong, the folder exists, or too few hosts were found.
    """
    asks = sys.stdin.isatty() and not yes
    wanted.check(asked)
    if not asks and not (asked.name and asked.ranges):
        raise fail("give --name and --address-range, or run this at a terminal, where it asks")
    if asked.folder or asked.name:
        _refuse_existing(_folder(asked))
    addresses = [str(a) for a in addresses_of(asked.ranges)] if asked.ranges else []
    if asks:
        asked, addresses = _questions(asked, addresses)
    folder = _folder(asked)
    render.progress(f"looking for SSH servers, {len(addresses)} addresses")
    found = await finder((a for a in addresses if a not in asked.excluded), asked.port)
    hosts = enough(chosen(found, asks=asks), asked)
    site = _site(asked, hosts)
    files = files_of(site)
    _prove(files, site.namespace)
    _write(folder, files)
    _tell(folder, site)
    return Exit.OK


def _folder(asked: Wanted) -> Path:
    return Path(asked.folder or asked.name or "")


def _refuse_existing(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise fail(f"{folder} exists, and nothing is overwritten: name another folder, or move this one away")
    if not folder.absolute().parent.is_dir():
        raise fail(f"{folder} cannot be made: there is no folder {folder.absolute().parent}")


def _questions(asked: Wanted, addresses: list[str]) -> tuple[Wanted, list[str]]:
    """Asks for what the options do not say."""
    if asked.name is None:
        read = wanted.name if asked.namespace else wanted.namespace
        asked = replace(asked, name=ask("Name of the site, and of its namespace", "home", read))
        _refuse_existing(_folder(asked))
    if not addresses:
        question = "Where to look for hosts, such as 192.168.1.0/24 or 192.168.1.10-20"
        text, found = ask(question, "", lambda answer: (answer, addresses_of((answer,))))
        asked, addresses = replace(asked, ranges=(text,)), [str(address) for address in found]
    if asked.user is None:
        asked = replace(asked, user=ask("Account that logs in on the hosts", "root", wanted.user))
    if asked.networks is None:
        question = "Network between the disks, if the hosts have a second one, such as 10.0.0.0/24"
        second = ask(question, "none", lambda answer: None if answer == "none" else wanted.subnet(answer))
        asked = replace(asked, networks={NetworkRole.GLUSTER: (second,)} if second else {})
    if not asked.volumes:
        question = "Size of the volume for virtual machines; it can become larger later"
        asked = replace(asked, volumes=(ask(question, "50Gi", wanted.default_volume),))
    return asked, addresses


def _site(asked: Wanted, servers: Sequence[SshServer]) -> NewSite:
    subnets = asked.networks or {}
    management = subnets.get(NetworkRole.MANAGEMENT) or (_management(asked.ranges, servers),)
    remark = (
        "" if NetworkRole.MANAGEMENT in subnets else "Guessed from where hosts were found: correct it if it differs."
    )
    networks = [_net(NetworkRole.MANAGEMENT, management, remark)]
    others = {role: subnet for role, subnet in subnets.items() if role is not NetworkRole.MANAGEMENT}
    networks += [_net(role, subnet) for role, subnet in others.items()]
    plan = _addresses(servers, {**subnets, NetworkRole.MANAGEMENT: management}, asked.offsets)
    hosts = []
    for number, (server, places) in enumerate(zip(servers, plan.nodes, strict=True), 1):
        disks = (asked.disks or {}).get(f"node{number}", ())
        key = (server.host_key, server.fingerprint, server.software)
        hosts.append(NewHost(f"node{number}", server.address, *key, addresses=places, disks=disks))
    strangers = sorted(set(asked.disks or {}) - {host.name for host in hosts})
    if strangers:
        names = ", ".join(host.name for host in hosts)
        raise fail(f"--disk names {', '.join(strangers)}, and the hosts that were found are {names}")
    name = str(asked.name)
    return NewSite(
        name=name,
        namespace=asked.namespace or name,
        user=asked.user or "root",
        port=asked.port,
        minimum_disk=asked.minimum_disk,
        hosts=tuple(hosts),
        networks=tuple(networks),
        volumes=asked.volumes or (wanted.default_volume("50Gi"),),
        plan=plan,
    )


def _addresses(
    servers: Sequence[SshServer], subnets: Mapping[NetworkRole, Subnets], offsets: Mapping[str, int]
) -> AddressPlan:
    return plan_addresses(
        [server.address for server in servers],
        _name_of(NetworkRole.MANAGEMENT),
        {_name_of(role): of_role for role, of_role in subnets.items()},
        offsets,
        _name_of(NetworkRole.GLUSTER),
    )


def _net(role: NetworkRole, subnets: Subnets, remark: str = "") -> NewNetwork:
    return NewNetwork(_name_of(role), role.value, tuple(map(str, subnets)), remark)


def _name_of(role: NetworkRole) -> str:
    return NETWORK_NAMES.get(role, role.value.lower())


def _management(ranges: Sequence[str], servers: Sequence[SshServer]) -> IPv4Network:
    """The network of the hosts: a range that was given as a network and has them all, else the smallest usual one."""
    addresses = [IPv4Address(server.address) for server in servers]
    given = [network for network in map(network_of, ranges) if network is not None and 8 <= network.prefixlen <= 30]
    guessed = IPv4Network((addresses[0], WIDEST), strict=False)
    while not all(address in guessed for address in addresses):
        guessed = guessed.supernet()
    return next((network for network in given if all(a in network for a in addresses)), guessed)


def _prove(files: Mapping[str, str], namespace: str) -> None:
    """Checks the manifests against all rules, before anything is written.

    Raises:
        HereticError: What was asked for breaks one.
    """
    store, problems = ObjectStore(), []
    for name in ("site.yaml", "networks.yaml", "nodes.yaml", "volumes.yaml"):
        for document in load_documents(files[name]):
            metadata = {**document["metadata"], "namespace": namespace, "uid": "", "generation": 1}
            stored = store.get(store.put(str(document["kind"]), {**document, "metadata": metadata}))
            if stored is not None and stored.error:
                problems.append(stored.error)
    problems += [fault.message for fault in faults(store.view(namespace))]
    if problems:
        raise fail(f"{'; '.join(problems)}. Nothing was written")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes all files or none: under another name first, which no program takes for the site."""
    _refuse_existing(folder)
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
        try:
            made.chmod(0o755)
            for name, text in files.items():
                (made / name).write_text(text, encoding="utf-8")
            made.rename(folder)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise fail(f"{folder} cannot be written: {error.strerror}") from None


def _tell(folder: Path, site: NewSite) -> None:
    print(f"{folder}/ describes the site {site.name} with {render.count(len(site.hosts), 'host')}:\n")
    for host in site.hosts:
        print(f"  {host.name}  {host.address}  {host.fingerprint}  {host.software}")
    files = sorted({host.key_file for host in site.hosts})
    print("\nCompare each fingerprint on the console of the host itself, not over SSH:\n")
    for file in files:
        print(f"  ssh-keygen -lf {file}")
    print("\nThen read and change the files, put them into Git, and see what would be done:\n")
    print(f"  heretic plan -f {folder} --namespace {site.namespace}")
    print(f"  kubectl apply --server-side -k {folder}")
