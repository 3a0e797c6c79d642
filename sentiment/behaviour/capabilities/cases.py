"""Behavioural test cases of four kinds, and the capabilities that generate them.

Three kinds are after CheckList: Ribeiro, Wu, Guestrin, Singh: Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList, ACL 2020, doi 10.18653/v1/2020.acl-main.442. The fourth kind tests whether the classifier abstains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["MFT", "INV", "DIR", "ABS"]
"""Minimum functionality test (a label is expected), invariance test (the label must not flip), directional test (the
score must not move the wrong way), abstention test (neither label may be confident)."""


@dataclass(frozen=True)
class Case:
    """One text and its expected answer. A case with neither a label nor an original expects abstention.

    Attributes:
        text: The text under test.
        label: MFT: the expected label (0 negative, 1 positive).
        original: INV and DIR: the text that ``text`` was made from.
        direction: DIR: +1 if the score must not fall from ``original`` to ``text``, -1 if it must not rise.
    """

    text: str
    label: int | None = None
    original: str | None = None
    direction: Literal[-1, 0, 1] = 0


@dataclass(frozen=True)
class Capability:
    """Something a sentiment classifier has to be able to do.

    Attributes:
        name: Its name in ``configs/behaviour.yaml`` and in the report.
        kind: MFT, INV, DIR or ABS; all its cases are of this kind.
        meaning: One sentence for readers.
        cases: Yields distinct cases from a source of randomness and real sentences (which may be none: every capability
            has templates too).
    """

    name: str
    kind: Kind
    meaning: str
    cases: Callable[[Random, Sequence[str]], Iterator[Case]]
