"""A ZenML of one test, in this process, with its own stacks, secrets and encryption."""

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
    """Makes a folder with a database; later tests copy it, because making it takes seconds."""
    from zenml.client import Client

    with own_zenml(folder):
        Client().zen_store.get_store_info()
        Client().zen_store.engine.dispose()
    return folder


def copied_zenml(fresh, folder):
    """Copies it, and changes the paths in it to the copy."""
    shutil.copytree(fresh, folder)
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace(str(fresh), str(folder)))
    return folder
