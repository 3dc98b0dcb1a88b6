"""What happened: events and jobs."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations
from sim.engine.messages import NotToldError
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API


def _events(call: Call) -> Listing:
    """The newest first; `from`: those behind that number."""
    after = call.request.query.get("from", "0")
    if not after.isdecimal():
        raise NotToldError(f"events from {after!r}")
    found = [event for event in reversed(call.state.events.values()) if event.index > int(after)]
    return Listing("events", [Item(shown(event), f"{API}/events/{event.id}") for event in found])


def _jobs(call: Call) -> Listing:
    return Listing("jobs", [_job_item(call, job) for job in call.state.jobs.values()])


def _job(call: Call) -> Item:
    return _job_item(call, call.the(call.state.jobs))


def _job_item(call: Call, job: Any) -> Item:
    href = f"{API}/jobs/{job.id}"
    if job.end_time > call.state.time():
        running = types.JobStatus.STARTED
        return Item(shown(job, status=running, end_time=None, last_updated=job.start_time), href)
    return Item(shown(job, last_updated=job.end_time), href)


OPERATIONS: Operations = {
    (services.EventsService, "list"): _events,
    (services.JobsService, "list"): _jobs,
    (services.JobService, "get"): _job,
}
