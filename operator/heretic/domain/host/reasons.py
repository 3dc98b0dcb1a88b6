"""Reasons that concern hosts: reaching one, and its own trouble."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, Stage, chapter

REACHING = chapter(
    "Reaching a host",
    Explained(
        Reason.UNREACHABLE,
        "No SSH connection to the host can be made.",
        "Check power, network, `spec.address` and sshd.",
    ),
    Explained(
        Reason.CONNECTION_LOST,
        "The connection ended in the middle of something.",
        "Nothing; the next pass sees what took effect.",
    ),
    Explained(
        Reason.COMMAND_TIMED_OUT,
        "A program on the host did not end in time.",
        "Nothing; if it lasts, look at load and disks of the host.",
    ),
    Explained(
        Reason.AUTHENTICATION_FAILED,
        "The host does not accept the key of the Site's Secret.",
        "Add the public key to `authorized_keys` there, or correct Secret or user.",
        code="HVP-N006",
    ),
    Explained(
        Reason.HOST_KEY_MISMATCH,
        "The host shows another key than the pinned one.",
        "Compare the fingerprints of the message on the host's console; correct `spec.hostKeys` only if it matches.",
        code="HVP-N005",
    ),
    Explained(
        Reason.HOST_KEY_NOT_PINNED,
        "The Node pins no host key.",
        "Compare the fingerprint of the message on the host's console, then add the key to `spec.hostKeys`.",
        code="HVP-N005",
    ),
    Explained(
        Reason.NO_ROOT,
        "The user may not become root with sudo without a password.",
        "Allow it in sudoers with NOPASSWD, or log in as root.",
        code="HVP-N006",
    ),
    Explained(
        Reason.LOGIN_REFUSED,
        "The host lets the user in and gives it no shell: an expired account, a shell that refuses, a forced command.",
        "Read in the message what the host said; correct the account there.",
    ),
    Explained(
        Reason.CREDENTIALS_MISSING,
        "The Secret with the SSH key is missing, or holds no usable key.",
        "Make it with the command in the message.",
        code="HVP-N006",
    ),
    Explained(
        Reason.CREDENTIALS_NOT_MADE,
        "The Secret with the engine's password is not there yet; Heretic makes it before it deploys the engine.",
        "Nothing; to choose the password yourself, make the Secret before.",
    ),
    Explained(
        Reason.NAME_NOT_RESOLVED,
        "A declared name does not resolve: the address of a host, or the engine's.",
        "Correct the name or DNS, or give an address; the engine's name is resolved by its hosts, forward and reverse.",
    ),
)

OF_HOSTS = chapter(
    "A host's own trouble",
    Explained(
        Reason.UNSUPPORTED_PLATFORM,
        "The host's distribution is not supported.",
        "Install Debian 13 or 12 on it; EL 9 for a hypervisor. See docs/reference/platforms.md.",
    ),
    Explained(Reason.DISK_FULL, "A filesystem of the host is full.", "Free some space there.", code="HVP-N008"),
    Explained(
        Reason.READ_ONLY_ROOT,
        "The host's root filesystem is read-only.",
        "Look at the kernel log, check the filesystem, reboot.",
        code="HVP-N008",
    ),
    Explained(
        Reason.PACKAGE_MANAGER_LOCKED,
        "Somebody else uses the package manager.",
        "Nothing; if it lasts, end the process in the message.",
    ),
    Explained(
        Reason.PACKAGE_INSTALL_FAILED,
        "Packages could not be installed.",
        "Check the host's repositories and its way to them.",
    ),
    Explained(
        Reason.IN_MAINTENANCE,
        "`spec.maintenance` of the Node is set, so no step runs on it.",
        "Set it to false when the work is done.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.MAINTENANCE_UNSAFE,
        "Maintenance is declared, and the site is not known to bear the loss of this host.",
        "Leave the host on until `Maintenance` is True, unless the host itself is what is broken.",
    ),
    Explained(
        Reason.CLOCK_SKEWED,
        "The host's clock differs too much from the operator's.",
        "Set `spec.timeServers` of the Site, or the clock.",
        code="HVP-N007",
    ),
    Explained(
        Reason.SERVICE_FAILED,
        "A service on the host does not run.",
        "Read its journal on the host: `journalctl -u <service>`.",
    ),
    Explained(
        Reason.FIREWALL_REFUSES,
        "A rule of firewalld refuses what Gluster needs, and opening ports does not help against it.",
        "Remove the rule in the message, or accept the storage network before it.",
    ),
    Explained(
        Reason.HOST_BUSY,
        "An earlier step still runs on the host; its answer was not awaited or was lost.",
        "Nothing; the step is tried again when the earlier one has ended.",
    ),
    Explained(
        Reason.LOCKED_BY_OTHER_OPERATOR,
        "An operator with a newer lease has worked on the host, so this one is refused.",
        "Nothing; if it lasts, look for a second operator.",
    ),
    Explained(
        Reason.HOST_OF_OTHER_CLUSTER,
        "The operator of another cluster managed this host, so this one is refused.",
        "See that the other one is gone for good, then remove the host's fence: docs/how-to/locked-out-hosts.md.",
    ),
    Explained(
        Reason.FENCING_TOKEN_WENT_BACK,
        "The host has seen a newer operator of this cluster than the Lease knows: the Lease was lost or restored.",
        "See that no other operator runs, then raise the token with the command in the message: "
        "docs/how-to/locked-out-hosts.md.",
    ),
    Explained(
        Reason.FENCE_UNREADABLE,
        "The file on the host that says whose steps to accept cannot be understood, so it accepts none.",
        "Find out why, then remove it: docs/how-to/locked-out-hosts.md.",
    ),
    Explained(
        Reason.COMMAND_FAILED,
        "A program on the host failed; the message says what it said.",
        "Act on what it said; it is tried again.",
    ),
    Explained(
        Reason.VERIFICATION_FAILED,
        "A step ran and its effect is not there, or what it relied on has changed.",
        "Nothing; if it lasts, the message names what to look at.",
    ),
    Explained(
        Reason.CHANGE_TAKEN_BACK,
        "A change that could cut the way to a host was not proved in time: the host took it back by itself, or the "
        "engine did, or refused it.",
        "See the message for what did not hold, and whether the change is tried again.",
    ),
    Explained(
        Reason.OUTPUT_NOT_UNDERSTOOD,
        "What a program printed cannot be understood, so nothing is concluded from it.",
        "Nothing; if it lasts, report the message: versions may differ from the tested ones.",
    ),
    Explained(
        Reason.OBSERVED_ONLY,
        "What was not laid out by Heretic is observed, and nothing is changed on it or beside it.",
        "Set `mode: Observe` for it; to have it managed, move the data to a volume that Heretic lays out.",
    ),
)
