"""Whether an engine runs on its own hosts, and what that asks of them."""

from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.site import EngineSite
from heretic.domain.facts import Known

_SELF_HOSTED = "SelfHosted"


def hosts_of_site(site: EngineSite) -> tuple[EngineHost, ...] | None:
    """The hosts of the site's cluster; None while they are not known."""
    hosts = site.facts.hosts
    return tuple(h for h in hosts.value if h.cluster == site.cluster.id) if isinstance(hosts, Known) else None


def is_self_hosted(site: EngineSite) -> bool:
    """Whether the engine's machine runs on hosts of its own cluster: it is declared so, or a host says so."""
    if site.engine.spec.deployment.value == _SELF_HOSTED:
        return True
    return any(may_run_engine(host) for host in hosts_of_site(site) or ())


def may_run_engine(host: EngineHost) -> bool:
    """Whether a host has what it takes to run the engine's machine."""
    return host.hosted_engine is not None and host.hosted_engine.configured is True


def master_is_active(site: EngineSite) -> bool:
    """Whether the data center's master storage domain is known to be active."""
    attached = site.facts.attached.get(site.data_center.id)
    return isinstance(attached, Known) and any(one.master and one.status == "active" for one in attached.value)
