"""Which of the things that an engine writes down make it worth looking at it at once."""

from heretic.domain.engine.facts import Event, News

OURS = "heretic-"
"""How the correlation ids of our own requests begin."""

_TROUBLE = frozenset({"warning", "error", "alert"})
_SITE = frozenset({"host", "storage_domain", "cluster", "data_center"})
_GUESTS = frozenset({"vm", "template"})


def is_worth_a_look(news: News) -> bool:
    """Whether something was written that can concern what is declared; unknown events count."""
    return news.missed or any(map(_counts, news.events))


def _counts(event: Event) -> bool:
    """Trouble, or what happened to hosts, storage domains and networks; what we did ourselves is known already.

    The engine links no event to a network: those of networks are linked to their data center or cluster.
    """
    if event.correlation.startswith(OURS):
        return False
    return event.severity in _TROUBLE or (bool(event.about & _SITE) and not event.about & _GUESTS)
