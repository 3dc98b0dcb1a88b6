"""What bootstrap applies; tests/integration/test_bootstrap.py holds it against what kubectl makes of manifests/."""

from pathlib import Path

import pytest

from heretic.cli import bundle
from heretic.cli.bootstrap import OPERATOR, SECRET
from heretic.cli.bundle import access_objects, operator_objects
from heretic.cli.options import Overlay


@pytest.mark.parametrize("overlay", [None, *Overlay])
def test_every_overlay_has_one_operator_and_all_crds(overlay: Overlay | None) -> None:
    objects = operator_objects(overlay)
    kinds = [o["kind"] for o in objects]
    assert kinds.count("CustomResourceDefinition") == 6
    (deployment,) = (o for o in objects if o["kind"] == "Deployment")
    assert deployment["metadata"].items() >= OPERATOR["metadata"].items()
    assert all(o["metadata"]["labels"]["app.kubernetes.io/part-of"] == "heretic" for o in objects)


def test_an_overlay_changes_what_it_names_and_nothing_else() -> None:
    (plain, k3s) = (next(o for o in operator_objects(n) if o["kind"] == "Deployment") for n in (None, "k3s"))
    pod, laid = plain["spec"]["template"]["spec"], k3s["spec"]["template"]["spec"]
    assert laid["containers"][0]["imagePullPolicy"] == "Never"
    assert {k for k in laid if laid[k] != pod.get(k)} == {"containers", "tolerations"}
    assert {k for k, v in laid["containers"][0].items() if v != pod["containers"][0].get(k)} == {"imagePullPolicy"}


def test_the_site_gets_a_namespace_and_rights_to_the_secret_that_is_made_for_it() -> None:
    namespace, role, binding = access_objects("home")
    assert (namespace["kind"], namespace["metadata"]["name"]) == ("Namespace", "home")
    assert {role["metadata"]["namespace"], binding["metadata"]["namespace"]} == {"home"}
    assert SECRET in [name for rule in role["rules"] for name in rule.get("resourceNames", ())]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "heretic", "namespace": "heretic-system"}]


def test_a_kustomization_that_needs_more_than_is_understood_here_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "operator"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: []\nimages: []\n")
    monkeypatch.setattr(bundle, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="uses images, which nobody evaluates here"):
        operator_objects(None)
