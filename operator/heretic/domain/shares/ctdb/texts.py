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

LEADER_TIMEOUT = 10
"""Seconds until a new leader is looked for: more than the lock volume stands still when a host dies (5 s, which is its
network.ping-timeout). With CTDB's own 5 s a second election begins while the first one still waits for the lock."""

CONFIGURATION_TEXT = f"""\
{NOTE}[logging]
\tlocation = syslog
\tlog level = NOTICE
[cluster]
\tcluster lock = {FILE}
\tleader timeout = {LEADER_TIMEOUT}
"""
"""These names are understood since Samba 4.16, which every platform has."""

TUNABLES = "/etc/ctdb/ctdb.tunables"
TUNABLES_TEXT = f"""\
{NOTE}KeepaliveInterval=2
KeepaliveLimit=4
RecoveryBanPeriod=30
"""
"""A host that died is noticed after 8 s, not 25; one that was banned for no fault of its own is back after 30 s.

A ban can strike the last host that may have addresses: seen with CTDB's own values, when a host lost the race for the
lock of one that was dead.
"""

SCRIPT_OPTIONS = "/etc/ctdb/script.options"
SCRIPT_OPTIONS_TEXT = f"""\
{NOTE}CTDB_SAMBA_SKIP_SHARE_CHECK=yes
CTDB_SAMBA_CHECK_PORTS=445
"""
"""Folders of shares lie in their volume, where CTDB's script for Samba, which looks for them here, finds none."""

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
