"""The type of processor that all hosts of a cluster have in common, in the engine's words."""

from collections.abc import Iterable, Sequence

from heretic.domain.host.facts import Cpu

INTEL, AMD = "GenuineIntel", "AuthenticAMD"

_INTEL = (
    ("Intel Icelake Server Family", {"avx512_vbmi2", "gfni", "avx512_vnni"}),
    ("Intel Cascadelake Server Family", {"avx512_vnni", "avx512vl"}),
    ("Intel Skylake Server Family", {"avx512f", "avx512vl", "clwb"}),
    ("Intel Skylake Client Family", {"xsavec", "xgetbv1", "adx", "rdseed"}),
    ("Intel Broadwell Family", {"adx", "rdseed", "3dnowprefetch"}),
    ("Intel Haswell Family", {"avx2", "bmi2", "movbe", "fma"}),
    ("Intel IvyBridge Family", {"f16c", "rdrand", "fsgsbase"}),
    ("Intel SandyBridge Family", {"avx", "xsave", "tsc_deadline_timer"}),
    ("Intel Westmere Family", {"aes", "pclmulqdq"}),
    ("Intel Nehalem Family", {"sse4_2", "popcnt"}),
)
_AMD = (
    ("AMD EPYC", {"sha_ni", "clflushopt", "avx2", "xsavec"}),
    ("AMD Opteron G5", {"tbm", "f16c", "fma"}),
    ("AMD Opteron G4", {"xop", "fma4", "avx"}),
)
_FAMILIES = {INTEL: _INTEL, AMD: _AMD}


def one_vendor(cpus: Iterable[Cpu]) -> bool:
    """Whether all processors are of one vendor: an engine's cluster holds no others."""
    return len({cpu.vendor for cpu in cpus}) <= 1


def common_cpu_type(cpus: Sequence[Cpu]) -> str:
    """The newest family that every host can show to a guest, told by flags that it brought.

    Args:
        cpus: Of all hosts of the cluster.

    Returns:
        The engine's name of it; "" where it cannot be told, so that the engine has to choose. An older one is always
        right, so a processor that lacks one of a family's flags counts for the family before.
    """
    if not cpus or not one_vendor(cpus):
        return ""
    common = frozenset.intersection(*(frozenset(cpu.flags) for cpu in cpus))
    return next((name for name, flags in _FAMILIES.get(cpus[0].vendor, ()) if flags <= common), "")
