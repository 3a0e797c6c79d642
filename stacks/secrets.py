"""Secrets of a stack in ZenML: as its file declares them, encrypted, and never in a message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from sentiment.errors import UserError
from stacks.encryption import require_encryption
from stacks.stack_file import Stack

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.models import SecretResponse, StackResponse

LABEL = "secrets"  # label of a stack: names of the secrets that were created for it
Did = Callable[[str, Callable[[], object] | None], None]


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
            require_encryption()

    @property
    def label(self) -> dict[str, str]:
        """For the stack: which secrets are its own, also those that are yet to be deleted."""
        return _label(self._owned | set(self._stack.secrets))

    @property
    def undeclared(self) -> set[str]:
        """Names of those that were made for the stack and that its file does not declare any more."""
        return self._owned - set(self._stack.secrets)

    def write(self, did: Did) -> None:
        """Creates and changes the secrets that the file declares.

        Raises:
            UserError: If another user has a secret of that name with other values.
        """
        for name, wanted in self._stack.secrets.items():
            present = self._find(name)
            if present is None:
                created = self._client.create_secret(name, dict(wanted)).id
                undo = partial(self._client.zen_store.delete_secret, created)
                did(f"secret {name}: created ({', '.join(wanted)})", undo)
            elif present.secret_values != wanted:
                self._change(present, dict(wanted), did)

    def forget_undeclared(self, did: Did, stack: UUID) -> None:
        """Deletes them, unless another stack needs them.

        Args:
            did: Receives descriptions of the changes.
            stack: The stack as ZenML knows it.
        """
        stacks = self._client.list_stacks(name="startswith:sentiment-", size=100, hydrate=True).items
        needed = set[str]().union(*(owned(other) for other in stacks if other.id != stack))
        for name in self.undeclared - needed:
            if present := self._find(name):
                self._client.zen_store.delete_secret(present.id)
                did(f"secret {name}: removed", None)
        self._client.update_stack(stack, labels={LABEL: None, **_label(set(self._stack.secrets))})

    def _find(self, name: str) -> SecretResponse | None:
        found = self._client.list_secrets(name=f"equals:{name}", private=False, size=1).items
        try:
            return self._client.zen_store.get_secret(found[0].id) if found else None
        except KeyError:  # encrypted with a lost key: it cannot be read any more
            self._client.zen_store.delete_secret(found[0].id)
            return None

    def _change(self, present: SecretResponse, wanted: dict[str, str], did: Did) -> None:
        before = dict(present.secret_values)
        if before and present.name not in self._owned:
            raise UserError(
                f"ZenML has another secret {present.name} already",
                where=str(self._stack.file),
                remedy=f"Give this one another name, or run zenml secret delete {present.name}.",
            )
        self._set(present, wanted, before)
        keys = sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key))
        did(f"secret {present.name}: changed {', '.join(keys)}", partial(self._set, present, before, wanted))

    def _set(self, secret: SecretResponse, wanted: dict[str, str], before: dict[str, str]) -> None:
        self._client.update_secret(
            secret.id, add_or_update_values=wanted, remove_values=[key for key in before if key not in wanted]
        )


def _label(names: set[str]) -> dict[str, str]:
    return {LABEL: " ".join(sorted(names))} if names else {}


def owned(stack: StackResponse | None) -> set[str]:
    """Names of the secrets that were made for a stack."""
    return set(str((stack.labels or {}).get(LABEL, "")).split()) if stack else set()
