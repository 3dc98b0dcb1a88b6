"""Every rule that something cites stands on the page of rules, and every safety rule is kept by something."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "docs/explanation/rules.md"
SAFETY = ROOT / "docs/explanation/safety.md"
CITATION = re.compile(r"\brule:([a-z0-9-]*[a-z0-9])")
HEADING = re.compile(r"^### (.+)$", re.MULTILINE)
OLD = re.compile(r"§|\bconventions [RK]\d|\brules? \d+\b(?!:)", re.IGNORECASE)
"""Citations of pages that are not in this repository, or by a number that nobody can look up."""
CODE = sorted((ROOT / "operator").rglob("*.py"))
FILES = [
    *CODE,
    *sorted(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "CONTRIBUTING.md",
]


def sections(page: str) -> dict[str, list[str]]:
    """The identifiers of each part of the page."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {title: HEADING.findall(body) for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def identifiers(page: str) -> list[str]:
    return [identifier for part in sections(page).values() for identifier in part]


def unresolved(text: str, known: list[str]) -> list[str]:
    return [citation for citation in CITATION.findall(text) if citation not in known]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_citation_leads_to_a_rule_of_the_page(path: Path) -> None:
    text = path.read_text()
    assert unresolved(text, identifiers(RULES.read_text())) == []
    assert OLD.findall(text) == []


def test_every_rule_has_an_identifier_of_its_own_that_is_a_link_anchor() -> None:
    known = identifiers(RULES.read_text())
    assert len(known) == len(set(known))
    assert [i for i in known if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i)] == []


def test_every_rule_says_where_it_comes_from() -> None:
    page = RULES.read_text()
    bodies = dict(re.findall(r"^### (.+)\n((?:(?!^##|^\[).*\n)*)", page, flags=re.MULTILINE))
    assert bodies.keys() == set(identifiers(page))
    assert [i for i, body in bodies.items() if not re.search(r"\bSources?:|\bis\s+ours\b", body)] == []


def test_every_reference_of_the_page_is_defined_and_used() -> None:
    page = RULES.read_text()
    used = set(re.findall(r"\]\[([\w-]+)\]", page))
    defined = set(re.findall(r"^\[([\w-]+)\]: https://\S+$", page, flags=re.MULTILINE))
    assert used == defined


def test_every_safety_rule_and_formula_is_cited_by_code_or_by_the_page_of_safety() -> None:
    parts = sections(RULES.read_text())
    cited = set(CITATION.findall(SAFETY.read_text() + "".join(path.read_text() for path in CODE)))
    assert [i for part in ("Safety", "Formulas") for i in parts[part] if i not in cited] == []


def test_every_other_rule_is_cited_by_code() -> None:
    parts = sections(RULES.read_text())
    cited = set(CITATION.findall("".join(path.read_text() for path in CODE)))
    assert [i for part, ids in parts.items() if part not in ("Safety", "Formulas") for i in ids if i not in cited] == []


def test_a_wrong_and_an_old_citation_are_noticed() -> None:
    assert unresolved("kept by (rule:blank-disk, rule:no-such).", ["blank-disk"]) == ["no-such"]
    for old in ("domain §4", "conventions R14", "rule 5", "Rules 2 and 7"):
        assert OLD.search(old)
