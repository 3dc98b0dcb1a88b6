"""The root of the API: where everything is, and what engine it is."""

from typing import Any
from xml.etree import ElementTree as ET

from ovirtsdk4 import services, types

from sim.engine.attachments import domain_status
from sim.engine.calls import ADMIN_ID, Call, Operations, RecordedDocument
from sim.engine.catalogue import recorded
from sim.engine.domain_life import DomainStatus
from sim.engine.host_life import Status
from sim.engine.placements import vm_status
from sim.engine.render import Item, element, ref
from sim.engine.state import EngineState
from sim.engine.vm_life import VmStatus

_ZERO = "00000000-0000-0000-0000-000000000000"


def links() -> list[tuple[str, str]]:
    """Names and places of the collections, as a real engine lists them."""
    return [(link.get("rel", ""), link.get("href", "")) for link in recorded("").iterfind("link")]


def link_header(base: str) -> str:
    """The same in the header of the answer, sorted."""
    return ",".join(sorted(f"<{base}{href}>; rel={name}" for name, href in links()))


def _get(call: Call) -> RecordedDocument:
    user = ref(types.User, ADMIN_ID)
    value = types.Api(
        engine_backup=types.EngineBackupInfo(),
        product_info=types.ProductInfo(
            instance_id=call.state.instance_id,
            version=types.Version(
                build=call.state.build, full_version=f"4.5.{call.state.build}.0", major=4, minor=5, revision=0
            ),
        ),
        special_objects=types.SpecialObjects(
            blank_template=ref(types.Template, _ZERO),
            root_tag=ref(types.Tag, _ZERO),
        ),
        summary=_summary(call.state),
        time=call.state.time(),
        authenticated_user=user,
        effective_user=user,
    )
    root = element(Item(value))
    root[:0] = [ET.Element("link", {"href": href, "rel": name}) for name, href in links()]
    return RecordedDocument(root)


def _summary(state: EngineState) -> Any:
    """How many there are of what; a storage domain counts as active in any data center."""
    up = [life for life in state.lives.values() if life.status(state.now()) is Status.UP]
    vms = [vm_status(state, vm) for vm in state.vms.values()]
    active = {key for at, key in state.attachments if domain_status(state, at, key) is DomainStatus.ACTIVE}
    return types.ApiSummary(
        hosts=types.ApiSummaryItem(active=len(up), total=len(state.hosts)),
        storage_domains=types.ApiSummaryItem(active=len(active), total=len(state.storage_domains)),
        users=types.ApiSummaryItem(active=1, total=1),
        vms=types.ApiSummaryItem(active=len(vms) - vms.count(VmStatus.DOWN), total=len(vms)),
    )


OPERATIONS: Operations = {(services.SystemService, "get"): _get}
