"""Options of a volume: which of Gluster's a user may set, and to what.

Refused is what takes away heal, quorum or durability, what makes Gluster fail on purpose, and what breaks the purpose.
Sources: ``gluster volume set help`` of Gluster 10, Gluster's administrator guide, and the sources of AFR and locks.
"""

import re
from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, matching
from heretic.api.v1alpha1.common import Model

QUORUM_OPTIONS = {"cluster.quorum-type": "auto", "cluster.server-quorum-type": "server"}
"""Options that may have one value only: with any other, both halves of a split site would write."""

ON = "on|yes|true|enable|enabled|1"
OFF = "off|no|false|disable|disabled|0"
_NOT_ZERO = "[0.]*[1-9].*"
_UP_TO_AN_HOUR = "[1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600"


def _only(names: str, values: str, message: str) -> Rule:
    """A rule that options, by a pattern of their names, have a value of a pattern; case makes no difference."""
    return Rule(
        cel=f"!self.name.matches(r'^(?:{names})$') || self.value.lowerAscii().matches(r'^(?:{values})$')",
        message=message,
        holds=lambda o: re.fullmatch(names, o.name) is None or re.fullmatch(values, o.value.lower()) is not None,
    )


def _never(names: str, message: str) -> Rule:
    """A rule that options, by a pattern of their names, are not set at all."""
    return Rule(
        cel=f"!self.name.matches(r'^(?:{names})$')",
        message=message,
        holds=lambda option: re.fullmatch(names, option.name) is None,
    )


def _keeps_quorum(option: "VolumeOption") -> bool:
    ratio = option.name in ("cluster.quorum-count", "cluster.server-quorum-ratio")
    return not ratio and option.value == QUORUM_OPTIONS.get(option.name, option.value)


class VolumeOption(Model):
    """One gluster option that differs from the purpose's default."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=(
                "!(self.name in ['cluster.quorum-count', 'cluster.server-quorum-ratio']) && (self.name != "
                "'cluster.quorum-type' || self.value == 'auto') && (self.name != 'cluster.server-quorum-type' || "
                "self.value == 'server')"
            ),
            message=(
                "must not lower quorum: 'cluster.quorum-type' stays 'auto' and 'cluster.server-quorum-type' stays "
                "'server', otherwise both halves of a split site go on writing and one half is lost"
            ),
            holds=_keeps_quorum,
        ),
        _only(
            r"cluster[.](?:self-heal-daemon|(?:data|metadata|entry)-change-log|ensure-durability)",
            ON,
            "must not take heal away: 'cluster.self-heal-daemon', the change logs and 'cluster.ensure-durability' stay "
            "'on', otherwise copies that missed writes are not found or not healed, and the next loss takes data",
        ),
        _only(
            r"cluster[.]heal-timeout",
            _UP_TO_AN_HOUR,
            "must not take heal away: 'cluster.heal-timeout' is a number of seconds up to 3600",
        ),
        _only(
            r"cluster[.]halo-enabled",
            OFF,
            "must not write to the near copies alone: with 'cluster.halo-enabled' a slow copy is left behind, and the "
            "loss of another one takes data",
        ),
        _only(
            r"features[.]locks-(?:monkey-unlocking|revocation-clear-all|revocation-secs|revocation-max-blocked)",
            OFF,
            "must not take locks from those who hold them: a heal and a write would change a file at the same time, "
            "and its copies differ afterwards",
        ),
        _only(
            r"network[.]ping-timeout|storage[.]health-check-(?:interval|timeout)",
            _NOT_ZERO,
            "must not be 0: nobody would ever give up a host or a disk that is dead, and every write would wait for it",
        ),
        _never(
            r"debug[.](?:delay|error|random|exclude|include).*|delay-gen[.].*|features[.]barrier",
            "must not make Gluster fail or stand still on purpose: this is for tests of Gluster itself",
        ),
        _only(
            r"auth[.]reject",
            "none",
            "must not shut out who heals: 'auth.reject' can meet the nodes' own daemons; list those who may mount the "
            "volume in 'auth.allow', which the nodes need not be in",
        ),
        _only(
            r"cluster[.]force-migration",
            OFF,
            "must not move files that are written to: 'cluster.force-migration' can corrupt them",
        ),
        Rule(
            cel="!self.name.startsWith('features.shard')",
            message="must not change sharding: files written before would become unreadable; `purpose` decides it",
            holds=lambda option: not option.name.startswith("features.shard"),
        ),
        Rule(
            cel="self.name != 'cluster.favorite-child-policy' || self.value == 'none'",
            message=(
                "must not resolve split-brain by itself: 'cluster.favorite-child-policy' throws one copy away; a "
                "person has to choose the good one"
            ),
            holds=lambda option: option.name != "cluster.favorite-child-policy" or option.value == "none",
        ),
        Rule(
            cel="self.name != 'cluster.lookup-optimize' || self.value == 'off'",
            message="must not turn 'cluster.lookup-optimize' on: it corrupts sharded files when bricks are added",
            holds=lambda option: option.name != "cluster.lookup-optimize" or option.value == "off",
        ),
    )

    name: Annotated[
        str,
        StringConstraints(max_length=128),
        matching(
            "[a-z0-9]+(?:-[a-z0-9]+)*(?:[.][a-z0-9]+(?:[-_][a-z0-9]+)*)+",
            "must be the full name of a Gluster option, such as 'network.ping-timeout'",
        ),
    ] = Field(description="Full name of the option, as gluster volume get <volume> all shows it.")
    value: Annotated[
        str,
        StringConstraints(max_length=1024),
        matching(
            r"[!#-&(-,.-\[\]-_a-~][!#-&(-\[\]-_a-~]*",
            "must be printable ASCII without spaces, quotes and backslashes, and must not begin with a dash",
        ),
    ] = Field(description="Its value, always a text: '20', 'on'.")


def options_rule(purposes: Iterable[str], names: str, values: str, message: str) -> Rule:
    """A rule for the spec of a volume: with these purposes, options have a value of a pattern.

    Args:
        purposes: Of the volume.
        names: Pattern of the options' names.
        values: Pattern of their values in lower case.
        message: Of the refusal.
    """
    listed = frozenset(purposes)
    words = ", ".join(f"'{purpose}'" for purpose in sorted(listed))
    return Rule(
        cel=(
            f"!(self.purpose in [{words}]) || !has(self.options) || self.options.all(o, "
            f"!o.name.matches(r'^(?:{names})$') || o.value.lowerAscii().matches(r'^(?:{values})$'))"
        ),
        message=message,
        holds=lambda spec: (
            spec.purpose not in listed
            or all(
                re.fullmatch(names, o.name) is None or re.fullmatch(values, o.value.lower()) is not None
                for o in spec.options
            )
        ),
    )
