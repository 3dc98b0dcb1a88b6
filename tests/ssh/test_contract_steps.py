"""Steps: what every host, simulated or real, must do."""

import pytest

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.errors import Reason, Transient
from heretic.domain.plan import Done, StepResult
from sim.admission import Anybody, with_token
from ssh.perform import FALSE, HANGS, TRUE, exists, failure, perform, touch
from ssh.targets import Target
from ssh.test_contract_probes import HOSTILE


async def test_nothing_is_run_when_all_conditions_hold(target: Target) -> None:
    result = await perform(target, touch(target, "made"), done=(TRUE, TRUE), guards=(FALSE,))
    assert result == Done(changed=False)
    assert target.read("made") is None


async def test_the_actions_run_in_order_and_are_verified(target: Target) -> None:
    put = PutFile(target.path("a"), "new\n")
    result = await perform(
        target, put, touch(target, "b"), done=(exists(target, "a"), exists(target, "b")), guards=(TRUE,)
    )
    assert result == Done(changed=True)
    assert target.read("a") == ("0644", "new\n")
    assert target.read("b") == ("0644", "")


@pytest.mark.parametrize(("enough", "expected"), [(True, None), (False, ("0644", ""))])
async def test_the_fallback_runs_only_where_the_actions_were_not_enough(
    target: Target, enough: bool, expected: tuple[str, str] | None
) -> None:
    action = touch(target, "a" if enough else "b")
    script = Script((exists(target, "a"),), (action,), fallback=(touch(target, "fallback"), touch(target, "a")))
    assert await target.hosts.perform(target.settings, script, admission=Anybody()) == Done(changed=True)
    assert target.read("fallback") == expected


async def test_a_fallback_that_is_not_enough_either_fails(target: Target) -> None:
    script = Script((exists(target, "a"),), (TRUE,), fallback=(TRUE,))
    failure(await target.hosts.perform(target.settings, script, admission=Anybody()), Reason.VERIFICATION_FAILED)


async def test_an_action_of_the_fallback_that_fails_is_named(target: Target) -> None:
    script = Script((exists(target, "a"),), (TRUE, TRUE), fallback=(TRUE, Command(("false", "alarm")), TRUE))
    message = failure(await target.hosts.perform(target.settings, script, admission=Anybody()), Reason.COMMAND_FAILED)
    assert "`false alarm`" in message


async def test_a_second_time_changes_nothing(target: Target) -> None:
    step = touch(target, "a"), exists(target, "a")
    assert await perform(target, step[0], done=(step[1],)) == Done(changed=True)
    assert await perform(target, step[0], done=(step[1],)) == Done(changed=False)


async def test_one_unmet_condition_is_enough_to_act(target: Target) -> None:
    result = await perform(target, touch(target, "made"), done=(TRUE, exists(target, "made")))
    assert result == Done(changed=True)


async def test_a_guard_that_does_not_hold_stops_the_step(target: Target) -> None:
    guard = Command(("ls", "/nonexistent"))
    result = await perform(target, touch(target, "made"), done=(exists(target, "made"),), guards=(TRUE, guard))
    message = failure(result, Reason.VERIFICATION_FAILED)
    assert "`ls /nonexistent` should succeed, but exited 2 and said: ls: " in message
    assert target.read("made") is None


async def test_the_first_action_that_fails_ends_the_step(target: Target) -> None:
    bad = Command(("ls", "/nonexistent"))
    result = await perform(target, touch(target, "a"), bad, touch(target, "b"), done=(exists(target, "b"),))
    message = failure(result, Reason.COMMAND_FAILED)
    assert "`ls /nonexistent` failed: it exited 2 and said: ls: " in message
    assert target.read("a") is not None
    assert target.read("b") is None


async def test_an_effect_that_is_not_there_afterwards_is_a_failure(target: Target) -> None:
    result = await perform(target, touch(target, "a"), done=(exists(target, "other"),))
    assert "its effect is not there" in failure(result, Reason.VERIFICATION_FAILED)


EXPECTATIONS = [
    (TRUE, True),
    (FALSE, False),
    (Command(("true",), expect=Expect.EMPTY), True),
    (Command(("printf", "%s", " \n\t\n"), expect=Expect.EMPTY), True),
    (Command(("printf", "%s", "x"), expect=Expect.EMPTY), False),
    (Command(("false",), expect=Expect.EMPTY), False),
    (Command(("printf", "%s", "\n a b \n"), expect=Expect.EQUALS, text="a b"), True),
    (Command(("printf", "%s", "a\n\nb\n"), expect=Expect.EQUALS, text="a\n\nb"), True),
    (Command(("printf", "%s", "a b c"), expect=Expect.EQUALS, text="a b"), False),
    (Command(("printf", "%s", "anything"), expect=Expect.EQUALS, text="*"), False),
    (Command(("printf", "%s", ""), expect=Expect.EQUALS, text=""), True),
    (Command(("printf", "%s", "a\n  vg0  \nb"), expect=Expect.CONTAINS, text="vg0"), True),
    (Command(("printf", "%s", "a\nvg0"), expect=Expect.CONTAINS, text="vg0"), True),
    (Command(("printf", "%s", "vg01\nxvg0"), expect=Expect.CONTAINS, text="vg0"), False),
    (Command(("printf", "%s", ""), expect=Expect.CONTAINS, text="vg0"), False),
    (Command(("printf", "%s", "a: 1\n b: 2 \nc: *"), expect=Expect.CONTAINS, text="c: *\nb: 2"), True),
    (Command(("printf", "%s", "a: 1\nb: 2\nc: 3"), expect=Expect.CONTAINS, text="b: 2\nc: *"), False),
    (Command(("printf", "%s", "a: 1\nb: 2"), expect=Expect.LACKS, text="c: 3\nb: 2"), False),
    (Command(("printf", "%s", "a\\b"), expect=Expect.CONTAINS, text="a\\b"), True),
    (Command(("printf", "%s", "a\n  vg0  \nb"), expect=Expect.LACKS, text="vg0"), False),
    (Command(("printf", "%s", "a\nvg0"), expect=Expect.LACKS, text="vg0"), False),
    (Command(("printf", "%s", "vg01\nxvg0"), expect=Expect.LACKS, text="vg0"), True),
    (Command(("printf", "%s", ""), expect=Expect.LACKS, text="vg0"), True),
    (Command(("false",), expect=Expect.LACKS, text="vg0"), False),
    (Command(("printf", "%s", "all : 4\n\n heald    4"), expect=Expect.ONLY, text="all : *\nheald *"), True),
    (Command(("printf", "%s", "all : 4\nfuse   1"), expect=Expect.ONLY, text="all : *\nheald *"), False),
    (Command(("printf", "%s", "heald    4"), expect=Expect.ONLY, text="all : *\nheald *"), False),
    (Command(("printf", "%s", ""), expect=Expect.ONLY, text="all : *"), False),
    (Command(("false",), expect=Expect.ONLY, text="*"), False),
    (Command(("printf", "%s", "xfs /dev/a\n fuse n1:/v"), expect=Expect.NONE, text="fuse *:/w\nfuse *:w"), True),
    (Command(("printf", "%s", "xfs /dev/a\n fuse n1:/v"), expect=Expect.NONE, text="fuse *:/w\nfuse *:/v"), False),
    (Command(("printf", "%s", "/dev/a[/sub]"), expect=Expect.NONE, text="/dev/a\n/dev/a[[]*"), False),
    (Command(("printf", "%s", "/dev/ab"), expect=Expect.NONE, text="/dev/a\n/dev/a[[]*"), True),
    (Command(("printf", "%s", ""), expect=Expect.NONE, text="fuse *"), False),
    (Command(("false",), expect=Expect.NONE, text="x"), False),
]


async def test_expectations(target: Target) -> None:
    for condition, holds in EXPECTATIONS:
        result = await perform(target, touch(target, "made"), done=(condition,), guards=(FALSE,))
        if holds:
            assert result == Done(changed=False), condition
        else:
            assert "the step may not start: `false`" in failure(result, Reason.VERIFICATION_FAILED), condition


async def test_a_condition_that_nobody_can_answer_is_not_taken_for_unmet(target: Target) -> None:
    result = await perform(target, touch(target, "made"), done=(HANGS,))
    assert "cannot see whether the step is done" in failure(result, Reason.COMMAND_TIMED_OUT)
    assert target.read("made") is None


async def test_a_guard_that_hangs_stops_the_step(target: Target) -> None:
    result = await perform(target, touch(target, "made"), done=(FALSE,), guards=(HANGS,))
    failure(result, Reason.COMMAND_TIMED_OUT)
    assert target.read("made") is None


async def test_an_action_that_hangs_is_killed(target: Target) -> None:
    result = await perform(target, HANGS, touch(target, "made"), done=(FALSE,))
    assert "`sleep 30` did not end within 1 s" in failure(result, Reason.COMMAND_TIMED_OUT)
    assert target.read("made") is None


async def test_hostile_words_in_steps(target: Target) -> None:
    for situation, word in HOSTILE.items():
        name, content = situation.replace(" ", "-"), word + "\n"
        check = Command(("printf", "%s", f"[{word}]"), expect=Expect.EQUALS, text=f"[{word}]")
        put = PutFile(target.path(name), content)
        result = await perform(target, put, done=(check, exists(target, name)), guards=(check,))
        assert result == Done(changed=True), situation
        assert target.read(name) == ("0644", content), situation


async def test_a_program_reads_what_it_was_given_and_nothing_else(target: Target) -> None:
    given = Command(("cat",), stdin="line\nno end", expect=Expect.EQUALS, text="line\nno end")
    nothing = Command(("cat",), expect=Expect.EMPTY)
    result = await perform(target, given, touch(target, "made"), done=(nothing, exists(target, "made")))
    assert result == Done(changed=True)


# --- files ---


async def test_a_file_replaces_the_one_it_was_planned_from(target: Target) -> None:
    target.write("etc/a", "old")
    put = PutFile(target.path("etc/a"), "new", mode="0600", replaces_sha256=target.sha256("etc/a"))
    done = Command(("false",)), exists(target, "etc/a")
    message = failure(await perform(target, put, done=done), Reason.VERIFICATION_FAILED)
    assert "its effect is not there" in message
    assert target.read("etc/a") == ("0600", "new")


@pytest.mark.parametrize("planned_from", ["", "0" * 64], ids=["no file", "another content"])
async def test_a_file_that_somebody_changed_is_left_alone(target: Target, planned_from: str) -> None:
    target.write("a", "edited by hand")
    put = PutFile(target.path("a"), "new", replaces_sha256=planned_from)
    message = failure(await perform(target, put, done=(FALSE,)), Reason.VERIFICATION_FAILED)
    assert "was changed by somebody since the step was planned" in message
    assert target.sha256("a") in message
    assert target.read("a") == ("0644", "edited by hand")


async def test_a_file_that_vanished_is_not_made_again_from_an_old_plan(target: Target) -> None:
    put = PutFile(target.path("a"), "new", replaces_sha256="0" * 64)
    failure(await perform(target, put, done=(FALSE,)), Reason.VERIFICATION_FAILED)
    assert target.read("a") is None


async def test_a_new_file_gets_its_folder(target: Target) -> None:
    put = PutFile(target.path("new folder/x/a"), "", mode="0640", replaces_sha256="")
    result = await perform(target, put, done=(exists(target, "new folder/x/a"),))
    assert result == Done(changed=True)
    assert target.read("new folder/x/a") == ("0640", "")


# --- secrets ---


async def test_a_secret_that_a_program_prints_is_not_repeated(target: Target) -> None:
    leaky = Command(("cat",), stdin="hunter2-hunter2\nsecond-line\n", expect=Expect.EMPTY)
    message = failure(await perform(target, leaky, done=(FALSE,)), Reason.COMMAND_FAILED)
    assert "hunter2" not in message
    assert "second-line" not in message
    assert "(secret)" in message


async def test_the_half_of_a_secret_that_a_cut_leaves_is_not_repeated(target: Target) -> None:
    long = "".join(f"{number:04d}" for number in range(1500))
    leaky = Command(("cat",), stdin=long, expect=Expect.EMPTY)
    message = failure(await perform(target, leaky, done=(FALSE,)), Reason.COMMAND_FAILED)
    assert "(secret)" in message
    assert "1499" not in message


# --- fencing ---


async def test_an_operator_that_was_replaced_is_refused(target: Target) -> None:
    def step(name: str) -> tuple[Command, Command]:
        return touch(target, name), exists(target, name)

    async def tried(name: str, token: int) -> StepResult:
        act, done = step(name)
        return await perform(target, act, done=(done,), admission=with_token(token) if token else None)

    assert await tried("a", 41) == Done(changed=True)
    assert await tried("b", 42) == Done(changed=True)
    message = failure(await tried("c", 41), Reason.LOCKED_BY_OTHER_OPERATOR)
    assert "token 42 of operator, ours is 41" in message
    assert target.read("c") is None
    assert await tried("d", 42) == Done(changed=True)
    assert await tried("e", 0) == Done(changed=True)


@pytest.mark.parametrize(
    ("kept", "reason", "said"),
    [
        ("42 here another\n", Reason.LOCKED_BY_OTHER_OPERATOR, "token 42 of another, ours is 42"),
        ("7 elsewhere operator\n", Reason.HOST_OF_OTHER_CLUSTER, "kube-system has uid elsewhere there, and here"),
        ("99 elsewhere operator\n", Reason.HOST_OF_OTHER_CLUSTER, "rm /var/lib/heretic/fence"),
        ("", Reason.FENCE_UNREADABLE, "it is empty"),
        ("7\n", Reason.FENCE_UNREADABLE, "(7)"),
        ("seven here operator\n", Reason.FENCE_UNREADABLE, "seven here operator"),
        ("\x00\x00\x00\x00", Reason.FENCE_UNREADABLE, "cannot be understood"),
    ],
    ids=["same token twice", "other cluster", "newer one of it", "empty", "short", "no number", "zeros"],
)
async def test_a_host_that_knows_another_operator_does_nothing(
    target: Target, kept: str, reason: Reason, said: str
) -> None:
    target.keep(kept)
    result = await perform(target, touch(target, "a"), done=(exists(target, "a"),), admission=with_token(42))
    assert said in failure(result, reason)
    assert target.read("a") is None


async def test_a_host_that_was_told_of_a_new_operator_refuses_the_one_before(target: Target) -> None:
    new, old = with_token(42, holder="new"), with_token(41, holder="old")
    assert await target.hosts.announce(target.settings, new) == new.fence()
    assert await target.hosts.announce(target.settings, new) == new.fence(), "again is no harm"
    failure(
        await perform(target, touch(target, "a"), done=(exists(target, "a"),), admission=old),
        Reason.LOCKED_BY_OTHER_OPERATOR,
    )
    told = await target.hosts.announce(target.settings, old)
    assert isinstance(told, Transient)
    assert told.reason is Reason.LOCKED_BY_OTHER_OPERATOR
    assert target.read("a") is None
