"""What hosts that store are asked, as all kinds together say, and facts with changes of a test."""

from dataclasses import fields, replace
from typing import Any

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.probes import Questions, questions
from heretic.domain.pool.member import MEMBER, Member
from heretic.kinds import KINDS

_NO_ENGINE = SiteView()

ASKED = questions(KINDS.features, KINDS.sections, (Role.STORAGE,))


def asked_of(node: Node, view: SiteView = _NO_ENGINE) -> Questions:
    """What the host of a Node is asked in a site; in one that declares nothing else when it is not given."""
    return questions(KINDS.features, tuple(s for s in KINDS.sections if s.wanted(view)), node.spec.roles)


_OF_MEMBER = tuple(f.name for f in fields(Member))

FACTS = (*(f.name for f in fields(HostFacts) if f.name not in ("host", "files", "sections")), "bricks", *_OF_MEMBER)
"""The names of all facts of a host, those of the sections among them."""


def but(facts: HostFacts, **changes: Any) -> HostFacts:
    """The same facts but for some of FACTS."""
    sections = dict(facts.sections)
    if "bricks" in changes:
        sections[BRICK_FOLDERS.name] = changes.pop("bricks")
    if member := {name: changes.pop(name) for name in _OF_MEMBER if name in changes}:
        sections[MEMBER.name] = replace(facts[MEMBER], **member)
    return replace(facts, sections=sections, **changes)


def fact_of(facts: HostFacts, name: str) -> Any:
    """One of FACTS."""
    if name == "bricks":
        return facts[BRICK_FOLDERS]
    return getattr(facts[MEMBER] if name in _OF_MEMBER else facts, name)
