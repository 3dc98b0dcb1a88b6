"""What is measured, and how: requests to the processes, repeated in turn so that all meet the same machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.farm import Farm, farm
from bench.processes import Process
from bench.recording import Site, sizes
from heretic.hosts.script import render_observation
from sim.asked import ASKED
from sim.server import client_key

TRIVIAL = "echo done\n"
Row = dict[str, float | str]


@dataclass(frozen=True)
class Kind:
    """One thing to measure.

    Attributes:
        name: For the table.
        raw: Whether the raw process does it.
        request: What it is asked.
    """

    name: str
    raw: bool
    request: dict[str, object]


KINDS = (
    Kind("pass, nodes", raw=False, request={"do": "passes", "kinds": ["Node"]}),
    Kind("pass, all objects", raw=False, request={"do": "passes"}),
    Kind("full look, all objects", raw=False, request={"do": "passes", "full": True}),
    Kind("raw: same script", raw=True, request={"script": render_observation(ASKED.brief)}),
    Kind("raw: trivial script", raw=True, request={"script": TRIVIAL}),
)


def passes_over(hosts: int, recorded: dict[int, Site], repeats: int) -> list[Row]:
    """Measures passes over real SSH servers.

    Args:
        hosts: How many.
        recorded: Sites by their size.
        repeats: Of each kind; the table has the medians.

    Returns:
        A row for each kind; times in ms, memory in MiB.
    """
    sites = [recorded[size] for size in sizes(hosts)]
    with farm(sites) as running, Process("raw_process") as raw, Process("operator_process") as operator:
        raw.tell(_raw_setup(sites, running))
        raw.ask(script=TRIVIAL, times=1)
        begun = time.perf_counter()
        operator.tell(_setup(sites, running))
        operator.ask(do="passes", full=True)
        started = time.perf_counter() - begun
        _settle(operator)
        times = max(1, 12 // hosts)
        rows: dict[str, list[Row]] = {kind.name: [] for kind in KINDS}
        for _ in range(repeats):
            for kind in KINDS:
                host_cpu = running.cpu_seconds()
                answer = (raw if kind.raw else operator).ask(**kind.request, times=times)
                answer["host_cpu"] = running.cpu_seconds() - host_cpu
                if answer.get("writes"):
                    raise RuntimeError(f"{kind.name} wrote {answer['writes']:.0f} statuses where nothing had changed")
                rows[kind.name].append(_row(answer, hosts, times))
        used = operator.ask(do="memory")
    result = [_medians(name, hosts, found) for name, found in rows.items()]
    result[0] |= {"rss": used["rss"], "peak": used["peak"], "start_ms": started * 1000}
    return result


def _row(answer: dict[str, float], hosts: int, times: int) -> Row:
    each = times * hosts
    return {
        "wall_ms": answer["wall"] * 1000 / times,
        "cpu_ms_host": answer["cpu"] * 1000 / each,
        "host_cpu_ms_host": answer["host_cpu"] * 1000 / each,
        **{name: answer[name] / each for name in ("round_trips", "bytes_out", "bytes_in") if name in answer},
    }


def _medians(name: str, hosts: int, rows: Sequence[Row]) -> Row:
    middle = {column: median(float(row[column]) for row in rows) for column in rows[0]}
    return {"what": name, "hosts": float(hosts), **middle}


def _settle(operator: Process) -> None:
    """Lets the sites take note of what differs from where they were recorded, until nothing is written."""
    for _ in range(5):
        if not operator.ask(do="passes", full=True)["writes"]:
            break
    if wrong := operator.ask(do="not ready"):
        raise RuntimeError(f"the sites are not converged: {wrong[:5]}")


def _setup(sites: Sequence[Site], running: Farm) -> dict[str, object]:
    objects = []
    for number, site in enumerate(sites):
        ports = dict.fromkeys(site.machines, running.ports[number])
        objects += site.placed(f"site{number}", ports, dict.fromkeys(ports, running.host_key))
    return {"objects": objects, "privateKey": _private_key()}


def _raw_setup(sites: Sequence[Site], running: Farm) -> dict[str, object]:
    hosts = [(a, port) for site, port in zip(sites, running.ports, strict=True) for a in site.addresses.values()]
    return {"hosts": hosts, "hostKey": running.host_key, "privateKey": _private_key()}


def _private_key() -> str:
    return client_key().export_private_key("openssh").decode()


def scale(hosts: int, repeats: int) -> Row:
    """Measures the operator alone, over hosts that answer from memory."""
    with Process("canned", (str(hosts),)) as canned, Process("operator_process") as operator:
        operator.tell(canned.hear())
        operator.ask(do="passes", full=True)
        _settle(operator)
        found = [operator.ask(do="passes") for _ in range(repeats)]
        used = operator.ask(do="memory")
    cpu = median(answer["cpu"] for answer in found)
    wall = median(answer["wall"] for answer in found)
    return {"hosts": float(hosts), "wall_ms": wall * 1000, "cpu_ms_host": cpu * 1000 / hosts, "rss": used["rss"]}


def flatness(rounds: int, say: Callable[[str], None], *, hosts: int = 3, parts: int = 5) -> list[Row]:
    """Memory over many rounds of passes over all objects of a site.

    Returns:
        A row for each part of the rounds, after a first part that only warms up.
    """
    rows: list[Row] = []
    with Process("canned", (str(hosts),)) as canned, Process("operator_process") as operator:
        setup = canned.hear()
        operator.tell(setup)
        _settle(operator)
        operator.ask(do="trace")
        done = 0
        for _ in range(parts + 1):
            operator.ask(do="passes", times=rounds // parts)
            done += rounds // parts * len(setup["objects"])
            used = operator.ask(do="memory", traced=True)
            rows.append({"passes": float(done), "rss": used["rss"], "objects_mib": used["objects"]})
            say(f"  {done} passes: {used['rss']:.1f} MiB resident, {used['objects']:.2f} MiB in objects made since")
    return rows
