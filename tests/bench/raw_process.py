"""The bound: one script a host on an open connection, and nothing done with what comes back.

Reads one line with the hosts, their key and ours, then one script a line; answers each with how long it took.
"""

import asyncio
import json
import sys
import time

import asyncssh

from sim.addresses import take_detour

CIPHERS = ("aes128-gcm@openssh.com",)


async def main() -> None:
    """Answers until the input ends."""
    loop = asyncio.get_running_loop()
    setup = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    key = asyncssh.import_private_key(setup["privateKey"])
    trusted = asyncssh.import_public_key(setup["hostKey"])
    turns = asyncio.Semaphore(20)

    async def connect(address: str, port: int) -> asyncssh.SSHClientConnection:
        async with turns:
            return await asyncssh.connect(
                address,
                port,
                username="root",
                client_keys=[key],
                known_hosts=([trusted], [], []),
                encryption_algs=CIPHERS,
                config=None,
                agent_path=None,
            )

    connections = await asyncio.gather(*(connect(*where) for where in setup["hosts"]))
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(request["times"]):
            await asyncio.gather(*(c.run("sh -s", input=request["script"], check=True) for c in connections))
        print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}), flush=True)
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    take_detour()
    asyncio.run(main())
