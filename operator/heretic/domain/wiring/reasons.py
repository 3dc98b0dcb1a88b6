"""Reasons that concern the ports of hosts."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_PORTS = chapter(
    "Ports of hosts",
    Explained(
        Reason.NETWORK_WITHOUT_PORT,
        "No port of a node is known to lead to a network in which the node has an address, or it has no link.",
        "Check cables and switch, or name the port in `spec.interfaces` of the Node.",
    ),
    Explained(
        Reason.PORT_ON_TWO_NETWORKS,
        "Who is asked for in two networks answers on one port, without a VLAN that tells them apart.",
        "Separate them on the switch, or name one in `spec.interfaces` of the Node.",
    ),
    Explained(
        Reason.PORT_MOVED,
        "A port leads to another network than the recorded one. The record stays.",
        "Plug the cable back, or say in `spec.interfaces` of the Node where the port shall lead.",
    ),
    Explained(
        Reason.PORT_TOO_SMALL,
        "A port cannot carry packets of the declared MTU.",
        "Declare a smaller MTU, or use another port.",
    ),
    Explained(
        Reason.ADDRESS_TAKEN,
        "A machine that is not the node answers for an address that is declared for the node.",
        "Give one of them another address.",
    ),
    Explained(
        Reason.NETWORK_MANAGER_MISSING,
        "A Node has `configureLinks`, and its host's links are kept by something else than NetworkManager.",
        "Install NetworkManager and let it keep the links, or take `configureLinks` away.",
    ),
    Explained(
        Reason.BOND_NEEDS_SWITCH,
        "A bond that works shall become one of 802.3ad, or shall be none any more; its switch has to know that first.",
        "Set up the switch as the message says, then approve the plan of the Node.",
    ),
    Explained(
        Reason.PORT_GONE,
        "A port that led to a network, or that `spec.interfaces` names, is not on the host.",
        "Look at the card, correct the name, or name the port in `spec.interfaces` without networks.",
    ),
)
