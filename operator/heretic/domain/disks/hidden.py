"""Physical volumes that LVM itself does not see, because its devices file lacks them (rule:devices-file)."""

from heretic.domain.facts import NOT_OBSERVED, Known
from heretic.domain.host.facts import HostFacts, PhysicalVolume
from heretic.domain.host.profiles import LVM_DEVICES_FILE


def hidden_volumes(facts: HostFacts) -> tuple[PhysicalVolume, ...]:
    """Physical volumes that LVM does not see because its devices file lacks them.

    Without that file LVM sees every device, and making one would hide all others: then nothing is hidden.
    """
    file, volumes = facts.files.get(LVM_DEVICES_FILE, NOT_OBSERVED), facts.physical_volumes
    if not isinstance(file, Known) or not isinstance(volumes, Known):
        return ()
    return tuple(v for v in volumes.value if f"PVID={v.uuid.replace('-', '')}" not in file.value.content)
