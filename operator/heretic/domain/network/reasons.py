"""Reasons that concern networks."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_NETWORKS = chapter(
    "Networks",
    Explained(Reason.DUPLICATE_ADDRESS, "Two nodes have the same address.", "Correct one of them.", code="HVP-C002"),
    Explained(
        Reason.ADDRESS_OUTSIDE_NETWORK,
        "A node's address is outside its Network's subnet.",
        "Correct the address or the subnet.",
        code="HVP-C002",
    ),
    Explained(
        Reason.NETWORK_DIFFERS,
        "A node has not its declared address in the Network, or a smaller MTU, no link, another VLAN or another bond; "
        "or it is out of sync with the engine in something that no Network declares.",
        "Configure it on the host, or correct the declaration; what the engine says is synchronised there.",
    ),
    Explained(
        Reason.NETWORK_STAYS_OUT_OF_SYNC,
        "The engine made a network anew on a host, and the host has it otherwise still. It is not repeated.",
        "Read on the host what puts it back (`nmstatectl show`, vdsm.log), then synchronise it in the engine; it is "
        "tried once more when something else differs, or the Network is changed.",
    ),
    Explained(
        Reason.BOND_PORT_DOWN,
        "A port of a bond has no link. The others carry the traffic.",
        "Check its cable and the port of the switch.",
    ),
    Explained(
        Reason.AGGREGATE_INCOMPLETE,
        "All ports of a bond of 802.3ad have a link, and not all carry packets: no partner speaks LACP any more, or "
        "some are no part of its aggregate.",
        "Look at the LACP group of the ports that the message names on the switch, and at where their cables lead.",
    ),
    Explained(
        Reason.PATH_TOO_SMALL,
        "Packets of the declared MTU do not get from one node to another, and smaller ones do.",
        "Let every switch and port between them carry the MTU, or declare a smaller one.",
    ),
    Explained(
        Reason.GUESTS_RUNNING,
        "The engine shall attach the network of bricks or of management to a host on which machines run.",
        "Move them to another host. It is done once none is left; the engine's own machine does not count.",
    ),
)
