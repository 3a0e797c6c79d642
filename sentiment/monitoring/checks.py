"""The monitoring gate: all checks of a window in one CheckReport, and the actions that follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sentiment.checks import Check, CheckReport
from sentiment.monitoring.confirmation import Windows
from sentiment.monitoring.drift import drift_checks
from sentiment.monitoring.feedback_guard import trusted_feedback
from sentiment.monitoring.live_quality import quality_checks
from sentiment.monitoring.settings import ACTIONS, FINDINGS, Action, Finding

if TYPE_CHECKING:
    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.settings import HealthSettings, MonitorSettings, WindowSettings
    from sentiment.monitoring.window import Window

SUITE = "monitoring"
MIN_LINES = 100  # below this, a share of damaged lines means nothing
_DRIFT: tuple[Finding, ...] = ("input_drift", "score_drift", "label_shift", "abstention")


@dataclass(frozen=True)
class Health:
    """How a service did in a window.

    Attributes:
        requests: How many it was asked.
        error_rate: Share of them that failed by its own fault, in [0, 1].
        p95_ms: 95th percentile of their latency in milliseconds; None if unknown.
    """

    requests: int
    error_rate: float
    p95_ms: float | None


def check_window(
    window: Window,
    reference: Reference,
    settings: MonitorSettings,
    *,
    health: Health | None,
    no_health: str = "no Prometheus is configured",
) -> CheckReport:
    """Holds a window against the reference of its version.

    There is always a report: a check that cannot be computed names the reason, passes with severity ``warning``, and
    causes no action.

    Args:
        window: The window.
        reference: The reference of the same version.
        settings: Levels, limits and margins.
        health: Figures of the service; None if unknown.
        no_health: The reason why they are unknown.

    Returns:
        The report ``"monitoring"``. The name of a check is the finding that its failure is, and, where there are
        several, the quantity: ``input_drift: length``.
    """
    known = trusted_feedback(window, window.labelled, settings.feedback, seed=settings.seed)
    return CheckReport(
        suite=SUITE,
        checks=(
            *_log(window, settings.window),
            *_drift(window, reference, settings),
            *quality_checks(
                window,
                known.rows,
                reference,
                settings.feedback,
                min_predictions=settings.window.min_predictions,
                resamples=settings.drift.resamples,
                seed=settings.seed,
            ),
            *known.checks,
            *_data_quality(window, settings),
            *_health(health, no_health, settings.service),
        ),
    )


def findings(report: CheckReport) -> tuple[Finding, ...]:
    """Returns the findings of the failed checks of a report, each once, in order."""
    failed = {check.name.partition(":")[0] for check in report.failures()}
    return tuple(finding for finding in FINDINGS if finding in failed)


def actions(
    report: CheckReport, settings: MonitorSettings, windows: Mapping[Finding, Windows] = MappingProxyType({})
) -> dict[Finding, Action]:
    """Returns the action for each finding of a report.

    Args:
        report: The report of a window.
        settings: The action of each finding, ``alert`` if they do not name it, and how many windows confirm it.
        windows: The latest windows that each finding was in; this one only for those that are missing.

    Returns:
        By finding, its action: ``alert`` in place of ``retrain`` until it is confirmed.
    """
    found: dict[Finding, Action] = {finding: settings.actions.get(finding, "alert") for finding in findings(report)}
    for finding, action in found.items():
        if action == "retrain" and windows.get(finding, Windows()).failed < settings.confirm.windows:
            found[finding] = "alert"
    return found


def explain_actions(
    report: CheckReport, settings: MonitorSettings, windows: Mapping[Finding, Windows]
) -> dict[str, str]:
    """Returns the action for each finding in words, with the windows that confirm it if more than one must."""
    words: dict[str, str] = {}
    for finding, action in actions(report, settings, windows).items():
        words[finding] = action
        if settings.confirm.of > 1 and settings.actions.get(finding) == "retrain":
            count, needed = windows.get(finding, Windows()), settings.confirm
            words[finding] += f": in {count.failed} of {count.of} windows; retrain at {needed.windows} of {needed.of}"
    return words


def decided(
    report: CheckReport, settings: MonitorSettings, windows: Mapping[Finding, Windows] = MappingProxyType({})
) -> Action:
    """The strongest action that any finding of a report asks for."""
    return max(actions(report, settings, windows).values(), key=ACTIONS.index, default="nothing")


def _log(window: Window, settings: WindowSettings) -> Iterator[Check]:
    facts = window.facts
    bad = facts.unreadable + facts.repeated
    lines = facts.seen + sum(facts.other_versions.values()) + facts.feedback.entries + bad
    words = f"{facts.unreadable:,} damaged lines, {facts.repeated:,} repeated, of {lines:,} in this window"
    yield _share("log: readable", bad, lines, words, settings)
    words = f"{facts.clock_skewed:,} of a wrong clock, of {facts.logged:,} predictions in the whole log"
    yield _share("log: clocks", facts.clock_skewed, facts.logged, words, settings)
    others = ", ".join(f"{count:,} of version {version}" for version, count in facts.other_versions.items())
    yield Check(
        name="log: of this version",
        severity="warning",
        passed=facts.seen > 0 or not others,
        observed=f"{facts.seen:,} predictions of version {facts.model_version}; others: {others or 'none'}",
        limit="some of this version, where there are any",
        count=facts.seen,
    )


def _share(name: str, bad: int, lines: int, observed: str, settings: WindowSettings) -> Check:
    share = bad / max(lines, 1)
    return Check(
        name=name,
        severity="warning",
        passed=lines < MIN_LINES or share <= settings.max_other_share,
        observed=observed,
        limit=f"at most {100 * settings.max_other_share:g}%, judged starting at {MIN_LINES}",
        score=share,
        count=lines,
    )


def _drift(window: Window, reference: Reference, settings: MonitorSettings) -> Iterator[Check]:
    rows = len(window.sample)
    if rows >= settings.window.min_predictions:
        yield from drift_checks(window, reference, settings.drift, seed=settings.seed)
        return
    for finding in _DRIFT:
        yield Check(
            name=finding,
            severity="warning",
            passed=True,
            observed=f"not enough data: {rows:,} of {settings.window.min_predictions:,} predictions",
            limit=f"judged starting at {settings.window.min_predictions:,} predictions",
            count=rows,
        )


def _data_quality(window: Window, settings: MonitorSettings) -> Iterator[Check]:
    from sentiment.reviews.expectations import check_table

    if not len(window.sample):
        yield Check(name="data_quality", severity="warning", passed=True, observed="no predictions", limit="some")
        return
    for check in check_table(window.sample.drop(columns="text"), settings.quality).checks:
        yield check.model_copy(update={"name": f"data_quality: {check.name}"})


def _health(health: Health | None, no_health: str, settings: HealthSettings) -> Iterator[Check]:
    rate = f"at most {100 * settings.max_error_rate:g}% of the requests"
    if health is None or health.requests == 0:
        observed = f"not measured: {no_health if health is None else 'no requests'}"
        yield Check(name="service_health", severity="warning", passed=True, observed=observed, limit=rate)
        return
    yield Check(
        name="service_health: errors",
        passed=health.error_rate <= settings.max_error_rate,
        observed=f"{100 * health.error_rate:.2f}% of {health.requests:,} requests failed",
        limit=rate,
        score=health.error_rate,
        count=health.requests,
    )
    limit = f"at most {settings.max_p95_ms:g} ms"
    if health.p95_ms is None:
        yield Check(
            name="service_health: latency", severity="warning", passed=True, observed="p95 is not known", limit=limit
        )
        return
    yield Check(
        name="service_health: latency",
        passed=health.p95_ms <= settings.max_p95_ms,
        observed=f"p95 {health.p95_ms:.0f} ms",
        limit=limit,
        score=health.p95_ms,
        count=health.requests,
    )
