"""Secrets of a stack in ZenML: as its file declares them, encrypted, and never in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sentiment.errors import UserError
from stacks.stack_file import Stack

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.models import SecretResponse, StackResponse

LABEL = "secrets"  # label of a stack: names of the secrets that were created for it
KEY = "ZENML_SECRETS_STORE_ENCRYPTION_KEY"  # ZenML's own variable


class Secrets:
    """The secrets of one stack."""

    def __init__(self, client: Client, stack: Stack, present: StackResponse | None) -> None:
        """Reads nothing yet.

        Args:
            client: Of the ZenML that keeps them.
            stack: The stack with the values.
            present: The stack as ZenML knows it, if it does.
        """
        self._client, self._stack = client, stack
        self._owned = owned(present)
        if stack.secrets:
            _require_encryption()

    @property
    def label(self) -> dict[str, str]:
        """For the stack: which secrets are its own, also those that are yet to be deleted."""
        return _label(self._owned | set(self._stack.secrets))

    @property
    def undeclared(self) -> set[str]:
        """Names of those that were made for the stack and that its file does not declare any more."""
        return self._owned - set(self._stack.secrets)

    def write(self) -> list[str]:
        """Creates and changes the secrets that the file declares; returns descriptions of the changes.

        Raises:
            UserError: If another user has a secret of that name with other values.
        """
        changes = []
        for name, wanted in self._stack.secrets.items():
            present = self._find(name)
            if present is None:
                self._client.create_secret(name, dict(wanted))
                changes.append(f"secret {name}: created ({', '.join(wanted)})")
            elif present.secret_values != wanted:
                changes.append(self._change(present, dict(wanted)))
        return changes

    def forget_undeclared(self, stack: UUID) -> list[str]:
        """Deletes them, unless another stack needs them.

        Args:
            stack: The stack as ZenML knows it.

        Returns:
            Descriptions of the changes.
        """
        changes = []
        stacks = self._client.list_stacks(name="startswith:sentiment-", size=100, hydrate=True).items
        needed = set[str]().union(*(owned(other) for other in stacks if other.id != stack))
        for name in self.undeclared - needed:
            if present := self._find(name):
                self._client.zen_store.delete_secret(present.id)
                changes.append(f"secret {name}: removed")
        self._client.update_stack(stack, labels={LABEL: None, **_label(set(self._stack.secrets))})
        return changes

    def _find(self, name: str) -> SecretResponse | None:
        found = self._client.list_secrets(name=f"equals:{name}", private=False, size=1).items
        try:
            return self._client.zen_store.get_secret(found[0].id) if found else None
        except KeyError:  # encrypted with a lost key: it cannot be read any more
            self._client.zen_store.delete_secret(found[0].id)
            return None

    def _change(self, present: SecretResponse, wanted: dict[str, str]) -> str:
        before = dict(present.secret_values)
        if before and present.name not in self._owned:
            raise UserError(
                f"ZenML has another secret {present.name} already",
                where=str(self._stack.file),
                remedy=f"Give this one another name, or run zenml secret delete {present.name}.",
            )
        removed = [key for key in before if key not in wanted]
        self._client.update_secret(present.id, add_or_update_values=wanted, remove_values=removed)
        keys = sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key))
        return f"secret {present.name}: changed {', '.join(keys)}"


def _require_encryption() -> None:
    """Refuses a database on this machine that would keep secrets in plain text; a shared server has its own key."""
    from zenml.config.global_config import GlobalConfiguration
    from zenml.enums import StoreType

    store = GlobalConfiguration().zen_store
    if store.type == StoreType.SQL:
        encrypted, after = bool(getattr(store.config.secrets_store, "encryption_key", None)), ""
    else:
        encrypted = not store.is_local_store() or KEY in _environment_of_local_server()
        after = " Then run zenml logout --local and make dashboard, so that its server starts with it."
    if not encrypted:
        raise UserError(
            "would keep this stack's secrets in plain text",
            where="ZenML's local database",
            remedy=f"Export {KEY}, always the same (openssl rand -hex 32 makes one), or use a shared server.{after}",
        )


def _environment_of_local_server() -> dict[str, str]:
    """The variables with which the server of the local dashboard was started; none if it is not a daemon."""
    import psutil
    from zenml.zen_server.deploy.daemon.daemon_zen_server import DaemonZenServer

    server = DaemonZenServer.get_service()
    pid = server.status.pid if server else None
    return psutil.Process(pid).environ() if pid else {}


def _label(names: set[str]) -> dict[str, str]:
    return {LABEL: " ".join(sorted(names))} if names else {}


def owned(stack: StackResponse | None) -> set[str]:
    """Names of the secrets that were made for a stack."""
    return set(str((stack.labels or {}).get(LABEL, "")).split()) if stack else set()
