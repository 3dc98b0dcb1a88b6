"""A change of an engine: looked at before, asked for once, looked at after."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import ApiMethod, BodyElement, EngineCall, EngineRequest, Expectation, Thing
from heretic.domain.errors import Bug, Failure, NeedsUser, Reason, Transient
from heretic.domain.plan import Done, Failed, StepResult
from heretic.engine.engines import Engines
from unit.engine.conftest import Site
from unit.engine.recorded import drop, exchange, response, sso_answer

ID = "heretic-AddDataCenter-site-0123456789"
NEW = Thing("datacenters", name="site")
DEFAULT = Thing("datacenters", name="Default")
BODY = BodyElement("data_center", (BodyElement("name", "site"), BodyElement("local", False)))
ADD = EngineCall(
    done=(Expectation(NEW, fields=(("local", False),)),),
    guards=(Expectation(DEFAULT, fields=(("status", ("uninitialized", "up")),)),),
    request=EngineRequest(ApiMethod.ADD, "datacenters", BODY, seconds=2),
    settle=0,
)


@dataclass
class Clearance:
    """Lets everything through, unless told otherwise."""

    checks: list[Failure | None] = field(default_factory=list)
    bar: Failure | None = None
    asked: int = 0

    async def check(self) -> Failure | None:
        self.asked += 1
        return self.checks.pop(0) if self.checks else None

    def barred(self) -> Failure | None:
        return self.bar


async def perform(
    engines: Engines, site: Site, call: EngineCall = ADD, clearance: Clearance | None = None
) -> StepResult:
    secrets = dict.fromkeys(call.secrets, "open sesame")
    return await engines.perform(
        site.settings(), call, correlation=ID, secrets=secrets, clearance=clearance or Clearance()
    )


def failure(result: StepResult) -> Failure:
    assert isinstance(result, Failed), result
    return result.failure


def posts(site: Site) -> Sequence[str]:
    return [request for request in site.engine.requests if not request.startswith("GET")]


async def test_what_is_missing_is_added_once_under_a_name_that_the_engine_writes_down(
    engines: Engines, site: Site
) -> None:
    assert await perform(engines, site) == Done(changed=True)
    assert await perform(engines, site) == Done(changed=False)
    assert posts(site) == [f"POST datacenters?correlation_id={ID}"]
    assert site.engine.bodies == ["<data_center><name>site</name><local>false</local></data_center>"]


async def test_a_reply_that_is_lost_after_the_effect_doubles_nothing(engines: Engines, site: Site) -> None:
    site.engine.after = drop
    assert await perform(engines, site) == Done(changed=True)
    assert await perform(engines, site) == Done(changed=False)
    assert len(site.engine.bodies) == 1


async def test_a_request_that_is_lost_before_its_effect_is_not_known_to_be_done(engines: Engines, site: Site) -> None:
    async def lose(request: web.Request) -> web.StreamResponse | None:
        return await drop(request) if request.method == "POST" else None

    site.engine.fault = lose
    told = failure(await perform(engines, site))
    assert told.reason is Reason.ENGINE_NOT_ANSWERING
    assert "not known" in told.message
    assert ID in told.message
    site.engine.fault = None
    assert await perform(engines, site) == Done(changed=True)
    assert len(site.engine.bodies) == 1


async def test_an_answer_that_comes_too_late_is_not_waited_for_and_the_effect_is_seen(
    engines: Engines, site: Site
) -> None:
    async def sleep(_: web.Request) -> None:
        await asyncio.sleep(3)

    site.engine.after = sleep
    call = replace(ADD, request=replace(ADD.request, seconds=1))
    assert await perform(engines, site, call) == Done(changed=True)


async def test_a_token_that_expires_in_flight_leads_to_one_effect(engines: Engines, site: Site) -> None:
    async def expire(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and site.engine.logins == 1:
            site.engine.tokens.clear()
            return response(sso_answer("after revoke"))
        return None

    site.engine.fault = expire
    assert await perform(engines, site) == Done(changed=True)
    assert site.engine.logins == 2
    assert len(site.engine.bodies) == 1


async def test_a_lease_that_is_lost_while_a_token_is_renewed_sends_nothing_more(engines: Engines, site: Site) -> None:
    clearance = Clearance()

    async def expire(request: web.Request) -> web.StreamResponse | None:
        if request.method == "GET":
            return None
        clearance.bar = Transient(Reason.LEASE_LOST, "another operator may act by now")
        return response(sso_answer("after revoke"))

    site.engine.fault = expire
    told = failure(await perform(engines, site, ADD, clearance))
    assert told == Transient(Reason.LEASE_LOST, "another operator may act by now")
    assert len(posts(site)) == 1
    assert site.engine.bodies == []


async def test_somebody_who_was_faster_is_no_failure(engines: Engines, site: Site) -> None:
    async def faster(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST":
            site.engine.added["site"] = '<data_center id="7"><name>site</name><local>false</local></data_center>'
        return None

    site.engine.fault = faster
    assert await perform(engines, site) == Done(changed=False)


async def test_what_the_engine_refuses_is_told_in_its_words_with_the_correlation_id(
    engines: Engines, site: Site
) -> None:
    call = replace(ADD, done=(Expectation(NEW, fields=(("local", True),)),))
    site.engine.added["site"] = '<data_center id="7"><name>site</name><local>false</local></data_center>'
    told = failure(await perform(engines, site, call))
    assert isinstance(told, NeedsUser)
    assert told.reason is Reason.ENGINE_REFUSES
    assert "name is already in use" in told.message
    assert ID in told.message


async def test_an_action_that_was_taken_and_failed_is_no_success(engines: Engines, site: Site) -> None:
    async def fail(request: web.Request) -> web.StreamResponse | None:
        if request.method == "GET":
            return None
        body = "<action><fault><detail>[Host is up]</detail></fault><status>failed</status></action>"
        return web.Response(text=body, content_type="application/xml")

    site.engine.fault = fail
    told = failure(await perform(engines, site))
    assert told.reason is Reason.ENGINE_REFUSES
    assert "Host is up" in told.message


async def test_an_engine_that_goes_away_in_between_is_asked_again_later(engines: Engines, site: Site) -> None:
    async def stop(request: web.Request) -> web.StreamResponse | None:
        gone = request.method == "POST" or posts(site)
        return web.Response(status=503, text="<html>", content_type="text/html") if gone else None

    site.engine.fault = stop
    told = failure(await perform(engines, site))
    assert isinstance(told, Transient)
    assert told.reason is Reason.ENGINE_NOT_ANSWERING


async def test_an_effect_that_does_not_show_is_no_success(engines: Engines, site: Site) -> None:
    call = replace(ADD, done=(Expectation(replace(NEW, name="other")),), settle=1)
    told = failure(await perform(engines, site, call))
    assert told.reason is Reason.VERIFICATION_FAILED
    assert "'other' is not there" in told.message


async def test_an_effect_may_take_its_time_to_show(engines: Engines, site: Site) -> None:
    async def later(request: web.Request) -> web.StreamResponse | None:
        looks = [one for one in site.engine.requests if one == "GET datacenters"]
        if request.method == "GET" and len(looks) == 2:
            return response(exchange("top", "GET", "/datacenters")["response"])
        return None

    site.engine.fault = later
    assert await perform(engines, site, replace(ADD, settle=5)) == Done(changed=True)


@pytest.mark.parametrize(
    "guard",
    [
        Expectation(DEFAULT, fields=(("status", "up"),)),
        Expectation(DEFAULT, fields=(("local", True),)),
        Expectation(DEFAULT, there=False),
        Expectation(Thing("datacenters", name="Other")),
        Expectation(Thing("clusters", name="Default", within=(("data_center.id", "elsewhere"),))),
        Expectation(Thing("hosts", name="node1", all_content=True)),
    ],
)
async def test_each_guard_stops_a_step_before_anything_is_sent(
    engines: Engines, site: Site, guard: Expectation
) -> None:
    site.engine.lists["hosts?all_content=true"] = "<hosts/>"
    told = failure(await perform(engines, site, replace(ADD, guards=(guard,))))
    assert told.reason is Reason.VERIFICATION_FAILED
    assert "may not start" in told.message
    assert posts(site) == []


async def test_two_things_of_one_name_are_never_chosen_from(engines: Engines, site: Site) -> None:
    twin = '<data_center id="{}"><name>site</name><local>true</local></data_center>'
    site.engine.added = {"one": twin.format(1), "two": twin.format(2)}
    told = failure(await perform(engines, site))
    assert isinstance(told, NeedsUser)
    assert told.reason is Reason.ENGINE_NAME_AMBIGUOUS
    assert "ids 1, 2" in told.message
    assert posts(site) == []


@pytest.mark.parametrize(
    "clearance",
    [
        Clearance(checks=[Transient(Reason.CHANGED_MEANWHILE, "the spec changed")]),
        Clearance(bar=Transient(Reason.LEASE_LOST, "another operator may act by now")),
    ],
    ids=["the last check", "the lease"],
)
async def test_who_may_not_act_sends_nothing(engines: Engines, site: Site, clearance: Clearance) -> None:
    told = failure(await perform(engines, site, ADD, clearance))
    assert told.reason in (Reason.CHANGED_MEANWHILE, Reason.LEASE_LOST)
    assert posts(site) == []


async def test_what_is_there_already_asks_for_no_admission(engines: Engines, site: Site) -> None:
    clearance = Clearance()
    call = replace(ADD, done=(Expectation(DEFAULT),))
    assert await perform(engines, site, call, clearance) == Done(changed=False)
    assert clearance.asked == 0


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (EngineRequest(ApiMethod.ADD, "datacentres", BODY), "datacentres"),
        (EngineRequest(ApiMethod.ADD, "datacenters?x=1", BODY), "no path"),
        (EngineRequest(ApiMethod.UPDATE, "datacenters", BODY), "no operation update"),
        (EngineRequest("explode", "hosts/1", BodyElement("action")), "no operation explode"),
        (EngineRequest("_internal_action", "hosts/1", BodyElement("action")), "no operation _internal_action"),
        (
            EngineRequest(ApiMethod.ADD, "datacenters", BodyElement("data_centre", (BodyElement("name", "x"),))),
            "data_centre",
        ),
        (
            EngineRequest(ApiMethod.ADD, "datacenters", BodyElement("data_center", (BodyElement("colour", "red"),))),
            "colour",
        ),
        (
            EngineRequest(ApiMethod.ADD, "datacenters", BodyElement("data_center", (BodyElement("local", "no"),))),
            "data_center",
        ),
    ],
)
async def test_what_the_api_does_not_have_is_our_mistake_and_is_not_sent(
    engines: Engines, site: Site, request_: EngineRequest, says: str
) -> None:
    told = failure(await perform(engines, site, replace(ADD, request=request_)))
    assert isinstance(told, Bug)
    assert says in told.message
    assert site.engine.requests == []


async def test_a_list_that_the_api_does_not_have_is_our_mistake(engines: Engines, site: Site) -> None:
    assert isinstance(failure(await perform(engines, site, replace(ADD, guards=(Expectation(Thing("racks")),)))), Bug)


async def test_a_secret_that_an_engine_repeats_is_in_no_message(engines: Engines, site: Site) -> None:
    async def repeat(request: web.Request) -> web.StreamResponse | None:
        if request.method == "GET":
            return None
        assert "open sesame" in await request.text()
        fault = "<fault><detail>[open sesame is weak]</detail><reason>Operation Failed</reason></fault>"
        return web.Response(status=409, text=fault, content_type="application/xml")

    site.engine.fault = repeat
    body = BodyElement(
        "data_center", (BodyElement("name", "site"), BodyElement("comment", SecretRef("engine", "password")))
    )
    call = replace(ADD, request=EngineRequest(ApiMethod.ADD, "datacenters", body))
    told = failure(await perform(engines, site, call))
    assert "… is weak" in told.message
    assert "sesame" not in repr(call)


async def test_a_thing_that_is_gone_already_needs_no_removal(engines: Engines, site: Site) -> None:
    call = EngineCall(done=(Expectation(NEW, there=False),), request=EngineRequest(ApiMethod.REMOVE, "datacenters/1"))
    assert await perform(engines, site, call) == Done(changed=False)
    assert posts(site) == []


async def test_a_removal_that_finds_nothing_in_spite_of_the_list_is_planned_again(engines: Engines, site: Site) -> None:
    async def gone(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=404) if request.method == "DELETE" else None

    site.engine.fault = gone
    call = EngineCall(
        done=(Expectation(DEFAULT, there=False),), request=EngineRequest(ApiMethod.REMOVE, "datacenters/1")
    )
    assert failure(await perform(engines, site, call)).reason is Reason.ENGINE_OBJECT_GONE
