"""Agreement of two services on the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sentiment.checks import Check

if TYPE_CHECKING:
    from serving.rollouts.settings import RolloutSettings


class Pair(NamedTuple):
    """P(positive) of one text by two services, each in [0, 1], and whether both give the same label."""

    live: float
    new: float
    agrees: bool


def check_agreement(pairs: Sequence[Pair], settings: RolloutSettings) -> Check:
    """Checks that both give the same label often enough; also reports the difference of their scores."""
    count = max(len(pairs), 1)
    share = sum(pair.agrees for pair in pairs) / count
    difference = sum(abs(pair.new - pair.live) for pair in pairs) / count
    return Check(
        name="agreement",
        passed=share >= settings.min_agreement if pairs else not settings.min_requests,
        observed=f"{100 * share:.1f}% of {len(pairs):,} texts, P(positive) differs by {difference:.3f} on average",
        limit=f"at least {100 * settings.min_agreement:g}%",
        score=share if pairs else None,
        count=len(pairs),
    )
