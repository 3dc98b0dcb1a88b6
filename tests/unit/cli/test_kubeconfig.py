"""The namespace that kubectl would use."""

from pathlib import Path

import pytest

from heretic.cli import kubeconfig
from heretic.cli.kubeconfig import is_configured, namespace_of
from heretic.domain.errors import HereticError


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(kubeconfig, "IN_POD", tmp_path / "in-pod")


def config(path: Path, current: str = "", **namespaces: str) -> str:
    contexts = "".join(
        f"- name: {name}\n  context: {{cluster: c, user: u{f', namespace: {ns}' if ns else ''}}}\n"
        for name, ns in namespaces.items()
    )
    path.write_text(f"current-context: '{current}'\ncontexts:\n{contexts or '  []'}\n")
    return str(path)


class TestNamespace:
    def test_of_the_current_context(self, tmp_path: Path) -> None:
        assert namespace_of(config(tmp_path / "k", "b", a="one", b="two"), None) == "two"

    def test_of_a_named_context(self, tmp_path: Path) -> None:
        assert namespace_of(config(tmp_path / "k", "b", a="one", b="two"), "a") == "one"

    def test_default_where_the_context_names_none(self, tmp_path: Path) -> None:
        assert namespace_of(config(tmp_path / "k", "a", a=""), None) == "default"

    def test_several_files_the_first_current_context_wins(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = config(tmp_path / "1", "", a="one"), config(tmp_path / "2", "b", b="two")
        monkeypatch.setenv("KUBECONFIG", f"{first}:{second}:{tmp_path / 'missing'}")
        assert namespace_of(None, None) == "two"

    def test_of_the_pod(self, tmp_path: Path) -> None:
        (tmp_path / "in-pod").write_text("inside\n")
        assert namespace_of(None, None) == "inside"

    def test_an_unknown_context_is_refused_with_those_there_are(self, tmp_path: Path) -> None:
        with pytest.raises(HereticError, match="no context 'x'; it has a, b"):
            namespace_of(config(tmp_path / "k", "a", a="", b=""), "x")

    @pytest.mark.parametrize("content", ["a: [", "- no mapping\n"])
    def test_a_file_that_is_no_kubeconfig(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "k").write_text(content)
        with pytest.raises(HereticError, match="kubeconfig"):
            namespace_of(str(tmp_path / "k"), None)


class TestWhetherThereIsACluster:
    def test_none(self) -> None:
        assert not is_configured(None)

    def test_by_option(self) -> None:
        assert is_configured("/some/file")

    def test_by_the_user_s_default_file(self, tmp_path: Path) -> None:
        (tmp_path / ".kube").mkdir()
        (tmp_path / ".kube" / "config").write_text("")
        assert is_configured(None)

    def test_by_a_pod_s_service_account(self, tmp_path: Path) -> None:
        (tmp_path / "in-pod").write_text("inside")
        assert is_configured(None)
