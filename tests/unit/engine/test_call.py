"""What a call expects, and what a step is called in the engine's events."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Fields,
    Thing,
    correlation_id,
    unmet,
)
from heretic.domain.errors import NeedsUser
from heretic.domain.plan import Target
from heretic.engine import model

NETWORKS: list[dict[str, Any]] = [
    {"id": "1", "name": "ovirtmgmt", "data_center": {"id": "a"}, "usages": ["vm", "display"], "mtu": 0},
    {"id": "2", "name": "ovirtmgmt", "data_center": {"id": "b"}, "usages": [], "mtu": 9000, "stp": False},
]
A = Thing("networks", name="ovirtmgmt", within=(("data_center.id", "a"),))
B = Thing("networks", id="2")


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        (Expectation(A), None),
        (Expectation(B), None),
        (Expectation(A, fields=(("usages", frozenset({"display", "vm"})), ("mtu", 0))), None),
        (Expectation(B, fields=(("usages", frozenset()), ("mtu", 9000), ("stp", False))), None),
        (Expectation(Thing("networks", name="gluster"), there=False), None),
        (Expectation(A, there=False), "networks: 'ovirtmgmt' with data_center.id a is there"),
        (Expectation(Thing("networks", name="gluster")), "networks: 'gluster' is not there"),
        (Expectation(B, fields=(("mtu", 1500),)), "networks: of id 2 has mtu 9000, and 1500 is expected"),
        (Expectation(B, fields=(("stp", True),)), "has stp false, and true is expected"),
        (Expectation(A, fields=(("stp", False),)), "has stp nothing, and false is expected"),
        (Expectation(A, fields=(("mtu", False),)), "has mtu 0, and false is expected"),
        (Expectation(B, fields=(("usages", frozenset({"vm"})),)), "has usages [], and [vm] is expected"),
        (Expectation(B, fields=(("name", ("x", "y")),)), "has name ovirtmgmt, and x or y is expected"),
        (Expectation(B, fields=(("vlan.id", 11),)), "has vlan.id nothing, and 11 is expected"),
    ],
)
def test_an_expectation_holds_or_says_why_not(expect: Expectation, says: str | None) -> None:
    failure = unmet(expect, NETWORKS)
    assert (failure is None) == (says is None)
    assert says is None or (failure is not None and failure.message.endswith(says))


@pytest.mark.parametrize("there", [True, False])
def test_a_name_that_two_have_needs_a_person_whatever_is_expected(there: bool) -> None:
    assert isinstance(unmet(Expectation(Thing("networks", name="ovirtmgmt"), there=there), NETWORKS), NeedsUser)


@dataclass(frozen=True, kw_only=True)
class AddHost(EngineStep):
    verb: ClassVar[str] = "AddHost"
    name: str

    def call(self) -> EngineCall:
        body = BodyElement(
            "host", (BodyElement("name", self.name), BodyElement("root_password", SecretRef("hosts", "root")))
        )
        fields: Fields = (("address", self.name),)
        done = (Expectation(Thing("hosts", name=self.name), fields=fields),)
        return EngineCall(done=done, request=EngineRequest(ApiMethod.ADD, "hosts", body))


def step(name: str = "node1", engine: str = "engine", why: str = "it is missing") -> AddHost:
    return AddHost(engine=engine, why=why, name=name)


def test_a_step_names_its_engine_and_its_call_the_secrets_it_needs() -> None:
    assert step().target == Target("HostedEngine", "engine")
    assert step().arguments() == {"name": "node1"}
    assert step().call().secrets == {SecretRef("hosts", "root")}
    assert step().call().collections == {"hosts"}
    assert EngineCall(done=(), request=EngineRequest(ApiMethod.REMOVE, "hosts/1")).secrets == frozenset()


def test_a_step_has_the_same_correlation_id_at_every_try() -> None:
    once = correlation_id("Node/home/node1", step())
    assert once == correlation_id("Node/home/node1", step(why="it went away"))
    assert once.startswith("heretic-AddHost-node1-")


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("Node/home/node2", step()),
        ("Node/away/node1", step()),
        ("Node/home/node1", step("node2")),
        ("Node/home/node1", step(engine="second")),
    ],
)
def test_another_step_or_object_has_another_correlation_id(key: str, other: AddHost) -> None:
    assert correlation_id(key, other) != correlation_id("Node/home/node1", step())


@pytest.mark.parametrize("name", ["a" * 63, "ä.b/c d", "node1"])
def test_a_correlation_id_is_what_an_engine_takes(name: str) -> None:
    found = correlation_id(f"Node/home/{name}", step())
    assert len(found) <= 50
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in found)


@pytest.mark.parametrize(
    ("operation", "path", "method", "sent"),
    [
        (ApiMethod.ADD, "clusters", "POST", "clusters"),
        (ApiMethod.UPDATE, "clusters/1", "PUT", "clusters/1"),
        (ApiMethod.REMOVE, "clusters/1", "DELETE", "clusters/1"),
        ("deactivate", "hosts/1", "POST", "hosts/1/deactivate"),
        ("setup_networks", "hosts/1", "POST", "hosts/1/setupnetworks"),
        (ApiMethod.ADD, "networks/1/networklabels", "POST", "networks/1/networklabels"),
    ],
)
def test_a_request_goes_where_the_sdks_own_tree_says(operation: str, path: str, method: str, sent: str) -> None:
    assert model.route(EngineRequest(operation, path)) == (method, sent)


@pytest.mark.parametrize(
    "path",
    [
        *("datacenters", "datacenters/1/storagedomains", "clusters", "hosts", "networks", "storagedomains", "events"),
    ],
)
def test_the_sdk_knows_every_list_of_a_look(path: str) -> None:
    model.check(path, "list")


@pytest.mark.parametrize(
    ("element", "written"),
    [
        (BodyElement("network", (BodyElement("usages"),)), "<network><usages></usages></network>"),
        (
            BodyElement(
                "network", (BodyElement("name", "a<b&'c"), BodyElement("data_center", id="1"), BodyElement("mtu", 9000))
            ),
            '<network><name>a&lt;b&amp;\'c</name><data_center id="1"></data_center><mtu>9000</mtu></network>',
        ),
        (
            BodyElement(
                "network", (BodyElement("usages", (BodyElement("usage", "vm"), BodyElement("usage", "gluster"))),)
            ),
            "<network><usages><usage>vm</usage><usage>gluster</usage></usages></network>",
        ),
        (
            BodyElement("action", (BodyElement("reason", "x"), BodyElement("stop_gluster_service", True))),
            "<action><reason>x</reason><stop_gluster_service>true</stop_gluster_service></action>",
        ),
        (
            BodyElement("cluster", (BodyElement("fencing_policy", (BodyElement("skip_if_gluster_bricks_up", True),)),)),
            "<cluster><fencing_policy><skip_if_gluster_bricks_up>true</skip_if_gluster_bricks_up></fencing_policy>"
            "</cluster>",
        ),
    ],
)
def test_a_body_is_written_as_the_api_has_it(element: BodyElement, written: str) -> None:
    assert model.body_of(element, {}).decode() == written


@pytest.mark.parametrize(
    "element",
    [
        BodyElement("network", (BodyElement("nosuch", "1"),)),
        BodyElement("network", (BodyElement("cluster", (BodyElement("nosuch", "1"),)),)),
        BodyElement("network", (BodyElement("usages", (BodyElement("purpose", "vm"),)),)),
        BodyElement("nosuch"),
        BodyElement("network", (BodyElement("name", "x", id="5"),)),
    ],
)
def test_an_element_that_the_api_does_not_have_is_found_before_it_is_sent(element: BodyElement) -> None:
    with pytest.raises(model.NotInModelError):
        model.body_of(element, {})
