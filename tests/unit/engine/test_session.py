"""Logging in to an engine, and the ways in which that fails: as a real engine of 4.5.7 answered."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from heretic.domain.errors import Bug, HereticError, NeedsUser, Reason, Transient
from heretic.engine import transport
from heretic.engine.engines import Engines
from unit.engine.conftest import Authority, Site
from unit.engine.recorded import RecordedEngine, response, running, settings, sso_answer


async def fails(engines: Engines, site: Site, **changed: Any) -> NeedsUser | Transient | Bug:
    with pytest.raises(HereticError) as raised:
        await engines.look(site.settings(**changed))
    assert "correct horse" not in str(raised.value)
    assert "<html" not in str(raised.value)
    return raised.value.failure


async def test_who_looks_twice_logs_in_once(engines: Engines, site: Site) -> None:
    await engines.look(site.settings())
    await engines.look(site.settings())
    assert site.engine.logins == 1


async def test_who_looks_side_by_side_logs_in_once(engines: Engines, site: Site) -> None:
    await asyncio.gather(*(engines.look(site.settings()) for _ in range(4)))
    assert site.engine.logins == 1


@pytest.mark.parametrize("note", ["wrong password", "unknown user", "unknown profile", "no profile"])
async def test_wrong_credentials_are_400_with_swapped_keys_and_need_a_person(
    engines: Engines, site: Site, note: str
) -> None:
    site.engine.login_answer = sso_answer(note)
    failure = await fails(engines, site)
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.ENGINE_LOGIN_REFUSED
    assert "Cannot authenticate user" in failure.message


async def test_the_keys_of_another_scope_are_read_too(engines: Engines, site: Site) -> None:
    site.engine.login_answer = sso_answer("other scope, wrong password")
    failure = await fails(engines, site)
    assert failure.reason is Reason.ENGINE_LOGIN_REFUSED
    assert "Cannot authenticate user" in failure.message


async def test_a_login_that_the_engine_does_not_understand_is_our_mistake(engines: Engines, site: Site) -> None:
    site.engine.login_answer = sso_answer("no user name")
    assert isinstance(await fails(engines, site), Bug)


async def test_a_wrong_password_is_used_once_and_not_in_every_request(engines: Engines, site: Site) -> None:
    failure = await fails(engines, site, password="wrong horse")
    assert failure.reason is Reason.ENGINE_LOGIN_REFUSED
    assert "wrong horse" not in failure.message
    assert site.engine.requests == []


async def test_a_token_that_expired_is_401_with_a_page_and_leads_to_one_login(engines: Engines, site: Site) -> None:
    await engines.look(site.settings())
    site.engine.tokens.clear()
    await engines.look(site.settings())
    assert site.engine.logins == 2


async def test_a_session_that_is_refused_right_after_a_login_needs_a_person(engines: Engines, site: Site) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return response(sso_answer("after revoke"))

    site.engine.fault = refuse
    failure = await fails(engines, site)
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.ENGINE_LOGIN_REFUSED
    assert site.engine.logins == 2


async def test_another_password_opens_another_session_and_ends_the_one_before(engines: Engines, site: Site) -> None:
    await engines.look(site.settings())
    site.engine.password = "battery staple"
    await engines.look(site.settings(password="battery staple"))
    assert site.engine.tokens == {"token-2"}


async def test_a_session_ends_in_the_engine_too(site: Site) -> None:
    engines = Engines()
    await engines.look(site.settings())
    await engines.close()
    assert site.engine.tokens == set()


async def test_an_engine_that_is_no_longer_declared_is_forgotten(engines: Engines, site: Site) -> None:
    await engines.look(site.settings())
    await engines.forget("home/engine")
    assert site.engine.tokens == set()
    assert engines.counters == {}


@pytest.mark.parametrize(
    ("changed", "reason", "says"),
    [
        ({"port": 1}, Reason.ENGINE_UNREACHABLE, "cannot connect"),
        ({"fqdn": "engine.invalid"}, Reason.NAME_NOT_RESOLVED, "does not resolve"),
        ({"ca": "no certificate"}, Reason.INVALID_SPEC, "no PEM certificate"),
    ],
)
async def test_what_cannot_be_reached_says_why(
    engines: Engines, site: Site, changed: dict[str, Any], reason: Reason, says: str
) -> None:
    failure = await fails(engines, site, **changed)
    assert failure.reason is reason
    assert says in failure.message
    assert "home/engine" in failure.message


async def test_what_does_not_speak_tls_is_no_engine(engines: Engines, authority: Authority) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HereticError) as raised:
            await engines.look(settings(port, authority.pem))
    assert raised.value.failure.reason is Reason.ENGINE_UNREACHABLE
    assert "TLS" in raised.value.failure.message


async def test_a_certificate_of_another_authority_is_never_believed(
    engines: Engines, authority: Authority, stranger: Authority
) -> None:
    engine = RecordedEngine()
    async with running(engine, stranger.server()) as port:
        with pytest.raises(HereticError) as raised:
            await engines.look(settings(port, authority.pem))
    assert isinstance(raised.value.failure, NeedsUser)
    assert raised.value.failure.reason is Reason.ENGINE_CERTIFICATE_MISMATCH
    assert engine.logins == 0


@pytest.mark.parametrize(
    ("name", "days", "says"), [("engine.example.test", 30, "for another name"), ("localhost", -1, "not valid now")]
)
async def test_a_certificate_of_another_name_or_out_of_date_is_told_apart(
    engines: Engines, authority: Authority, name: str, days: int, says: str
) -> None:
    async with running(RecordedEngine(), authority.server(name, days)) as port:
        with pytest.raises(HereticError) as raised:
            await engines.look(settings(port, authority.pem))
    assert raised.value.failure.reason is Reason.ENGINE_CERTIFICATE_MISMATCH
    assert says in raised.value.failure.message


async def test_a_server_whose_own_certificate_was_pinned_is_believed(
    engines: Engines, authority: Authority, stranger: Authority
) -> None:
    context = authority.server()
    async with running(RecordedEngine(), context) as port:
        await engines.look(settings(port, authority.shown))
        with pytest.raises(HereticError):
            await engines.look(settings(port, stranger.pem))


async def test_an_authority_that_nobody_gave_is_shown_and_not_used(engines: Engines, site: Site) -> None:
    site.engine.lists["ca"] = site.ca
    failure = await fails(engines, site, ca="")
    assert isinstance(failure, NeedsUser)
    assert failure.reason is Reason.ENGINE_CERTIFICATE_NOT_PINNED
    assert "fingerprint" in failure.message
    assert "/etc/pki/ovirt-engine/ca.pem" in failure.message
    assert site.engine.logins == 0


async def test_an_authority_that_did_not_sign_the_web_servers_certificate_is_not_proposed(
    engines: Engines, site: Site, stranger: Authority
) -> None:
    site.engine.lists["ca"] = stranger.pem
    failure = await fails(engines, site, ca="")
    assert "give the authority that did" in failure.message
    assert "fingerprint" not in failure.message


async def test_an_engine_that_offers_no_authority_is_not_up(engines: Engines, site: Site) -> None:
    site.engine.lists["ca"] = "<html>"
    assert (await fails(engines, site, ca="")).reason is Reason.ENGINE_NOT_ANSWERING


@pytest.mark.parametrize(
    ("status", "body", "media", "reason"),
    [
        (302, "", "text/html", Reason.INVALID_SPEC),
        (200, "<html>Welcome</html>", "text/html", Reason.ENGINE_NOT_ANSWERING),
        (204, "", "", Reason.ENGINE_NOT_ANSWERING),
        (200, "<api><unfinished", "application/xml", Reason.OUTPUT_NOT_UNDERSTOOD),
        (200, "<nosuch/>", "application/xml", Reason.OUTPUT_NOT_UNDERSTOOD),
        (503, "<html>starting</html>", "text/html", Reason.ENGINE_NOT_ANSWERING),
        (404, "<html>Not Found</html>", "text/html", Reason.ENGINE_NOT_ANSWERING),
    ],
)
async def test_an_answer_that_is_none_says_nothing_of_the_engine(
    engines: Engines, site: Site, status: int, body: str, media: str, reason: Reason
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body.encode(), headers={"Content-Type": media} if media else {})

    site.engine.fault = answer
    assert (await fails(engines, site)).reason is reason


async def test_an_answer_without_an_end_is_not_read_to_its_end(
    engines: Engines, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LARGEST", 1000)
    assert (await fails(engines, site)).reason is Reason.OUTPUT_NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("error", "reason", "says"),
    [
        (aiohttp.ConnectionTimeoutError(), Reason.ENGINE_UNREACHABLE, "no connection within 10 s"),
        (TimeoutError(), Reason.ENGINE_NOT_ANSWERING, "no answer within 7 s"),
        (aiohttp.ServerDisconnectedError(), Reason.ENGINE_NOT_ANSWERING, "ended before its answer"),
        (aiohttp.ClientPayloadError(), Reason.ENGINE_NOT_ANSWERING, "ended before its answer"),
        (aiohttp.InvalidURL("https://"), Reason.INVALID_SPEC, "cannot be the name of an engine"),
    ],
)
def test_what_happens_below_http_is_told_apart(error: Exception, reason: Reason, says: str) -> None:
    failure = transport.lost(settings(443, ""), error, 7)
    assert failure.reason is reason
    assert says in failure.message
