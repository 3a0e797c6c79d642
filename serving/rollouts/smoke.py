"""The smoke test over both protocols: answers equal the evaluation, bad requests are refused, latency is in budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sentiment.checks import Check, CheckReport
from serving.rollouts.probes import Seen, grpc_probe, http_probe

if TYPE_CHECKING:
    from sentiment.deployment import Bento
    from serving.rollouts.access import Access
    from serving.rollouts.settings import SmokeSettings
    from serving.rollouts.smoke_set import Known

SHOWN = 5  # examples of a failed check


def smoke_test(
    access: Access,
    bento: Bento,
    known: Sequence[Known],
    settings: SmokeSettings,
    *,
    engine: str,
    threshold: float = 0.5,
) -> CheckReport:
    """Tests a service that gets no traffic yet.

    Args:
        access: Where it answers.
        bento: The Bento that it must serve.
        known: Reviews with their recorded scores.
        settings: Tolerance and budget.
        engine: The engine that computed the recorded scores.
        threshold: P(positive) above which the model says positive.
    """
    texts, recorded = [k.text for k in known], [k.positive for k in known]
    checks = []
    for protocol, probe in (("HTTP", http_probe), ("gRPC", grpc_probe)):
        checks += judge(protocol, probe(access, texts), bento, recorded, settings, engine=engine, threshold=threshold)
    return CheckReport(suite="smoke", checks=tuple(checks))


def judge(
    protocol: str,
    seen: Seen | str,
    bento: Bento,
    recorded: Sequence[float],
    settings: SmokeSettings,
    *,
    engine: str,
    threshold: float = 0.5,
) -> list[Check]:
    """The checks of one protocol.

    Args:
        protocol: Its name for readers.
        seen: The service's behaviour, or the reason why it did not answer.
        bento: The Bento that it must serve.
        recorded: P(positive) of every text as evaluation recorded it.
        settings: Tolerance and budget.
        engine: The engine that computed the recorded scores.
        threshold: P(positive) above which the model says positive.
    """
    if isinstance(seen, str):
        every = Check(name=f"answers over {protocol}", passed=False, observed=seen, limit="an answer to every request")
        return [every]
    if seen.engine == engine:
        scores = _scores(protocol, seen.positive, recorded, settings.tolerance)
    else:
        scores = _scores_of_another_engine(protocol, seen, recorded, settings, engine, threshold)
    return [
        _identity(protocol, seen, bento),
        scores,
        _latency(protocol, seen.milliseconds, settings.p95_ms),
        _cases(f"bad requests over {protocol}", seen.refusals, "refused as documented"),
        _cases(f"health over {protocol}", seen.health, "healthy"),
    ]


def _identity(protocol: str, seen: Seen, bento: Bento) -> Check:
    wanted = (bento.model, bento.version, bento.tag)
    return Check(
        name=f"model over {protocol}",
        passed=seen.identity == wanted and seen.versions == {bento.version},
        observed=f"{' '.join(seen.identity)}, answers of version {', '.join(sorted(seen.versions))}",
        limit=" ".join(wanted),
    )


def _scores(protocol: str, observed: Sequence[float], recorded: Sequence[float], tolerance: float) -> Check:
    differences = np.abs(np.asarray(observed) - np.asarray(recorded))
    wrong = np.flatnonzero(~(differences <= tolerance))  # NaN fails, too
    worst = sorted(wrong.tolist(), key=lambda i: -differences[i])[:SHOWN]
    return Check(
        name=f"scores over {protocol}",
        passed=not len(wrong),
        observed=f"{len(wrong)} of {len(recorded)} reviews differ, by {differences.max():.4f} at most",
        limit=f"P(positive) as evaluated, within {tolerance:g}",
        score=float(differences.max()),
        count=len(recorded),
        examples=tuple(f"review {i}: served {observed[i]:.4f}, evaluated {recorded[i]:.4f}" for i in worst),
    )


def _scores_of_another_engine(
    protocol: str, seen: Seen, recorded: Sequence[float], settings: SmokeSettings, engine: str, threshold: float
) -> Check:
    """Checks scores that another precision may move: hardly on average, and few across the threshold."""
    observed = np.asarray(seen.positive)
    differences = np.abs(observed - np.asarray(recorded))
    agreement = float(np.mean((observed > threshold) == (np.asarray(recorded) > threshold)))
    mean = float(differences.mean())
    return Check(
        name=f"scores over {protocol}",
        passed=mean <= settings.other_engine_difference and agreement >= settings.other_engine_agreement,
        observed=f"{seen.engine} instead of {engine or 'an unknown engine'}: {100 * agreement:.0f}% of {len(recorded)} "
        f"labels are equal, P(positive) differs by {mean:.4f} on average, {differences.max():.4f} at most",
        limit=f"{100 * settings.other_engine_agreement:g}% equal, {settings.other_engine_difference:g} on average",
        score=mean,
        count=len(recorded),
    )


def _latency(protocol: str, milliseconds: Sequence[float], budget: float) -> Check:
    p95 = float(np.quantile(milliseconds, 0.95))
    return Check(
        name=f"latency over {protocol}",
        passed=p95 <= budget,
        observed=f"p95 {p95:.1f} ms",
        limit=f"at most {budget:g} ms",
        score=p95,
        count=len(milliseconds),
    )


def _cases(name: str, results: Sequence[tuple[str, str, str]], limit: str) -> Check:
    """Checks cases, each with its expected and its actual result."""
    wrong = [f"{case}: {got}, must be {wanted}" for case, wanted, got in results if got != wanted]
    return Check(
        name=name,
        passed=not wrong,
        observed=f"{len(results) - len(wrong)} of {len(results)}" + (f" ({wrong[0]})" if wrong else ""),
        limit=limit,
        count=len(results),
        examples=tuple(wrong[:SHOWN]),
    )
