"""The engine of a lab site: the stand-in deploys it on a machine, then it is simulated on this one, over HTTPS.

It listens on an address of its own in the management network, where machines and operator reach it, as they would reach
the engine's machine. It reaches nobody: what becomes of a machine is told to it.
"""

import json
import socketserver
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import lab.stand_in
import sim.role_variables
from lab.errors import LabError
from lab.node import Node
from lab.shell import run
from lab.site import Site
from sim.engine.domain_life import StorageLasting
from sim.engine.engine import SimEngine
from sim.engine.host_life import Lasting
from sim.engine.self_hosted import deploy_as_told
from sim.engine.server import EngineServer
from sim.engine.state import EngineState
from sim.engine.storage import StoragePlace

FQDN = "engine.mgmt.private"
FOLDER, PROGRAMS = "/usr/local/lib/heretic-stand-in", "/usr/bin"
"""Where the stand-in lies, and where its names are: the operator looks for programs in the system's folders only."""

WISHES = "/etc/heretic-stand-in.json"
AUTHORITY = "/etc/heretic-stand-in-ca.pem"
STORAGE = "/run/heretic-stand-in"
_NUMBER, _PORT, _ANNOUNCED = 5, 443, 8442
_FAST = Lasting(install=15, reboot=10, initialize=3, prepare=5)
_FAST_STORAGE = StorageLasting(attach=3, activate=2, deactivate=3, detach=2)


class _Listener(socketserver.TCPServer):
    allow_reuse_address = True


class LabEngine:
    """One site's engine, before and after it is deployed.

    Args:
        site: Whose machines it is for; they run.
        shares: Volumes that become storage domains.

    Attributes:
        announced: What the role was told at each deployment that came to its end.
    """

    def __init__(self, site: Site, *, shares: tuple[str, ...] = ()) -> None:
        self._site = site
        self.address = str(site.spec.subnet("mgmt")[_NUMBER])
        places = [f"{name}.gluster.private:/{share}" for name in site.nodes for share in shares]
        state = EngineState(
            reachable={node.address for node in site.nodes.values()},
            storage={place: StoragePlace() for place in places},
            lasting=_FAST,
            storage_lasting=_FAST_STORAGE,
        )
        self.server = EngineServer(SimEngine(state), address=self.address, port=_PORT, names=(FQDN,))
        self.announced: list[dict[str, Any]] = []
        tell = f"exec 3<>/dev/tcp/{site.spec.gateway}/{_ANNOUNCED}; cat >&3; read -r up <&3"
        self._wishes: dict[str, Any] = {
            "storage": STORAGE,
            "announce": ["bash", "-c", tell],
            "authority": AUTHORITY,
        }

    @property
    def state(self) -> EngineState:
        """What it knows."""
        return self.server.engine.state

    @property
    def writes(self) -> list[str]:
        """All changes that were asked of it."""
        return self.server.engine.writes

    @contextmanager
    def deployable(self, *, seconds: float) -> Iterator[None]:
        """The machines have what deploys it, and it listens once it is deployed.

        Args:
            seconds: For each task of the deployment.
        """
        run(["ip", "address", "replace", f"{self.address}/24", "dev", self._site.network.uplink])
        engine = self

        class Announced(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                engine._begin(json.loads(self.rfile.readline()))
                self.wfile.write(b"up\n")

        with _Listener((self._site.spec.gateway, _ANNOUNCED), Announced) as listener:
            Thread(target=listener.serve_forever, name="announced engines", daemon=True).start()
            try:
                self._wishes["seconds"] = seconds
                self._each(self._equip)
                yield
            finally:
                listener.shutdown()
                self.server.stop()

    def hold(self, task: str) -> None:
        """Lets deployments go no further than to a task, by the beginning of its name; "" = they go on."""
        self._each(lambda node: put(node, WISHES, json.dumps(self._wishes | {"holds": task})))

    def name_it(self) -> None:
        """Every machine resolves its name, forward and reverse."""
        self._each(lambda node: node.ssh(f"echo '{self.address} {FQDN}' >>/etc/hosts"))

    def _begin(self, told: dict[str, Any]) -> None:
        self.announced.append(told["variables"])
        if len(self.announced) > 1:
            raise LabError("a second engine was deployed")
        self.server.engine.sso.passwords["admin"] = told["password"]
        deploy_as_told(self.state, told["variables"])
        self.server.start()

    def _equip(self, node: Node) -> None:
        """Gives a machine the stand-in for oVirt's packages."""
        put(node, f"{FOLDER}/stand_in.py", Path(lab.stand_in.__file__).read_text(), "0755")
        put(node, f"{FOLDER}/role_variables.py", Path(sim.role_variables.__file__).read_text())
        put(node, WISHES, json.dumps(self._wishes))
        put(node, AUTHORITY, self.server.engine.authority.pem)
        node.ssh(f"{FOLDER}/stand_in.py install {PROGRAMS}")

    def _each(self, action: Any) -> None:
        with ThreadPoolExecutor(max_workers=len(self._site.nodes)) as pool:
            list(pool.map(action, self._site.nodes.values()))


def install_firewall(node: Node) -> None:
    """Installs firewalld from the repository inside the image; it runs then, and trusts the storage network.

    Emulated machines take 7 s and more to start its program, and the step that opens ports starts it six times.
    """
    zone = '<?xml version="1.0" encoding="utf-8"?>\n<zone target="ACCEPT"><interface name="eth1"/></zone>\n'
    put(node, "/etc/firewalld/zones/trusted.xml", zone)
    install = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install firewalld"
    node.ssh(f"apt-get -qq update && {install} >/dev/null && systemctl is-active firewalld", timeout=1200)


def put(node: Node, path: str, content: str, mode: str = "0644") -> None:
    """Writes a file on a machine; who reads it there sees all of it, or what was there before."""
    node.ssh(f"install -D -m {mode} /dev/stdin {path}.new && mv {path}.new {path}", stdin=content)
