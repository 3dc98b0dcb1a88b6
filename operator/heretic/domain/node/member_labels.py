"""The affinity labels of a Node's host in the engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from heretic.api.v1alpha1 import Node
from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Thing,
)
from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.site import LATER, EngineSite
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.plan import PlanItem, Wait


@dataclass(frozen=True, kw_only=True)
class AddAffinityLabel(EngineStep):
    """Makes an affinity label.

    Attributes:
        name: Of the label.
    """

    verb: ClassVar[str] = "AddAffinityLabel"

    name: str

    def call(self) -> EngineCall:
        """Where no label has its name."""
        body = BodyElement("affinity_label", (BodyElement("name", self.name),))
        return EngineCall(
            done=(Expectation(Thing("affinitylabels", name=self.name)),),
            request=EngineRequest(ApiMethod.ADD, "affinitylabels", body),
        )


@dataclass(frozen=True, kw_only=True)
class LabelHost(EngineStep):
    """Gives a host an affinity label.

    Attributes:
        host: Id of the host.
        label: Id of the label.
        name: Of the label.
    """

    verb: ClassVar[str] = "LabelHost"

    host: str
    label: str
    name: str

    def call(self) -> EngineCall:
        """Where it has it not."""
        path = f"hosts/{self.host}/affinitylabels"
        return EngineCall(
            done=(Expectation(Thing(path, id=self.label)),),
            guards=(Expectation(Thing("affinitylabels", id=self.label, name=self.name)),),
            request=EngineRequest(ApiMethod.ADD, path, BodyElement("affinity_label", (), id=self.label)),
        )


@dataclass(frozen=True, kw_only=True)
class UnlabelHost(EngineStep):
    """Takes an affinity label from a host.

    Attributes:
        host: Id of the host.
        label: Id of the label.
        name: Of the label.
    """

    verb: ClassVar[str] = "UnlabelHost"

    host: str
    label: str
    name: str

    def call(self) -> EngineCall:
        """The label itself stays."""
        path = f"hosts/{self.host}/affinitylabels"
        return EngineCall(
            done=(Expectation(Thing(path, id=self.label), there=False),),
            request=EngineRequest(ApiMethod.REMOVE, f"{path}/{self.label}"),
        )


def labels(node: Node, site: EngineSite, host: EngineHost) -> Iterator[PlanItem]:
    """What makes a host have exactly the declared labels; nothing where none are declared.

    Args:
        node: The Node.
        site: Where in the engine its site lives.
        host: The Node's host there.
    """
    declared = node.spec.affinity_labels
    if declared is None:
        return
    name, listed = node.metadata.name, site.facts.affinity_labels
    if isinstance(listed, Unknown | Absent):
        cause = listed.cause if isinstance(listed, Unknown) else "none were listed"
        yield Wait(Reason.NOT_OBSERVED, f"the engine's affinity labels are not known: {cause}", LATER)
        return
    assert isinstance(listed, Known)
    by_name = {label.name: label for label in listed.value}
    for wanted in declared:
        label = by_name.get(wanted)
        if label is None:
            yield AddAffinityLabel(engine=site.name, why=f"{name} shall have the affinity label {wanted}", name=wanted)
        elif host.id not in (label.hosts or ()):
            # An empty list looks as one that was not told; the step asks the host itself before it sends anything.
            why = f"{name} has not the affinity label {wanted}, which is declared"
            yield LabelHost(engine=site.name, why=why, host=host.id, label=label.id, name=wanted)
    for label in listed.value:
        if label.name not in declared and label.hosts is not None and host.id in label.hosts:
            why = f"{name} has the affinity label {label.name}, which is not declared"
            yield UnlabelHost(engine=site.name, why=why, host=host.id, label=label.id, name=label.name)
