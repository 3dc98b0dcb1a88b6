"""ping of Debian 13, as a question about one path uses it; captured in data/network/ping."""

from collections.abc import Callable, Collection

from heretic.domain.commands import Output
from sim.machine import Argv, failed, ok


def ping(argv: Argv, own: Collection[str], most: Callable[[str, str], int]) -> Output | None:
    """What a ping says that nobody may cut into pieces.

    Args:
        argv: As the host was asked.
        own: Addresses of the host.
        most: Bytes of the largest packet that gets from an own address to another one and back; 0 = nobody answers.
    """
    match argv[1:]:
        case ("-n", "-M", "do", "-c", "1", "-w", "2", "-i", "0.5", "-s", size, "-I", source, target):
            return _said(int(size), source, target, most) if source in own else _not_ours()
    return None


def _not_ours() -> Output:
    return failed("ping: bind: Cannot assign requested address", 2)


def _said(size: int, source: str, target: str, most: Callable[[str, str], int]) -> Output:
    head = f"PING {target} ({target}) from {source} : {size}({size + 28}) bytes of data.\n"
    end = f"\n--- {target} ping statistics ---\n"
    if size + (48 if ":" in target else 28) > most(source, target):
        return Output(1, f"{head}{end}4 packets transmitted, 0 received, 100% packet loss, time 1526ms\n\n", "")
    answer = f"{size + 8} bytes from {target}: icmp_seq=1 ttl=64 time=0.065 ms\n"
    return ok(f"{head}{answer}{end}1 packets transmitted, 1 received, 0% packet loss, time 0ms\n")
