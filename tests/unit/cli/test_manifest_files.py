"""Objects from manifests: every way to give them, and every way to get them wrong."""

import base64
import shutil
from pathlib import Path

import pytest

from heretic.cli.offline import read_manifests, read_private_key
from heretic.domain.errors import HereticError

SITE = "apiVersion: hvp.ovirt.life/v1alpha1\nkind: Site\nmetadata: {name: demo}\nspec: {}\n"
NODE = "apiVersion: hvp.ovirt.life/v1alpha1\nkind: Node\nmetadata: {name: node1}\nspec: {address: 172.20.10.11}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: demo}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: heretic-ssh}\n"


def write(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return str(folder)


def titles(names: list[str], namespace: str = "site") -> list[tuple[str, str, str]]:
    found = read_manifests(names, namespace).objects
    return [(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]) for o in found]


class TestWhereManifestsComeFrom:
    def test_a_file_of_several_documents(self, tmp_path: Path) -> None:
        write(tmp_path, all=f"{SITE}---\n---\n{NODE}")
        assert titles([str(tmp_path / "all.yaml")]) == [("Site", "site", "demo"), ("Node", "site", "node1")]

    def test_a_folder_in_the_order_of_its_file_names(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text("no manifest")
        assert titles([write(tmp_path, b=NODE, a=SITE)]) == [("Site", "site", "demo"), ("Node", "site", "node1")]

    def test_a_list_object(self, tmp_path: Path) -> None:
        (tmp_path / "list.json").write_text(
            '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "hvp.ovirt.life/v1alpha1",'
            ' "kind": "Site", "metadata": {"name": "demo"}, "spec": {}}]}'
        )
        assert titles([str(tmp_path)]) == [("Site", "site", "demo")]

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO(SITE))
        assert titles(["-"]) == [("Site", "site", "demo")]

    def test_objects_of_others_are_passed_over(self, tmp_path: Path) -> None:
        assert titles([write(tmp_path, a=NAMESPACE, b=SITE)]) == [("Site", "site", "demo")]

    def test_a_namespace_in_the_manifest_wins(self, tmp_path: Path) -> None:
        text = SITE.replace("{name: demo}", "{name: demo, namespace: other}")
        assert titles([write(tmp_path, a=text)]) == [("Site", "other", "demo")]

    def test_a_plain_kustomization_without_kubectl(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With kubectl: tests/integration/test_cli.py."""
        monkeypatch.setattr(shutil, "which", lambda _: None)
        base = tmp_path / "base"
        base.mkdir()
        write(base, node=NODE, kustomization="resources: [node.yaml]\n")
        write(tmp_path, site=SITE, kustomization="namespace: demo\nresources: [site.yaml, base]\n", unused=NODE)
        assert sorted(titles([str(tmp_path)])) == [("Node", "demo", "node1"), ("Site", "demo", "demo")]


class TestYaml:
    def test_times_and_dates_stay_texts_as_kubectl_has_them(self, tmp_path: Path) -> None:
        windows = "spec: {windows: [{days: [Monday], startTime: 22:30, durationMinutes: 60}]}"
        write(tmp_path, site=SITE.replace("spec: {}", windows))
        assert read_manifests([str(tmp_path)], "site").objects[0]["spec"]["windows"][0]["startTime"] == "22:30"


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a: [", "is not YAML"),
            ("- a\n- b\n", "must be a mapping"),
            ("kind: Node\n", "has no metadata.name"),
            (NODE.replace("address:", "adress:"), "spec.adress: there is no such field"),
            (NODE.replace("kind: Node", "kind: Nod"), "kind: must be one of"),
            (NODE.replace("v1alpha1", "v2"), "apiVersion: must be hvp.ovirt.life/v1alpha1"),
            (f"{SITE}---\n{SITE}", "Site demo is declared twice"),
            (SECRET + "data: {ssh-privatekey: '%%'}\n", "data is not base64"),
        ],
        ids=["syntax", "a list", "nameless", "unknown field", "unknown kind", "other version", "twice", "bad secret"],
    )
    def test_is_told_with_the_file(self, tmp_path: Path, text: str, said: str) -> None:
        path = tmp_path / "wrong.yaml"
        path.write_text(text)
        with pytest.raises(HereticError) as error:
            read_manifests([str(path)], "site")
        assert said in error.value.failure.message
        assert "wrong.yaml" in error.value.failure.message

    def test_all_wrong_objects_are_told_at_once(self, tmp_path: Path) -> None:
        write(tmp_path, a=NODE.replace("172.20.10.11", "'?'"), b=SITE.replace("{}", "{pausd: true}"))
        with pytest.raises(HereticError) as error:
            read_manifests([str(tmp_path)], "site")
        assert "spec.address" in error.value.failure.message
        assert "spec.pausd" in error.value.failure.message

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(HereticError, match="does not exist"):
            read_manifests(["/nowhere/site.yaml"], "site")

    def test_a_kustomization_that_needs_kubectl(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda _: None)
        write(tmp_path, kustomization="resources: []\npatches: []\n")
        with pytest.raises(HereticError, match="uses patches: install kubectl"):
            read_manifests([str(tmp_path)], "site")


class TestSecrets:
    def test_both_forms_of_data(self, tmp_path: Path) -> None:
        encoded = base64.b64encode(b"one").decode()
        write(tmp_path, a=SITE, b=f"{SECRET}data: {{a: {encoded}}}\nstringData: {{b: two}}\n")
        assert read_manifests([str(tmp_path)], "site").secrets == {("site", "heretic-ssh"): {"a": b"one", "b": b"two"}}

    def test_never_shown(self, tmp_path: Path) -> None:
        write(tmp_path, a=SITE, b=f"{SECRET}stringData: {{b: hunter2}}\n")
        assert "hunter2" not in repr(read_manifests([str(tmp_path)], "site"))

    def test_a_public_key_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA")
        with pytest.raises(HereticError, match="holds no private key"):
            read_private_key(str(tmp_path / "id.pub"))

    def test_a_missing_key_is_told(self) -> None:
        with pytest.raises(HereticError, match="cannot be read: No such file"):
            read_private_key("/nowhere/id")
