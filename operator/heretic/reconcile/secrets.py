"""Values of Secrets for the steps that name them, looked up right before such a step is sent."""

from collections.abc import Iterable
from dataclasses import replace

from heretic.domain.commands import Action, Command, PutFile, Script, SecretRef, Trial
from heretic.domain.errors import HereticError, NeedsUser, Reason
from heretic.hosts.keys import public_line
from heretic.reconcile.access import Secrets


async def with_secrets(script: Script, namespace: str, secrets: Secrets) -> Script:
    """The script with each reference to a Secret replaced by the value.

    Args:
        script: How a step is done.
        namespace: Of the site.
        secrets: Where Secrets are read; each is read once.

    Raises:
        HereticError: NeedsUser, when a Secret or its key is missing or is not text.
    """
    values = await values_of(_references(script), namespace, secrets)
    if not values:
        return script
    return replace(
        script,
        done=tuple(_filled(c, values) for c in script.done),
        guards=tuple(_filled(c, values) for c in script.guards),
        actions=tuple(_filled_action(a, values) for a in script.actions),
        fallback=tuple(_filled_action(a, values) for a in script.fallback),
        trial=_filled_trial(script.trial, values) if script.trial else None,
    )


async def values_of(wanted: Iterable[SecretRef], namespace: str, secrets: Secrets) -> dict[SecretRef, str]:
    """The value of each reference.

    Args:
        wanted: References.
        namespace: Of the site.
        secrets: Where Secrets are read; each is read once.

    Raises:
        HereticError: NeedsUser, when a Secret or its key is missing or is not text.
    """
    refs = set(wanted)
    data = {name: await secrets.secret(namespace, name) for name in sorted({ref.name for ref in refs})}
    return {ref: _value(ref, namespace, data[ref.name]) for ref in refs}


def _references(script: Script) -> list[SecretRef]:
    contents = [a.content if isinstance(a, PutFile) else a.stdin for a in script.contents]
    return [content for content in contents if isinstance(content, SecretRef)]


def _value(ref: SecretRef, namespace: str, data: dict[str, bytes] | None) -> str:
    if data is None or not data.get(ref.key):
        what = f"has no key {ref.key}" if data is not None else "does not exist"
        how = f"kubectl -n {namespace} create secret generic {ref.name} --from-file={ref.key}=FILE"
        raise HereticError(NeedsUser(Reason.CREDENTIALS_MISSING, f"Secret {ref.name} {what}; make it: {how}"))
    try:
        text = data[ref.key].decode()
        return public_line(text) + "\n" if ref.public else text
    except ValueError:
        what = "no private key without passphrase" if ref.public else "not text (UTF-8)"
        message = f"the key {ref.key} of Secret {ref.name} is {what}; replace it"
        raise HereticError(NeedsUser(Reason.CREDENTIALS_MISSING, message)) from None


def _filled(command: Command, values: dict[SecretRef, str]) -> Command:
    if isinstance(command.stdin, SecretRef):
        return replace(command, stdin=values[command.stdin])
    return command


def _filled_trial(trial: Trial, values: dict[SecretRef, str]) -> Trial:
    revert = tuple(_filled_action(a, values) for a in trial.revert)
    return replace(trial, revert=revert, proof=tuple(_filled(c, values) for c in trial.proof))


def _filled_action(action: Action, values: dict[SecretRef, str]) -> Action:
    if isinstance(action, Command):
        return _filled(action, values)
    if isinstance(action.content, SecretRef):
        return replace(action, content=values[action.content], secret=True)
    return action
