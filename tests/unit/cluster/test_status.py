from typing import Any

from heretic.cluster.status import StatusWriter
from unit.cluster.fake_api import FakeApi, volume


def ready(current: dict[str, Any]) -> dict[str, Any]:
    return {"observedGeneration": 1, "summary": "ok"}


async def test_an_equal_status_is_not_written() -> None:
    api = FakeApi()
    stored = api.put("glustervolumes", volume() | {"status": {"observedGeneration": 1, "summary": "ok"}})
    await StatusWriter(api).write("glustervolumes", stored, ready)  # type: ignore[arg-type]
    assert api.writes == 0


async def test_a_conflict_is_computed_again_on_the_fresh_object() -> None:
    api = FakeApi()
    stored = api.put("glustervolumes", volume())
    api.put("glustervolumes", volume() | {"status": {"kept": "by another"}})

    def compute(current: dict[str, Any]) -> dict[str, Any]:
        return {"kept": current["status"].get("kept", "nothing")}

    written = await StatusWriter(api).write("glustervolumes", stored, compute)  # type: ignore[arg-type]
    assert written is not None
    assert written["status"] == {"kept": "by another"}
    assert api.writes == 0, "what the other wrote is already what we want"


async def test_a_namesake_that_was_made_later_is_left_alone() -> None:
    api = FakeApi()
    stored = api.put("glustervolumes", volume())
    api.put("glustervolumes", volume(uid="another"))
    assert await StatusWriter(api).write("glustervolumes", stored, ready) is None  # type: ignore[arg-type]
    assert api.writes == 0


async def test_an_object_that_is_gone_needs_no_status() -> None:
    api = FakeApi()
    stored = api.put("glustervolumes", volume())
    api.objects.clear()
    assert await StatusWriter(api).write("glustervolumes", stored, ready) is None  # type: ignore[arg-type]
