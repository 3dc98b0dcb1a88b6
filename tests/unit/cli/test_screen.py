"""The screen of heretic status, from stored objects alone."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from heretic.cli import render, status
from heretic.cli.screen import Screen, compose
from heretic.cli.status import picture
from heretic.domain.errors import HereticError, Reason, Transient

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def condition(type_: str, status: str, reason: str = "AsDeclared", message: str = "as declared") -> dict[str, Any]:
    at = "2026-11-21T11:58:20Z"
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": at,
        "observedGeneration": 1,
    }


def obj(name: str, *conditions: dict[str, Any], spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "demo", "generation": 1}
    return {
        "metadata": metadata,
        "spec": spec or {},
        "status": {"conditions": [*conditions], "observedGeneration": 1, **status},
    }


def site(*conditions: dict[str, Any], **status: Any) -> tuple[str, dict[str, Any]]:
    return "Site", obj("demo", *conditions, **status)


def screen(*objects: tuple[str, dict[str, Any]], operator: dict[str, Any] | None = None) -> Screen:
    return compose("demo", objects, NOW, operator)


READY = condition("Ready", "True")
BACKUP = {"backup": {"node": "node2", "path": "/srv/backup"}}
DEAD = "node2 cannot be reached: No route to host"


class TestEngines:
    SEEN = {
        "version": "4.5.7",
        "globalMaintenance": False,
        "hosts": [{"name": "node1", "state": "Up"}, {"name": "node2", "state": "NonOperational"}],
        "summary": "node2 is not operational",
    }

    def test_an_engine_is_told_at_a_glance(self) -> None:
        engine = obj(
            "engine",
            condition("Ready", "False"),
            condition("EngineUp", "True"),
            spec=BACKUP,
            backup={"taken": "2026-11-21T01:30:00Z"},
            **self.SEEN,
        )
        shown = screen(("HostedEngine", engine))
        (line,) = shown.engines
        assert (line.up, line.version, line.hosts, line.backup) == ("True", "4.5.7", "1/2 up", "10 h old")
        console = render.console(no_color=True, width=render.SCREEN)
        lines = [text.plain for text in picture(console, shown)]
        head = next(text for text in lines if text.startswith("ENGINE"))
        row = lines[lines.index(head) + 1]
        assert head.split() == ["ENGINE", "READY", "UP", "VERSION", "HOSTS", "BACKUP", "MAINTENANCE", "STATUS"]
        assert row.split()[:9] == ["engine", "False", "True", "4.5.7", "1/2", "up", "10", "h", "old"]

    @pytest.mark.parametrize(("spec", "shown"), [(BACKUP, "none"), ({}, "-")])
    def test_an_engine_without_a_backup_shows_whether_one_is_declared(self, spec: dict[str, Any], shown: str) -> None:
        assert screen(("HostedEngine", obj("engine", spec=spec, **self.SEEN))).engines[0].backup == shown

    def test_an_engine_that_was_never_seen_shows_no_numbers(self) -> None:
        (line,) = screen(("HostedEngine", obj("engine"))).engines
        assert (line.up, line.version, line.hosts, line.backup, line.maintenance) == ("Pending", "-", "-", "-", "-")


class TestStates:
    def test_of_a_spec_that_nobody_has_seen_are_pending_and_not_the_old_ones(self) -> None:
        stale = obj("node1", READY)
        stale["metadata"]["generation"] = 2
        line = screen(("Node", stale)).nodes[0]
        assert (line.ready, line.summary) == ("Pending", "the operator has not looked at this spec yet")

    def test_of_a_site_are_those_of_its_conditions(self) -> None:
        shown = screen(site(READY, condition("Available", "True"), condition("NPlusOne", "False", "HealPending")))
        assert (shown.ready, shown.available, shown.n_plus_one) == ("True", "True", "False")

    def test_without_a_site_are_pending_and_it_is_said(self) -> None:
        shown = screen(("Node", obj("node1", READY)))
        assert (shown.site, shown.ready) == ("", "Pending")
        assert any("needs exactly one Site, and has 0" in line for line in shown.next)


class TestTables:
    def test_roles_come_from_the_recorded_choice(self) -> None:
        storage = {"nodes": ["node1", "node3"], "arbiter": "node3"}
        nodes = [("Node", obj(n)) for n in ("node1", "node3", "node4")]
        assert [n.role for n in screen(site(storage=storage), *nodes).nodes] == ["data", "arbiter", "-"]

    def test_an_unknown_heal_count_is_not_zero(self) -> None:
        volume = obj("vm", healPending="Unknown", bricksUp="2/3", capacity="20Gi", used="1Gi")
        line = screen(site(), ("GlusterVolume", volume)).volumes[0]
        assert (line.heal, line.bricks, line.used) == ("Unknown", "2/3", "1Gi of 20Gi")

    def test_what_is_not_told_is_a_dash(self) -> None:
        line = screen(site(), ("GlusterVolume", obj("vm"))).volumes[0]
        assert (line.heal, line.bricks, line.used, line.topology) == ("-", "-", "-", "-")


class TestWhatIsWrongAndWhatHappens:
    @pytest.mark.parametrize(
        ("conditions", "wrong", "now"),
        [
            ([READY], [], []),
            (
                [condition("Ready", "False", "Applying", "next"), condition("Reconciling", "True", "Applying", "next")],
                [],
                ["next"],
            ),
            (
                [
                    condition("Ready", "False", "Unreachable", DEAD),
                    condition("Reconciling", "True", "Unreachable", DEAD),
                ],
                [DEAD],
                [],
            ),
            (
                [condition("Ready", "False", "ForeignSignature", "ext4"), condition("Stalled", "True", message="ext4")],
                ["ext4"],
                [],
            ),
            (
                [condition("Ready", "False", "BrickDown", "down"), condition("Degraded", "True", message="served")],
                ["served"],
                [],
            ),
            ([condition("Ready", "Unknown", "HealUnknown", "?")], ["?"], []),
            ([condition("Ready", "Unknown", "WaitingForNodes", "nodes")], [], []),
        ],
        ids=["ready", "applying", "unreachable", "stalled", "degraded", "unknown", "waiting"],
    )
    def test_of_an_object(self, conditions: list[dict[str, Any]], wrong: list[str], now: list[str]) -> None:
        shown = screen(site(READY), ("Node", obj("node2", *conditions)))
        assert [r.message for r in shown.wrong] == wrong
        assert [r.message for r in shown.now] == now

    def test_is_told_with_its_age(self) -> None:
        shown = screen(site(condition("Stalled", "True", "NoUsableDisk", "none")))
        assert [(r.object, r.reason, r.since) for r in shown.wrong] == [("Site demo", "NoUsableDisk", "100 s")]


class TestWhatToDoNext:
    def test_nothing_when_all_is_well(self) -> None:
        assert screen(site(READY), ("Node", obj("node1", READY))).next == ()

    def test_an_approval_that_is_waited_for(self) -> None:
        volume = obj("vm", READY, plan={"hash": "abc", "needsApproval": True})
        assert any(
            "heretic approve glustervolume/vm -n demo" in n for n in screen(site(READY), ("GlusterVolume", volume)).next
        )

    def test_an_approval_that_was_given_is_not_asked_for_again(self) -> None:
        volume = obj("vm", READY, plan={"hash": "abc", "needsApproval": True})
        volume["metadata"]["annotations"] = {"hvp.ovirt.life/approve": "abc.1"}
        assert screen(site(READY), ("GlusterVolume", volume)).next == ()

    @pytest.mark.parametrize("used", [{"approvals": [{"word": "abc"}]}, {"lastApprovedPlan": "abc"}])
    def test_an_approval_that_was_used_up_is_asked_for_again(self, used: dict[str, Any]) -> None:
        volume = obj("vm", READY, plan={"hash": "abc", "needsApproval": True}, **used)
        volume["metadata"]["annotations"] = {"hvp.ovirt.life/approve": "abc"}
        assert screen(site(READY), ("GlusterVolume", volume)).next

    def test_a_pause_is_told(self) -> None:
        assert any(
            "Paused, so nothing is changed: Site demo" in n
            for n in screen(("Site", obj("demo", READY, spec={"paused": True}))).next
        )

    @pytest.mark.parametrize(
        ("renewed", "told"),
        [("2026-11-21T11:59:50.000000Z", False), ("2026-11-21T11:50:00.000000Z", True), ("", False)],
        ids=["alive", "silent", "no lease read"],
    )
    def test_an_operator_that_is_silent(self, renewed: str, told: bool) -> None:
        lease = {"spec": {"renewTime": renewed, "leaseDurationSeconds": 15}} if renewed else None
        assert bool([n for n in screen(site(READY), operator=lease).next if "lease for 10 min" in n]) is told


class TestPicture:
    def test_fits_a_hundred_columns_and_loses_no_message(self) -> None:
        long = "the disk wwn-0x5000c500a1b2c3d4 carries an ext4 filesystem and is not touched; " * 3
        shown = screen(
            site(READY),
            ("Node", obj("node1", condition("Ready", "False", "ForeignSignature", long), summary=long)),
            ("GlusterVolume", obj("vm", READY, summary=long, topology="1 x (2 + 1)")),
        )
        lines = [line.plain for line in picture(render.console(no_color=True, width=render.SCREEN), shown)]
        assert max(map(len, lines)) <= render.SCREEN
        assert " ".join(long.split()) in " ".join(" ".join(lines).split())

    def test_shows_what_is_noted_of_each_object(self) -> None:
        shown = screen(site(READY), ("GlusterVolume", obj("vm", READY, notes=["options that nobody declared: a=on"])))
        assert shown.notes == ("GlusterVolume vm: options that nobody declared: a=on",)
        lines = [line.plain for line in picture(render.console(no_color=True, width=100), shown)]
        assert "Notes" in lines
        assert "  GlusterVolume vm: options that nobody declared: a=on" in lines

    def test_says_when_it_is_old(self) -> None:
        lines = picture(render.console(no_color=True, width=100), screen(site(READY)), "since 12:00: no answer")
        assert lines[0].plain == "What follows is old, since 12:00: no answer"

    def test_as_data_has_stable_names(self) -> None:
        data = screen(site(READY), ("Node", obj("node1", READY))).as_data()
        assert {"namespace", "site", "ready", "nPlusOne", "slotHolder", "nodes", "volumes", "wrong"} <= set(data)
        assert data["nodes"] == [
            {"name": "node1", "ready": "True", "reachable": "Pending", "role": "-", "disks": "-", "summary": ""}
        ]


class TestWatch:
    async def test_keeps_the_last_screen_and_says_that_it_is_old_while_nobody_answers(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = screen(site(READY))
        away = HereticError(Transient(Reason.API_SERVER, "no answer from the API server"))
        looks: list[Any] = [good, away, away, good, KeyboardInterrupt()]
        shown: list[list[str]] = []

        async def look(*_: object) -> Screen:
            found = looks.pop(0)
            if isinstance(found, BaseException):
                raise found
            return cast("Screen", found)

        def note(console: Any, what: Screen, banner: str = "") -> list[Any]:
            lines = picture(console, what, banner)
            shown.append([line.plain for line in lines])
            return lines

        monkeypatch.setattr(status, "look", look)
        monkeypatch.setattr(status, "picture", note)
        monkeypatch.setattr(status, "EVERY", 0.0)
        with pytest.raises(KeyboardInterrupt):
            await status._watch(cast("Any", None), "demo", no_color=True)
        old = [lines[0].startswith("What follows is old, since ") for lines in shown]
        assert old == [False, True, True, False]
        assert shown[1][0] == shown[2][0], "it keeps telling since when"
        assert shown[1][1:] == shown[0]
