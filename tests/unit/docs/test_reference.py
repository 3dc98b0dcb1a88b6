from collections.abc import Callable
from pathlib import Path

import pytest

from heretic import reference
from heretic.domain.errors import Reason
from heretic.domain.reasons import CHAPTERS, explain

REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference"


@pytest.mark.parametrize(
    ("name", "page"), [("reasons.md", reference.reasons_page), ("metrics.md", reference.metrics_page)]
)
def test_the_generated_page_is_not_stale(name: str, page: Callable[[], str]) -> None:
    assert (REFERENCE / name).read_text() == page(), "run make docs"


def test_every_reason_is_explained_exactly_once_and_in_order() -> None:
    assert [reason for chapter in CHAPTERS.values() for reason in chapter] == list(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_an_explanation_is_a_sentence_of_meaning_and_one_of_action(reason: Reason) -> None:
    said = explain(reason)
    for sentence in (said.meaning, said.action):
        assert sentence[0].isupper() or sentence[0] == "`"
        assert sentence.endswith(".")
        assert "|" not in sentence, "it would break the table"


def test_every_metric_is_on_the_page_under_the_name_that_prometheus_sees() -> None:
    from prometheus_client import REGISTRY

    exported = {family.name for family in REGISTRY.collect() if family.name.startswith("heretic_")}
    assert exported
    page = reference.metrics_page()
    for name in exported:
        assert f"| `{name}` |" in page or f"| `{name}_total` |" in page
