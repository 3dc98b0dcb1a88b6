"""How far engine-setup is, and how it failed, by what it says; and the answers that it is given."""

import re

from heretic.domain.errors import Reason
from heretic.domain.jobs import FailedJob

_STAGE = re.compile(r"^\[ INFO  \] Stage: (.+)$")
_ERROR = re.compile(r"^\[ ERROR \] (.+)$")

_ORDER = (
    "Initializing",
    "Environment setup",
    "Environment packages setup",
    "Programs detection",
    "Environment customization",
    "Setup validation",
    "Transaction setup",
    "Misc configuration (early)",
    "Package installation",
    "Misc configuration",
    "Transaction commit",
    "Closing up",
    "Clean up",
    "Pre-termination",
    "Termination",
)

_FAILURES = (
    (r"resolv|FQDN|host name", Reason.ENGINE_NAME_WRONG),
    (r"package|[Yy]um|dnf", Reason.PACKAGE_INSTALL_FAILED),
    (r"memory|space", Reason.DOES_NOT_FIT),
)


def setup_stage(line: str) -> tuple[str, int] | None:
    """The stage that a line names, with how much of all work is done when it begins, in percent; None for another."""
    found = _STAGE.match(line.strip())
    if not found:
        return None
    place = _ORDER.index(found[1]) if found[1] in _ORDER else 0
    return found[1].lower(), place * 100 // len(_ORDER)


def setup_failure(job: FailedJob) -> tuple[Reason, str]:
    """Why a setup failed: one of the known ways, and the last lines that mean something.

    Args:
        job: What became of it.
    """
    said = [found[1] for line in job.tail if (found := _ERROR.match(line.strip()))]
    text = "\n".join(said)
    reason = next((reason for pattern, reason in _FAILURES if re.search(pattern, text)), Reason.DEPLOYMENT_FAILED)
    return reason, " / ".join(said[-3:]) or job.why


def answers(fqdn: str, organization: str, *, firewall: bool) -> str:
    """What engine-setup is told; no secret is among it.

    Args:
        fqdn: Of the engine.
        organization: In its certificates.
        firewall: Whether firewalld runs, so that the ports are opened in it.
    """
    told = {
        "OVESETUP_DIALOG/confirmSettings": "bool:True",
        "OVESETUP_CONFIG/applicationMode": "str:both",
        "OVESETUP_CONFIG/fqdn": f"str:{fqdn}",
        "OVESETUP_CONFIG/updateFirewall": f"bool:{firewall}",
        "OVESETUP_CONFIG/firewallManager": "str:firewalld" if firewall else "none:None",
        "OVESETUP_CONFIG/storageIsLocal": "bool:False",
        "OVESETUP_CONFIG/sanWipeAfterDelete": "bool:False",
        "OVESETUP_CONFIG/websocketProxyConfig": "bool:True",
        "OVESETUP_CONFIG/keycloakEnable": "bool:False",
        "OVESETUP_ENGINE_CORE/enable": "bool:True",
        "OVESETUP_PKI/organization": f"str:{organization}",
        "OVESETUP_PROVISIONING/postgresProvisioningEnabled": "bool:True",
        "OVESETUP_DB/host": "str:localhost",
        "OVESETUP_DB/port": "int:5432",
        "OVESETUP_DWH_CORE/enable": "bool:True",
        "OVESETUP_DWH_PROVISIONING/postgresProvisioningEnabled": "bool:True",
        "OVESETUP_DWH_CONFIG/scale": "str:1",
        "OVESETUP_GRAFANA_CORE/enable": "bool:False",
        "OVESETUP_APACHE/configureRootRedirection": "bool:True",
        "OVESETUP_APACHE/configureSsl": "bool:True",
        "OVESETUP_VMCONSOLE_PROXY_CONFIG/vmconsoleProxyConfig": "bool:True",
        "OVESETUP_OVN/ovirtProviderOvn": "bool:True",
    }
    return "\n".join(["[environment:default]", *(f"{key}={value}" for key, value in told.items()), ""])
