"""The ZenML server that a stack shares: this process works on it, the user's own ZenML stays where it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sentiment.errors import UserError
from stacks.probes.zenml_server import log_in
from stacks.stack_file import Server

PATIENCE = 15.0  # seconds for an answer
RETRIES = 4  # of a request that finds the server away


@contextmanager
def connected(server: Server | None) -> Iterator[None]:
    """Connects to a server for the block; neither it nor its key gets into the user's configuration.

    Args:
        server: The server; None: the one that this machine is connected to.

    Raises:
        UserError: If it does not answer, or does not take the key.
    """
    if server is None or _is_own(server):
        yield
        return
    _, token = log_in(server, PATIENCE)  # reports the problem at once; ZenML itself retries for half a minute
    if not token:
        remedy = "Export SENTIMENT_ZENML_API_KEY, or run zenml login."
        raise UserError("there is no API key for it, and no user is logged in", where=server.url, remedy=remedy)
    from zenml.config.global_config import GlobalConfiguration
    from zenml.login.credentials_store import get_credentials_store

    with tempfile.TemporaryDirectory(prefix="sentiment-zenml-") as folder:
        variables = {
            "ZENML_CONFIG_PATH": folder,
            "ZENML_LOCAL_STORES_PATH": GlobalConfiguration().local_stores_path,  # runs started here are recorded there
            "ZENML_REPOSITORY_PATH": folder,  # not a .zen above: it names a stack of the user's own ZenML
            "ZENML_STORE_URL": server.url,
            "DISABLE_CREDENTIALS_DISK_CACHING": "true",
        }
        with environment(variables):
            _forget_connection()
            credentials = get_credentials_store()  # not by variables: child processes would inherit them
            credentials.set_api_key(server.url, server.api_key)  # for when the token has expired
            credentials.set_bare_token(server.url, token)
            _bound_retries(server.url)
            try:
                yield
            finally:
                _forget_connection()


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables of this process for the block, then restores the whole environment."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _is_own(server: Server) -> bool:
    """Whether the user is logged in there, and no key names another account."""
    from zenml.config.global_config import GlobalConfiguration

    return not server.api_key and GlobalConfiguration().store_configuration.url == server.url


def _bound_retries(url: str) -> None:
    """Asks a server that does not answer for some 15 seconds; ZenML by itself would for minutes, at every request."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry
    from zenml.client import Client
    from zenml.zen_stores.rest_zen_store import RestZenStore

    store = Client().zen_store
    if isinstance(store, RestZenStore):
        again = Retry(
            RETRIES, status_forcelist=[429, 502, 503, 504], allowed_methods=None, backoff_factor=1, backoff_jitter=1.0
        )
        store.session.mount(url, HTTPAdapter(max_retries=again, pool_maxsize=store.config.connection_pool_size))


def _forget_connection() -> None:
    """Makes ZenML read its configuration again at its next use."""
    from zenml.client import Client
    from zenml.config.global_config import GlobalConfiguration
    from zenml.login.credentials_store import CredentialsStore

    CredentialsStore.reset_instance()  # deletes no file: the environment points at none
    Client._reset_instance()
    GlobalConfiguration._reset_instance()
