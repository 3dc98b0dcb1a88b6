"""What is told of a reason: what it means, what a person does, how far along things are, and which code it has.

Each subject explains its own reasons in a file ``reasons.py`` beside it; here are those that every subject uses.
``heretic/reasons.py`` gathers them all. The tone of events, ``heretic status``, ``heretic verify`` and
docs/reference/reasons.md follow from what is written here.
"""

from dataclasses import dataclass
from enum import Enum

from heretic.domain.errors import Reason


class Stage(Enum):
    """How far along an object is for which a reason is given."""

    DONE = "done"
    """It is as declared."""
    UNSEEN = "unseen"
    """Nobody has looked yet."""
    BEGUN = "begun"
    """Heretic works on it, or waits for another object on which it works. No trouble."""
    PASSING = "passing"
    """Somebody wants it so for a while, or another object comes first. Time alone ends it."""
    TROUBLE = "trouble"
    """Something is wrong, or a person has to decide."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A reason, explained.

    Attributes:
        reason: The word.
        meaning: One sentence: what is so.
        action: One sentence: what a person does, "Nothing" where there is nothing to do.
        stage: How far along things are.
        code: The code of ``heretic verify`` where the reason says more than the condition it stands in; else empty.
    """

    reason: Reason
    meaning: str
    action: str
    stage: Stage = Stage.TROUBLE
    code: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Reasons of one subject, as a chapter of the reference page.

    Attributes:
        title: Its heading.
        reasons: In the order of the page.
    """

    title: str
    reasons: tuple[Explained, ...]


def chapter(title: str, *reasons: Explained) -> Chapter:
    """A chapter."""
    return Chapter(title, reasons)


ON_THE_WAY = chapter(
    "Healthy, or on the way",
    Explained(Reason.AS_DECLARED, "The real thing is as declared.", "Nothing.", stage=Stage.DONE),
    Explained(
        Reason.APPLYING, "Steps are being carried out; the message names the next one.", "Nothing.", stage=Stage.BEGUN
    ),
    Explained(
        Reason.WORK_IN_PROGRESS,
        "A long piece of work runs as a job on the host.",
        "Nothing; wait for it.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.NOT_OBSERVED,
        "This part was not looked at yet.",
        "Nothing, unless it stays so for minutes.",
        stage=Stage.UNSEEN,
    ),
    Explained(
        Reason.PAUSED,
        "The object, its Site or the kill switch says to change nothing.",
        "Set `paused: false`, or remove the kill switch's file.",
        stage=Stage.PASSING,
    ),
    Explained(Reason.DELETING, "The object is being deleted.", "Nothing.", stage=Stage.PASSING),
)

WAITING = chapter(
    "Waiting for something else",
    Explained(Reason.SITE_NOT_FOUND, "The namespace has no Site.", "Apply a Site."),
    Explained(
        Reason.NODE_NOT_FOUND,
        "A Node that is named does not exist.",
        "Apply that Node, or correct the name in the message.",
    ),
    Explained(
        Reason.NETWORK_NOT_FOUND,
        "A Network that is named does not exist.",
        "Apply that Network, or correct the name in the message.",
        code="HVP-C002",
    ),
    Explained(
        Reason.NODE_NOT_READY,
        "A Node that this object needs is not Ready.",
        "Look at that Node's conditions.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.WAITING_FOR_NODES,
        "Nodes have to be inspected or configured first.",
        "Nothing; if it lasts, look at the Nodes named.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.WAITING_FOR_NETWORKS,
        "A host of the engine is not operational until it has a network that its cluster requires, which it gets.",
        "Nothing; the engine looks at it again within 5 minutes. Where it lasts, see the Networks of the message.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.WAITING_FOR_SITE,
        "The Site has not made its choices yet.",
        "Nothing; if it lasts, look at the Site.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.WAITING_FOR_POOL,
        "The trusted pool is not complete yet.",
        "Nothing; if it lasts, look at the Site's PoolFormed.",
        stage=Stage.BEGUN,
    ),
    Explained(
        Reason.WAITING_FOR_APPROVAL,
        "The plan has a step that can lose data and that the spec does not ask for, or one that needs a person by it.",
        "Read the plan; approve it with `heretic approve`, or change the spec.",
    ),
    Explained(
        Reason.WAITING_FOR_SLOT,
        "Another object of the site carries out a disruptive step.",
        "Nothing; one object at a time does that.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.WAITING_FOR_HEAL,
        "A volume must be known to be healed first.",
        "Nothing; Healed of the volume shows the progress.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.OUTSIDE_WINDOW,
        "Disruptive steps wait for a maintenance window.",
        "Nothing, or change `spec.windows` of the Site.",
        stage=Stage.PASSING,
    ),
    Explained(
        Reason.CHANGED_MEANWHILE,
        "The object, its Site or its approval changed between plan and step, so the step was not begun.",
        "Nothing; it is planned again.",
    ),
    Explained(
        Reason.LEASE_LOST,
        "The operator could not renew its Lease while a step waited for its turn, so the step was not sent.",
        "Nothing; the operator that has the Lease goes on.",
    ),
)

DECLARED = chapter(
    "What is declared",
    Explained(
        Reason.INVALID_SPEC, "The spec contradicts itself or another object.", "Correct what is named.", code="HVP-C002"
    ),
    Explained(
        Reason.IMMUTABLE_DIFFERENCE,
        "The real thing differs in something that cannot be changed afterwards.",
        "Correct the spec, or do what the message says.",
    ),
    Explained(
        Reason.DOES_NOT_FIT,
        "The volume is larger than what is free on the chosen disks; nothing was touched.",
        "Make it smaller, or add disks; the message has the numbers.",
        code="HVP-C002",
    ),
    Explained(
        Reason.DEPENDENTS_EXIST,
        "The object is to be deleted and others still refer to it.",
        "Delete or change those that are named.",
    ),
)

OURS = chapter(
    "Heretic itself",
    Explained(Reason.API_SERVER, "The API server did not answer, or refused.", "Nothing; it is tried again."),
    Explained(Reason.INTERNAL_ERROR, "A mistake of ours.", "Report it with the operator's log."),
)
