"""Whether an object is kept, planned or only observed."""

from heretic.api.v1alpha1 import Mode, Resource, Site
from heretic.api.v1alpha1.common import CommonSpec


def mode_of(resource: Resource, site: Site | None) -> Mode:
    """The mode in force: the object's own, else the Site's, else Apply; Observe while nobody knows which Site rules."""
    if site is None:
        return Mode.OBSERVE
    return common_spec(resource).mode or site.spec.mode or Mode.APPLY


def common_spec(resource: Resource) -> CommonSpec:
    """What every kind's spec has."""
    spec: CommonSpec = getattr(resource, "spec")  # noqa: B009 - every kind has one; the base model cannot say it
    return spec
