"""Rules about the source that no linter knows."""

from pathlib import Path

import heretic

SOURCES = {p: p.read_text() for p in Path(heretic.__file__).parent.rglob("*.py")}


def test_host_keys_are_always_checked() -> None:
    """No call that asyncssh would make without a check, and none outside the one place that pins keys."""
    assert [p.name for p, text in SOURCES.items() if "asyncssh.connect(" in text] == ["session.py"]
    assert not [p for p, text in SOURCES.items() if "known_hosts=None" in text or "validate_host_based" in text]


def test_words_are_quoted_in_one_place() -> None:
    quoting = [str(p) for p, text in SOURCES.items() if "shlex.join(" in text or "shlex.quote(" in text]
    assert [q for q in quoting if "/hosts/" in q] == [str(Path(heretic.__file__).parent / "hosts/script.py")]
    assert not [q for q in quoting if "/domain/" in q or "/reconcile/" in q]
