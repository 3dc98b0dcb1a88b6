"""What is known of the keytab of a host, and of the key that the domain has."""

import re
from dataclasses import dataclass

from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.ganesha.texts import KEYTAB
from heretic.domain.shares.kerberos.texts import has_kerberos
from heretic.domain.shares.samba.domain import has_domain
from heretic.domain.shares.samba.domain_facts import silent

_NO_SUCH_FILE = 2
_VERSION = re.compile(r"^msDS-KeyVersionNumber: (\d+)$", re.MULTILINE)
_NAME = re.compile(r"^servicePrincipalName: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DomainKey:
    """The account of the server in the domain.

    Attributes:
        version: Of its key; each change of the password counts one on.
        names: Of its services, in lower case.
    """

    version: int
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeytabFacts:
    """The keytab that Ganesha of one host reads.

    Attributes:
        keys: Version and principal of each key, never the key itself; Absent: there is no keytab.
    """

    keys: Fact[frozenset[tuple[int, str]]] = NOT_OBSERVED


@dataclass(frozen=True, slots=True)
class DomainKeyFacts:
    """What the domain tells one host.

    Attributes:
        key: Absent: no controller answers.
    """

    key: Fact[DomainKey] = NOT_OBSERVED


def parse_keytab(output: Output) -> Fact[frozenset[tuple[int, str]]]:
    """Parses ``net ads keytab list``, which asks no controller; 4.17 says first that smb.conf names no keytab."""
    if output.rc in (NOT_INSTALLED, _NO_SUCH_FILE):
        return Absent()
    return read(output, "net ads keytab list", _keys)


def _keys(text: str) -> frozenset[tuple[int, str]]:
    _, head, listed = text.partition("Vno ")
    if not head:
        raise NotUnderstood("there is no list of keys")
    rows = [line.split() for line in listed.splitlines()[1:] if line.strip()]
    return frozenset((int(row[0]), row[-1]) for row in rows)


def parse_domain_key(output: Output) -> Fact[DomainKey]:
    """Parses ``net ads search`` for the account of the server."""
    return Absent() if silent(output) else read(output, "net ads search", _domain_key)


def _domain_key(text: str) -> DomainKey:
    found = _VERSION.search(text)
    if found is None:
        raise NotUnderstood("there is no msDS-KeyVersionNumber")
    return DomainKey(int(found[1]), frozenset(name.lower() for name in _NAME.findall(text)))


_OWN_ACCOUNT = (
    'name=$(testparm --suppress-prompt --parameter-name="netbios name" 2>/dev/null) && '
    'net ads search -P "(sAMAccountName=$name\\$)" msDS-KeyVersionNumber servicePrincipalName'
)
_KEYTAB = Probe("keytab", ("net", "ads", "keytab", "list", KEYTAB), parse_keytab)
_DOMAIN_KEY = Probe("domain-key", ("sh", "-c", _OWN_ACCOUNT), parse_domain_key, timeout=10)


def _assemble_keytab(answers: Answers) -> KeytabFacts:
    return KeytabFacts(answers.parsed(_KEYTAB.name, parse_keytab))


def _assemble_key(answers: Answers) -> DomainKeyFacts:
    return DomainKeyFacts(answers.parsed(_DOMAIN_KEY.name, parse_domain_key))


KEYTABS: Section[KeytabFacts] = Section(
    name="Keytab",
    assemble=_assemble_keytab,
    unseen=KeytabFacts(),
    probes=(_KEYTAB,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=has_domain,
)
"""Asked wherever a domain is: it is taken away before the domain is left."""

DOMAIN_KEY: Section[DomainKeyFacts] = Section(
    name="DomainKey",
    assemble=_assemble_key,
    unseen=DomainKeyFacts(),
    probes=(_DOMAIN_KEY,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=has_kerberos,
)
