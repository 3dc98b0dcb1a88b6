"""Free TCP ports on loopback for servers that must keep theirs over a restart."""

import random
import socket

# Below the range that the kernel takes client ports from: otherwise, while a killed server is down, some
# connection could get its port and keep the restarted server from listening.
_RANGE = range(20000, 32000)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    for port in random.sample(_RANGE, 100):
        if is_free(port):
            return port
    raise RuntimeError(f"no free port found on 127.0.0.1 between {_RANGE.start} and {_RANGE.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
