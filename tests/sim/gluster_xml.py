"""The form of what gluster 10.3 and 11.1 print with --xml."""

import uuid

from heretic.domain.commands import Output
from sim.gluster_model import SimGlusterd, SimGlusterVolume
from sim.machine import ok


def peer_xml(identity: str, hostnames: list[str], connected: bool, state: int, text: str) -> str:
    names = "".join(f"        <hostname>{name}</hostname>\n" for name in hostnames)
    return (
        f"    <peer>\n      <uuid>{identity}</uuid>\n      <hostname>{hostnames[0]}</hostname>\n"
        f"      <hostnames>\n{names}      </hostnames>\n      <connected>{int(connected)}</connected>\n"
        f"      <state>{state}</state>\n      <stateStr>{text}</stateStr>\n    </peer>\n"
    )


def daemon_xml(path: str, glusterd: SimGlusterd, volume: str) -> str:
    up = glusterd.running and glusterd.self_heal and volume not in glusterd.self_heal_lost
    return (
        f"        <node>\n          <hostname>Self-heal Daemon</hostname>\n          <path>{path}</path>\n"
        f"          <peerid>{glusterd.uuid}</peerid>\n          <status>{int(up)}</status>\n"
        "          <port>N/A</port>\n          <ports>\n            <tcp>N/A</tcp>\n            <rdma>N/A</rdma>\n"
        f"          </ports>\n          <pid>{2000 if up else -1}</pid>\n        </node>\n"
    )


def tasks_xml(volume: SimGlusterVolume) -> str:
    if not volume.tasks:
        return "        <tasks/>\n"
    tasks = "".join(
        f"          <task>\n            <type>{kind}</type>\n            <id>{uuid.uuid4()}</id>\n"
        f"            <status>1</status>\n            <statusStr>{state}</statusStr>\n          </task>\n"
        for kind, state in volume.tasks
    )
    return f"        <tasks>\n{tasks}        </tasks>\n"


def result(code: int, number: int, said: str) -> str:
    error = f"  <opErrstr>{said}</opErrstr>\n" if said else "  <opErrstr/>\n"
    return f"  <opRet>{code}</opRet>\n  <opErrno>{number}</opErrno>\n{error}"


def envelope(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput>\n{body}</cliOutput>\n'


def document(body: str) -> Output:
    return ok(envelope(result(0, 0, "") + body))
