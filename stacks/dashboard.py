"""Opens ZenML's local dashboard, without the form it shows a first visitor: ``python -m stacks.dashboard``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen


def main() -> int:
    """Starts ZenML's local server as a daemon, and prints its address."""
    port = os.environ.get("DASHBOARD_PORT", "8237")
    zenml = Path(sys.executable).with_name("zenml")
    command: list[str | Path] = [zenml, "login", "--local", "--ip-address", "127.0.0.1", "--port", port]
    code = subprocess.call(command)
    if code == 0:
        skip_form(f"http://127.0.0.1:{port}")
        print(f"Dashboard: http://127.0.0.1:{port}   (stop it: {zenml} logout --local)")
    return code


def skip_form(address: str) -> None:
    """Skips the form for first visitors; the local server has no password."""
    answers = {"email_opted_in": False, "user_metadata": {"finished_onboarding_survey": True}}
    body = json.dumps(answers).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{address}/api/v1/current-user", data=body, headers=headers, method="PUT"), timeout=30):
        pass


if __name__ == "__main__":
    sys.exit(main())
