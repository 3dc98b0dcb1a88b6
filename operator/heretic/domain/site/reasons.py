"""Reasons that concern the site as a whole."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_SITES = chapter(
    "Sites",
    Explained(
        Reason.MORE_THAN_ONE_SITE, "The namespace has more than one Site.", "Delete all but one.", code="HVP-C002"
    ),
    Explained(
        Reason.UNSUPPORTED_NODE_COUNT,
        "This number of storage nodes cannot hold replicated data safely.",
        "Declare one, three, or more nodes.",
        code="HVP-C002",
    ),
    Explained(
        Reason.FAILURE_DOMAIN_SHARED,
        "Two copies of the same data would fail together.",
        "Spread the nodes over failure domains.",
        code="HVP-C002",
    ),
)
