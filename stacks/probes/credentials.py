"""Settings of a component with the secrets that they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacks.probes import Unproven
from stacks.stack_file import SECRET_REFERENCE, Stack


def resolved(configuration: Mapping[str, Any], stack: Stack) -> dict[str, Any]:
    """The settings with ``{{secret.key}}`` replaced.

    Raises:
        Unproven: If a secret is one that only ZenML knows.
    """
    return {key: _value(value, stack) for key, value in configuration.items()}


def secret_values(name: str, stack: Stack) -> Mapping[str, str]:
    """The values of a secret.

    Raises:
        Unproven: If it is one that only ZenML knows.
    """
    if name not in stack.secrets:
        raise Unproven(f"the secret {name} is kept by ZenML, not declared in {stack.file}")
    return stack.secrets[name]


def _value(value: Any, stack: Stack) -> Any:  # noqa: ANN401  # any YAML value
    reference = SECRET_REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return secret_values(reference[1], stack)[reference[2]] if reference else value
