"""What a storage domain is declared to be, in the engine's words."""

from dataclasses import dataclass

from heretic.api.v1alpha1.storage_domain import DomainSettings
from heretic.domain.commands import SecretRef
from heretic.domain.declared.names import same_name
from heretic.domain.engine.call import BodyElement, Fields, Thing
from heretic.domain.engine.facts import StorageDomain

GLUSTER = "glusterfs"
_BLOCK = frozenset({"iscsi", "fcp"})
_SERVERS = "backup-volfile-servers"


@dataclass(frozen=True, slots=True)
class Portal:
    """Where units of iSCSI are found.

    Attributes:
        address: Of the target's machine.
        port: TCP.
        target: Its IQN.
        user: For CHAP; None = without.
        password: Likewise.
    """

    address: str
    port: int
    target: str
    user: SecretRef | None = None
    password: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class DomainPlace:
    """Where a storage domain lies. Two domains are never in one place, so it tells which domain is meant.

    Attributes:
        storage: "glusterfs", "nfs", "posixfs", "iscsi" or "fcp".
        address: Host of a share; "" for what has none.
        path: Of a share.
        names: Other addresses that lead to the same share.
        vfs_type: Kind of filesystem, where the engine wants to be told.
        options: Of the mount, joined by commas.
        nfs_version: "" = the engine's choice.
        units: Ids of units of block storage.
        portal: Where they are, for iSCSI.
    """

    storage: str
    address: str = ""
    path: str = ""
    names: tuple[str, ...] = ()
    vfs_type: str = ""
    options: str = ""
    nfs_version: str = ""
    units: tuple[str, ...] = ()
    portal: Portal | None = None

    def is_at(self, domain: StorageDomain) -> bool:
        """Whether a domain lies here."""
        if domain.storage != self.storage:
            return False
        if self.storage in _BLOCK:
            return domain.units is not None and domain.units == frozenset(self.units)
        known = {same_name(name) for name in (self.address, *self.names)}
        return same_name(domain.address) in known and self._path(domain.path) == self._path(self.path)

    def holds(self, domain: StorageDomain) -> bool:
        """Whether a domain lies here, or in a folder of this volume."""
        known = {same_name(name) for name in (self.address, *self.names)}
        root = domain.path.strip("/").partition("/")[0]
        return domain.storage == self.storage and same_name(domain.address) in known and root == self.path.strip("/")

    def thing(self) -> Thing | None:
        """Whatever lies here, as a question to the engine; None for block storage, of which the engine keeps watch."""
        if self.storage in _BLOCK:
            return None
        paths = tuple(dict.fromkeys((self.path, self.path.strip("/")))) if self.storage == GLUSTER else (self.path,)
        known = tuple(dict.fromkeys(name for name in (self.address, *self.names) if name))
        where: Fields = (("storage.type", self.storage), ("storage.path", paths))
        return Thing("storagedomains", within=(*where, *((("storage.address", known),) if known else ())))

    def fields(self) -> Fields:
        """As the engine shows it, once a domain was made here."""
        if self.storage in _BLOCK:
            return (("storage.type", self.storage),)
        at = (("storage.address", self.address),) if self.address else ()
        return (("storage.type", self.storage), *at, ("storage.path", self.path))

    def body(self) -> BodyElement:
        """Likewise, as it is written."""
        if self.storage in _BLOCK:
            units = tuple(self._unit(unit) for unit in self.units)
            return BodyElement("storage", (BodyElement("logical_units", units), BodyElement("type", self.storage)))
        given = (
            ("address", self.address),
            ("mount_options", self.options),
            ("nfs_version", self.nfs_version),
            ("path", self.path),
            ("type", self.storage),
            ("vfs_type", self.vfs_type),
        )
        return BodyElement("storage", tuple(BodyElement(name, value) for name, value in given if value))

    def _unit(self, unit: str) -> BodyElement:
        at = self.portal
        if at is None:
            return BodyElement("logical_unit", (), id=unit)
        who = (("password", at.password), ("username", at.user))
        login = tuple(BodyElement(name, secret) for name, secret in who if secret is not None)
        where = BodyElement("address", at.address), BodyElement("port", at.port), BodyElement("target", at.target)
        return BodyElement("logical_unit", (*where, *login), id=unit)

    def lacks(self, domain: StorageDomain) -> str:
        """How the mount of a domain that lies here differs; "" where it does not.

        Which of a volume's servers stands first makes no difference, and options that nobody declared are left alone.
        """
        wanted, there = _options(self.options), _options(domain.mount_options)
        servers = {same_name(s) for s in (self.address, *wanted.pop(_SERVERS, "").split(":")) if s}
        named = {same_name(s) for s in (domain.address, *there.pop(_SERVERS, "").split(":")) if s}
        missing = sorted(servers - named) if self.storage == GLUSTER else []
        told = [f"does not name {', '.join(missing)} as a server"] if missing and len(servers) > 1 else []
        other = {name: value for name, value in wanted.items() if there.get(name) != value}
        told += [f"lacks {', '.join(f'{n}={v}' if v else n for n, v in sorted(other.items()))}"] if other else []
        return " and ".join(told)

    def _path(self, path: str) -> str:
        return path.strip("/") if self.storage == GLUSTER else path.rstrip("/") or path

    def __str__(self) -> str:
        if self.storage in _BLOCK:
            at = f" at {self.portal.address}:{self.portal.port} {self.portal.target}" if self.portal else ""
            return f"{self.storage} {' '.join(self.units)}{at}"
        where = f"{self.address}:{self.path}" if self.address else self.path
        more = ", ".join(text for text in (self.vfs_type, self.nfs_version, self.options) if text)
        return f"{self.storage} {where}" + (f" ({more})" if more and more != self.storage else "")


def _options(text: str) -> dict[str, str]:
    pairs = (option.strip().partition("=") for option in text.split(",") if option.strip())
    return {name: value for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class WantedDomain:
    """One storage domain as it shall be.

    Attributes:
        name: In the engine.
        purpose: "data", "iso" or "export".
        place: Where it lies.
        settings: What else is declared of it, by the names of the API.
    """

    name: str
    purpose: str
    place: DomainPlace
    settings: tuple[tuple[str, str | int], ...] = ()


def where(domain: StorageDomain) -> str:
    """Where a domain lies, for people."""
    if domain.units:
        return f"{domain.storage} {' '.join(sorted(domain.units))}"
    return f"{domain.storage} {domain.address}:{domain.path}" if domain.address else f"{domain.storage} {domain.path}"


def settings_of(declared: DomainSettings) -> tuple[tuple[str, str | int], ...]:
    """What else is declared of a domain, by the names of the API; what is not declared is left as it is."""
    given: tuple[tuple[str, str | int | None], ...] = (
        ("comment", declared.comment or None),
        ("description", declared.description or None),
        ("warning_low_space_indicator", declared.warning_low_space),
    )
    return tuple((name, value) for name, value in given if value is not None)
