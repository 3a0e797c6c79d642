"""A ZenML of one test's own, in this process: nobody else's stacks, secrets and encryption."""

import os
import shutil
from contextlib import contextmanager

from stacks.server import _forget_connection, environment


@contextmanager
def own_zenml(folder):
    """Works on the ZenML below a folder."""
    with environment({"ZENML_CONFIG_PATH": str(folder), "DISABLE_CREDENTIALS_DISK_CACHING": "true"}):
        os.environ.pop("ZENML_ACTIVE_STACK_ID", None)
        _forget_connection()
        try:
            yield
        finally:
            _forget_connection()


def fresh_zenml(folder):
    """Makes one that has a database; later ones are copies of it, because that takes seconds."""
    from zenml.client import Client

    with own_zenml(folder):
        Client().zen_store.get_store_info()
        Client().zen_store.engine.dispose()
    return folder


def copied_zenml(fresh, folder):
    """A copy; paths in it lead to the copy."""
    shutil.copytree(fresh, folder)
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace(str(fresh), str(folder)))
    return folder
