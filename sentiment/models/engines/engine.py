"""The interface of an engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Engine(ABC):
    """A transformer that is loaded. Thread-safe.

    Attributes:
        name: A name of ``sentiment.models.engines.choice.ENGINES``.
    """

    name: str

    @abstractmethod
    def log_odds(self, token_ids: Sequence[Sequence[int]]) -> Floats:
        """Computes the log-odds of the positive label of framed texts, shape (n,), in order."""

    @abstractmethod
    def warm_up(self, max_length: int) -> None:
        """Does in advance the work that first calls with texts of at most ``max_length`` tokens would wait for."""
