"""docs/reference/cli.md names every command and every option there is."""

import re
from pathlib import Path

import pytest

from heretic.cli.app import run

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text()
ALWAYS = {"--help"}


@pytest.mark.parametrize("command", ["bootstrap", "init", "plan", "status", "verify", "approve", "adopt"])
def test_every_option_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    run([command, "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out.split("Options:")[1])) - ALWAYS
    assert options
    aliases = {"--filename": "`-f`", "--output": "`-o "}
    assert [o for o in sorted(options) if o not in PAGE and aliases.get(o, o) not in PAGE] == []
    assert f"## heretic {command}\n" in PAGE
