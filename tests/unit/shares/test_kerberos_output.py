"""What Samba says of keytabs and of the account of the server, and what is made of it."""

from pathlib import Path

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.shares.kerberos.facts import DomainKey, parse_domain_key, parse_keytab

DATA = Path(__file__).parents[2] / "data/shares/kerberos"
NAME = "nfs/files.office.example.org@OFFICE.EXAMPLE.ORG"
SILENT = "Didn't find the ldap server!\n"


@pytest.mark.parametrize(
    ("file", "name", "versions"),
    [("keytab-4.22.txt", NAME, (1, 2, 3)), ("keytab-4.17.txt", NAME.replace("files.", "files12."), (2, 3))],
)
def test_each_key_has_a_version_and_a_principal_whatever_its_kinds(
    file: str, name: str, versions: tuple[int, ...]
) -> None:
    found = parse_keytab(Output(0, (DATA / file).read_text(), ""))
    assert found == Known(frozenset((version, name) for version in versions))


@pytest.mark.parametrize(
    "output", [Output(2, "", ""), Output(2, "\nWarning: use keytab functions.\n", ""), Output(127, "", "")]
)
def test_a_file_or_a_samba_that_is_not_there_is_no_keytab(output: Output) -> None:
    assert parse_keytab(output) == Absent()


@pytest.mark.parametrize("output", [Output(255, "", "panic"), Output(0, "", ""), Output(0, "something else\n", "")])
def test_what_cannot_be_read_is_not_known(output: Output) -> None:
    assert isinstance(parse_keytab(output), Unknown)
    assert isinstance(parse_domain_key(output), Unknown)


def test_the_domain_tells_the_version_of_its_key_and_the_names_of_services() -> None:
    found = parse_domain_key(Output(0, (DATA / "account.txt").read_text(), ""))
    assert isinstance(found, Known)
    assert found.value.version == 3
    assert found.value == DomainKey(3, found.value.names)
    assert "nfs/files.office.example.org" in found.value.names
    assert "host/files" in found.value.names


@pytest.mark.parametrize("output", [Output(124, "", ""), Output(255, "", SILENT)])
def test_no_answer_in_time_is_no_controller(output: Output) -> None:
    assert parse_domain_key(output) == Absent()
