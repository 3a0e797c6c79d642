"""A session with a stack, whatever program opens it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_program_may_have_the_name_of_a_package_of_ours(tmp_path):
    """ZenML imports our flavors from the folder of the main program: there, ``serving`` was this program."""
    (tmp_path / "serving.py").write_text(
        "from cli.session import session\n"
        "with session('local', debug=False):\n"
        "    print('active')\n"
    )  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "ZENML_CUSTOM_SOURCE_ROOT"}
    environment |= {"PYTHONPATH": str(ROOT), "ZENML_CONFIG_PATH": str(tmp_path / "zenml"), "HOME": str(tmp_path)}
    command = [
        sys.executable,
        "-c",
        "import runpy, sys; sys.path.pop(0); runpy.run_path(sys.argv[1], run_name='__main__')",
    ]
    done = subprocess.run(
        [*command, str(tmp_path / "serving.py")], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "active"
