"""How each host is reached: from the Site, the Node and the Secret that the Site names."""

from collections.abc import Callable
from typing import Protocol

from heretic.api.v1alpha1 import HostedEngine, Node, Site
from heretic.api.v1alpha1.site import SSH_PRIVATE_KEY, HostKeyPolicy
from heretic.domain.declared.validate import site_fault
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import ENGINE
from heretic.domain.errors import HereticError, NeedsUser, Reason, Transient
from heretic.domain.plan import Blocked, Wait
from heretic.hosts.settings import HostSettings

SECRET_KEY = SSH_PRIVATE_KEY
KEPT_SECONDS = 60.0
"""How long a private key is kept in memory; a rotated one is used after this time, or at once when it fails."""


class Secrets(Protocol):
    """Where private keys are kept: the API server, or the files that the command line was given."""

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret; None when it does not exist."""


class Access:
    """Gives the SSH settings of a node.

    Args:
        cluster: Where the Secret is.
        monotonic: Seconds.
    """

    def __init__(self, cluster: Secrets, *, monotonic: Callable[[], float]) -> None:
        self._cluster = cluster
        self._monotonic = monotonic
        self._keys: dict[tuple[str, str], tuple[float, str]] = {}

    async def settings(self, namespace: str, view: SiteView, node: Node) -> HostSettings:
        """How to reach one node.

        Raises:
            HereticError: NeedsUser, when there is no Site or the Secret is missing or empty.
        """
        site = _site_of(namespace, view)
        ssh = site.spec.ssh
        recorded = node.status.trusted_host_key
        return HostSettings(
            name=f"{namespace}/{node.metadata.name}",
            address=node.spec.address,
            port=node.spec.ssh.port or ssh.port,
            user=node.spec.ssh.user or ssh.user,
            private_key=await self._private_key(namespace, site),
            host_keys=tuple(node.spec.host_keys) or ((recorded,) if recorded else ()),
            certificate_authorities=tuple(ssh.host_certificate_authorities),
            trust_on_first_use=ssh.host_key_policy is HostKeyPolicy.TRUST_ON_FIRST_USE and not recorded,
        )

    async def machine(self, namespace: str, view: SiteView, engine: HostedEngine) -> HostSettings:
        """How to reach the machine of an engine: as a host, with an account and keys of its own.

        Raises:
            HereticError: NeedsUser, when there is no Site or the Secret is missing or empty.
        """
        site = _site_of(namespace, view)
        recorded = engine.status.trusted_host_key
        return HostSettings(
            name=machine_name(namespace, engine.metadata.name),
            address=engine.spec.address or engine.spec.fqdn,
            port=engine.spec.ssh.port,
            user=engine.spec.ssh.user,
            private_key=await self._private_key(namespace, site),
            host_keys=tuple(engine.spec.host_keys) or ((recorded,) if recorded else ()),
            certificate_authorities=tuple(site.spec.ssh.host_certificate_authorities),
            trust_on_first_use=site.spec.ssh.host_key_policy is HostKeyPolicy.TRUST_ON_FIRST_USE and not recorded,
        )

    def forget(self, namespace: str) -> None:
        """Reads the keys of a site afresh next time."""
        for key in [k for k in self._keys if k[0] == namespace]:
            del self._keys[key]

    async def _private_key(self, namespace: str, site: Site) -> str:
        name = site.spec.ssh.credentials_ref.name
        held = self._keys.get((namespace, name))
        if held is not None and self._monotonic() - held[0] < KEPT_SECONDS:
            return held[1]
        data = await self._cluster.secret(namespace, name)
        if data is None or not data.get(SECRET_KEY):
            what = f"has no key {SECRET_KEY}" if data is not None else "does not exist"
            how = f"kubectl -n {namespace} create secret generic {name} --from-file={SECRET_KEY}=<private key file>"
            message = f"Secret {name}, which Site {site.metadata.name} names in spec.ssh, {what}; make it: {how}"
            raise HereticError(NeedsUser(Reason.CREDENTIALS_MISSING, message))
        key = data[SECRET_KEY].decode(errors="replace")
        self._keys[(namespace, name)] = (self._monotonic(), key)
        return key


def machine_name(namespace: str, engine: str) -> str:
    """What the connection to an engine's machine is called; no Node can be called so.

    Args:
        namespace: Of the site.
        engine: Name of its object.
    """
    return f"{namespace}/{ENGINE} {engine}"


def _site_of(namespace: str, view: SiteView) -> Site:
    if view.site is not None:
        return view.site
    fault = site_fault(view) or Wait(Reason.SITE_NOT_FOUND, "there is no Site")
    kind = NeedsUser if isinstance(fault, Blocked) else Transient
    raise HereticError(kind(fault.reason, f"namespace {namespace}: {fault.message}"))
