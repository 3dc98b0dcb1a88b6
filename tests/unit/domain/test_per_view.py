"""What is worked out from a view is kept while the view and the other inputs are the same objects."""

import gc
from weakref import ref

import pytest

from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView

A, B = "A", "B"


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        ((A,), (A,), False),
        ((A, B), (A, B), False),
        ((A,), (B,), True),
        ((A,), (A, B), True),
        ((A, B), (A,), True),
        ((), (), False),
        (([A],), ([A],), True),
    ],
)
def test_it_is_worked_out_anew_for_other_inputs(
    before: tuple[object, ...], now: tuple[object, ...], *, again: bool
) -> None:
    kept, view, worked = PerView[int](), SiteView(), iter(range(2))
    first = kept.of(view, lambda: next(worked), *before)
    assert kept.of(view, lambda: next(worked), *now) == first + again


def test_another_view_or_name_has_a_result_of_its_own() -> None:
    kept, one, two = PerView[str](), SiteView(), SiteView()
    assert kept.of(one, lambda: "one node1", name="node1") == "one node1"
    assert kept.of(one, lambda: "one node2", name="node2") == "one node2"
    assert kept.of(two, lambda: "two node1", name="node1") == "two node1"
    assert kept.of(one, lambda: "again", name="node1") == "one node1"


class Result:
    """Something that can be seen to be gone."""


def test_nothing_is_kept_of_a_view_that_is_not_in_use() -> None:
    kept, view = PerView[Result](), SiteView()
    there = ref(kept.of(view, Result))
    gc.collect()
    assert there() is not None
    del view
    gc.collect()
    assert there() is None
