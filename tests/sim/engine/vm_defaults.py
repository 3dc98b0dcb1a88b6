"""A virtual machine of which nothing is said: what it has then."""

from typing import Any

from ovirtsdk4 import types

from sim.engine.state import EngineState
from sim.engine.storage import GIB
from sim.engine.vm_life import VmLife

BLANK = "00000000-0000-0000-0000-000000000000"
"""The template of machines that are made from nothing."""


def new_vm(state: EngineState, name: str, cluster: str, **values: Any) -> Any:
    """A machine that does not run, of which nothing is said but its name."""
    memory = values.pop("memory", GIB)
    made = types.Vm(
        name=name,
        description="",
        comment="",
        bios=types.Bios(boot_menu=types.BootMenu(enabled=False), type=types.BiosType.Q35_SEA_BIOS),
        cluster=types.Cluster(id=cluster),
        cpu=types.Cpu(
            architecture=types.Architecture.X86_64, topology=types.CpuTopology(cores=1, sockets=1, threads=1)
        ),
        cpu_shares=0,
        creation_time=state.time(),
        delete_protected=False,
        display=_display(),
        high_availability=types.HighAvailability(enabled=False, priority=1),
        io=types.Io(threads=1),
        memory=memory,
        memory_policy=types.MemoryPolicy(guaranteed=memory, max=4 * memory),
        migration=types.MigrationOptions(
            auto_converge=types.InheritableBoolean.INHERIT,
            compressed=types.InheritableBoolean.INHERIT,
        ),
        migration_downtime=-1,
        multi_queues_enabled=True,
        next_run_configuration_exists=False,
        numa_tune_mode=types.NumaTuneMode.INTERLEAVE,
        origin="ovirt",
        os=types.OperatingSystem(boot=types.Boot(devices=[types.BootDevice.HD]), type="other"),
        placement_policy=types.VmPlacementPolicy(affinity=types.VmAffinity.MIGRATABLE),
        sso=types.Sso(methods=[types.Method(id=types.SsoMethod.GUEST_AGENT)]),
        start_paused=False,
        stateless=False,
        storage_error_resume_behaviour=types.VmStorageErrorResumeBehaviour.AUTO_RESUME,
        time_zone=types.TimeZone(name="Etc/GMT"),
        type=types.VmType.SERVER,
        usb=types.Usb(enabled=False),
        original_template=types.Template(id=BLANK),
        template=types.Template(id=BLANK),
    )
    for field, value in values.items():
        setattr(made, field, value)
    state.insert(state.vms, made)
    state.vm_lives[made.id] = VmLife.down(state.now(), state.vm_lasting)
    return made


def _display() -> Any:
    return types.Display(
        allow_override=False,
        copy_paste_enabled=True,
        disconnect_action="LOCK_SCREEN",
        file_transfer_enabled=True,
        monitors=1,
        single_qxl_pci=False,
        smartcard_enabled=False,
        type=types.DisplayType.VNC,
    )
