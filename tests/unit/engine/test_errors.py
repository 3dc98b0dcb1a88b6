"""Each way in which a real engine of 4.5.7 refused something, and what it means to Heretic."""

from typing import Any

import pytest

from heretic.domain.errors import Bug, Failure, NeedsUser, Reason, Transient
from heretic.engine.errors import refused
from heretic.engine.transport import Reply
from unit.engine.recorded import exchanges, settings

ENGINE = settings(443, "")
DONE = {200, 201, 202, 401}


def judged(told: dict[str, Any], method: str) -> Failure:
    media = (told["headers"].get("Content-Type") or "").partition(";")[0]
    reply = Reply(told["status"], media, (told["body"] or "").encode())
    return refused(ENGINE, reply, "doing something", writing=method != "GET")


def named(scenario: str, method: str, path: str, wanted: str) -> dict[str, Any]:
    """The exchange whose note or body says so."""
    for one in exchanges(scenario):
        asked, told = one["request"], one["response"]
        if (asked["method"], asked["path"].removeprefix("/ovirt-engine/api")) != (method, path):
            continue
        if told["status"] not in DONE and wanted in f"{one.get('note', '')} {told['body'] or ''} {asked['body']}":
            return dict(told)
    raise LookupError(wanted)


CLUSTER = "cae31dce-8f73-454c-8556-5738a051ccc1"
NETWORK = "5a87c5e5-a0b9-4a4a-a5c7-f1d50929c33e"
NOBODY = "11111111-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    ("scenario", "method", "path", "wanted", "sort", "reason", "says"),
    [
        ("top", "GET", f"/clusters/{NOBODY}", "", Transient, Reason.ENGINE_OBJECT_GONE, "it is not there"),
        ("top", "GET", "/clusters/not-a-uuid", "", Transient, Reason.ENGINE_OBJECT_GONE, "it is not there"),
        ("networks", "DELETE", f"/networks/{NETWORK}", "again", Transient, Reason.ENGINE_OBJECT_GONE, "not there"),
        ("top", "GET", f"/hosts/{NOBODY}/nics", "", Transient, Reason.ENGINE_OBJECT_GONE, "Entity not found: Host"),
        ("datacenter-cluster", "POST", "/clusters", "nowhere", Transient, Reason.ENGINE_OBJECT_GONE, "name=nowhere"),
        ("top", "GET", "/nosuchthing", "", Bug, Reason.INTERNAL_ERROR, "no such path"),
        ("top", "POST", "/clusters", "other root", Transient, Reason.ENGINE_FAILED, "argument type mismatch"),
        ("datacenter-cluster", "POST", "/clusters", "unknown level", Transient, Reason.ENGINE_FAILED, "NullPointer"),
        ("top", "GET", "/clusters?follow=nosuch", "", Transient, Reason.ENGINE_NOT_ANSWERING, "HTTP 500 and a page"),
        ("top", "POST", "/clusters", "unknown element", Bug, Reason.INTERNAL_ERROR, "For correct usage"),
        ("top", "POST", "/clusters", "nosuch&quot;", Bug, Reason.INTERNAL_ERROR, "nosuch"),
        ("datacenter-cluster", "POST", "/datacenters", "no name", Bug, Reason.INTERNAL_ERROR, "data_center.local"),
        ("host-refused", "POST", "/hosts", "[address]", Bug, Reason.INTERNAL_ERROR, "Host [address] required"),
        ("host-refused", "POST", "/hosts", "empty password", NeedsUser, Reason.ENGINE_REFUSES, "empty password."),
        ("datacenter-cluster", "POST", "/datacenters", "name taken", NeedsUser, Reason.ENGINE_REFUSES, "in use."),
        (
            "datacenter-cluster",
            "POST",
            f"/clusters/{CLUSTER}/affinitygroups",
            "name taken",
            NeedsUser,
            Reason.ENGINE_REFUSES,
            "already exists.",
        ),
        (
            "networks",
            "POST",
            f"/networks/{NETWORK}/networklabels",
            "a second label",
            NeedsUser,
            Reason.ENGINE_REFUSES,
            "already labeled.",
        ),
        ("host-refused", "POST", "/hosts", "port closed", NeedsUser, Reason.ENGINE_REFUSES, "via SSH has failed"),
        ("host-refused", "POST", "/hosts", NOBODY, NeedsUser, Reason.ENGINE_REFUSES, "Cluster ID is not valid."),
        (
            "host-refused",
            "POST",
            "/hosts?deploy_hosted_engine=true",
            "",
            NeedsUser,
            Reason.ENGINE_REFUSES,
            "unmanaged hosted engine VM",
        ),
        ("top", "DELETE", "/clusters", "", Bug, Reason.INTERNAL_ERROR, "HTTP 405"),
        ("top", "POST", "/clusters", "name=x", Bug, Reason.INTERNAL_ERROR, "HTTP 415"),
    ],
)
def test_a_recorded_refusal_is_what_it_means(
    scenario: str, method: str, path: str, wanted: str, sort: type, reason: Reason, says: str
) -> None:
    failure = judged(named(scenario, method, path, wanted), method)
    assert isinstance(failure, sort)
    assert failure.reason is reason
    assert says in failure.message


@pytest.mark.parametrize("scenario", ["top", "datacenter-cluster", "networks", "host-refused"])
def test_every_recorded_refusal_is_one_line_without_a_page(scenario: str) -> None:
    for one in exchanges(scenario):
        if one["response"]["status"] in DONE:
            continue
        message = judged(one["response"], one["request"]["method"]).message
        assert "\n" not in message
        assert "<" not in message
        assert "home/engine" in message
        assert len(message) < 600


def fault(detail: str, reason: str = "Operation Failed") -> bytes:
    return f"<fault><detail>[{detail}]</detail><reason>{reason}</reason></fault>".encode()


@pytest.mark.parametrize(
    ("status", "media", "body", "sort", "reason"),
    [
        (
            409,
            "application/xml",
            fault("Cannot edit Host. Related operation is currently in progress. Please try again later."),
            Transient,
            Reason.ENGINE_BUSY,
        ),
        (
            409,
            "application/xml",
            fault("Cannot deactivate Storage. The relevant Storage Domain's status is Locked."),
            Transient,
            Reason.ENGINE_BUSY,
        ),
        (
            409,
            "application/xml",
            fault("Cannot restart Host. Due to intermittent connectivity, please wait 97 seconds"),
            Transient,
            Reason.ENGINE_BUSY,
        ),
        (
            409,
            "application/xml",
            fault("Cannot switch Host to Maintenance mode. Gluster quorum will be lost"),
            NeedsUser,
            Reason.ENGINE_REFUSES,
        ),
        (403, "application/xml", fault("User is not authorized"), NeedsUser, Reason.ENGINE_FORBIDS),
        (403, "text/html", b"<html>", NeedsUser, Reason.ENGINE_FORBIDS),
        (404, "text/html", b"<html>Not Found</html>", Transient, Reason.ENGINE_NOT_ANSWERING),
        (502, "text/html", b"<html>", Transient, Reason.ENGINE_NOT_ANSWERING),
        (503, "text/html", b"<html>", Transient, Reason.ENGINE_NOT_ANSWERING),
        (503, "", b"", Transient, Reason.ENGINE_NOT_ANSWERING),
        (409, "application/xml", b"<fault><det", NeedsUser, Reason.ENGINE_REFUSES),
        (
            409,
            "application/xml",
            b"<action><fault><detail>[Host is up]</detail></fault><status>failed</status></action>",
            NeedsUser,
            Reason.ENGINE_REFUSES,
        ),
    ],
)
def test_what_was_not_recorded_is_judged_by_status_and_media(
    status: int, media: str, body: bytes, sort: type, reason: Reason
) -> None:
    failure = refused(ENGINE, Reply(status, media, body), "doing something", writing=True)
    assert isinstance(failure, sort)
    assert failure.reason is reason
    assert "<" not in failure.message


def test_the_engines_own_words_stand_in_the_message_of_an_action() -> None:
    body = b"<action><fault><detail>[Host is up]</detail></fault><status>failed</status></action>"
    assert refused(ENGINE, Reply(409, "application/xml", body), "x", writing=True).message.endswith(": Host is up")


def test_long_words_are_cut() -> None:
    reply = Reply(409, "application/xml", fault("word " * 500))
    assert len(refused(ENGINE, reply, "x", writing=True).message) < 500
