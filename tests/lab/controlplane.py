"""A real Kubernetes control plane on loopback, made of plain processes.

It serves the integration tests, and by hand:

    PYTHONPATH=tests uv run python -m lab.controlplane up
    eval "$(PYTHONPATH=tests uv run python -m lab.controlplane env)"
    kubectl get namespaces

It is etcd, kube-apiserver and kube-controller-manager, without nodes and pods: what matters to an operator (CRDs,
admission, RBAC, watches, owner references, namespace deletion) is the real thing, and the rest is left out.
"""

import argparse
import http.client
import json
import os
import secrets
import shlex
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lab.binaries import Binaries, find_binaries
from lab.cache import cache_dir, locked
from lab.kubeconfig import write_kubeconfig
from lab.ports import free_port, is_free
from lab.processes import Process

# What namespaces, owner references and ServiceAccounts need to behave as on a full cluster.
CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
)
PORTS = ("apiserver", "etcd", "etcd-peer")


class ControlPlaneError(RuntimeError):
    """The control plane, or a kubectl against it, failed. The message says how and where to look."""


class ControlPlane:
    """One control plane, living in one folder: data, keys, logs and pid files.

    Its processes die with the Python process that started them, unless it is `detached`. Any process can stop it
    or talk to it by naming the same folder.
    """

    def __init__(self, state_dir: Path, *, detached: bool = False, binaries: Binaries | None = None) -> None:
        self.state_dir = state_dir.absolute()
        self.detached = detached
        self._binaries = binaries
        self._etcd = Process("etcd", self.state_dir)
        self._apiserver = Process("kube-apiserver", self.state_dir)
        self._manager = Process("kube-controller-manager", self.state_dir)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def binaries(self) -> Binaries:
        """Its commands. Asking for them builds them when they are not in the cache."""
        if self._binaries is None:
            self._binaries = find_binaries()
        return self._binaries

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return f"https://127.0.0.1:{self._ports()['apiserver']}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state_dir / "admin.kubeconfig"

    @property
    def serving_certificate(self) -> Path:
        """The API server's certificate followed by the CA that signed it: also what clients have to trust."""
        return self.state_dir / "pki" / "apiserver.crt"

    @property
    def serving_key(self) -> Path:
        """The key to it, with which a proxy on loopback can pass for the API server."""
        return self.state_dir / "pki" / "apiserver.key"

    @property
    def audit_log(self) -> Path:
        """What ServiceAccounts asked of the API server, as JSON lines of audit.k8s.io."""
        return self.state_dir / "audit.jsonl"

    def start(self) -> None:
        """Start what is not running yet and wait until the API server is ready."""
        binaries = self.binaries
        with locked(self.state_dir / "lock"):
            self.state_dir.chmod(0o700)  # it holds keys and tokens
            self._choose_ports()
            self._make_credentials()
            self._start_etcd()
            self._start_apiserver()
            if binaries.kube_controller_manager is None:
                print(
                    f"lab: no kube-controller-manager beside {binaries.kube_apiserver}: namespaces will stay "
                    "Terminating and owner references will not be followed.",
                    file=sys.stderr,
                )
            elif self._manager.pid is None:
                self._manager.start(self._manager_command(), env=_ENVIRONMENT, detached=self.detached)

    def stop(self) -> None:
        """Stop everything and keep the data: a later start goes on where this one ended."""
        with locked(self.state_dir / "lock"):
            for process in (self._manager, self._apiserver, self._etcd):
                process.stop(grace=3)

    def wipe(self) -> None:
        """Stop, and forget every object."""
        self.stop()
        shutil.rmtree(self.state_dir / "etcd", ignore_errors=True)

    def kill_apiserver(self) -> None:
        """Kill the API server with SIGKILL. All connections to it break; the data stays in etcd."""
        self._apiserver.kill()

    def start_apiserver(self) -> None:
        """Start a killed API server again, at the same URL, and wait until it is ready."""
        with locked(self.state_dir / "lock"):
            self._start_apiserver()

    def is_ready(self) -> bool:
        """Whether the API server says that it is ready to serve."""
        if not self.serving_certificate.exists() or self._apiserver.pid is None:
            return False
        trust = ssl.create_default_context(cafile=self.serving_certificate)
        port = self._ports()["apiserver"]
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=trust)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def processes(self) -> dict[str, int | None]:
        """The pid of each process, None for those that do not run."""
        return {process.name: process.pid for process in (self._etcd, self._apiserver, self._manager)}

    def kubectl(
        self,
        *args: str | Path,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
        check: bool = True,
        kubeconfig: Path | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl, as the administrator unless another kubeconfig is given."""
        # kubectl remembers by its address what a server offers, and another one may have had this address.
        env = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig or self.kubeconfig),
            "KUBECACHEDIR": str(self.state_dir / "kubectl-cache"),
        }
        command = [str(self.binaries.kubectl), *map(str, args)]
        done = subprocess.run(
            command, input=input, env=env, capture_output=True, text=True, check=False, timeout=timeout
        )
        if check and done.returncode != 0:
            shown = " ".join(["kubectl", *command[1:]])
            raise ControlPlaneError(f"{shown!r} ended with status {done.returncode}: {done.stderr.strip()}")
        return done

    def create_service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig for an existing ServiceAccount: its client has the rights that RBAC grants and no more."""
        created = self.kubectl("create", "token", name, f"--namespace={namespace}", "--duration=24h")
        return self._write_kubeconfig(f"{namespace}.{name}", created.stdout.strip(), namespace)

    def _write_kubeconfig(self, user: str, token: str, namespace: str) -> Path:
        return write_kubeconfig(
            self.state_dir / f"{user}.kubeconfig",
            server=self.url,
            ca=self.serving_certificate.read_bytes(),
            user=user,
            token=token,
            namespace=namespace,
        )

    def _ports(self) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads((self.state_dir / "ports.json").read_text())
        except FileNotFoundError:
            raise ControlPlaneError(f"no control plane was ever started in {self.state_dir}") from None
        return ports

    def _choose_ports(self) -> None:
        """Keep the ports of an earlier run where they are still to be had: clients may hold the old URL."""
        if self._etcd.pid is not None:
            return
        file = self.state_dir / "ports.json"
        old = self._ports() if file.exists() else {}
        ports = {name: old[name] if name in old and is_free(old[name]) else free_port() for name in PORTS}
        file.write_text(json.dumps(ports))

    def _make_credentials(self) -> None:
        pki = self.state_dir / "pki"
        pki.mkdir(exist_ok=True)
        if not (pki / "service-accounts.key").exists():
            key = generate_private_key(SECP256R1())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            (pki / "service-accounts.key").write_bytes(pem)
        if not (pki / "tokens.csv").exists():
            (pki / "tokens.csv").write_text(f'{secrets.token_urlsafe(32)},admin,admin,"system:masters"\n')

    def _start_etcd(self) -> None:
        ports = self._ports()
        client, peer = (f"http://127.0.0.1:{ports[name]}" for name in ("etcd", "etcd-peer"))
        command: list[str | Path] = [
            self.binaries.etcd,
            f"--data-dir={self.state_dir / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # the data need to outlive a killed process, not a power cut
        ]
        self._etcd.start(command, env=_ENVIRONMENT, detached=self.detached)

    def _start_apiserver(self) -> None:
        self._apiserver.start(self._apiserver_command(), env=_ENVIRONMENT, detached=self.detached)
        deadline = time.monotonic() + 60
        while not self.is_ready():
            for process in (self._etcd, self._apiserver):
                if process.pid is None:
                    raise ControlPlaneError(f"{process.name} ended; see {process.log}:\n{process.log_tail()}")
            if time.monotonic() > deadline:
                log, tail = self._apiserver.log, self._apiserver.log_tail()
                raise ControlPlaneError(f"{self.url}/readyz is not ok after 60 s; see {log}:\n{tail}")
            time.sleep(0.1)
        admin_token = (self.state_dir / "pki" / "tokens.csv").read_text().split(",")[0]
        self._write_kubeconfig("admin", admin_token, "default")

    def _apiserver_command(self) -> list[str | Path]:
        ports, pki = self._ports(), self.state_dir / "pki"
        return [
            self.binaries.kube_apiserver,
            f"--etcd-servers=http://127.0.0.1:{ports['etcd']}",
            "--bind-address=127.0.0.1",
            f"--secure-port={ports['apiserver']}",
            # Without these two it looks for a network route and publishes the machine's own address to clients.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={pki}",
            f"--token-auth-file={pki / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki / 'service-accounts.key'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",  # it is about pods
            f"--audit-policy-file={self._audit_policy()}",
            f"--audit-log-path={self.audit_log}",
        ]

    def _audit_policy(self) -> Path:
        """What the audit records: who asked for what, of ServiceAccounts and not of the control plane itself."""
        file = self.state_dir / "audit-policy.json"
        accounts = {"level": "Metadata", "omitStages": ["RequestReceived"], "userGroups": ["system:serviceaccounts"]}
        rules = [{"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]}, accounts, {"level": "None"}]
        file.write_text(json.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}))
        return file

    def _manager_command(self) -> list[str | Path]:
        manager = self.binaries.kube_controller_manager
        assert manager is not None
        return [
            manager,
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={','.join(CONTROLLERS)}",
            f"--root-ca-file={self.serving_certificate}",
            f"--service-account-private-key-file={self.state_dir / 'pki' / 'service-accounts.key'}",
            "--leader-elect=false",
            "--secure-port=0",
        ]


# Nothing inherited: etcd, for one, takes options from variables named ETCD_*.
_ENVIRONMENT = {"PATH": os.defpath}


def main(arguments: list[str] | None = None) -> int:
    """The command line. `status` ends with 3 when the control plane is not up, as service managers have it."""
    parser = argparse.ArgumentParser(prog="python -m lab.controlplane", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("up", "down", "wipe", "status", "build", "env"))
    parser.add_argument("--state-dir", type=Path, default=cache_dir() / "controlplane", metavar="DIR")
    options = parser.parse_args(arguments)
    control_plane = ControlPlane(options.state_dir, detached=True)
    try:
        return _run(options.command, control_plane)
    except RuntimeError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _run(command: str, control_plane: ControlPlane) -> int:
    match command:
        case "up":
            control_plane.start()
            print(f"up at {control_plane.url}; its kubeconfig is {control_plane.kubeconfig}")
        case "down":
            control_plane.stop()
        case "wipe":
            control_plane.wipe()
        case "status":
            ready = control_plane.is_ready()
            for name, pid in control_plane.processes().items():
                print(f"{name:24} {f'pid {pid}' if pid else 'not running'}")
            print(f"ready at {control_plane.url}" if ready else "not ready")
            return 0 if ready else 3
        case "build":
            print(control_plane.binaries.kubectl.parent)
        case "env":
            if not control_plane.is_ready():
                raise ControlPlaneError("not up; start it with the command `up` and the same --state-dir")
            folder = control_plane.binaries.kubectl.parent
            kubeconfig = shlex.quote(str(control_plane.kubeconfig))
            print(f"export KUBECONFIG={kubeconfig} PATH={shlex.quote(str(folder))}:$PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
