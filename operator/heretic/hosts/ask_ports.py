"""Finds out where ports lead that carry nothing yet. It runs on a host, with its Python, and needs nothing else.

It changes nothing there: ports get no address, nobody learns one from it but who is asked, and sockets end with it.
What it does and why: docs/adr/0071. Usage: python3 - JSON. JSON is one object:

    ports      names of the ports that are asked
    listeners  names of further ports, which only tell whether they hear the others
    questions  objects of: vlan (0 = untagged), target (who is asked), source (the address that is asked from,
               "" = none), mtu (how large a packet shall be carried)
    seconds    how long is listened

It prints one object, "ports": by port its mac, changes (how often its link came and went), answers
(objects of vlan, target, mac, echo, mtu), taken (addresses of ours that somebody else has), hears (names of ports that
it hears, each with the VLAN), lldp, and error.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Any

ARP, IPV4, IPV6, VLAN, LLDP = 0x0806, 0x0800, 0x86DD, 0x8100, 0x88CC
ALL = 0x0003
SOL_PACKET, ADD_MEMBERSHIP, AUXDATA, OUTGOING = 263, 1, 8, 4
MULTICAST, PROMISCUOUS = 0, 1
TAGGED = 0x10
SIOCGIFADDR = 0x8915
BROADCAST, NOBODY = b"\xff" * 6, b"\0" * 6
SWITCHES, EVERY_NODE = b"\x01\x80\xc2\x00\x00\x0e", b"\x33\x33\x00\x00\x00\x01"
ROUNDS = 3
MARK = b"heretic asks where this port leads "


class _Port:
    """One port: its socket, and what came in."""

    def __init__(self, name: str, promiscuous: bool) -> None:
        self.name = name
        self.answers: dict[tuple[int, str], Any] = {}
        self.taken: dict[tuple[int, bytes], bytes] = {}
        self.hears: set[tuple[str, int]] = set()
        self.lldp: dict[str, Any] = {}
        self.mac = bytes.fromhex(_read(name, "address").replace(":", ""))
        self.mtu, self.changes = int(_read(name, "mtu")), int(_read(name, "carrier_changes"))
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, AUXDATA, 1)
        # Frames with a tag pass the filters of the port only so.
        self.join(PROMISCUOUS if promiscuous else MULTICAST, b"" if promiscuous else EVERY_NODE)
        self.join(MULTICAST, SWITCHES)
        self.socket.bind((name, ALL))
        self.socket.setblocking(False)

    def join(self, kind: int, mac: bytes) -> None:
        index = socket.if_nametoindex(self.name)
        self.socket.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, struct.pack("iHH8s", index, kind, len(mac), mac))

    def send(self, to: bytes, vlan: int, kind: int, data: bytes) -> None:
        tag = struct.pack("!HH", VLAN, vlan) if vlan else b""
        with suppress(OSError):  # what is not sent is not answered
            self.socket.send((to + self.mac + tag + struct.pack("!H", kind) + data).ljust(60, b"\0"))

    def receive(self) -> tuple[int, bytes] | None:
        """The next frame from outside: VLAN and frame; None where there is none."""
        while True:
            try:
                data, extra, _, where = self.socket.recvmsg(65536, 256)
            except OSError:
                return None
            if where[2] != OUTGOING and len(data) >= 14:
                return _tag_of(extra), data


def _tag_of(extra: list[tuple[int, int, bytes]]) -> int:
    """The VLAN of a frame: the kernel takes tags out of frames, and tells them beside."""
    for level, kind, data in extra:
        if level == SOL_PACKET and kind == AUXDATA and len(data) >= 20:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
            return tci & 0xFFF if status & TAGGED else 0
    return 0


def _read(port: str, what: str) -> str:
    with open(f"/sys/class/net/{port}/{what}") as file:
        return file.read().strip()


def _why_not(port: str) -> str:
    """Why a port must not be asked; empty where it carries nothing."""
    folder = f"/sys/class/net/{port}"
    if not os.path.isdir(folder):
        return "it is gone"
    above = [e for e in os.listdir(folder) if e == "master" or e.startswith("upper_")]
    if above:
        return f"it carries {os.path.basename(os.readlink(f'{folder}/{above[0]}'))} by now"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("256s", port.encode()[:15]))
        return "it has an address by now"
    except OSError:
        return ""


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _arp(operation: int, mac: bytes, ip: bytes, to_mac: bytes, to_ip: bytes) -> bytes:
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + mac + ip + to_mac + to_ip


def _echo(source: bytes, target: bytes, size: int) -> bytes:
    """A ping that must not be cut into pieces, of this size with its header."""
    text = (MARK * (size // len(MARK) + 1))[: size - 28]
    ping = struct.pack("!BBHHH", 8, 0, 0, 0x4854, size) + text
    ping = ping[:2] + struct.pack("!H", _checksum(ping)) + ping[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0x4000, 64, 1, 0, source, target)
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + ping


def _solicitation(target: bytes) -> tuple[bytes, bytes]:
    """A neighbour solicitation from nobody, as for duplicate address detection (RFC 4862), and whom it goes to."""
    group = ipaddress.IPv6Address("ff02::1:ff00:0").packed[:13] + target[13:]
    message = struct.pack("!BBHI", 135, 0, 0, 0) + target
    pseudo = b"\0" * 16 + group + struct.pack("!II", len(message), 58)
    message = message[:2] + struct.pack("!H", _checksum(pseudo + message)) + message[4:]
    head = struct.pack("!IHBB", 0x60000000, len(message), 58, 255) + b"\0" * 16 + group
    return b"\x33\x33" + group[12:], head + message


class _Question:
    """One address that is asked for in one VLAN."""

    def __init__(self, vlan: int, target: str, source: str, mtu: int) -> None:
        self.vlan, self.name, self.mtu = vlan, target, mtu
        self.target = ipaddress.ip_address(target)
        self.source = ipaddress.ip_address(source).packed if source and self.target.version == 4 else b""

    def put(self, port: _Port) -> None:
        """Asks; who answered is pinged, too, until it has answered that."""
        packed = self.target.packed
        if self.target.version == 6:
            to, data = _solicitation(packed)
            port.send(to, self.vlan, IPV6, data)
            return
        port.send(BROADCAST, self.vlan, ARP, _arp(1, port.mac, b"\0" * 4, NOBODY, packed))
        if self.source:
            port.send(BROADCAST, self.vlan, ARP, _arp(1, port.mac, b"\0" * 4, NOBODY, self.source))

    def ping(self, port: _Port) -> None:
        answer = port.answers.get((self.vlan, self.name))
        if not answer or not self.source or port.taken.get((self.vlan, self.source)):
            return
        for size in sorted({84, min(self.mtu, port.mtu)}):
            port.send(answer["to"], self.vlan, IPV4, _echo(self.source, self.target.packed, size))


def _take(port: _Port, vlan: int, frame: bytes, questions: list[_Question], own: dict[bytes, str]) -> None:
    """Notes what one frame tells."""
    (kind,) = struct.unpack("!H", frame[12:14])
    sender, data = frame[6:12], frame[14:]
    if sender in own and own[sender] != port.name:
        port.hears.add((own[sender], vlan))
    elif kind == LLDP:
        port.lldp.update(_neighbour(data))
    elif kind == ARP and len(data) >= 28:
        _take_arp(port, vlan, data, questions, own)
    elif kind == IPV4 and len(data) >= 28 and data[9] == 1 and data[20] == 0:
        size = struct.unpack("!H", data[2:4])[0]
        for question in questions:
            answer = port.answers.get((vlan, question.name))
            if answer and question.source == data[16:20] and question.target.packed == data[12:16]:
                answer["echo"], answer["mtu"] = True, max(answer["mtu"], size)
    elif kind == IPV6 and len(data) >= 64 and data[6] == 58 and data[40] == 136:
        for question in questions:
            if question.vlan == vlan and question.target.packed == data[48:64]:
                _found(port, question, sender)["echo"] = True


def _take_arp(port: _Port, vlan: int, data: bytes, questions: list[_Question], own: dict[bytes, str]) -> None:
    operation, mac, ip, wanted = struct.unpack("!H", data[6:8])[0], data[8:14], data[14:18], data[24:28]
    for question in questions:
        if question.vlan != vlan:
            continue
        if operation == 2 and question.target.packed == ip:
            _found(port, question, mac)
        elif ip == question.source and mac not in own:
            port.taken[vlan, ip] = mac
        elif operation == 1 and wanted == question.source and ip == question.target.packed:
            # Only who is asked is told where the answer goes to.
            port.send(mac, vlan, ARP, _arp(2, port.mac, wanted, mac, ip))


def _found(port: _Port, question: _Question, mac: bytes) -> Any:
    new = {"to": mac, "mac": _shown(mac), "echo": False, "mtu": 0}
    return port.answers.setdefault((question.vlan, question.name), new)


def _neighbour(data: bytes) -> dict[str, Any]:
    """Who sent an LLDP frame: the first that tells its name, else its id (IEEE 802.1AB)."""
    told: dict[str, Any] = {}
    while len(data) >= 2:
        (head,) = struct.unpack("!H", data[:2])
        kind, size = head >> 9, head & 0x1FF
        value, data = data[2 : 2 + size], data[2 + size :]
        if kind == 0:
            break
        if kind in (1, 2) and size > 1:
            name = _shown(value[1:]) if value[0] == (4 if kind == 1 else 3) else _text(value[1:])
            told["chassis" if kind == 1 else "port"] = name
        elif kind == 4:
            told["description"] = _text(value)
        elif kind == 5:
            told["system"] = _text(value)
        elif kind == 127 and value[:4] == b"\x00\x80\xc2\x01" and size >= 6:
            told["vlan"] = struct.unpack("!H", value[4:6])[0]
    return told


def _text(value: bytes) -> str:
    return "".join(c for c in value.decode("utf-8", "replace") if c.isprintable())[:80]


def _shown(mac: bytes) -> str:
    return mac[:8].hex(":")


def _look(request: dict[str, Any]) -> dict[str, Any]:
    questions = [_Question(q["vlan"], q["target"], q["source"], q["mtu"]) for q in request["questions"]]
    tagged = any(q.vlan for q in questions)
    said: dict[str, Any] = {}
    ports: list[_Port] = []
    asked: list[_Port] = []
    for name in [*request["ports"], *request["listeners"]]:
        refused = _why_not(name) if name in request["ports"] else ""
        try:
            port = None if refused else _Port(name, tagged)
        except (OSError, ValueError) as error:
            refused = str(error)
            port = None
        if port is None:
            said[name] = {"error": refused}
            continue
        ports.append(port)
        if name in request["ports"]:
            asked.append(port)
    own = {port.mac: port.name for port in ports}
    _ask(asked, ports, questions, own, request["seconds"])
    for port in ports:
        said[port.name] = _told(port, questions)
    return said


def _ask(
    asked: list[_Port], ports: list[_Port], questions: list[_Question], own: dict[bytes, str], seconds: float
) -> None:
    """Asks some times, and listens in between; a ping follows as soon as somebody has answered."""
    start, asked_so_far = time.monotonic(), 0
    by_file = {port.socket.fileno(): port for port in ports}
    while True:
        over = time.monotonic() - start
        if over >= seconds:
            return
        if over >= asked_so_far * seconds / (ROUNDS + 1) and asked_so_far < ROUNDS:
            for port in asked:
                for question in questions:
                    question.ping(port)
                    question.put(port)
            asked_so_far += 1
        for file in select.select(list(by_file), [], [], 0.05)[0]:
            port = by_file[file]
            got = port.receive()
            while got:
                _take(port, got[0], got[1], questions, own)
                got = port.receive()


def _told(port: _Port, questions: list[_Question]) -> dict[str, Any]:
    names = {(q.vlan, q.source): str(ipaddress.IPv4Address(q.source)) for q in questions if q.source}
    answers = [
        {"vlan": vlan, "target": name, "mac": a["mac"], "echo": a["echo"], "mtu": a["mtu"]}
        for (vlan, name), a in sorted(port.answers.items())
    ]
    return {
        "mac": _shown(port.mac),
        "changes": port.changes,
        "answers": answers,
        "taken": {names[key]: _shown(mac) for key, mac in sorted(port.taken.items())},
        "hears": sorted([name, vlan] for name, vlan in port.hears),
        "lldp": port.lldp,
    }


def main() -> None:
    """Prints what the ports told, in one line."""
    request = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps({"ports": _look(request)}, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
