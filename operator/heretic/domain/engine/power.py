"""What an engine knows of switching hosts, and the question after it: asked host by host, so not at every look."""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from heretic.domain.engine.record import NotUnderstoodError, Record, flag, identifier, items, number, text
from heretic.domain.facts import NOT_OBSERVED, Fact


@dataclass(frozen=True, slots=True)
class PowerOf:
    """A question after one host: one request, and one more for the test.

    Attributes:
        host: Id.
        tests: Whether it is asked besides whether the host has power, which the engine has a device tell.
        due: From when on by the engine's clock; None = now.
    """

    host: str
    tests: bool = False
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenAgent:
    """A fence agent; its password is never told.

    Attributes:
        options: Name and value.
    """

    id: str
    order: int | None
    type: str
    address: str
    port: int | None
    username: str
    options: frozenset[tuple[str, str]]
    encrypt_options: bool | None


@dataclass(frozen=True, slots=True)
class PowerTest:
    """What a test said.

    Attributes:
        state: "on", "off" and so on in the engine's words; "" where no device answered.
        message: Why none did.
    """

    state: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class HostPower:
    """What was answered of one host.

    Attributes:
        agents: All that it has.
        test: Not observed where it was not asked for.
    """

    agents: Fact[tuple[SeenAgent, ...]]
    test: Fact[PowerTest] = NOT_OBSERVED


def agent(record: Record) -> SeenAgent:
    """A fence agent."""
    return SeenAgent(
        id=identifier(record),
        order=number(record, "order"),
        type=text(record, "type"),
        address=text(record, "address"),
        port=number(record, "port"),
        username=text(record, "username"),
        options=frozenset((text(one, "name"), text(one, "value")) for one in items(record, "options") or ()),
        encrypt_options=flag(record, "encrypt_options"),
    )


def test_of(record: Record) -> PowerTest:
    """What the fence action ``status`` answered."""
    state = text(record.get("power_management") or {}, "status")
    if not state:
        raise NotUnderstoodError("the engine was asked whether the host has power, and does not say it")
    return PowerTest(state)


def password_key(host: str, order: int) -> str:
    """What a password of a fence agent is called, and the salt of its hash: unique in the world.

    Args:
        host: Id.
        order: Of the agent.
    """
    return f"{host}/{order}"


def password_hash(password: str, key: str, *, under: str) -> str:
    """Tells whether a password is another one; who does not know what it is hashed under cannot guess it from there.

    Args:
        password: A secret.
        key: Its name and salt.
        under: Another secret: the password with which Heretic logs in to the engine.
    """
    said = json.dumps([key, password]).encode()
    return hmac.digest(under.encode(), said, "sha256").hex()[:32]
