"""Opens ZenML's local dashboard, without the questions it asks a first visitor: ``python -m stacks.dashboard``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Starts ZenML's local server as a daemon and says where it is."""
    from zenml.client import Client
    from zenml.models import UserUpdate

    client = Client()
    user = client.active_user
    metadata = {**user.user_metadata, "finished_onboarding_survey": True}
    client.zen_store.update_user(user.id, UserUpdate(user_metadata=metadata))
    port = os.environ.get("DASHBOARD_PORT", "8237")
    zenml = Path(sys.executable).with_name("zenml")
    code = subprocess.call([zenml, "login", "--local", "--ip-address", "127.0.0.1", "--port", port])
    if code == 0:
        print(f"Dashboard: http://127.0.0.1:{port}   (stop it: {zenml} logout --local)")
    return code


if __name__ == "__main__":
    sys.exit(main())
