"""Secrets travel as references up to the moment in which a step is sent."""

import pytest

from heretic.domain.commands import Command, PutFile, Script, SecretRef, Trial
from heretic.domain.errors import HereticError, NeedsUser, Reason
from heretic.hosts.fence import Fence
from heretic.hosts.script import render_step
from heretic.reconcile.secrets import with_secrets

PASSWORD = SecretRef("domain-admin", "password")
JOIN = Script(
    done=(Command(("net", "ads", "testjoin"), stdin=PASSWORD),),
    guards=(Command(("true",)),),
    actions=(Command(("net", "ads", "join"), stdin=PASSWORD), PutFile("/etc/join", PASSWORD)),
    fallback=(Command(("net", "ads", "join", "-f"), stdin=PASSWORD),),
    trial=Trial("heretic-trial-join", (PutFile("/etc/join", PASSWORD),), (Command(("true",), stdin=PASSWORD),), 120),
)


class Stored:
    def __init__(self, **data: dict[str, bytes]) -> None:
        self.data = data
        self.read: list[tuple[str, str]] = []

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        self.read.append((namespace, name))
        return self.data.get(name)


async def test_a_step_gets_the_values_that_it_names_and_each_secret_is_read_once() -> None:
    stored = Stored(**{"domain-admin": {"password": "gr\u00fcn 7".encode()}})
    script = await with_secrets(JOIN, "demo", stored)
    assert stored.read == [("demo", "domain-admin")]
    assert script.done[0].stdin == "gr\u00fcn 7"
    first, file = script.actions
    assert isinstance(first, Command)
    assert isinstance(file, PutFile)
    assert (first.stdin, file.content, file.secret) == ("gr\u00fcn 7", "gr\u00fcn 7", True)
    assert isinstance(script.fallback[0], Command)
    assert script.fallback[0].stdin == "gr\u00fcn 7"
    assert script.trial is not None
    (taken_back,) = script.trial.revert
    assert isinstance(taken_back, PutFile)
    assert (taken_back.content, taken_back.secret, script.trial.proof[0].stdin) == ("gr\u00fcn 7", True, "gr\u00fcn 7")


async def test_a_step_without_secrets_reads_none() -> None:
    stored, plain = Stored(), Script(done=(Command(("true",)),), actions=())
    assert await with_secrets(plain, "demo", stored) is plain
    assert stored.read == []


def test_what_can_be_printed_of_a_step_shows_no_more_than_names() -> None:
    assert "gr\u00fcn" not in repr(JOIN)


def test_a_reference_that_nobody_looked_up_is_never_sent() -> None:
    with pytest.raises(HereticError, match="was not looked up"):
        render_step(JOIN, Fence())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Secret domain-admin does not exist; make it: kubectl -n demo create secret generic domain-admin"),
        ({"domain-admin": {}}, "Secret domain-admin has no key password"),
        ({"domain-admin": {"password": b""}}, "Secret domain-admin has no key password"),
        ({"domain-admin": {"password": b"\xff\xfe"}}, "is not text"),
    ],
    ids=["no Secret", "no key", "an empty value", "not text"],
)
async def test_a_secret_that_is_missing_is_told_with_what_to_do(data: dict[str, dict[str, bytes]], said: str) -> None:
    with pytest.raises(HereticError) as raised:
        await with_secrets(JOIN, "demo", Stored(**data))
    failure = raised.value.failure
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.CREDENTIALS_MISSING
    assert said in failure.message
