"""What goes wrong on demand between a client and the engine."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.engine.messages import HTML, HttpRequest, HttpResponse, error_page
from sim.engine.routes import API


def of_the_api(request: HttpRequest) -> bool:
    """A request of the API, not a login."""
    return request.path == API or request.path.startswith(f"{API}/")


def changes(request: HttpRequest) -> bool:
    """A request of the API that changes something."""
    return of_the_api(request) and request.method != "GET"


@dataclass
class EngineFaults:
    """What is wrong with the engine. Each may be changed at any time and takes effect at the next occasion.

    The numbers count down at requests that `at` chooses: 1 is the next one of them.

    Attributes:
        at: Which requests.
        drop_before: The connection breaks before anything is done.
        drop_after: The connection breaks when all is done: the reply is lost.
        unauthorized: So many requests find that their session is over.
        unavailable: So many requests meet a web server whose engine does not answer; all of them when below 0.
        delay: Seconds before every answer.
    """

    at: Callable[[HttpRequest], bool] = of_the_api
    drop_before: int = 0
    drop_after: int = 0
    unauthorized: int = 0
    unavailable: int = 0
    delay: float = 0.0

    def due(self, name: str, request: HttpRequest) -> bool:
        """Whether a countdown ends at this request."""
        left = getattr(self, name)
        if not left or not self.at(request):
            return False
        setattr(self, name, left - 1)
        return bool(left == 1)

    def outage(self, request: HttpRequest) -> bool:
        """Whether this request meets no engine."""
        return self._takes("unavailable", request)

    def session_over(self, request: HttpRequest) -> bool:
        """Whether this request finds its session over."""
        return self._takes("unauthorized", request)

    def _takes(self, name: str, request: HttpRequest) -> bool:
        left: int = getattr(self, name)
        if not left or not self.at(request):
            return False
        if left > 0:
            setattr(self, name, left - 1)
        return True


def service_unavailable() -> HttpResponse:
    """What the web server in front of the engine says while the engine is away."""
    return HttpResponse(503, HTML, error_page("Service Unavailable"))
