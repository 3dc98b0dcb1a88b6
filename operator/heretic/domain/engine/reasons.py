"""Reasons that concern an oVirt engine: reaching it, and what it says of a request."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, Stage, chapter

OF_ENGINES = chapter(
    "The engine",
    Explained(
        Reason.ENGINE_UNREACHABLE,
        "No connection to the engine can be made.",
        "Check that its machine runs and that the network lets the operator reach its port.",
    ),
    Explained(
        Reason.ENGINE_NOT_ANSWERING,
        "The engine takes connections and gives no usable answer, or its answer was lost.",
        "Nothing while it starts; where it lasts, look at the service ovirt-engine on its machine.",
    ),
    Explained(
        Reason.ENGINE_DOWN,
        "Every host that may run the engine's machine says that it does not.",
        "Nothing while the hosts start it; read the message, and `hosted-engine --vm-status` on a host.",
    ),
    Explained(
        Reason.ENGINE_AGENT_SILENT,
        "What the agent of a host wrote down for the others is old: nobody knows what becomes of the engine's machine.",
        "Look at the service ovirt-ha-agent on the host that the message names, and at its storage domain.",
    ),
    Explained(
        Reason.ENGINE_BROKER_DOWN,
        "A host that may run the engine's machine tells nothing of it: `hosted-engine --vm-status` gives no answer.",
        "Look at the service ovirt-ha-broker on the host that the message names.",
    ),
    Explained(
        Reason.MAINTENANCE_LEFT_ON,
        "Hosts leave the engine's machine alone, and nothing declares that: nobody starts it again where it fails.",
        "Declare `spec.globalMaintenance: false`, or run `hosted-engine --set-maintenance --mode=none` on a host: the "
        "one that the message names, if it names one.",
    ),
    Explained(
        Reason.ENGINE_CERTIFICATE_NOT_PINNED,
        "Nothing says which authority signs the engine's certificate.",
        "Compare the fingerprint of the message on the engine's console, then give the certificate.",
    ),
    Explained(
        Reason.ENGINE_CERTIFICATE_MISMATCH,
        "The engine shows a certificate that the given authority did not sign, of another name, or out of date.",
        "Read the message; give another authority only when you know why it changed.",
    ),
    Explained(
        Reason.ENGINE_LOGIN_REFUSED,
        "The engine does not accept the user and password of the Secret.",
        "Correct the Secret; the user is written with its profile, such as `admin@internal`.",
    ),
    Explained(
        Reason.ENGINE_FORBIDS,
        "The user is logged in and may not do this.",
        "Give that user the role SuperUser on the whole system.",
    ),
    Explained(
        Reason.ENGINE_BUSY,
        "The engine works on the same thing, so it refuses a second change of it.",
        "Nothing; it is tried again.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.ENGINE_REFUSES,
        "The engine refuses a change, in its own words.",
        "Read its words in the message; change the spec or what stands in the way.",
    ),
    Explained(
        Reason.ENGINE_FAILED,
        "The engine broke over a request. A value that it does not know can be the cause as well as a mistake in it.",
        "Look for the correlation id of the message in engine.log; it is tried again.",
    ),
    Explained(
        Reason.ENGINE_OBJECT_GONE,
        "Something in the engine went away between looking and changing.",
        "Nothing; it is planned again.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.ENGINE_NAME_AMBIGUOUS,
        "Two things in the engine have one name, so it cannot be told which one is meant.",
        "Rename or remove one of those that the message names.",
    ),
    Explained(
        Reason.ENGINE_REPLACED,
        "Another engine answers at the declared name than the one that was recorded.",
        "Find out which is meant. For the new one, delete the HostedEngine (Orphan) and apply it anew.",
    ),
    Explained(
        Reason.ENGINE_NOT_DECLARED,
        "Nothing is to be done in an engine: the site declares none, or the spec asks for nothing in it.",
        "Nothing, where this is what you want.",
        stage=Stage.DONE,
    ),
    Explained(
        Reason.MORE_THAN_ONE_ENGINE,
        "A namespace is one site, a site has one engine, and several HostedEngines are declared.",
        "Delete all but one.",
    ),
    Explained(
        Reason.WAITING_FOR_ENGINE,
        "The engine, its data center or its cluster is not as far yet.",
        "Nothing; the HostedEngine tells how far it is.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.DATA_CENTER_NOT_READY,
        "The data center does not work: it has no storage domain yet, or lost contact with its master domain.",
        "Declare a GlusterVolume with storageDomain; look at the storage domains that are not active.",
    ),
    Explained(
        Reason.ENGINE_CERTIFICATE_EXPIRES,
        "The certificate of the engine's web server runs out within 30 days; then nobody gets in any more.",
        "Renew it on the engine's machine: `engine-setup --offline`; where it is self-hosted, in global maintenance.",
    ),
    Explained(
        Reason.HOSTS_NOT_UP,
        "Hosts of the cluster are not up.",
        "See the Nodes that the message names.",
    ),
    Explained(
        Reason.ENGINE_HOST_NOT_OURS,
        "The engine has a host that could be meant and is not the same: of the Node's name at another address, or in "
        "another cluster.",
        "Declare the address that it has, or rename, move or remove that host in the engine.",
        code="HVP-N013",
    ),
    Explained(
        Reason.ENGINE_HOST_NOT_UP,
        "The host is in the engine and not up there.",
        "Read the engine's own words in the message, and look at vdsmd on the host.",
        code="HVP-N011",
    ),
    Explained(
        Reason.ENGINE_HOST_NOT_OPERATIONAL,
        "The engine reaches the host, and it lacks a network, storage or a processor type that its cluster needs.",
        "Read the engine's own words in the message and correct that; the engine looks again within 5 minutes, or "
        "choose Activate there.",
        code="HVP-N016",
    ),
    Explained(
        Reason.ENGINE_INSTALL_FAILED,
        "The engine could not install the host, twice.",
        "Read the engine's own words in the message, correct that on the host, and choose Reinstall in the engine.",
        code="HVP-N012",
    ),
    Explained(
        Reason.FENCE_AGENT_NOT_OURS,
        "The engine has a fence agent of a declared order that is not the declared one, and that Heretic did not make.",
        "Remove it in the engine, declare it, or give the declared one another order.",
        code="HVP-N015",
    ),
    Explained(
        Reason.FENCE_AGENT_FAILS,
        "No fence agent of the host could tell whether it has power, so the engine could not switch it either.",
        "Read the engine's words in the message; compare address, type, user, password and options with the device, "
        "and see whether the other hosts reach it.",
        code="HVP-N014",
    ),
    Explained(
        Reason.STORAGE_DOMAIN_DIFFERS,
        "A storage domain in the engine is in the way of the declared one, or is another one than declared.",
        "Read the message: declare what is there, or rename or detach it in the engine.",
    ),
    Explained(
        Reason.STORAGE_DOMAIN_BUSY,
        "The engine works on a storage domain: it is Locked, Activating or Detaching, and takes no request for it.",
        "Nothing; where it stays so for an hour, look at the tasks and the events of the engine.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.STORAGE_DOMAIN_NOT_ACTIVE,
        "A storage domain is not active: hosts do not reach what it lies on.",
        "Look at the storage, and at the events of the domain in the engine.",
    ),
)
