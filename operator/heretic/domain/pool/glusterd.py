"""How glusterd runs on a host: its package, its unit, its ports."""

from collections.abc import Iterator

from heretic.domain.facts import Known
from heretic.domain.host.feature import Opening
from heretic.domain.host.ports import Ranges
from heretic.domain.host.rule import NOTE, HostContext, write_file
from heretic.domain.plan import PlanItem
from heretic.domain.pool.member import MEMBER

PACKAGE = "glusterfs-server"
"""Its version is Gluster's, on every platform."""
SERVICE = "glusterd.service"
DROP_IN = "/etc/systemd/system/glusterd.service.d/heretic.conf"

FIREWALL_SERVICES: dict[str, Ranges] = {"glusterfs": ((24007, 24009), (38465, 38469), (49152, 49664))}
"""As Gluster's packages define it (extras/firewalld/glusterfs.xml)."""
OPENINGS = (Opening(((24007, 24007),), "glusterfs"), Opening(((49152, 60999),)))
"""glusterd's port, and those of bricks: Gluster 10 and later give them random ports up to 60999 (glusterd.vol
max-port); firewalld's service ends at 49664."""

DEAD_PEER_SECONDS = 15
"""After so many seconds without an answer glusterd calls a peer disconnected.

Without it, a question of one volume's status takes 120 s when a peer has died without a word (measured with Gluster
10.3; 17 s with it), because TCP goes on sending what the dead peer has not acknowledged.
"""

DROP_IN_TEXT = (
    NOTE
    + "# A start that fails, for example because a peer's name cannot be resolved yet, is tried again without end.\n"
    + "[Unit]\n"
    + "StartLimitIntervalSec=0\n"
    + "[Service]\n"
    + "Restart=on-failure\n"
    + "RestartSec=10\n"
    + "# The bricks outlive glusterd: Debian's unit would end them with it.\n"
    + "KillMode=process\n"
    + "# A dead peer is noticed soon. What /etc/default or /etc/sysconfig set for GLUSTERD_OPTIONS has precedence.\n"
    + f'Environment="GLUSTERD_OPTIONS=--xlator-option=management.transport.tcp-user-timeout={DEAD_PEER_SECONDS}"\n'
)
"""Lets glusterd come up after a boot that found no names or no network (rule:glusterd-after-network).

Ordering it after network-online.target is no cure: Gluster's own unit comes *before* that target, so systemd finds a
cycle and drops one of the two from the boot (seen with Gluster 10.3). The peers' names are in /etc/hosts.
"""


def drop_in(host: HostContext) -> Iterator[PlanItem]:
    """Writes how glusterd runs (see DROP_IN_TEXT).

    It reads its options when it starts. It is restarted for them only while it has no peers: in a pool that could
    cost the quorum of servers, so there they wait for its next start.
    """
    reload: tuple[str, ...] = ("systemctl", "daemon-reload")
    peers = host.facts[MEMBER].peers
    alone = isinstance(peers, Known) and not peers.value
    yield from write_file(
        host,
        DROP_IN,
        lambda _: DROP_IN_TEXT,
        "how glusterd starts, ends and notices dead peers",
        reader="systemd",
        tell=(reload, ("systemctl", "try-restart", SERVICE)) if alone else (reload,),
    )
