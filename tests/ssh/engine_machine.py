"""The engine's machine as a real shell sees it: programs of oVirt and of packages are stand-ins that fail on demand.

Each of them takes the arguments that the real one takes, and refuses others. What is installed, offered and switched
on lies in files of a folder, so a test can look and change it; `fails-NAME` has the words with which a program fails.
"""

from pathlib import Path

from ssh.targets import ShellServer

FQDN = "engine.example.test"

_PROGRAMS = {
    "rpm": """
[ "$1" = --query ] || exit 64
[ "$2 $3 $4" != "--queryformat %{VERSION} ovirt-engine" ] || { cat "@/installed-ovirt-engine"; exit; }
[ $# = 2 ] && [ "$2" = "ovirt-engine-setup-$(cat "@/installed-ovirt-engine-setup")" ] && echo "$2-1.el9.noarch" && exit
echo "package $2 is not installed"
exit 1
""",
    "dnf": """
case $* in
  "--quiet --cacheonly repoquery --latest-limit=1 --queryformat=%{version}\\n ovirt-engine-setup") cat "@/offered" ;;
  "--assumeyes upgrade ovirt-*setup*")
    echo dnf >>"@/did"
    [ ! -e "@/fails-dnf" ] || { cat "@/fails-dnf"; exit 1; }
    cat "@/offered" >"@/installed-ovirt-engine-setup"
    echo Complete!
    ;;
  *) exit 64 ;;
esac
""",
    "engine-upgrade-check": """
[ $# = 0 ] || exit 64
[ ! -e "@/fails-check" ] || { cat "@/fails-check"; exit 1; }
cat "@/released" >"@/offered"
echo "Upgrade available"
""",
    "engine-backup": """
file= log= mode= scope=
for word; do
  case $word in
    --file=/*) file=${word#*=} ;;
    --log=/*) log=${word#*=} ;;
    --mode=backup | --mode=verify) mode=${word#*=} ;;
    --scope=all) scope=all ;;
    *) echo "FATAL: invalid option $word"; exit 1 ;;
  esac
done
: >"$log" || exit 1
echo "$mode" >>"@/did"
case $mode:$scope in
  backup:all) echo backup >"$file" || exit 1 ;;
  verify:) grep -qx backup "$file" || { echo "FATAL: not a backup"; exit 1; } ;;
  *) echo "FATAL: mode and scope do not fit"; exit 1 ;;
esac
[ ! -e "@/fails-$mode" ] || { cat "@/fails-$mode"; exit 1; }
echo Done.
""",
    "engine-setup": """
[ $# = 2 ] && [ "$1" = --accept-defaults ] || exit 64
answers=${2#--config-append=}
[ "$(stat -c %a "$answers")" = 600 ] || { echo "[ ERROR ] nobody else may read $answers"; exit 1; }
grep -qx '\\[environment:default\\]' "$answers" || { echo "[ ERROR ] no answers"; exit 1; }
echo setup >>"@/did"
echo "[ INFO  ] Stage: Initializing"
echo "[ INFO  ] Stage: Setup validation"
[ -e "@/global-maintenance" ] || {
  echo "[ ERROR ] Failed to execute stage 'Setup validation': Hosted Engine HA is not in Global Maintenance mode."
  exit 1
}
grep -qx 'OVESETUP_CORE/engineStop=bool:True' "$answers" || { echo "[ ERROR ] the engine still runs"; exit 1; }
echo inactive >"@/ovirt-engine.service"
echo "[ INFO  ] Stage: Misc configuration"
[ ! -e "@/fails-setup" ] || { cat "@/fails-setup"; echo "[ INFO  ] Stage: Clean up"; exit 1; }
cat "@/installed-ovirt-engine-setup" >"@/installed-ovirt-engine"
[ -e "@/stays-down" ] || echo active >"@/ovirt-engine.service"
echo "[ INFO  ] Stage: Termination"
echo "[ INFO  ] Execution of setup completed successfully"
""",
    "systemctl": """
for last; do :; done
case $1 in
  is-active) [ $# = 2 ] || exit 64; cat "@/$2"; grep -qx active "@/$2" ;;
  list-units)
    [ "$2 $3 $4" = "--plain --no-legend --state=active,activating" ] || exit 64
    cd "@units" || exit 1
    for unit in *.service; do
      case $unit in $last) ;; *) continue ;; esac
      [ "$(cat "$unit")" != active ] || echo "$unit loaded active running Heretic step"
    done
    ;;
  show) cat "@units/$last" 2>/dev/null || echo inactive ;;
  reset-failed) rm "@units/$last" ;;
  *) exit 64 ;;
esac
""",
}


class EngineMachine:
    """A machine on which an engine 4.5.7 runs, whose repositories have 4.5.8, in global maintenance.

    Args:
        server: Whose sandbox it is.
    """

    def __init__(self, server: ShellServer) -> None:
        self.sandbox = server.sandbox
        self.folder = self.sandbox / "engine"
        self.folder.mkdir()
        for name, text in _PROGRAMS.items():
            program = self.sandbox / "bin" / name
            text = text.replace("@units", str(self.sandbox / "units")).replace("@/", f"{self.folder}/")
            program.write_text(f"#!/bin/sh\n{text}")
            program.chmod(0o755)
        self.settings = self.sandbox / "etc/ovirt-engine/engine.conf.d"
        self.settings.mkdir(parents=True)
        self.set_up_as(FQDN)
        (self.sandbox / "var/lib/heretic").mkdir(parents=True, exist_ok=True)
        for name in ("ovirt-engine", "ovirt-engine-setup"):
            self.write(f"installed-{name}", "4.5.7")
        self.write("offered", "4.5.8\n")
        self.write("released", "4.5.8\n")
        self.write("global-maintenance", "")
        self.write("ovirt-engine.service", "active\n")

    def set_up_as(self, fqdn: str) -> None:
        """Under which name engine-setup has set it up."""
        text = f"ENGINE_FQDN={fqdn}\nENGINE_PROXY_ENABLED=true\n"
        (self.settings / "10-setup-protocols.conf").write_text(text)

    def write(self, name: str, text: str) -> None:
        """Changes what a stand-in goes by."""
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        """What a stand-in goes by, or left; "" = there is none."""
        path = self.folder / name
        return path.read_text().strip() if path.exists() else ""

    @property
    def did(self) -> list[str]:
        """What was run that changes something, in order."""
        return self.read("did").split()

    def at_work(self, unit: str) -> None:
        """A job of that name runs."""
        (self.sandbox / "units" / unit).write_text("active\n")

    def kept(self, path: str) -> Path:
        """A file of the machine, where the sandbox has it."""
        return self.sandbox / path.lstrip("/")

    def keep(self, path: str, text: str) -> None:
        """Makes a file of the machine."""
        file = self.kept(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
