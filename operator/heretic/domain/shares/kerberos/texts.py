"""What is declared of Kerberos for NFS, and the script that keeps the keytab of a host."""

import re
from collections.abc import Iterable

from heretic.api.v1alpha1 import FileShare
from heretic.domain.declared.view import SiteView
from heretic.domain.host.rule import NOTE
from heretic.domain.shares.ganesha.texts import KEYTAB

SCRIPT = "/etc/ctdb/events/legacy/61.keytab.script"
"""CTDB's script that makes the keytab anew after some host has changed the password of the server."""
_SECRETS = "/var/lib/ctdb/persistent/secrets.tdb"
"""Where each host has what CTDB keeps for all of them, with the host's number behind it."""


def _word(text: str) -> str:
    """A word of a shell command; no name here has a quote in it."""
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) else f"'{text}'"


def wants_kerberos(share: FileShare) -> bool:
    """Whether clients of a share may prove by Kerberos who they are."""
    return share.spec.nfs is not None and share.spec.nfs.kerberos


def has_kerberos(view: SiteView) -> bool:
    """Whether clients of some share of a site may."""
    return any(map(wants_kerberos, view.of(FileShare).values()))


def service_name(share: FileShare) -> str:
    """The name that clients of a share ask tickets for, without the realm."""
    return f"nfs/{share.spec.host_name}"


def principal(share: FileShare) -> str:
    """The same with the realm."""
    assert share.spec.nfs is not None
    return f"{service_name(share)}@{share.spec.nfs.realm.upper()}"


def service_names(view: SiteView) -> tuple[str, ...]:
    """The names of all shares of a site, each once."""
    return tuple(sorted({service_name(share) for share in view.of(FileShare).values() if wants_kerberos(share)}))


def script(names: Iterable[str], number: int, *, synchronizes: bool) -> str:
    """Makes the keytab when it is asked to, and by itself when what CTDB keeps is newer: no operator is needed.

    It works in the background, because CTDB would take a host out whose script has to wait for a controller. Keys that
    are there stay: clients have tickets of before.

    Args:
        names: Of services.
        number: Of the host, as CTDB counts.
        synchronizes: Whether Samba knows ``sync machine password to keytab`` (since 4.21).
    """
    command = "\n\t".join(
        f"{' '.join(map(_word, argv))} || return 1" for argv in _commands(tuple(names), synchronizes=synchronizes)
    )
    return f"""\
#!/bin/sh
{NOTE}sync() {{
	{command}
	touch {KEYTAB}
}}
case $1 in
sync) sync; exit ;;
monitor) [ {KEYTAB} -nt {_SECRETS}.{number} ] || timeout 12 "$0" sync </dev/null >/dev/null 2>&1 & ;;
esac
exit 0
"""


def _commands(names: tuple[str, ...], *, synchronizes: bool) -> Iterable[tuple[str, ...]]:
    net = ("net", "ads", "keytab")
    if synchronizes:
        wanted = ":".join(f"spns={name}" for name in names)
        option = f"--option=sync machine password to keytab={KEYTAB}:{wanted}:sync_kvno:machine_password"
        yield (*net, "create", "-P", option)
        return
    place = ("--option=kerberos method=dedicated keytab", f"--option=dedicated keytab file={KEYTAB}")
    for name in names:
        yield (*net, "add", name, "-P", *place)
