"""What the steps of a host ask of the engine."""

import pytest

from heretic.domain.engine.call import BodyElement, EngineStep
from heretic.domain.node.member_steps import ActivateHost, AddHost, DeactivateHost, ReinstallHost
from heretic.domain.plan import Risk

ADD = AddHost(
    engine="e", why="it is missing", name="node1", address="10.0.0.1", port=22, cluster="c", serves_engine=True
)
AGAIN = ReinstallHost(engine="e", why="it failed", id="h", name="node1", activate=True, serves_engine=False)
OUT = DeactivateHost(engine="e", why="declared", node="node1", id="h", stop_gluster=True)


def content(step: EngineStep) -> dict[str, object]:
    body = step.call().request.body
    assert body is not None
    assert isinstance(body.content, tuple)
    return {one.name: one.content for one in body.content}


def test_a_host_is_added_by_key_without_being_rebooted_and_made_able_to_run_the_engine() -> None:
    assert dict(ADD.call().request.query) == {"activate": "true", "deploy_hosted_engine": "true", "reboot": "false"}
    ssh = content(ADD)["ssh"]
    assert isinstance(ssh, tuple)
    assert BodyElement("authentication_method", "publickey") in ssh


def test_a_host_is_installed_anew_without_being_rebooted() -> None:
    assert content(AGAIN)["reboot"] is False
    assert content(AGAIN)["activate"] is True
    assert "deploy_hosted_engine" not in content(AGAIN)


def test_a_host_with_bricks_leaves_with_the_engines_check_of_gluster() -> None:
    assert content(OUT)["stop_gluster_service"] is True
    assert OUT.outage.node == "node1"


@pytest.mark.parametrize(
    ("step", "risk"), [(AddHost, Risk.DISRUPTIVE), (ReinstallHost, Risk.DISRUPTIVE), (ActivateHost, Risk.SAFE)]
)
def test_what_changes_the_network_of_a_host_goes_alone(step: type[EngineStep], risk: Risk) -> None:
    assert step.risk is risk
