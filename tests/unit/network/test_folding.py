"""Which network does the work of those that a site has not (rule:hvp-networks): 1, 2, 3 and 4 networks."""

import pytest

from heretic.domain.network.logical import WORDS, DeclaredNetwork, wanted
from sim.declared import network, view

DECLARED = {
    "mgmt": network("mgmt", "Management", "172.20.10.0/24"),
    "gluster": network("gluster", "Gluster", "172.20.11.0/24"),
    "lan": network("lan", "LAN", "172.20.12.0/24"),
    "internal": network("internal", "Internal", "172.20.13.0/24"),
}
USAGES = {word: usage.value for usage, word in WORDS.items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(("mgmt",), {"mgmt": {"Display", "Gluster", "Migration", "DefaultRoute"}}, id="1 network"),
        pytest.param(
            ("mgmt", "gluster"),
            {"mgmt": {"Display", "DefaultRoute"}, "gluster": {"Gluster", "Migration"}},
            id="2 networks",
        ),
        pytest.param(
            ("mgmt", "gluster", "lan"),
            {"mgmt": {"DefaultRoute"}, "gluster": {"Gluster", "Migration"}, "lan": {"Display"}},
            id="3 networks",
        ),
        pytest.param(
            ("mgmt", "lan"),
            {"mgmt": {"DefaultRoute", "Gluster", "Migration"}, "lan": {"Display"}},
            id="2 networks, none for bricks",
        ),
        pytest.param(
            ("mgmt", "gluster", "lan", "internal"),
            {"mgmt": {"DefaultRoute"}, "gluster": {"Gluster", "Migration"}, "lan": {"Display"}, "internal": set()},
            id="4 networks",
        ),
    ],
)
def test_what_is_missing_falls_to_the_management_network(names: tuple[str, ...], expected: dict[str, set[str]]) -> None:
    site = view([], networks=[DECLARED[name] for name in names])
    found: dict[str, set[str]] = {}
    for name in names:
        made = wanted(DECLARED[name], site)
        assert isinstance(made, DeclaredNetwork)
        found[name] = {USAGES[usage] for usage in made.usages}
    assert found == expected
