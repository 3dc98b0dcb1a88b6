"""What a site without an engine pays for the client: nothing."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["heretic.main", "heretic.cli.app", "heretic.reconcile.engine_executor"])
def test_the_sdk_is_not_loaded_before_an_engine_is_spoken_to(module: str) -> None:
    program = f"import sys, {module}; print(sorted({{'ovirtsdk4', 'pycurl'}} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_model_is_what_loads_it() -> None:
    program = "import sys, heretic.engine.model; print('ovirtsdk4' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "True"
