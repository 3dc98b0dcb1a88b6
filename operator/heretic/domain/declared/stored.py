"""What other objects' passes have written into their status, as far as it counts for a decision here."""

from heretic.api.v1alpha1 import GlusterVolume, Network, Node
from heretic.api.v1alpha1.common import StoredCondition
from heretic.domain.conditions import ConditionType, State


def stored_condition(resource: Node | GlusterVolume | Network, kind: ConditionType) -> StoredCondition | None:
    """A condition that was decided for the present spec; None when there is none, or only one of an older spec."""
    generation = resource.metadata.generation
    return next((c for c in resource.status.conditions if c.type == kind and c.observed_generation == generation), None)


def is_true(resource: Node | GlusterVolume, kind: ConditionType) -> bool:
    """Whether a condition is known to hold for the present spec."""
    found = stored_condition(resource, kind)
    return found is not None and found.status == State.TRUE


def why_not(resource: Node | GlusterVolume, kind: ConditionType) -> str:
    """What the object itself says about a condition that does not hold, for a message."""
    name, found = resource.metadata.name, stored_condition(resource, kind)
    if found is None:
        return f"{name} was not observed yet"
    return found.message if found.message.startswith(name) else f"{name}: {found.message or found.reason}"
