"""Bearer tokens, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

CLIENT_DIGITS = 12


class Tokens:
    """The accepted tokens; without any, everyone is accepted."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._digests = [_digest(token) for token in tokens]

    def accept(self, authorization: str) -> bool:
        """Whether the value of an Authorization header, ``Bearer <token>``, names an accepted token."""
        if not self._digests:
            return True
        scheme, _, token = authorization.partition(" ")
        given = _digest(token.strip())
        matches = [hmac.compare_digest(given, digest) for digest in self._digests]  # all: the time is the same
        return scheme.lower() == "bearer" and any(matches)

    def client(self, authorization: str) -> str | None:
        """Names the accepted token of a request without revealing it; None where there are no tokens."""
        if not self._digests:
            return None
        return _digest(authorization.partition(" ")[2].strip()).hex()[:CLIENT_DIGITS]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
