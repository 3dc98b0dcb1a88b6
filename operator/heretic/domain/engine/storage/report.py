"""What is said of a storage domain."""

from heretic.api.v1alpha1.storage_domain import StorageDomainStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.engine.parse import states
from heretic.domain.engine.storage.plan import JudgedDomain
from heretic.domain.errors import Reason
from heretic.domain.plan import Step


def domain_condition(judged: JudgedDomain) -> Condition:
    """Whether guests can use a storage domain that is declared."""
    kind = ConditionType.STORAGE_DOMAIN_ACTIVE
    if judged.active and judged.found:
        whole = f"the storage domain {judged.found.name!r} is active"
        master = judged.attached is not None and judged.attached.master
        told = f"{whole} and holds the metadata of the data center" if master else whole
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, told)
    state = State.FALSE if judged.known else State.UNKNOWN
    item = judged.items[0]
    if isinstance(item, Step):
        return Condition(kind, state, Reason.WORK_IN_PROGRESS, item.why)
    return Condition(kind, state, item.reason, item.message)


def domain_status(judged: JudgedDomain, recorded: StorageDomainStatus | None) -> StorageDomainStatus | None:
    """What is recorded of it; None where it is known not to be there.

    Args:
        judged: As it was seen.
        recorded: As it was recorded before, which stays until the domain is seen or known to be gone.
    """
    if judged.found is None or not judged.known:
        return recorded if judged.blocked or not judged.known else None
    master = judged.attached.master if judged.attached else None
    state = states.shown(judged.state)
    return StorageDomainStatus(id=judged.found.id, name=judged.found.name, state=state, master=master)
