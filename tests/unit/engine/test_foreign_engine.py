"""The client against an engine that nobody here simulated: it works, or it tells the right reason."""

import asyncio
import gzip
import json
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from heretic.domain.engine.call import ApiMethod, BodyElement, EngineCall, EngineRequest, Expectation, Thing
from heretic.domain.engine.extras import Extra
from heretic.domain.engine.facts import EngineFacts
from heretic.domain.engine.host_parts import OwnMachine
from heretic.domain.errors import Bug, Failure, HereticError, NeedsUser, Reason, Transient
from heretic.domain.facts import Known
from heretic.domain.plan import Done, Failed, StepResult
from heretic.engine import reading, session
from heretic.engine.certificate import authority_of, offered
from heretic.engine.engines import Engines
from heretic.engine.transport import _DeclaredAddress
from unit.engine.conftest import Authority
from unit.engine.foreign import CLUSTER, DATA_CENTER, HOST, LISTS, ROOT, Answer, Asked, ForeignEngine, listening
from unit.engine.recorded import settings
from unit.engine.test_simulated import Cleared

ADD = EngineCall(
    done=(Expectation(Thing("networks", name="lan"), fields=(("mtu", 9000), ("vlan.id", 12))),),
    request=EngineRequest(
        ApiMethod.ADD,
        "networks",
        BodyElement(
            "network",
            (
                BodyElement("name", "lan"),
                BodyElement("data_center", id=DATA_CENTER),
                BodyElement("mtu", 9000),
                BodyElement("vlan", id="12"),
            ),
        ),
        seconds=5,
    ),
    settle=0,
)
Step = Callable[[ForeignEngine], None]


def behaves(**ways: Any) -> Callable[[ForeignEngine], ForeignEngine]:
    return lambda engine: replace(engine, **ways)


def upper(name: str) -> str:
    return name.upper()


def wants_a_slash(status: int, where: str) -> Callable[[Asked], Answer | None]:
    def redirect(asked: Asked) -> Answer | None:
        if asked.path.endswith("/") or not asked.path.startswith("api"):
            return None
        to = where.format(path=f"/ovirt-engine/{asked.path}/", name=asked.path.rpartition("/")[2])
        return Answer(status, "text/html", b"<html>moved</html>", (("Location", to),))

    return redirect


HOW = {
    "as documented": behaves(),
    "without a declaration": behaves(written=lambda xml: xml.encode()),
    "blank lines before the declaration": behaves(written=lambda xml: f'\r\n \n<?xml version="1.0"?>{xml}'.encode()),
    "a byte order mark": behaves(written=lambda xml: b"\xef\xbb\xbf" + xml.encode()),
    "lines of DOS": behaves(written=lambda xml: xml.replace("\n", "\r\n").encode()),
    "all in one line": behaves(written=lambda xml: "".join(line.strip() for line in xml.splitlines()).encode()),
    "Latin 1": behaves(written=lambda xml: f'<?xml version="1.0" encoding="ISO-8859-1"?>{xml}'.encode("latin-1")),
    "a charset in the header alone": behaves(
        written=lambda xml: xml.replace("logged in", "eingeloggt, für").encode("latin-1"),
        media="application/xml; charset=ISO-8859-1",
    ),
    "UTF-16": behaves(written=lambda xml: f'<?xml version="1.0" encoding="UTF-16"?>{xml}'.encode("utf-16")),
    "a charset that nobody knows": behaves(media="application/xml; charset=ours"),
    "a document type": behaves(written=lambda xml: f"<!DOCTYPE answer>{xml}".encode()),
    "a namespace": behaves(written=lambda xml: re.sub(r"<(\w+)", r'<\1 xmlns="urn:engine"', xml, count=1).encode()),
    "character data": behaves(written=lambda xml: xml.replace(">node1<", "><![CDATA[node1]]><").encode()),
    "blanks around words": behaves(
        written=lambda xml: re.sub(r">(up|true|false|7|v5)<", r">\n  \1\n <", xml).encode(),
        root=ROOT.replace("<time>", "<time>\n ").replace("</time>", "\n</time>"),
    ),
    "words in capitals": behaves(written=lambda xml: xml.replace(">up<", ">Up<").replace(">true<", ">True<").encode()),
    "yes as a number": behaves(written=lambda xml: xml.replace(">true<", ">1<").replace(">false<", ">0<").encode()),
    "attributes in another order": behaves(
        written=lambda xml: re.sub(r'(href="[^"]*") (id="[^"]*")', r"\2 \1", xml).encode()
    ),
    "addresses without ids": behaves(
        written=lambda xml: re.sub(r'(<\w+ href="[^"]*") id="[^"]*"', r"\1", xml).encode(),
    ),
    "addresses without the API's root": behaves(
        written=lambda xml: xml.replace('href="/ovirt-engine/api/', 'href="/').encode()
    ),
    "comments": behaves(written=lambda xml: f"<!-- a -->\n{xml.replace('<name>', '<!-- b --><name>')}".encode()),
    "addresses with the server's name": behaves(
        written=lambda xml: xml.replace('href="/', 'href="https://engine.example.test/').encode()
    ),
    "elements that nobody knows": behaves(
        written=lambda xml: xml.replace("<name>", "<warp><drive>9</drive></warp><name>").encode()
    ),
    "text/xml": behaves(media="text/xml"),
    "a media type of its own": behaves(media="application/vnd.ovirt.api+xml"),
    "a media type in capitals": behaves(media='Application/XML; charset="utf-8"'),
    "no media type": behaves(media=""),
    "chunks of seven bytes": behaves(chunk=7),
    "compressed": behaves(zipped=True),
    "compressed, in chunks": behaves(zipped=True, chunk=100),
    "bytes one by one": behaves(chunk=40, pause=0.001),
    "until the connection ends": behaves(chunk=-64),
    "HTTP/1.0": behaves(http="1.0"),
    "a connection for each request": behaves(ends="told"),
    "a connection that ends without a word": behaves(ends="silently"),
    "headers in capitals": behaves(header=upper),
    "headers in small letters": behaves(header=str.lower),
    "cookies": behaves(more=(("Set-Cookie", "JSESSIONID=a; Path=/; Secure"), ("Set-Cookie", "locale=en_US"))),
    "headers of a proxy": behaves(more=(("Via", "1.1 proxy"), ("Strict-Transport-Security", "max-age=1"))),
    "a slash at the end, 301": behaves(instead=wants_a_slash(301, "{path}")),
    "a slash at the end, 302 by name": behaves(instead=wants_a_slash(302, "https://localhost{path}")),
    "a slash at the end, 307, relative": behaves(instead=wants_a_slash(307, "{name}/")),
    "a slash at the end, by a proxy that ends TLS": behaves(instead=wants_a_slash(308, "http://localhost:80{path}")),
}


async def perform(engines: Engines, port: int, authority: Authority) -> StepResult:
    return await engines.perform(
        settings(port, authority.pem), ADD, correlation="step", secrets={}, clearance=Cleared()
    )


@pytest.mark.parametrize("how", HOW)
async def test_an_engine_is_understood_and_changed_once_however_it_answers(
    engines: Engines, authority: Authority, how: str
) -> None:
    engine = HOW[how](ForeignEngine())
    async with listening(engine, authority.server()) as port:
        facts = await engines.look(settings(port, authority.pem))
        assert facts.identity.instance == "5d1a1a6c-0000-4000-8000-00000000abcd"
        assert facts.identity.time == datetime(2026, 11, 27, 21, 13, 20, 123000, tzinfo=UTC)
        assert isinstance(facts.hosts, Known)
        assert [(one.name, one.status) for one in facts.hosts.value] == [("node1", "up")]
        assert (facts.storage_domains, facts.networks, facts.attached) == (
            Known(()),
            Known(()),
            {DATA_CENTER: Known(())},
        )
        assert await perform(engines, port, authority) == Done(changed=True)
        assert await perform(engines, port, authority) == Done(changed=False)
        assert len(engine.added) == 1
        assert engine.logins == 1


async def seen(engines: Engines, authority: Authority, engine: ForeignEngine, *extras: Extra) -> EngineFacts:
    async with listening(engine, authority.server()) as port:
        return await engines.look(settings(port, authority.pem), extras=frozenset(extras))


async def test_an_engine_that_tells_no_id_is_known_by_its_authority(engines: Engines, authority: Authority) -> None:
    root = """<api><product_info><name>oVirt Engine</name><vendor>ovirt.org</vendor><version><build>10</build>
      <full_version>4.3.10.4-1.el7</full_version><major>4</major><minor>3</minor></version></product_info></api>"""
    identity = (await seen(engines, authority, ForeignEngine(root=root))).identity
    assert identity.instance == authority_of(settings(443, authority.pem))
    assert (identity.version, identity.time) == ("4.3.10.4-1.el7", None)


async def test_an_engine_that_tells_the_parts_of_its_version_alone_has_one(
    engines: Engines, authority: Authority
) -> None:
    root = ROOT.replace("<full_version>4.5.6-1.el9</full_version>", "")
    assert (await seen(engines, authority, ForeignEngine(root=root))).identity.version == "4.5.6"


async def test_what_an_engine_leaves_out_is_not_known_and_the_rest_is(engines: Engines, authority: Authority) -> None:
    lists = LISTS | {
        "clusters": '<clusters><cluster id="1"><name>Default</name></cluster></clusters>',
        "datacenters": '<data_centers><data_center id="2"><name>Default</name></data_center></data_centers>',
        "datacenters/2/storagedomains": "<storage_domains/>",
        "storagedomains": '<storage_domains><storage_domain id="3"><name>x</name></storage_domain></storage_domains>',
        "hosts": f'<hosts><host id="{HOST}"><name>a</name><address>b</address><status>up</status></host></hosts>',
    }
    facts = await seen(engines, authority, ForeignEngine(lists=lists))
    assert isinstance(facts.clusters, Known)
    cluster = facts.clusters.value[0]
    assert (cluster.gluster, cluster.fencing.spares_bricks, cluster.networks, cluster.level) == (None, None, None, "")
    assert isinstance(facts.hosts, Known)
    assert (facts.hosts.value[0].hosted_engine, facts.hosts.value[0].cluster) == (None, "")
    assert isinstance(facts.storage_domains, Known)
    assert (facts.storage_domains.value[0].storage, facts.storage_domains.value[0].master) == ("", None)


@pytest.mark.parametrize(
    ("of", "old", "new", "shows"),
    [
        ("hosts", "<status>up<", "<status>levitating<", lambda f: f.hosts.value[0].status == "levitating"),
        ("hosts", "<status_detail>none<", "<status_detail><", lambda f: f.hosts.value[0].detail == ""),
        ("clusters", "<virt_service>true<", "<virt_service><", lambda f: f.clusters.value[0].virt is None),
        ("clusters", "<virt_service>true<", "<virt_service>TRUE<", lambda f: f.clusters.value[0].virt is True),
        ("clusters", "<major>4<", "<major/><", lambda f: f.clusters.value[0].level == ""),
        ("clusters", "<major>4<", "<major> 4\n<", lambda f: f.clusters.value[0].level == "4.7"),
        ("datacenters", "<status>up<", "<status>dreaming<", lambda f: f.data_centers.value[0].status == "dreaming"),
        ("events", "22:00:00Z<", "22:00:00.123456789Z<", lambda f: f.recent.value[0].time.second == 0),
        ("events", "22:00:00Z<", "23:00:00+0100<", lambda f: f.recent.value[0].time.hour == 22),
        ("events", "<time>2026-11-27T22:00:00Z</time>", "<time/>", lambda f: f.recent.value[0].time is None),
        ("events", "<severity>normal<", "<severity>panic<", lambda f: f.recent.value[0].severity == "panic"),
        (
            "events",
            "22:00:00Z<",
            "22:00:00<",
            lambda f: f.recent.value[0].time == datetime(2026, 11, 27, 22, tzinfo=UTC),
        ),
        ("events", "<index>7<", "<index><", lambda f: f.recent.value[0].index == 7),
        (
            "hosts",
            "<status_detail>none<",
            "<status_detail>Ash Cloud<",
            lambda f: f.hosts.value[0].detail == "Ash Cloud",
        ),
        ("clusters", "<major>4<", "<major>04<", lambda f: f.clusters.value[0].level == "4.7"),
    ],
)
async def test_a_word_that_nobody_knows_makes_nothing_else_unknown(
    engines: Engines, authority: Authority, of: str, old: str, new: str, shows: Callable[[Any], bool]
) -> None:
    # The text of an element is replaced with both of its ends where the new one has none.
    xml = LISTS[of]
    assert old in xml
    name = old.strip("<").partition(">")[0]
    changed = xml.replace(f"{old}/{name}>", new.removesuffix("<"), 1) if new.endswith("/><") else xml.replace(old, new)
    facts = await seen(engines, authority, ForeignEngine(lists=LISTS | {of: changed}))
    assert shows(facts)


@pytest.mark.parametrize(
    ("of", "old", "new", "cause"),
    [
        ("clusters", "<major>4<", "<major>four<", "valid integer"),
        ("hosts", "<name>node1</name>", "", "no name"),
        ("hosts", "</hosts>", "", "cannot be understood"),
        ("events", "<code>30</code>", "", "no code"),
        ("events", "22:00:00Z<", "at noon<", "isoformat"),
        ("events", "2026-11-27T22:00:00Z<", "0001-01-01T00:00:00+14:00<", "out of range"),
        ("events", '<event id="7"><code>30</code><index>7</index>', "<event><code>30</code>", "no index"),
        ("clusters", "<virt_service>true<", "<virt_service>yes<", "valid boolean"),
        ("clusters", f'id="{CLUSTER}"', 'id="../hosts"', "cannot be part of an address"),
        ("hosts", f'{HOST}" id="{HOST}"', f'{HOST}" id="a?max=0"', "cannot be part of an address"),
        ("hosts", LISTS["hosts"], "<networks/>", "a list of networks"),
        ("hosts", LISTS["hosts"], "<hosts>none</hosts>", "what it lists is not known"),
        ("hosts", LISTS["hosts"], "<api/>", "no id"),
        ("hosts", "<hosts>", '<hosts><actions><link href="/x" rel="add"/></actions>', "no id"),
        ("hosts", LISTS["hosts"], "<html><body>Welcome</body></html>", "tag 'html'"),
        ("hosts", LISTS["hosts"], "<fault><detail>[Not today.]</detail></fault>", "Not today."),
        ("clusters", "<name>Default</name>", "<name>&#0;</name>", "cannot be understood"),
    ],
)
async def test_what_is_no_answer_of_an_engine_makes_its_own_list_unknown_and_no_other(
    engines: Engines, authority: Authority, of: str, old: str, new: str, cause: str
) -> None:
    changed = LISTS[of].replace(old, new)
    facts = await seen(engines, authority, ForeignEngine(lists=LISTS | {of: changed}))
    lists = {"clusters": facts.clusters, "hosts": facts.hosts, "events": facts.recent}
    assert cause in getattr(lists.pop(of), "cause", "")
    assert all(isinstance(one, Known) for one in lists.values())


async def test_a_list_of_thousands_is_read_whole(engines: Engines, authority: Authority) -> None:
    machine = '<vm id="{n}"><name>vm{n}</name><description>{filling}</description><origin>ovirt</origin></vm>'
    own = '<vm id="own"><name>HostedEngine</name><origin>managed_hosted_engine</origin></vm>'
    many = "".join(machine.format(n=n, filling="x" * 900) for n in range(3000))
    engine = ForeignEngine(lists=LISTS | {"vms": f"<vms>{many}{own}</vms>"}, zipped=True, chunk=8192)
    assert (await seen(engines, authority, engine, Extra.OWN_MACHINE)).own_machine == Known(OwnMachine("own", ""))


def ipv6_works() -> bool:
    with socket.socket(socket.AF_INET6) as tried:
        try:
            tried.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not ipv6_works(), reason="this machine has no IPv6 on loopback")
async def test_an_engine_whose_name_leads_to_an_ipv6_address_alone_is_reached(
    engines: Engines, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(ForeignEngine(), authority.server(), "::1") as port:

        async def found(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        facts = await engines.look(settings(port, authority.pem))
        assert facts.identity.version == "4.5.6-1.el9"


async def fails(engines: Engines, authority: Authority, engine: ForeignEngine) -> Failure:
    with pytest.raises(HereticError) as raised:
        await seen(engines, authority, engine)
    assert "<" not in raised.value.failure.message
    return raised.value.failure


def says(status: int, media: str, body: str, **headers: str) -> Callable[[Asked], Answer | None]:
    answer = Answer(status, media, body.encode(), tuple(headers.items()))
    return lambda asked: answer if asked.path.startswith("api") else None


ELSEWHERE = "https://other.example.test/ovirt-engine/api"
LOGIN = "/ovirt-engine/sso/login.html?scope=x"
REALM = "https://sso.example.test/realms/ovirt/protocol/openid-connect/auth?client_id=x"


@pytest.mark.parametrize(
    ("instead", "sort", "reason", "told"),
    [
        (says(302, "", "", Location=LOGIN), NeedsUser, Reason.ENGINE_LOGIN_REFUSED, "does not accept the session"),
        (says(302, "", "", Location=REALM), NeedsUser, Reason.ENGINE_LOGIN_REFUSED, "does not accept the session"),
        (says(401, "application/json", "{}"), NeedsUser, Reason.ENGINE_LOGIN_REFUSED, "does not accept the session"),
        (says(301, "", "", Location=ELSEWHERE), NeedsUser, Reason.INVALID_SPEC, "to https://other.example.test/"),
        (says(302, "", "", Location="/welcome"), NeedsUser, Reason.INVALID_SPEC, "sends us to /welcome"),
        (says(302, "", ""), NeedsUser, Reason.INVALID_SPEC, "HTTP 302"),
        (says(302, "", "", Location="https://[::"), NeedsUser, Reason.INVALID_SPEC, "HTTP 302"),
        (says(200, "application/json", "{}"), Transient, Reason.ENGINE_NOT_ANSWERING, "with application/json in place"),
        (says(200, "text/html", "<html/>"), Transient, Reason.ENGINE_NOT_ANSWERING, "with text/html in place"),
        (says(200, "application/xml", " \n"), Transient, Reason.OUTPUT_NOT_UNDERSTOOD, "it is empty"),
        (says(200, "application/xml", "<api/>"), Transient, Reason.OUTPUT_NOT_UNDERSTOOD, "which product it is"),
        (says(204, "", ""), Transient, Reason.ENGINE_NOT_ANSWERING, "with nothing in place"),
        (says(502, "text/html", "<html>"), Transient, Reason.ENGINE_NOT_ANSWERING, "HTTP 502"),
        (says(429, "text/plain", "slow down"), Transient, Reason.ENGINE_NOT_ANSWERING, "HTTP 429"),
        (says(503, "application/json", "{}"), Transient, Reason.ENGINE_NOT_ANSWERING, "HTTP 503"),
    ],
)
async def test_an_answer_that_is_none_tells_the_right_reason(
    engines: Engines,
    authority: Authority,
    instead: Callable[[Asked], Answer | None],
    sort: type,
    reason: Reason,
    told: str,
) -> None:
    failure = await fails(engines, authority, ForeignEngine(instead=instead))
    assert (type(failure), failure.reason) == (sort, reason)
    assert told in failure.message


FAULT = '{"detail":"[Cannot add Network. %s]","reason":"Operation Failed"}'


@pytest.mark.parametrize(
    ("status", "media", "body", "sort", "reason", "told"),
    [
        (409, "application/json", FAULT % "Name in use.", NeedsUser, Reason.ENGINE_REFUSES, "Network. Name in use."),
        (400, "application/json", FAULT % "MTU is odd.", NeedsUser, Reason.ENGINE_REFUSES, "Network. MTU is odd."),
        (409, "application/json", '{"fault":%s}' % (FAULT % "x"), NeedsUser, Reason.ENGINE_REFUSES, "Network. x"),
        (409, "application/json", FAULT % "Please try again later.", Transient, Reason.ENGINE_BUSY, "again later"),
        (400, "application/json", '{"reason":"Incomplete parameters"}', Bug, Reason.INTERNAL_ERROR, "HTTP 400"),
        (409, "application/json", "[1]", NeedsUser, Reason.ENGINE_REFUSES, "add networks"),
        (
            409,
            "text/xml; charset=utf-8",
            '\n<?xml version="1.0"?>\n<fault>\n <reason> Failed </reason>\n <detail>\n[In use.]\n</detail>\n</fault>',
            NeedsUser,
            Reason.ENGINE_REFUSES,
            ": In use. ",
        ),
        (403, "application/json", "{}", NeedsUser, Reason.ENGINE_FORBIDS, "may not do this"),
        (500, "text/plain", "NullPointerException", Transient, Reason.ENGINE_FAILED, "NullPointerException"),
        (302, "text/html", "", NeedsUser, Reason.INVALID_SPEC, "HTTP 302"),
    ],
)
async def test_a_refused_change_tells_the_engines_own_words_in_whatever_form_they_come(
    engines: Engines, authority: Authority, status: int, media: str, body: str, sort: type, reason: Reason, told: str
) -> None:
    def refuse(asked: Asked) -> Answer | None:
        return Answer(status, media, body.encode()) if asked.method == "POST" and "api" in asked.path else None

    async with listening(ForeignEngine(instead=refuse), authority.server()) as port:
        result = await perform(engines, port, authority)
    failure = getattr(result, "failure", None)
    assert (type(failure), getattr(failure, "reason", None)) == (sort, reason)
    assert told in str(getattr(failure, "message", ""))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_change_that_is_answered_with_nothing_is_judged_by_what_is_there(
    engines: Engines, authority: Authority, status: int
) -> None:
    engine = ForeignEngine()

    def brief(asked: Asked) -> Answer | None:
        if asked.method != "POST" or "api" not in asked.path:
            return None
        engine.added.append(asked.body)
        return Answer(status, "")

    engine.instead = brief
    async with listening(engine, authority.server()) as port:
        assert await perform(engines, port, authority) == Done(changed=True)


async def test_an_engine_that_is_slower_than_the_limit_is_told_so(
    engines: Engines, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIST_SECONDS", 0.3)
    failure = await fails(engines, authority, ForeignEngine(chunk=1, pause=0.05))
    assert failure.reason in (Reason.ENGINE_NOT_ANSWERING, Reason.ENGINE_UNREACHABLE)
    assert "no answer within" in failure.message


async def test_a_login_that_is_sent_elsewhere_gives_nobody_the_password(engines: Engines, authority: Authority) -> None:
    asked: list[Asked] = []

    def redirect(request: Asked) -> Answer | None:
        asked.append(request)
        return Answer(307, "", b"", (("Location", "https://other.example.test/token"),))

    failure = await fails(engines, authority, ForeignEngine(instead=redirect))
    assert failure.reason is Reason.INVALID_SPEC
    assert "its login: it sends us to https://other.example.test/token" in failure.message
    assert len(asked) == 1


async def test_an_answer_that_unpacks_without_an_end_is_not_unpacked_to_its_end(
    engines: Engines, authority: Authority
) -> None:
    bomb = gzip.compress(b"<api>" + b" " * (80 * 2**20))
    packed = Answer(200, "application/xml", bomb, (("Content-Encoding", "gzip"),))
    engine = ForeignEngine(instead=lambda asked: packed if asked.path.startswith("api") else None)
    failure = await fails(engines, authority, engine)
    assert failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD
    assert "longer than 32 MiB" in failure.message


async def test_a_body_that_is_cut_off_is_no_answer(engines: Engines, authority: Authority) -> None:
    short = Answer(200, "application/xml", b"<api>")
    engine = ForeignEngine(instead=lambda asked: short if asked.path.startswith("api") else None, ends="told")
    engine.more = (("X-Long", "y" * 100),)
    assert (await fails(engines, authority, engine)).reason is Reason.OUTPUT_NOT_UNDERSTOOD


def test_a_login_page_is_told_from_a_page_of_the_api() -> None:
    assert session._LOGIN_PAGE.search("/ovirt-engine/sso/oauth/authorize")
    assert not session._LOGIN_PAGE.search("/ovirt-engine/api/hosts/authority")


def recorded_id(facts: EngineFacts) -> str:
    assert isinstance(facts.clusters, Known)
    return facts.clusters.value[0].data_center


async def test_a_thing_that_is_named_by_its_address_alone_is_that_thing(engines: Engines, authority: Authority) -> None:
    for told in (f"/ovirt-engine/api/datacenters/{DATA_CENTER}", f"https://a.test/api/datacenters/{DATA_CENTER}/?x=1"):
        xml = re.sub(r"<data_center [^>]*/>", f'<data_center href="{told}"/>', LISTS["clusters"])
        assert (
            recorded_id(await seen(engines, authority, ForeignEngine(lists=LISTS | {"clusters": xml}))) == DATA_CENTER
        )


REFUSED, BROKEN = Reason.ENGINE_LOGIN_REFUSED, Reason.INTERNAL_ERROR
SILENT = Reason.ENGINE_NOT_ANSWERING


@pytest.mark.parametrize(
    ("status", "media", "body", "reason", "told"),
    [
        (400, "application/json", '{"error_code":"access_denied","error":"Cannot log in"}', REFUSED, "Cannot log in"),
        (400, "application/json", '{"error":"access_denied","error_description":"no"}', REFUSED, "is not let in: no"),
        (400, "application/json", '{"error":"invalid_grant"}', REFUSED, "is not let in: invalid_grant"),
        (401, "application/json", '{"error":"invalid_client","error_description":"x"}', REFUSED, "is not let in: x"),
        (200, "application/json", '{"error":"access_denied","error_description":"gone"}', REFUSED, "let in: gone"),
        (200, "application/json", '{"error_code":"access_denied","error":"locked"}', REFUSED, "is not let in: locked"),
        (401, "text/html", "<html>Unauthorized</html>", REFUSED, "is not let in (HTTP 401)"),
        (403, "text/plain", "", REFUSED, "is not let in (HTTP 403)"),
        (401, "application/json", '["no"]', REFUSED, "is not let in (HTTP 401)"),
        (400, "application/json", '{"error_code":"invalid_request","error":"Missing"}', BROKEN, "request: Missing"),
        (400, "application/json", '{"error":{"code":7}}', SILENT, "HTTP 400"),
        (400, "application/json", '{"error":"server_error"}', SILENT, "may be starting"),
        (503, "application/json", '{"error":"temporarily_unavailable"}', SILENT, "HTTP 503"),
        (500, "application/json", '{"error":"oops"}', SILENT, "HTTP 500"),
        (200, "text/html", "<html>Welcome</html>", SILENT, "a page (text/html)"),
        (200, "application/json", "", SILENT, "HTTP 200"),
        (200, "application/json", '{"access_token":""}', SILENT, "HTTP 200"),
        (200, "application/json", '{"access_token":7}', SILENT, "HTTP 200"),
        (200, "application/json", '{"access_token":"a\\r\\nX-Injected: 1"}', SILENT, "HTTP 200"),
        (404, "text/html", "<html>Not Found</html>", SILENT, "HTTP 404"),
        (204, "", "", SILENT, "HTTP 204"),
    ],
)
async def test_a_login_that_gives_no_token_tells_the_right_reason_in_whatever_form_it_comes(
    engines: Engines, authority: Authority, status: int, media: str, body: str, reason: Reason, told: str
) -> None:
    answer = Answer(status, media, body.encode())
    engine = ForeignEngine(instead=lambda asked: answer if asked.path.startswith("sso/") else None)
    failure = await fails(engines, authority, engine)
    assert failure.reason is reason
    assert told in failure.message


@pytest.mark.parametrize(
    "told",
    [
        {"access_token": "token-1"},
        {"access_token": "token-1", "scope": "", "token_type": "Bearer", "expires_in": 300},
        {"access_token": "token-1", "scope": "openid ovirt-app-api", "exp": 9223372036854775807, "refresh_token": "r"},
    ],
)
async def test_a_token_is_taken_whatever_else_is_told_of_it(
    engines: Engines, authority: Authority, told: dict[str, Any]
) -> None:
    answer = Answer(media="application/json;charset=UTF-8", body=json.dumps(told).encode())
    engine = ForeignEngine(logins=1, instead=lambda asked: answer if asked.path.startswith("sso/") else None)
    assert isinstance((await seen(engines, authority, engine)).hosts, Known)


def without_follow(how: str) -> Callable[[Asked], Answer | None]:
    """An engine that does not know ``follow``, and refuses what it does not know."""
    forms = {
        "400": Answer(
            400, "application/xml", b"<fault><reason>Operation Failed</reason><detail>follow</detail></fault>"
        ),
        "404": Answer(404, "text/html", b"<html/>"),
        "500": Answer(500, "text/html", b"<html>NullPointerException</html>"),
        "501": Answer(501, "text/plain", b"not implemented"),
        "nothing": Answer(200, "application/xml", b""),
    }
    return lambda asked: forms[how] if "follow=" in asked.query else None


@pytest.mark.parametrize("how", ["400", "404", "500", "501", "nothing"])
async def test_what_is_asked_for_together_is_asked_for_alone_where_that_is_refused(
    engines: Engines, authority: Authority, how: str
) -> None:
    lists = LISTS | {
        "affinitylabels": '<affinity_labels><affinity_label id="1"><name>fast</name></affinity_label></affinity_labels>'
    }
    engine = ForeignEngine(lists=lists, instead=without_follow(how))
    facts = await seen(engines, authority, engine, Extra.HOST_NETWORKS, Extra.AFFINITY_LABELS)
    assert isinstance(facts.hosts, Known)
    assert facts.hosts.value[0].attachments is None
    assert isinstance(facts.clusters, Known)
    assert facts.clusters.value[0].networks is None
    assert isinstance(facts.affinity_labels, Known)
    assert facts.affinity_labels.value[0].hosts is None


async def test_an_action_that_says_that_it_failed_has_failed(engines: Engines, authority: Authority) -> None:
    def fail(asked: Asked) -> Answer | None:
        body = b"<action><status>failed</status></action>"
        return Answer(200, "application/xml", body) if asked.method == "POST" and "api" in asked.path else None

    async with listening(ForeignEngine(instead=fail), authority.server()) as port:
        result = await perform(engines, port, authority)
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.ENGINE_REFUSES
    assert "the action failed, and it does not say why" in result.failure.message


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_declared_address_is_used_as_what_it_is(engines: Engines, authority: Authority, address: str) -> None:
    if ":" in address and not ipv6_works():
        pytest.skip("this machine has no IPv6 on loopback")
    async with listening(ForeignEngine(), authority.server(), address) as port:
        reached = replace(settings(port, authority.pem), address=address)
        assert (await engines.look(reached)).identity.version == "4.5.6-1.el9"
    resolved = await _DeclaredAddress(address).resolve("engine.example.test", 443)
    assert resolved[0]["family"] is (socket.AF_INET6 if ":" in address else socket.AF_INET)


async def test_an_authority_with_words_for_people_before_it_is_offered(engines: Engines, authority: Authority) -> None:
    told = f"Certificate:\n    Data:\n        Version: 3 (0x2)\n{authority.pem}"
    answer = Answer(media="application/x-x509-ca-cert", body=told.encode())
    engine = ForeignEngine(instead=lambda asked: answer if asked.path.startswith("services/pki") else None)
    async with listening(engine, authority.server()) as port:
        offer = await offered(settings(port, ""))
    assert (offer.pem, offer.signs) == (authority.pem.strip(), True)
