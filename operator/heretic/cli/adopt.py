"""``heretic adopt``: manifests of what already runs on hosts, in mode Observe; changes nothing."""

import asyncio
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from heretic.api.parse import API_VERSION
from heretic.api.v1alpha1.site import HostKeyPolicy
from heretic.cli import render
from heretic.cli.adopted import FoundSite, manifests
from heretic.cli.adopted_engine import FoundEngine
from heretic.cli.declared import Keys
from heretic.cli.errors import fail
from heretic.cli.manifest import Manifest
from heretic.cli.observe import looking
from heretic.cli.offline import read_private_key
from heretic.cli.options import Exit
from heretic.cli.yaml_text import dump
from heretic.domain.declared.names import is_address
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.pool.look import POOL
from heretic.engine.engines import Engines
from heretic.engine.settings import EngineSettings
from heretic.hosts.errors import fingerprint_of
from heretic.reconcile.store import ObjectStore

LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
HERE = "adopt"
"""Namespace of the objects that exist in memory only."""

USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True, slots=True)
class EngineLogin:
    """Which engine the hosts belong to.

    Attributes:
        fqdn: Its name.
        address: Where it is; "" = where its name leads.
        user: Who logs in.
        password_file: File with the password.
        ca_file: File with the certificate that signs the engine's; None = nobody said so.
    """

    fqdn: str
    address: str
    user: str
    password_file: str
    ca_file: str | None

    @classmethod
    def parse(cls, engine: str, user: str, password_file: str | None, ca_file: str | None) -> "EngineLogin":
        """Reads the options.

        Raises:
            HereticError: The password is missing.
        """
        if not password_file:
            raise fail("--engine needs --engine-password-file FILE: a file with the password of --engine-user")
        fqdn, _, address = engine.partition("=")
        if address and not is_address(address):
            raise fail(f"--engine {engine!r}: {address!r} is no IP address; leave it out, and the name is resolved")
        return cls(fqdn, address, user, password_file, ca_file)

    @property
    def settings(self) -> EngineSettings:
        """How it is reached.

        Raises:
            HereticError: A file cannot be read.
        """
        host, _, port = self.fqdn.partition(":")
        if port and not port.isdecimal():
            raise fail(f"--engine {self.fqdn!r}: {port!r} is no TCP port")
        return EngineSettings(
            name=f"{HERE}/engine",
            fqdn=host,
            user=self.user,
            password=_content(self.password_file).strip(),
            ca=_content(self.ca_file) if self.ca_file else "",
            port=int(port or 443),
            address=self.address,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What to adopt.

    Attributes:
        addresses: Where SSH reaches each host, by the name it shall have as a Node.
        ports: Of sshd, where it is not ``port``.
        host_keys: Public key lines that the user gives for hosts, by name.
        user: Account to log in as.
        port: Of sshd.
        site: Name of the Site.
        namespace: Of the manifests; empty = they name none.
    """

    addresses: Mapping[str, str]
    ports: Mapping[str, int]
    host_keys: Mapping[str, str]
    user: str
    port: int
    site: str
    namespace: str

    @classmethod
    def parse(
        cls, hosts: Sequence[str], host_keys: Sequence[str], *, user: str, port: int, site: str, namespace: str
    ) -> "Request":
        """Reads the options.

        Raises:
            HereticError: An option is not of the form NAME=VALUE, a name is no name, or is there twice.
        """
        places = {name: _place(text) for name, text in _pairs("--host", "NAME=ADDRESS[:PORT]", hosts).items()}
        addresses = {name: address for name, (address, _) in places.items()}
        ports = {name: own for name, (_, own) in places.items() if own is not None and own != port}
        keys = _pairs("--host-key", "NAME=KEY", host_keys)
        strangers = [name for name in keys if name not in addresses]
        if strangers:
            raise fail(f"--host-key names {', '.join(strangers)}, but there is no --host of that name")
        for name in (*addresses, site, *([namespace] if namespace else [])):
            if not LABEL.fullmatch(name):
                raise fail(f"{name!r} is no name: use lower-case letters, digits and dashes, such as node1")
        for name, line in keys.items():
            try:
                fingerprint_of(line)
                keys[name] = " ".join(line.split()[:2])
            except ValueError as error:
                raise fail(f"--host-key {name}: not an OpenSSH public key ({error})") from None
        return cls(addresses, ports, keys, user, port, site, namespace)


async def run(request: Request, identity: str | None, *, trust: bool, engine: EngineLogin | None = None) -> Exit:
    """Observes the hosts and prints manifests.

    Args:
        request: What to adopt.
        identity: Private key file; None = the first usual one of the user.
        trust: Whether a host without given key is believed now.
        engine: The engine that the hosts belong to; None = it is not asked.

    Raises:
        HereticError: A host or the engine could not be observed.
    """
    found_engine = await _engine(engine) if engine else None
    keys = Keys(read_private_key(identity or _usual_key()), {}, None)
    store = _declared(request, trust=trust)
    view = store.view(HERE)
    async with looking(keys) as (observer, hosts):
        nodes = view.nodes.values()
        render.progress(f"looking at {render.count(len(nodes), 'host')}")
        seen = await asyncio.gather(*(observer.host(HERE, view, node, inf) for node in nodes))
        views = dict(zip(view.nodes, seen, strict=True))
        facts = _all_seen(views)
        pool = await observer.shared(POOL, HERE, view, views, inf)
        presented = {name: hosts.trusted_key(f"{HERE}/{name}") for name in request.addresses}
    pinned = {name: request.host_keys.get(name) or presented[name] or "" for name in request.addresses}
    for name, line in pinned.items():
        how = "as given" if name in request.host_keys else "believed on first use: compare it on the host's console"
        render.note(f"{name} ({request.addresses[name]}): host key {fingerprint_of(line)}, {how}")
    addresses = {name: await _resolved(address) for name, address in request.addresses.items()}
    found = FoundSite(
        site=request.site,
        namespace=request.namespace,
        user=request.user,
        port=request.port,
        addresses=request.addresses,
        ports=request.ports,
        ips=addresses,
        host_keys=pinned,
        hosts=facts,
        pool=pool.value if isinstance(pool, Known) else None,
        engine=found_engine,
    )
    made, left_out = manifests(found)
    _write(made)
    for reason in left_out:
        render.note(reason)
    if not isinstance(pool, Known):
        render.note("no volumes were told: " + (getattr(pool, "cause", "") or "Gluster is not installed"))
    return Exit.OK


async def _engine(request: EngineLogin) -> FoundEngine:
    settings = request.settings
    render.progress(f"looking at the engine {settings.fqdn}")
    engines = Engines()
    try:
        facts = await engines.look(settings)
    finally:
        await engines.close()
    return FoundEngine(settings.fqdn, settings.address, settings.port, settings.ca, facts)


def _content(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{path} cannot be read: {error}") from None


def _pairs(option: str, form: str, values: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name or not rest:
            raise fail(f"{option} {value!r} is not of the form {form}")
        if name in pairs:
            raise fail(f"{option} names {name} twice")
        pairs[name] = rest
    return pairs


def _place(text: str) -> tuple[str, int | None]:
    """An address with the port that may follow it."""
    address, colon, port = text.partition(":")
    if colon and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise fail(f"--host {text!r}: {port!r} is no TCP port; IPv6 addresses are not supported")
    return address, int(port) if colon else None


def _usual_key() -> str:
    folder = Path.home() / ".ssh"
    usual = next((folder / name for name in USUAL_KEYS if (folder / name).exists()), None)
    if usual is None:
        raise fail(f"no private key: none of {', '.join(USUAL_KEYS)} is in {folder}; give --identity FILE")
    return str(usual)


def _declared(request: Request, *, trust: bool) -> ObjectStore:
    """The least that the observer needs, in memory: a Site and Nodes."""
    store = ObjectStore()
    policy = HostKeyPolicy.TRUST_ON_FIRST_USE if trust else HostKeyPolicy.PINNED
    ssh = {"user": request.user, "port": request.port, "hostKeyPolicy": policy.value}
    specs: list[tuple[str, str, dict[str, Any]]] = [("Site", request.site, {"ssh": ssh})]
    for name, address in request.addresses.items():
        key = request.host_keys.get(name)
        own = {"port": request.ports[name]} if name in request.ports else {}
        specs.append(("Node", name, {"address": address, "ssh": own, "hostKeys": [key] if key else []}))
    for kind, name, spec in specs:
        metadata = {"name": name, "namespace": HERE, "uid": "", "generation": 1}
        stored = store.get(store.put(kind, {"apiVersion": API_VERSION, "metadata": metadata, "spec": spec}))
        if stored is not None and stored.error:
            raise fail(stored.error)
    return store


def _all_seen(views: Mapping[str, HostView]) -> dict[str, HostFacts]:
    facts = {name: view for name, view in views.items() if isinstance(view, HostFacts)}
    for view in views.values():
        if not isinstance(view, HostFacts):
            render.note(view.message)
    if len(facts) < len(views):
        missing = ", ".join(name for name in views if name not in facts)
        raise fail(
            f"{missing} could not be observed, so nothing is printed. A host key that you have compared with the "
            "console is given as --host-key NAME='ssh-ed25519 AAAA…'; --trust-on-first-use believes any"
        )
    return facts


async def _resolved(address: str) -> str:
    """The IPv4 address of a host; empty when the name is not known here."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address, None, family=socket.AF_INET)
    except OSError:
        return ""
    return str(found[0][4][0]) if found else ""


def _write(documents: Sequence[Manifest]) -> None:
    for place, document in enumerate(documents):
        if place:
            sys.stdout.write("---\n")
        for line in document.remarks:
            sys.stdout.write(f"# {line}\n")
        sys.stdout.write(dump(document.object))
