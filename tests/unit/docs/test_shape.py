from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "operator/heretic"
LONGEST = 350


def test_a_file_of_the_package_is_short_enough_to_be_about_one_subject() -> None:
    files = {p for end in ("py", "sh") for p in PACKAGE.rglob(f"*.{end}")}
    assert len(files) > 100
    long = {str(p.relative_to(PACKAGE)): n for p in files if (n := len(p.read_text().splitlines())) >= LONGEST}
    assert long == {}, "split it by subject"
