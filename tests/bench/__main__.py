"""``make bench``: prints tables of what passes cost, and writes the same figures as JSON with ``-o``."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from bench.measure import Row, flatness, passes_over, scale
from bench.recording import record, sizes

COLUMNS = {
    "what": "",
    "hosts": "hosts",
    "wall_ms": "wall ms",
    "cpu_ms_host": "operator CPU ms/host",
    "host_cpu_ms_host": "host CPU ms/host",
    "round_trips": "round trips/host",
    "bytes_out": "bytes out/host",
    "bytes_in": "bytes in/host",
    "rss": "resident MiB",
    "peak": "peak MiB",
    "start_ms": "start ms",
}


def main() -> int:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--hosts", type=_numbers, default=[3, 30, 100], help="real SSH servers, e.g. 3,30,100")
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement; tables have medians")
    parser.add_argument("--scale", type=_numbers, default=[100, 300, 1000], help="hosts that answer from memory")
    parser.add_argument("--rounds", type=int, default=1250, help="of passes over a site, to see memory stay flat")
    parser.add_argument("-o", dest="output", type=Path, help="file for all figures as JSON")
    options = parser.parse_args()
    if os.geteuid() != 0 and options.hosts:
        parser.error("hosts in namespaces of their own need root")
    figures: dict[str, list[Row]] = {"passes": [], "scale": [], "memory": []}
    recorded = {size: asyncio.run(record(size)) for size in {s for hosts in options.hosts for s in sizes(hosts)}}
    for hosts in options.hosts:
        figures["passes"] += passes_over(hosts, recorded, options.repeats)
        print(_table(figures["passes"][-5:]), flush=True)
    for hosts in options.scale:
        figures["scale"].append(scale(hosts, options.repeats))
        print(_table(figures["scale"][-1:]), flush=True)
    if options.rounds:
        print("memory over many passes, 3 hosts:")
        figures["memory"] = flatness(options.rounds, print)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def _numbers(text: str) -> list[int]:
    numbers = [int(word) for word in text.split(",") if word]
    for number in numbers:
        sizes(number)
    return numbers


def _table(rows: list[Row]) -> str:
    """Rows in Markdown, with the columns that any of them has."""
    shown = [column for column in COLUMNS if any(column in row for row in rows)]
    lines = [[COLUMNS[column] for column in shown], ["---"] * len(shown)]
    lines += [[_cell(row.get(column, "")) for column in shown] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
