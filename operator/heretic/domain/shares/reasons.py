"""Reasons that concern file shares."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_SHARES = chapter(
    "File shares",
    Explained(
        Reason.VOLUME_NOT_FOUND,
        "A GlusterVolume that is named does not exist.",
        "Apply that volume, or correct the name in the message.",
        code="HVP-C002",
    ),
    Explained(
        Reason.VOLUME_OF_OTHER_PURPOSE,
        "The volume of a share is made for something else.",
        "Name a volume of the purpose that the message says, or make one.",
        code="HVP-C002",
    ),
    Explained(
        Reason.NO_FILE_SERVER,
        "No Node that can serve files has the role FileServer.",
        "Give the role to Nodes, better to two or more.",
        code="HVP-C002",
    ),
    Explained(
        Reason.ADDRESS_IN_USE,
        "A public address belongs to somebody else already.",
        "Choose another one, or find out who has it.",
        code="HVP-C002",
    ),
    Explained(
        Reason.ACCOUNT_UNKNOWN,
        "A folder names a user or a group that the file servers do not know.",
        "Declare the account, or correct the name.",
        code="HVP-C002",
    ),
    Explained(
        Reason.FILE_SHARES_DIFFER,
        "Two FileShares ask the same server for different things.",
        "Make them alike in what the message names.",
        code="HVP-C002",
    ),
    Explained(
        Reason.NOT_SUPPORTED,
        "This version of Heretic does not do that part yet.",
        "Do it by hand, or wait for a version that does.",
    ),
)
