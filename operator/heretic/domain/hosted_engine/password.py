"""The password of an engine that Heretic deploys: made by chance where nobody gave one, before anything is deployed."""

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.errors import Failure, NeedsUser, Reason
from heretic.domain.generated import GeneratePassword
from heretic.domain.plan import Plan, Proceed, obstacles_of

USUAL_USER = "admin@internal"
"""Who logs in where the Secret names nobody: every engine has this user."""


def with_password(plan: Plan, engine: HostedEngine, why: Failure) -> Plan:
    """A plan that deploys an engine, with the password before it where there is none yet.

    Args:
        plan: What is done next, where no engine ever was.
        engine: What is declared.
        why: Why no engine was seen.
    """
    if why.reason is not Reason.CREDENTIALS_NOT_MADE:
        return plan
    secret, name = engine.spec.credentials_ref.name, engine.metadata.name
    step = GeneratePassword(
        why=f"there is no Secret {secret}, and the engine that is deployed needs a password",
        secret=secret,
        user=USUAL_USER,
        made_for=f"HostedEngine/{name}",
    )
    return Proceed((step,), obstacles_of(plan))


def lost_password(engine: HostedEngine, why: Failure) -> Failure:
    """Of an engine that was deployed and not seen: its password was in the Secret, and a new one would not open it.

    Args:
        engine: What is declared.
        why: Why no engine was seen.
    """
    if why.reason is not Reason.CREDENTIALS_NOT_MADE:
        return why
    return NeedsUser(
        Reason.CREDENTIALS_MISSING,
        f"Secret {engine.spec.credentials_ref.name} is gone, and an engine was deployed with the password in it. Make "
        "the Secret again with that password, or set a new one on the engine's machine with "
        "`ovirt-aaa-jdbc-tool user password-reset admin`",
    )
