"""The engine that a site declares: there is one at most."""

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.hosted_engine import Deployment
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Wait


def declared_engine(view: SiteView) -> HostedEngine | Wait | Blocked | None:
    """The engine of a site.

    Args:
        view: The declared site.

    Returns:
        None where the site declares none. One that is being deleted is not looked after any more.
    """
    names = sorted({*view.of(HostedEngine), *view.unread_of(HostedEngine.KIND)})
    if len(names) > 1:
        return Blocked(
            Reason.MORE_THAN_ONE_ENGINE,
            f"a site has one engine, and this one declares {len(names)} ({', '.join(names)}); delete all but one",
        )
    if view.unread_of(HostedEngine.KIND):
        return Blocked(
            Reason.INVALID_SPEC, f"this version cannot understand HostedEngine {names[0]}; see its conditions"
        )
    engine = next(iter(view.of(HostedEngine).values()), None)
    if engine is not None and engine.metadata.deletion_timestamp is not None:
        return Wait(Reason.DELETING, f"HostedEngine {engine.metadata.name} is being deleted")
    return engine


def makes_password(engine: HostedEngine) -> bool:
    """Whether Heretic makes up the password where none is given: of an engine that it deploys, until one was seen.

    One out of a backup has its password already.
    """
    spec = engine.spec
    restores = spec.self_hosted is not None and spec.self_hosted.restore is not None
    return spec.deployment is not Deployment.EXISTING and not engine.status.engine_id and not restores


def engine_name(view: SiteView) -> str:
    """Name of the engine's object, for a pass that has to look at it; "" where there is no one engine."""
    engine = declared_engine(view)
    return engine.metadata.name if isinstance(engine, HostedEngine) else ""
