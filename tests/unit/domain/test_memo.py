"""A result is used again exactly while its inputs are equal."""

from hypothesis import given
from hypothesis import strategies as st

from heretic.domain.facts import Known, Unknown
from heretic.domain.memo import Memo

calls: list[int] = []


def work(first: int, second: int) -> tuple[int, ...]:
    calls.append(first)
    return first, second


def other(first: int) -> int:
    return -first


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2))))
def test_the_result_is_always_that_of_the_inputs_and_no_call_is_repeated(inputs: list[tuple[int, int]]) -> None:
    calls.clear()
    memo = Memo()
    for first, second in inputs:
        assert memo.of(work, first, second) == (first, second)
        assert memo.of(other, first) == -first
    changes = sum(now != before for before, now in zip([None, *inputs], inputs, strict=False))
    assert len(calls) == changes


def test_hosts_do_not_share_results() -> None:
    calls.clear()
    Memo().of(work, 1, 1)
    Memo().of(work, 1, 1)
    assert calls == [1, 1]


def test_one_function_about_several_things_of_one_look() -> None:
    calls.clear()
    memo = Memo()
    for _ in range(2):
        for number in (1, 2):
            assert memo.of(work, number, 0, name=f"volume {number}") == (number, 0)
    assert calls == [1, 2]


def test_a_part_of_a_fact_is_the_same_object_while_the_fact_is_equal() -> None:
    memo = Memo()
    first, second = memo.part(other, Known(3)), memo.part(other, Known(3))
    assert first == Known(-3)
    assert first is second
    assert memo.part(other, Known(4)) == Known(-4)
    assert memo.part(other, Unknown("no answer")) == Unknown("no answer")
