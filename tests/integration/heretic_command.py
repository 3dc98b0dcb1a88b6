"""The heretic command as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "heretic"


def run_heretic(kubeconfig: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the command with nobody at the terminal; fails when it ends otherwise, or with a traceback."""
    environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
    environment.pop("HERETIC_DEBUG", None)
    done = subprocess.run(
        [str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
