"""The arguments that both clients take, checked before anything is sent: the same error over either protocol."""

from __future__ import annotations


def require_text(value: object, name: str) -> str:
    """Returns the value.

    Raises:
        TypeError: If it is no text.
        ValueError: If it holds half a character, such as of an emoji that was cut in two.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds half a character at position {error.start}") from None
    return value


def require_texts(values: object) -> list[str]:
    """Returns the texts as a list.

    Raises:
        TypeError: If it is a single text, nothing that can be iterated over, or holds anything but texts.
        ValueError: If a text holds half a character.
    """
    if isinstance(values, str | bytes | dict):
        raise TypeError(f"give a list of texts, not {type(values).__name__}")
    try:
        found = list(values)  # type: ignore[call-overload] # anything may be given
    except TypeError:
        raise TypeError(f"give a list of texts, not {type(values).__name__}") from None
    return [require_text(value, f"text {number}") for number, value in enumerate(found, 1)]
