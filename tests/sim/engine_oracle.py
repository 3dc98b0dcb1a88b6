"""No engine is made over one that lives or once lived, whatever is disturbed (rule:engine-never-redeployed).

It looks at what runs on the hosts, and not at what the operator says of it. So it also sees a job that began late, or
that somebody else began.
"""

import json
from collections.abc import Callable

from heretic.domain.commands import Output
from heretic.domain.hosted_engine.setup_machine import AUTHORITY, DONE
from heretic.reconcile.store import Key
from sim.deployment import Deployer
from sim.engine_setup import DATABASE, SetupHost
from sim.machine import Argv, Machine
from sim.world import MemoryApi

EngineSign = Callable[[], str]
"""What is there of an engine, "" = nothing."""


class OneEngine:
    """Watches all that makes an engine, and all that cleans up after one, from the beginning of a site.

    Over a former engine one is made out of a backup alone, by a person's word that the object's status records: one
    for each restore that works, however often it was tried.

    Args:
        listens: Whether the engine answers.
        api: Where approvals are recorded.
        key: Of the object that stands for the engine.

    Attributes:
        violations: What must not have been.
    """

    def __init__(self, listens: Callable[[], bool], api: MemoryApi, key: Key) -> None:
        self.violations: list[str] = []
        self._listens, self._api, self._key = listens, api, key
        self._has_lived = False
        self._restored = 0
        self._alive: list[EngineSign] = [lambda: "an engine answers" if listens() else ""]
        self._written: list[EngineSign] = []
        self._former: list[EngineSign] = [lambda: "an engine has answered once" if self._has_lived else ""]

    def on(self, host: Deployer) -> None:
        """Watches a host that can deploy an engine."""
        name, machine = host.machine.name, host.machine
        self._alive.append(lambda: f"its machine runs on {name}" if "HostedEngine" in host.running else "")
        self._written.append(lambda: f"a storage domain lies on the volume of {name}" if host.domain else "")
        self._former.append(lambda: f"{name} is configured for one" if host.deployed else "")

        def is_role(argv: Argv) -> bool:
            return "ansible-playbook" in argv and "--extra-vars" in argv

        def deploying(argv: Argv) -> None:
            told = json.loads(machine.files[argv[argv.index("--extra-vars") + 1].removeprefix("@")].content)
            self._judge(f"the role runs on {name}", out_of_backup=bool(told.get("he_restore_from_file")))

        self._watch(machine, "env", is_role, deploying)
        cleaning = "ovirt-hosted-engine-cleanup"
        self._watch(
            machine, cleaning, lambda _: True, lambda _: self._judge(f"{cleaning} runs on {name}", out_of_backup=True)
        )

    def set_up_on(self, host: SetupHost) -> None:
        """Watches a machine on which an engine can be set up."""
        files, traces = host.machine.files, (DATABASE, DONE, AUTHORITY)
        self._former.append(lambda: next((f"there is {path}" for path in traces if path in files), ""))
        self._watch(
            host.machine,
            "env",
            lambda argv: "engine-setup" in argv,
            lambda _: self._judge("engine-setup runs", out_of_backup=False),
        )

    def checkpoint(self) -> Callable[[], None]:
        """Takes note of what is known of the engine.

        Returns:
            What goes back to it; violations since then are forgotten.
        """
        known = self._has_lived, self._restored, list(self.violations)

        def restore() -> None:
            self._has_lived, self._restored, self.violations[:] = known

        return restore

    def _watch(
        self, machine: Machine, program: str, is_it: Callable[[Argv], bool], before: Callable[[Argv], None]
    ) -> None:
        tool = machine.tools[program]

        def run(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
            if not is_it(argv):
                return tool(machine, argv, stdin)
            before(argv)
            over = bool(self._first(self._former))
            output = tool(machine, argv, stdin)
            if self._listens():
                self._restored += over
                self._has_lived = True
            return output

        machine.tools[program] = run

    def _judge(self, what: str, *, out_of_backup: bool) -> None:
        self._has_lived |= self._listens()
        former = self._first(self._former)
        may = out_of_backup and self._restored < self._words()
        if found := self._first(self._alive) or self._first(self._written) or ("" if may else former):
            self.violations.append(f"{what}, and {found}")

    def _words(self) -> int:
        """How many restores a person has approved."""
        status = self._api.objects[self._key].get("status") or {}
        return sum("RestoreEngine" in used["what"] for used in status.get("approvals") or [])

    @staticmethod
    def _first(signs: list[EngineSign]) -> str:
        return next((found for sign in signs if (found := sign())), "")
