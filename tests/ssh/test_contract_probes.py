"""Probes: what every host, simulated or real, must answer."""

import pytest

from heretic.domain.commands import Output, Probe
from heretic.domain.facts import Known
from ssh.targets import Target

HOSTILE = {
    "command substitution": "$(touch /tmp/pwned)",
    "backquotes": "`touch /tmp/pwned`",
    "single quote": "it's",
    "both quotes": "'\"'\"'",
    "new line": "one\ntwo",
    "line that looks like a call": "x'\nact ok '' 5 - touch /tmp/pwned\n'",
    "leading dash": "-rf",
    "unicode": "größe-中文-🧨",
    "glob": "/etc/*",
    "backslash": "a\\nb\\",
    "tab and blanks": "  a\t b  ",
    "comment": "#a",
    "closing brace": "}\n}",
    "empty": "",
    "variable": "${HOME}$$",
}


def probe(name: str, *argv: str, timeout: int = 15) -> Probe[Output]:
    return Probe(name, argv, Known, timeout)


async def ask(target: Target, *probes: Probe[Output]) -> dict[str, Output]:
    return dict((await target.hosts.probe(target.settings, probes)).outputs)


async def test_each_probe_gets_its_own_output(target: Target) -> None:
    outputs = await ask(target, probe("a", "printf", "%s", "one"), probe("b", "false"), probe("c", "seq", "2"))
    assert outputs == {"a": Output(0, "one", ""), "b": Output(1, "", ""), "c": Output(0, "1\n2\n", "")}


async def test_hostile_words_arrive_as_they_are(target: Target) -> None:
    probes = [probe(situation.replace(" ", "-"), "printf", "%s", word) for situation, word in HOSTILE.items()]
    arrived = [output.stdout for output in (await ask(target, *probes)).values()]
    assert dict(zip(HOSTILE, arrived, strict=True)) == HOSTILE


async def test_what_goes_to_standard_error_stays_apart(target: Target) -> None:
    output = (await ask(target, probe("x", "ls", "/nonexistent")))["x"]
    assert (output.rc, output.stdout) == (2, "")
    assert "No such file or directory" in output.stderr


async def test_a_long_answer_is_complete(target: Target) -> None:
    outputs = await ask(target, probe("long", "seq", "200000"), probe("after", "printf", "%s", "end"))
    assert outputs["long"].stdout.splitlines()[-1] == "200000"
    assert outputs["after"].stdout == "end"


async def test_a_hanging_probe_times_out_and_the_others_answer(target: Target) -> None:
    outputs = await ask(target, probe("hangs", "sleep", "30", timeout=1), probe("works", "true", timeout=1))
    assert outputs["hangs"].rc == 124
    assert outputs["works"] == Output(0, "", "")


async def test_fifty_probes_fit_in_one_round_trip(target: Target) -> None:
    probes = [probe(f"p{i}", "printf", "%s", str(i)) for i in range(50)]
    assert [o.stdout for o in (await ask(target, *probes)).values()] == [str(i) for i in range(50)]
    assert target.hosts.counters["node1"].round_trips == 1


@pytest.mark.parametrize(
    ("content", "mode"),
    [("a\nb\n", "0644"), ("no new line", "0600"), ("", "0755"), ("ümlaut\n\n\n", "4755")],
    ids=["lines", "no trailing new line", "empty", "trailing new lines and setuid"],
)
async def test_a_file_is_read_with_its_mode(target: Target, content: str, mode: str) -> None:
    target.write("the file", content, mode)
    output = (await ask(target, probe("f", "@file", target.path("the file"))))["f"]
    assert output == Output(0, f"{mode}\n{content}", "")


async def test_a_missing_file_is_told_from_an_unreadable_one(target: Target) -> None:
    assert (await ask(target, probe("f", "@file", target.path("missing"))))["f"].rc == 1
