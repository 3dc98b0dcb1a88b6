"""What was worked out from a view: kept while the view is in use, so that the passes of a site work it out once."""

from collections.abc import Callable
from operator import is_
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from heretic.domain.declared.view import SiteView

T = TypeVar("T")


class PerView(Generic[T]):
    """The last result for each name, of one function that depends on the view and on a few other objects.

    A view and the facts of a pass never change, so they are compared by identity: that costs nothing.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[SiteView, dict[str, tuple[tuple[object, ...], T]]] = WeakKeyDictionary()

    def of(self, view: SiteView, work: Callable[[], T], *inputs: object, name: str = "") -> T:
        """What ``work()`` gives.

        Args:
            view: The declared site.
            work: Depends on the view, the inputs and the name alone. Nobody may change its result.
            inputs: The same objects as the last time, or it is worked out anew.
            name: Which of the results of this view, e.g. the name of a Node.
        """
        kept = self._kept.get(view)
        if kept is None:
            kept = self._kept[view] = {}
        last = kept.get(name)
        if last is None or len(last[0]) != len(inputs) or not all(map(is_, last[0], inputs)):
            last = kept[name] = (inputs, work())
        return last[1]
