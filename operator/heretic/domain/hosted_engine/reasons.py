"""Reasons that concern the deployment of an engine: what is in its way, and how it fails."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, Stage, chapter

OF_DEPLOYMENTS = chapter(
    "The deployment of an engine",
    Explained(
        Reason.ENGINE_TOOLS_MISSING,
        "The first host lacks oVirt's packages or a module of Ansible, which deploy an engine, or its VDSM is too old.",
        "Install what the message names; the packages exist for EL 9.",
    ),
    Explained(
        Reason.APPLIANCE_MISSING,
        "The appliance that `spec.selfHosted.appliance` names is not on the first host.",
        "Copy it there, or leave the field unset: then oVirt's package of it is installed.",
    ),
    Explained(
        Reason.ENGINE_NAME_WRONG,
        "The engine's name leads to a host's own address, or its address does not lead back to it.",
        "Correct the zones of the site's name server.",
    ),
    Explained(
        Reason.NAT_SUBNET_CLASHES,
        "The network of the temporary machine overlaps one of the site's.",
        "Declare another one in `spec.selfHosted.natSubnet`.",
    ),
    Explained(
        Reason.INTERFACE_UNSUITABLE,
        "The bridge ovirtmgmt cannot be made on this interface: it is missing, or its kind, name or mode is none "
        "that oVirt "
        "takes.",
        "Change the interface as the message says, or name another one in `spec.selfHosted.networkInterface`.",
    ),
    Explained(
        Reason.FIREWALL_NOT_RUNNING,
        "The first host's firewalld does not run, and the deployment opens ports in it.",
        "Install firewalld, unmask it and start it.",
    ),
    Explained(
        Reason.CPUS_DIFFER,
        "Hosts of the cluster have processors of several vendors, and guests cannot move between these.",
        "Take the role Hypervisor from the Nodes of one vendor.",
    ),
    Explained(
        Reason.ENGINE_VOLUME_NOT_READY,
        "The volume for the engine's machine is missing, not Ready, not healed, or for another purpose.",
        "See the GlusterVolume that the message names.",
    ),
    Explained(
        Reason.ENGINE_VOLUME_NOT_EMPTY,
        "Something lies on the volume for the engine's machine: an engine may live there.",
        "Find out whose it is; empty the volume by hand only where no engine ever ran.",
    ),
    Explained(
        Reason.ENGINE_DEPLOYED_BEFORE,
        "There is, or was, an engine: something answers at its name, or a host remembers one. It is never "
        "deployed again.",
        "Declare the engine that is there with the deployment Existing, or restore it.",
    ),
    Explained(
        Reason.DEPLOYMENT_LEFTOVERS,
        "A machine of a deployment that did not end is on the first host.",
        "Let it end, or clean up by hand where no engine was ever deployed.",
    ),
    Explained(
        Reason.DEPLOYMENT_FAILED,
        "The deployment failed in a way that Heretic does not know.",
        "Read the message and the host's journal, remove the cause, raise `spec.selfHosted.attempt`.",
    ),
    Explained(
        Reason.DEPLOYMENT_INTERRUPTED,
        "The deployment was ended half way: its host was booted, or somebody stopped it.",
        "Find out who did; raise the attempt. It begins from the start, and only where nothing was deployed yet.",
    ),
    Explained(
        Reason.ENGINE_BOOTSTRAP_FAILED,
        "The temporary machine, in which the engine is set up, did not come up.",
        "Check name server, firewall, memory and the network of `spec.selfHosted.natSubnet`; raise the attempt.",
    ),
    Explained(
        Reason.FIRST_HOST_NOT_UP,
        "The new engine did not get the first host up: a network is missing, or its processor or packages do not fit.",
        "Read the engine's events in the message; raise the attempt when the cause is gone.",
    ),
    Explained(
        Reason.ENGINE_STORAGE_FAILED,
        "The new engine could not make its storage domain on the volume.",
        "Check the volume's size, owner and options; empty it by hand; raise the attempt.",
    ),
    Explained(
        Reason.ENGINE_MACHINE_NOT_GOOD,
        "The engine was moved into its machine and does not work there.",
        "See `hosted-engine --vm-status` on the host; compare name server and clocks. It is not deployed again.",
    ),
    Explained(
        Reason.BACKUP_UNUSABLE,
        "The backup cannot be read, or the engine in the appliance is not of a version that takes it.",
        "Read the message; copy another backup there, or install the appliance of the version that it names.",
    ),
    Explained(
        Reason.RESTORE_UNSAFE,
        "A restore could meet what still lives: the engine or its machine, guests on the first host, or hosts that "
        "would start the engine's machine again.",
        "Shut down what the message names, with global maintenance on; or take the restore out of the spec.",
    ),
    Explained(
        Reason.RESTORE_FAILED,
        "The backup could not be put into the new machine by engine-backup.",
        "Read the message and its log in the temporary machine; try another backup under another id.",
    ),
)

OF_BACKUPS = chapter(
    "Backups of the engine",
    Explained(
        Reason.BACKUP_PLACE_UNFIT,
        "The engine's backups cannot be kept where `spec.backup` says: on the engine's own storage, in memory, on the "
        "root filesystem, beside bricks, or in no folder.",
        "Mount a filesystem there, or declare another place.",
    ),
    Explained(
        Reason.BACKUP_NO_ROOM,
        "There is not enough room for a backup of the engine, on its machine or where backups are kept.",
        "Make room where the message says, or lower `spec.backup.keep`.",
    ),
    Explained(
        Reason.BACKUP_FAILED,
        "The last backup of the engine failed, or could not be fetched. The ones before it are kept.",
        "Read what the message quotes, and the log in /var/log/ovirt-engine-backup on the engine's machine. It is "
        "tried again every hour.",
    ),
    Explained(
        Reason.BACKUP_OLD,
        "The newest proved backup of the engine is older than its schedule wants, or there is none.",
        "Remove what the message names, so that the engine's machine and the node that keeps backups can be reached.",
    ),
)

OF_UPGRADES = chapter(
    "The upgrade of an engine",
    Explained(
        Reason.WAITING_FOR_BACKUP,
        "An upgrade of the engine begins with a backup of less than a day that was proved where it is kept.",
        "Nothing, unless the message says that the backup failed.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.ENGINE_UPGRADE_REFUSED,
        "The declared version is older than the one that runs, or more than one minor version newer.",
        "Declare the version that runs, or the next one.",
    ),
    Explained(
        Reason.ENGINE_UPGRADE_NOT_OFFERED,
        "The repositories of the engine's machine do not offer the declared version.",
        "Enable the repository that has it, or declare what is offered.",
    ),
    Explained(
        Reason.ENGINE_UPGRADE_NO_ROOM,
        "The engine's machine has not enough free space for an upgrade: for packages, downloads and two backups.",
        "Make room where the message says; it is looked at again within 10 minutes, or enlarge the machine's disk.",
    ),
    Explained(
        Reason.ENGINE_UPGRADE_FAILED,
        "An upgrade of the engine did not end well. It is not begun again by itself.",
        "Mend it on the engine's machine, or restore the backup; then raise `spec.upgrade.attempt`.",
    ),
)
