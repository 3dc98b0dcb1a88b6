"""When an engine is asked about switching a host: while it is not as declared, and once an hour."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.power import PowerManagement, PowerManagementStatus
from heretic.domain.commands import SecretRef
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.power import PowerOf, password_key

FAILING = "Failing"
"""State of a host whose devices do not answer."""

_AGAIN = timedelta(hours=1)
_SOONER = timedelta(minutes=10)
"""Until a test that failed is repeated."""
_UP = "Up"
PASSWORD = "password"  # noqa: S105 - the name of a key
"""Key of the Secret that a fence agent names."""


def declaration_hash(power: PowerManagement) -> str:
    """Tells one declaration from another; what is secret is not in it."""
    return hashlib.sha256(power.model_dump_json().encode()).hexdigest()[:16]


def power_questions(view: SiteView) -> Iterator[PowerOf]:
    """What is asked at the next look; where all is as declared, only once it is due."""
    for node in view.nodes.values():
        power, engine = node.spec.power_management, node.status.engine
        if power is None or engine is None or not engine.id or node.spec.maintenance:
            continue
        seen = node.status.power_management or PowerManagementStatus()
        tests = power.enabled and can_be_tested(node, view)
        if seen.applied != declaration_hash(power):
            yield PowerOf(engine.id)
        elif tests and not seen.tested:
            yield PowerOf(engine.id, tests=True)
        else:
            after = _SOONER if seen.state == FAILING else _AGAIN
            yield PowerOf(engine.id, tests, datetime.fromisoformat(seen.checked) + after if seen.checked else None)


def can_be_tested(node: Node, view: SiteView) -> bool:
    """Whether another host is up: the engine has one of them speak to the device."""
    own = node.metadata.name
    return any(
        other.status.engine is not None and other.status.engine.state == _UP
        for name, other in view.nodes.items()
        if name != own
    )


def declared_passwords(view: SiteView) -> Mapping[str, SecretRef]:
    """Where the password of each declared fence agent is."""
    return {
        password_key(node.status.engine.id, agent.order): SecretRef(agent.credentials_ref.name, PASSWORD)
        for node in view.nodes.values()
        if node.spec.power_management is not None and node.status.engine is not None and node.status.engine.id
        for agent in node.spec.power_management.agents
    }
