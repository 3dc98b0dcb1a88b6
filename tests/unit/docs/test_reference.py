from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from heretic import reference
from heretic.cli.codes import CODES
from heretic.domain.errors import Reason
from heretic.domain.reasons import Chapter, Explained, chapter
from heretic.reasons import CHAPTERS, explain, gathered

TOP = Path(__file__).resolve().parents[3]
REFERENCE, SOURCE = TOP / "docs/reference", TOP / "operator"


@pytest.mark.parametrize(
    ("name", "page"), [("reasons.md", reference.reasons_page), ("metrics.md", reference.metrics_page)]
)
def test_the_generated_page_is_not_stale(name: str, page: Callable[[], str]) -> None:
    assert (REFERENCE / name).read_text() == page(), "run make docs"


def test_a_reason_that_nobody_explains_or_two_subjects_explain_is_refused() -> None:
    twice = chapter("Again", Explained(Reason.BRICK_DOWN, "A.", "B."))
    with pytest.raises(ValueError, match=r"BrickDown is explained twice, the second time in 'Again'"):
        gathered((*CHAPTERS, twice))
    with pytest.raises(ValueError, match="nobody explains AsDeclared"):
        gathered(CHAPTERS[1:])


def test_words_stand_in_the_order_of_their_explanations() -> None:
    assert [said.reason for chapter in CHAPTERS for said in chapter.reasons] == list(Reason)


def test_every_chapter_of_a_subject_is_gathered() -> None:
    files = (SOURCE / "heretic/domain").rglob("reasons.py")
    modules = [import_module(".".join(file.relative_to(SOURCE).with_suffix("").parts)) for file in files]
    found = {value.title for module in modules for value in vars(module).values() if isinstance(value, Chapter)}
    assert found == {chapter.title for chapter in CHAPTERS}


@pytest.mark.parametrize("reason", Reason)
def test_the_code_of_a_reason_is_one_that_verify_knows(reason: Reason) -> None:
    assert explain(reason).code in {"", *CODES}


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
