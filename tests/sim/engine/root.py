"""The root of the API: where everything is, and what engine it is."""

from xml.etree import ElementTree as ET

from ovirtsdk4 import services, types

from sim.engine.calls import ADMIN_ID, Call, Operations, RecordedDocument
from sim.engine.catalogue import recorded
from sim.engine.render import Item, element, ref

_ZERO = "00000000-0000-0000-0000-000000000000"


def links() -> list[tuple[str, str]]:
    """Names and places of the collections, as a real engine lists them."""
    return [(link.get("rel", ""), link.get("href", "")) for link in recorded("").iterfind("link")]


def link_header(base: str) -> str:
    """The same in the header of the answer, sorted."""
    return ",".join(sorted(f"<{base}{href}>; rel={name}" for name, href in links()))


def _get(call: Call) -> RecordedDocument:
    none = types.ApiSummaryItem(active=0, total=0)
    user = ref(types.User, ADMIN_ID)
    value = types.Api(
        engine_backup=types.EngineBackupInfo(),
        product_info=types.ProductInfo(
            instance_id=call.state.instance_id,
            version=types.Version(build=7, full_version="4.5.7.0", major=4, minor=5, revision=0),
        ),
        special_objects=types.SpecialObjects(
            blank_template=ref(types.Template, _ZERO),
            root_tag=ref(types.Tag, _ZERO),
        ),
        summary=types.ApiSummary(
            hosts=none, storage_domains=none, users=types.ApiSummaryItem(active=1, total=1), vms=none
        ),
        time=call.state.time(),
        authenticated_user=user,
        effective_user=user,
    )
    root = element(Item(value))
    root[:0] = [ET.Element("link", {"href": href, "rel": name}) for name, href in links()]
    return RecordedDocument(root)


OPERATIONS: Operations = {(services.SystemService, "get"): _get}
