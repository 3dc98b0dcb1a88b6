"""The codes of heretic verify are stable and documented."""

import re
from pathlib import Path

from heretic.cli import checks
from heretic.cli.codes import CODES, reference
from heretic.domain.errors import Reason
from heretic.reasons import explain

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "verify-codes.md"


def test_the_page_is_as_generated() -> None:
    assert PAGE.read_text() == reference(), "run make docs"


def test_every_code_has_its_form_and_says_what_to_do() -> None:
    assert len(CODES) > 20
    for code in CODES.values():
        assert re.fullmatch(r"HVP-[CSNDWVE][0-9]{3}", code.id), code
        assert code.title[0].isupper(), code
        assert not code.title.endswith("."), code
        assert code.advice.endswith("."), code


def test_every_code_that_a_check_gives_exists_and_every_code_is_given() -> None:
    given = set(re.findall(r"HVP-[A-Z][0-9]{3}", Path(checks.__file__).read_text()))
    by_reason = {explain(reason).code for reason in Reason} - {""}
    assert given | by_reason == set(CODES)
