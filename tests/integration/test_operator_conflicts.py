"""Somebody else writes an object while the operator writes its status: it reads the object again, and writes then."""

from collections.abc import Iterator

import pytest

from heretic.kinds import KINDS
from integration.operator_process import RunningSite, running_site
from lab.apiproxy import ApiProxy
from lab.apirequest import to
from lab.controlplane import ControlPlane
from sim.addresses import PREFIX
from sim.blank_site import declared

ENGINE = declared(
    "HostedEngine",
    "engine",
    {"fqdn": "engine.example.test", "address": f"{PREFIX}5", "deployment": "Existing", "mode": "Observe"},
)
SHARE = declared(
    "FileShare",
    "office",
    {
        "protocol": "NFS",
        "volume": "vmstore",
        "network": "mgmt",
        "addresses": [f"{PREFIX}9"],
        "folders": [{"name": "all"}],
    },
)
PLURALS = {model.KIND: model.PLURAL for model in KINDS.models}


@pytest.fixture(scope="module")
def site(
    control_plane: ControlPlane, proxy: ApiProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """The operator is told of a conflict at its first write of each kind."""
    with running_site(control_plane, tmp_path_factory.mktemp("conflicts")) as running:
        for plural in PLURALS.values():
            proxy.answer(409, where=to(plural, verb="update", subresource="status"), times=1)
        running.apply([*running.hosts.objects(), ENGINE, SHARE])
        running.start_operator(proxy=proxy)
        yield running


@pytest.mark.parametrize("kind", PLURALS)
def test_an_object_is_read_again_after_a_conflict_and_its_status_is_written(
    site: RunningSite, proxy: ApiProxy, kind: str
) -> None:
    plural = PLURALS[kind]

    def told() -> bool:
        requests = [r for r in proxy.requests if r.resource == plural]
        conflicts = [n for n, r in enumerate(requests) if r.subresource == "status" and r.status == 409]
        after = requests[conflicts[0] + 1 :] if conflicts else []
        return any(r.verb == "get" and r.status == 200 for r in after) and any(
            r.subresource == "status" and r.status == 200 for r in after
        )

    site.wait("it was read and written after the conflict", told)
    for obj in site.objects():
        if obj["kind"] == kind:
            assert obj["status"]["conditions"]
