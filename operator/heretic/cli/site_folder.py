"""The files of a new site, with comments for the person who keeps them: pure, from what is wanted to texts."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from heretic.cli.address_plan import AddressPlan
from heretic.cli.render import count

API = "apiVersion: hvp.ovirt.life/v1alpha1"


@dataclass(frozen=True, slots=True)
class NewHost:
    """One host of the site.

    Attributes:
        name: Of its Node.
        address: Where SSH reaches it.
        host_key: The key that it showed.
        fingerprint: Of that key.
        software: What its SSH server calls itself.
        addresses: In Networks, by the name of the Network; the second one is of IPv6, beside one of IPv4.
        disks: Names below /dev/disk/by-id; empty = any blank disk.
    """

    name: str
    address: str
    host_key: str
    fingerprint: str
    software: str
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    disks: tuple[str, ...] = ()

    @property
    def key_file(self) -> str:
        """Where the host keeps the key that it showed."""
        kind = self.host_key.partition(" ")[0].removeprefix("ssh-").partition("-")[0]
        return f"/etc/ssh/ssh_host_{kind}_key.pub"


@dataclass(frozen=True, slots=True)
class NewNetwork:
    """One Network: its name, role and subnets, and what its reader should know of where these come from."""

    name: str
    role: str
    subnets: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class NewVolume:
    """One GlusterVolume."""

    name: str
    purpose: str
    size: str


@dataclass(frozen=True, slots=True)
class NewSite:
    """Everything that the files say.

    Attributes:
        name: Of the Site.
        namespace: Of its objects.
        user: Account that logs in.
        port: Of sshd.
        minimum_disk: Smaller disks are left alone.
        hosts: In the order in which they become node1, node2 and so on.
        networks: The first one is the management network.
        volumes: At least one.
        plan: Who has which address.
    """

    name: str
    namespace: str
    user: str
    port: int
    minimum_disk: str
    hosts: tuple[NewHost, ...]
    networks: tuple[NewNetwork, ...]
    volumes: tuple[NewVolume, ...]
    plan: AddressPlan


def files_of(site: NewSite) -> dict[str, str]:
    """Every file of the folder: its name and content."""
    return {
        "README.md": _readme(site),
        "kustomization.yaml": _kustomization(site),
        "site.yaml": _site(site),
        "networks.yaml": _networks(site),
        "nodes.yaml": _nodes(site),
        "volumes.yaml": _volumes(site),
    }


_PLAIN = re.compile("[A-Za-z][-A-Za-z0-9_.]*|[0-9]+(?:[.][0-9]+)?(?:Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)")
_WORDS = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null"})
"""What some readers of YAML take for something else than a text."""


def _scalar(text: str) -> str:
    """A text as all readers of YAML take it for one: a site may be called on or 1e3."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text)


def _kustomization(site: NewSite) -> str:
    return f"""\
# The whole site: kubectl apply --server-side -k .
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
# A namespace is a site. `heretic bootstrap` makes it, and the SSH key in it; it is not part of this folder, so that
# nothing that is done with the folder can delete it.
namespace: {_scalar(site.namespace)}
resources:
  - site.yaml
  - networks.yaml
  - nodes.yaml
  - volumes.yaml
commonAnnotations:
  # No GitOps tool shall delete a volume because a file was moved. A deleted object leaves the real thing alone
  # anyway (deletionPolicy: Orphan); these two keep the object as well.
  kustomize.toolkit.fluxcd.io/prune: disabled
  argocd.argoproj.io/sync-options: Prune=confirm,Delete=confirm
"""


def _site(site: NewSite) -> str:
    port = f"\n    port: {site.port}" if site.port != 22 else ""
    return f"""\
# What all hosts of the site share. All fields, explained: kubectl explain site.spec --recursive
{API}
kind: Site
metadata:
  name: {_scalar(site.name)}
spec:
  # Apply: make it so and keep it so. With Plan nothing is changed, and status.plan shows what would be done.
  mode: Apply
  domains:
    management: mgmt.private
    # Gluster will know node1 as node1.gluster.private. It can never change, so change it before the first apply.
    storage: gluster.private
  ssh:
    # Any account but root needs sudo without a password.
    user: {_scalar(site.user)}{port}
    # The Secret with the private key, from `heretic bootstrap`, which also prints the line for authorized_keys.
    credentialsRef:
      name: heretic-ssh
    # Only the keys that nodes.yaml lists are believed.
    hostKeyPolicy: Pinned
"""


def _networks(site: NewSite) -> str:
    return "---\n".join(_network(net) for net in site.networks)


_CARRIES = {
    "Management": "SSH, and later the engine.",
    "Gluster": "Traffic between the bricks and to their clients.",
    "LAN": "Users and shares.",
    "Internal": "Guests among themselves.",
    "OVN": "Tunnels of virtual networks.",
}


def _network(net: NewNetwork) -> str:
    remark = f"  # {net.remark}\n" if net.remark else ""
    alone = "# Heretic looks at networks and does not configure them.\n" if net.role == "Management" else ""
    return f"""\
{alone}# {_CARRIES[net.role]}
{API}
kind: Network
metadata:
  name: {net.name}
spec:
  role: {net.role}
{remark}  subnet: {_scalar(net.subnets[0])}
{"".join(f"  ipv6: {{subnet: {_scalar(one)}}}{chr(10)}" for one in net.subnets[1:])}"""


_NODES = """\
# The hosts. They need Debian 13 or 12, or EL 9, with sshd, the addresses below, and a blank data disk; nothing else.
#
# COMPARE THE HOST KEYS BEFORE YOU APPLY THIS. They were fetched over the network, where somebody else could have
# answered, and Heretic logs in as root to whoever has them. On the console of each host, not over SSH:
#
#   ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
#
# must print the fingerprint that stands above its key here.
#
# The name of a Node becomes part of the name that Gluster knows the host by. Rename before the first apply, not after.
"""


def _nodes(site: NewSite) -> str:
    nodes = "---\n".join("".join(_node(site, host, place == 0)) for place, host in enumerate(site.hosts))
    return _NODES + nodes


def _node(site: NewSite, host: NewHost, first: bool) -> Iterator[str]:
    yield f"""\
{API}
kind: Node
metadata:
  name: {host.name}
spec:
  address: {host.address}
  hostKeys:
    # {host.fingerprint}
    # ssh-keygen -lf {host.key_file}; the server is {host.software}
    - {host.host_key}
"""
    if host.addresses:
        yield "  # By the address plan (README.md). The host must have them, or gets them by `configureLinks: true`.\n"
        yield "  addresses:\n"
        for network, (address, *ipv6) in host.addresses.items():
            yield f"    - network: {network}\n      address: {_scalar(address)}\n"
            yield from (f"      ipv6: {_scalar(one)}\n" for one in ipv6)
    yield "  roles: [Storage]\n"
    if first and len(site.hosts) == 3:
        yield (
            "  # The weakest of three hosts becomes the arbiter: it holds names and no data, and its vote decides.\n"
            "  # To choose it yourself, write `arbiter: Always` there.\n"
        )
    if first and not host.disks:
        yield (
            "  # Auto takes blank disks of at least this size. A disk that carries anything is never touched.\n"
            "  # To name disks instead: {selection: ById, ids: [wwn-0x5000c500a1b2c3d4]}, from `ls /dev/disk/by-id`.\n"
        )
    yield "  disks:\n"
    if host.disks:
        yield "    selection: ById\n    ids:\n"
        yield from (f"      - {_scalar(disk)}\n" for disk in host.disks)
    else:
        yield f"    selection: Auto\n    minimumSize: {_scalar(site.minimum_disk)}\n"


def _volumes(site: NewSite) -> str:
    return """\
# What a volume is for decides nearly everything else: owner, options, thick or thin bricks, arbiter.
# All fields, explained: kubectl explain gvol.spec
#
# The size is what clients see. It may become larger later, and never smaller: begin small.
""" + "---\n".join(_volume(volume) for volume in site.volumes)


def _volume(volume: NewVolume) -> str:
    return f"""\
{API}
kind: GlusterVolume
metadata:
  name: {_scalar(volume.name)}
spec:
  purpose: {volume.purpose}
  size: {_scalar(volume.size)}
"""


def _readme(site: NewSite) -> str:
    hosts = "\n".join(
        f"| {host.name} | {host.address} | `{host.fingerprint}` | `{host.key_file}` |" for host in site.hosts
    )
    namespace = site.namespace
    reserved = "\n".join(f"| {one.who} | {one.network} | {_span(one.addresses)} |" for one in site.plan.reserved)
    left_out = "".join(f"\nNo address is kept for {one}.\n" for one in site.plan.left_out)
    return f"""\
# The site {site.name}

What Heretic keeps here: {count(len(site.hosts), "host")}, in the namespace `{namespace}`.
Change the files, commit, apply.

## Before the first apply

1. Compare the host keys. They were fetched over the network; the console of each host tells the truth:

   | node | address | fingerprint | on its console: `ssh-keygen -lf` |
   | --- | --- | --- | --- |
{_indented(hosts)}

2. `heretic bootstrap --namespace {namespace}` prints the line for `/root/.ssh/authorized_keys` of each host.
3. Read `nodes.yaml`: names of Nodes stay for ever, and disks that are blank will be used.

## Addresses

Those of hosts stand in `nodes.yaml`. These are kept free for what is declared later:

| what | network | addresses |
| --- | --- | --- |
{reserved}
{left_out}
## Apply

In this folder:

```
heretic plan -f . --namespace {namespace}
kubectl apply --server-side -k .
```

`heretic plan` shows what would be done on the hosts, and changes nothing.

## Watch

```
kubectl get hvp --namespace {namespace}
heretic status --namespace {namespace} --watch
```

## Keep it in Git

The folder holds no secret. The repository must be reachable while the site is down: do not keep it on this site only.
"""


def _span(addresses: tuple[str, ...]) -> str:
    return addresses[0] if len(addresses) == 1 else f"{addresses[0]} to {addresses[-1]}"


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())
