"""When a host is told which operator is the newest."""

from heretic.hosts import HostSettings
from heretic.hosts.fence import Fence
from heretic.reconcile.announce import Announcer
from sim.one_host import node_resource, site_resource


class Host:
    """Stands for the connections, the leader and the audit: what is announced is written down."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.token = 7

    def fence(self) -> Fence:
        return Fence("here", self.token, "operator")

    async def announce(self, settings: HostSettings, fencing: object) -> Fence:
        self.told.append(settings.address)
        return self.fence()

    def announcement(self, host: str, fence: Fence, *, outcome: str, seconds: float) -> None:
        assert outcome == "Done"


async def test_a_host_is_told_once_for_each_token_address_and_node() -> None:
    host = Host()
    announcer = Announcer(host, host, host, monotonic=lambda: 0.0)  # type: ignore[arg-type]
    node, site = node_resource(), site_resource()

    async def told(address: str = "192.0.2.1") -> int:
        await announcer.announce(HostSettings("demo/node1", address, ""), node, site)
        return len(host.told)

    assert [await told(), await told()] == [1, 1]
    host.token = 8
    assert [await told(), await told()] == [2, 2], "another operator, or the same after a break"
    assert await told("192.0.2.2") == 3, "another machine"
    announcer.forget("demo/node1")
    assert await told("192.0.2.2") == 3, "a pass that had begun before the Node was gone tells nothing"
    node = node.model_copy(update={"metadata": node.metadata.model_copy(update={"uid": "another"})})
    assert [await told("192.0.2.2"), await told("192.0.2.2")] == [4, 4], "a new Node of the same name"
