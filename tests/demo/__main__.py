"""`python -m demo up|down`: what `make demo` and `make demo-down` run."""

import argparse
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab import container, system
from lab.cache import cache_dir
from lab.controlplane import ControlPlaneError
from lab.errors import LabError
from lab.ports import free_port
from lab.spec import DiskSpec, Ext4, NodeSpec, SiteSpec
from lab.stack import REPOSITORY, Stack, is_ready

TIMEOUT = 1500.0


def folder() -> Path:
    """Where the demo lives: outside the checkout, gone after `make demo-down`."""
    return cache_dir() / "demo"


def stack() -> Stack:
    """The demo's machines: two nodes with two disks each, one of them with somebody's third, and a weaker arbiter."""
    rotating, solid = DiskSpec(name="data1", size="200G"), DiskSpec(name="data2", size="120G", rotational=False)
    somebodys = DiskSpec(name="photos", size="150G", contents=Ext4())
    disks = ((rotating, solid), (rotating, solid, somebodys), (DiskSpec(name="data1", size="120G"),))
    return Stack(folder(), spec=SiteSpec(nodes=tuple(NodeSpec(disks=d) for d in disks)), detached=True)


def up(*, checkout: bool = False) -> None:
    """Sets everything up, applies the example, and shows progress until every object is Ready.

    Args:
        checkout: The operator runs as a plain process, in place of a container made of its image.
    """
    begun = time.monotonic()
    demo = stack()
    if not checkout and system.missing_packages(container.PROGRAMS):
        system.install(container.PROGRAMS)
    _say(begun, "starting a Kubernetes control plane and three blank machines (minutes the first time, then seconds)")
    with ThreadPoolExecutor() as pool:
        starting = [pool.submit(demo.control_plane.start), pool.submit(demo.site.up)]
        image = None if checkout else pool.submit(container.ensure)
        for started in starting:
            started.result()
    _say(begun, "kubectl apply --server-side -k manifests/operator (CRDs, account and rights, Deployment)")
    demo.install()
    _start_operator(demo, begun, image.result() if image else None)
    _write_environment(demo)
    manifests = demo.manifests("three-node")
    (demo.folder / "site.yaml").write_text(manifests)
    _say(begun, f"kubectl apply -f {demo.folder}/site.yaml")
    demo.apply(manifests)
    _watch(demo, begun)
    print(demo.kubectl("get", "hvp"))
    print(NEXT.format(folder=demo.folder, repository=REPOSITORY))


def _start_operator(demo: Stack, begun: float, image: container.OperatorImage | None) -> None:
    """Starts the operator of these sources, in place of one that an earlier `make demo` has started."""
    demo.end_operator()
    if image is None:
        demo.start_operator("--metrics-port", str(free_port()), "--audit-log", "/dev/stdout")
        _say(begun, f"the operator runs from the checkout, and its log is {demo.operator.log}")
        return
    running = demo.start_container(image)
    pod = running.pod
    _say(begun, f"the operator runs from its image {pod.image}, as user {pod.user}:{pod.group}")
    for name, value in {
        "command": " ".join(running.program),
        "ServiceAccount": f"{pod.namespace}/{pod.account}",
        "probes, metrics": f"http://127.0.0.1:{pod.port}{pod.ready}, /metrics",
        "log and audit": demo.operator.log,
    }.items():
        _say(begun, f"  {name:<16} {value}")


def _watch(demo: Stack, begun: float) -> None:
    """Prints a line for each object that has something new to say, until all are Ready."""
    said: dict[tuple[str, str], str] = {}
    deadline = time.monotonic() + TIMEOUT
    while True:
        waiting = 0
        for obj in demo.get("hvp"):
            line, ready = _line(obj)
            waiting += not ready
            key = (obj["kind"], obj["metadata"]["name"])
            if said.get(key) != line:
                said[key] = line
                _say(begun, line)
        if not waiting and said:
            _say(begun, f"everything is Ready; {len(demo.effects())} effects on the hosts, in {demo.operator.log}")
            return
        if time.monotonic() > deadline:
            raise LabError(f"not Ready after {TIMEOUT:.0f} s; the operator's log: {demo.operator.log}")
        time.sleep(2)


def _line(obj: dict[str, Any]) -> tuple[str, bool]:
    status = obj.get("status") or {}
    conditions: list[dict[str, Any]] = status.get("conditions") or []
    ready: dict[str, Any] = next((c for c in conditions if c["type"] == "Ready"), {})
    word = "Ready" if is_ready(obj) else ready.get("reason", "not seen yet")
    name = f"{obj['kind']} {obj['metadata']['name']}"
    message = " ".join(str(ready.get("message", "")).split())
    return f"{name:<22} {word:<16} {message[:110]}", is_ready(obj)


def _write_environment(demo: Stack) -> None:
    kubectl = demo.control_plane.binaries.kubectl.parent
    commands = Path(sys.executable).parent
    (demo.folder / "env").write_text(
        f"export KUBECONFIG={demo.kubeconfig}\nexport PATH={kubectl}:{commands}:$PATH\n"
        f"kubectl config set-context --current --namespace={demo.namespace} >/dev/null\n"
    )


def down() -> None:
    """Takes everything away, also what a crash has left."""
    stack().down()
    shutil.rmtree(folder(), ignore_errors=True)
    print("the demo is gone; what was downloaded and built stays in the cache for the next time")


def _say(begun: float, text: str) -> None:
    print(f"[{time.monotonic() - begun:5.0f} s] {text}", flush=True)


NEXT = """
Use it:       . {folder}/env
              kubectl get hvp                    the site at a glance
              heretic status --watch             the same on one screen, live
              kubectl describe gvol vmstore      what happens now, why, and what comes next

Try next:     kill a node:                 cd {repository} && PYTHONPATH=tests .venv/bin/python -m lab \\
                                           power-cut node2 --state {folder}/site   (power-on brings it back)
              change an option by hand:    cd {repository} && PYTHONPATH=tests .venv/bin/python -m lab \\
                                           ssh --state {folder}/site node1 \\
                                           gluster volume set vmstore network.ping-timeout 99
              apply a bad manifest:        kubectl patch gvol vmstore --type merge -p '{{"spec":{{"size":"1Ki"}}}}'
              see a disk left alone:       kubectl get hnode node2 -o yaml | grep -B4 finding
              what it would do:            heretic plan; heretic verify
The end:      make demo-down
"""


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--operator", choices=("image", "checkout"), default="image", help="where it is started from")
    options = parser.parse_args()
    try:
        if options.command == "up":
            up(checkout=options.operator == "checkout")
        else:
            down()
    except (LabError, ControlPlaneError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
