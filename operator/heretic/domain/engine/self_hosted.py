"""Whether an engine runs on its own hosts, and what that asks of them."""

from collections.abc import Iterable

from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.parse import domain_states
from heretic.domain.engine.site import EngineSite, hosts_of_site
from heretic.domain.facts import Known

_SELF_HOSTED = "SelfHosted"


def is_self_hosted(site: EngineSite) -> bool:
    """Whether the engine's machine runs on hosts of its own cluster: it is declared so, or a host says so."""
    if site.engine.spec.deployment.value == _SELF_HOSTED:
        return True
    return any(may_run_engine(host) for host in hosts_of_site(site) or ())


def may_run_engine(host: EngineHost) -> bool:
    """Whether a host has what it takes to run the engine's machine."""
    return host.hosted_engine is not None and host.hosted_engine.configured is True


def roles_are_told(hosts: Iterable[EngineHost]) -> bool:
    """Whether an engine tells which hosts may run its machine: some tell less than all content, whatever is asked for.

    A host that may not has nothing of it in its answer, and neither has any host of such an engine. What else is told
    only together with it shows which of the two it is.
    """
    return any(host.hosted_engine is not None or host.networks_changing is not None for host in hosts)


def master_is_active(site: EngineSite) -> bool:
    """Whether the data center's master storage domain is known to be active."""
    attached = site.facts.attached.get(site.data_center.id)
    listed = attached.value if isinstance(attached, Known) else ()
    return any(one.master and one.status == domain_states.ACTIVE for one in listed)
