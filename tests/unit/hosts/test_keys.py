"""Keys that are made here are what OpenSSH takes, and a line of a key is the same each time."""

import shutil
import subprocess
from pathlib import Path

import pytest

from heretic.hosts.keys import new_private_key, public_line

WITH_PASSPHRASE = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDnfJxvQm
J02YLWXSj6vLQYAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIHpAOO19SdEy848/
dhLRCRfjtNIbbqbbw7XbTOA7v+6YAAAAkAn7mUCoUertqSIY/SEAsJcRw1MRhnmeGJ8ity
o8gOCUb6Or9aeGSLvlcbRAxhSlfVC0J38fd70tpSoHOswFDNnRjw/nuHdPIZEYXdAdpE3X
MYD7d6BguoD50UfM61KCzPLNKK+5okCQlb1VbqjdDZy/ehEVE7+ev1wMUUkz0foCcLnXBD
YfKehkIOhwFbSmrA==
-----END OPENSSH PRIVATE KEY-----
"""


def test_a_new_key_is_ed25519_without_passphrase_and_no_two_are_alike() -> None:
    one, other = new_private_key("heretic-home"), new_private_key("heretic-home")

    assert one != other
    assert public_line(one).startswith("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")
    assert public_line(one).endswith(" heretic-home")
    assert public_line(one) == public_line(one)


def test_openssh_reads_it(tmp_path: Path) -> None:
    keygen = shutil.which("ssh-keygen")
    assert keygen, "OpenSSH is part of every machine that tests run on"
    private = new_private_key("heretic-home")
    (tmp_path / "key").write_text(private)
    (tmp_path / "key").chmod(0o600)

    said = subprocess.run([keygen, "-y", "-P", "", "-f", tmp_path / "key"], capture_output=True, text=True, check=True)

    assert said.stdout.split()[:2] == public_line(private).split()[:2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGuZzgsUTt0WRkaXENH4VOblqP8WKTsQ2KBUju05SwOK",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
        WITH_PASSPHRASE,
    ],
    ids=["empty", "text", "public", "cut", "passphrase"],
)
def test_what_is_no_private_key_without_passphrase_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        public_line(text)
