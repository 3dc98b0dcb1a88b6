"""The files that CTDB reads."""

from heretic.domain.host.rule import NOTE
from heretic.domain.shares.lock_steps import FILE, FOLDER, UNIT

SERVICE = "ctdb.service"
PORT = 4379
"""TCP, between the file servers."""

CONFIGURATION = "/etc/ctdb/ctdb.conf"
NODES = "/etc/ctdb/nodes"
PUBLIC_ADDRESSES = "/etc/ctdb/public_addresses"
DROP_IN = "/etc/systemd/system/ctdb.service.d/heretic.conf"

CONFIGURATION_TEXT = f"""\
{NOTE}[logging]
\tlocation = syslog
\tlog level = NOTICE
[cluster]
\tcluster lock = {FILE}
"""
"""The name "cluster lock" is understood since Samba 4.16, which every platform has."""

DROP_IN_TEXT = f"""\
{NOTE}# CTDB starts only where its lock is, and is tried again without end: after a boot the volume may come late.
[Unit]
Wants={UNIT}
After={UNIT}
StartLimitIntervalSec=0
[Service]
ExecStartPre=/usr/bin/findmnt --types fuse.glusterfs --mountpoint {FOLDER}
Restart=on-failure
RestartSec=10
"""
