"""``gluster volume get all cluster.op-version --xml``: the feature level that the pool runs at."""

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.gluster.parse.document import integer, parse_document, text

OP_VERSION = "cluster.op-version"


def parse_op_version(output: Output) -> Fact[int]:
    """Parses the operating version, for example 100000 for Gluster 10.

    Returns:
        The version; Absent where gluster is not installed.
    """
    root = parse_document(output, f"gluster volume get all {OP_VERSION}")
    if isinstance(root, Absent | Unknown):
        return root
    for option in root.findall("volGetopts/Opt"):
        value = integer(option, "Value")
        if text(option, "Option") == OP_VERSION and value is not None:
            return Known(value)
    return Unknown(f"gluster volume get all {OP_VERSION} printed no number")
