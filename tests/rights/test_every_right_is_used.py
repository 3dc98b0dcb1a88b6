"""Every right that manifests/operator grants to the operator is used by the integration tests.

`make integration` runs this after them, over what the API servers have audited meanwhile.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from integration.used_rights import FOLDER, Right, kept

OPERATOR = Path(__file__).parents[2] / "manifests/operator"
FILES = ("own-kinds.yaml", "leader-lease.yaml", "site-access/role.yaml")


def granted() -> Iterator[Right]:
    for file in FILES:
        for obj in yaml.safe_load_all((OPERATOR / file).read_text()):
            for rule in obj.get("rules", []):
                yield from (
                    Right(verb, group, resource)
                    for verb in rule["verbs"]
                    for group in rule["apiGroups"]
                    for resource in rule["resources"]
                )


def test_every_right_is_used_by_a_test() -> None:
    used = kept(Path(os.environ[FOLDER]))

    assert used, f"no rights were recorded in {os.environ[FOLDER]}; run: make integration"
    assert sorted(set(granted()) - used) == []
