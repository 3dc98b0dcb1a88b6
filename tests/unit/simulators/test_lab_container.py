"""Which images of the operator are kept, and when one must be built: on a stand-in for buildah's storage."""

from pathlib import Path

import pytest

from lab import container
from lab.shell import Argument

NEW, OLD, BASE = "1" * 64, "2" * 64, "3" * 64


class Storage:
    """What buildah holds: names of images, and the image that each container was made of."""

    def __init__(self) -> None:
        self.images = {"localhost/heretic-base:b": BASE}
        self.containers: dict[str, str] = {}
        self.unmounted: set[str] = set()
        self.pulled: list[str] = []

    def __call__(self, *arguments: Argument, timeout: float | None = None) -> str:
        match [str(a) for a in arguments]:
            case ["images", *_]:
                return "\n".join(f"{name} sha256:{number}" for name, number in self.images.items())
            case ["containers", "--notruncate", "--format", "{{.ImageID}}"]:
                return "\n".join(self.containers.values())
            case ["containers", "--format", "{{.ContainerName}}"]:
                return "\n".join(self.containers)
            case ["rmi", name]:
                del self.images[name]
            case ["umount", name]:
                self.unmounted.add(name)
            case ["rm", name]:
                assert name in self.unmounted
                del self.containers[name]
            case ["tag", there, name]:
                self.images[name] = self.images[there]
            case ["pull", "--quiet", archive]:
                self.pulled.append(archive)
                self.images[f"{container.NAME}:{container.version()}"] = NEW
            case other:
                raise AssertionError(f"buildah {' '.join(other)}")
        return ""


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    storage = Storage()
    monkeypatch.setenv("HERETIC_CACHE", str(tmp_path))
    monkeypatch.setattr(container, "buildah", storage)
    for name in ("require_root", "require_programs"):
        monkeypatch.setattr(container, name, lambda *_: None)
    return storage


@pytest.fixture
def digest(tmp_path: Path) -> str:
    """Of the present sources, whose image was built once: its archive is there."""
    digest = container._digest({"BASE": "some-base", "BUILD_BASE": "some-base"})
    (tmp_path / f"operator-image-{digest}").mkdir()
    return digest


@pytest.mark.parametrize("present", [True, False])
def test_an_image_that_another_has_replaced_comes_back_from_its_archive(
    storage: Storage, digest: str, present: bool
) -> None:
    name, reference = f"{container.NAME}:{digest}", f"{container.NAME}:{container.version()}"
    storage.images |= {reference: OLD, f"{container.NAME}:other": OLD} | ({name: NEW} if present else {})

    built = container.ensure("some-base")

    assert built.reference == reference
    assert storage.pulled == ([] if present else [f"docker-archive:{built.archive}"])
    assert storage.images[name] == storage.images[reference] == NEW
    assert built.archive.parent.name == f"operator-image-{digest}"


def test_a_new_image_replaces_those_that_no_container_is_made_of(storage: Storage) -> None:
    storage.images |= {f"{container.NAME}:used": OLD, f"{container.NAME}:0.1.0": OLD, f"{container.NAME}:unused": NEW}
    storage.containers = {"heretic-demo": OLD}

    container._remove_old_images()

    assert set(storage.images.values()) == {BASE, OLD}


@pytest.mark.parametrize("name", ["heretic-demo", "heretic-test"])
def test_a_container_is_thrown_away_once(storage: Storage, name: str) -> None:
    storage.containers = {"heretic-demo": OLD, "other": OLD}

    container.remove_container(name)
    container.remove_container(name)

    assert set(storage.containers) == {"heretic-demo", "other"} - {name}
