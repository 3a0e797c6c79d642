"""Two trainings that promote at the same time."""

import os
import time
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

TIMEOUT_S = 120


@contextmanager
def promoting_together(folder: Path):
    """Delays the first promotion of this process until another process with the same folder is about to promote."""
    from registry import champion

    promote = champion.set_champion

    def wait_and_promote(*arguments, **options):
        (folder / str(os.getpid())).touch()
        deadline = time.monotonic() + TIMEOUT_S
        while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        return promote(*arguments, **options)

    with patch.object(champion, "set_champion", wait_and_promote):
        yield
