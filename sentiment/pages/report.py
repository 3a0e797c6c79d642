"""The report of a model on one page: alarms, live service, champion, history, behaviour, data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sentiment.evaluation.calibration import reliability_curve
from sentiment.pages import charts
from sentiment.pages.checks import check_badge, checks_table, named
from sentiment.pages.decision import rules_table
from sentiment.pages.html import (
    Html,
    badge,
    banner,
    cards,
    contents,
    facts,
    figure,
    figures,
    page,
    paragraph,
    section,
    share,
    table,
    text,
)
from sentiment.pages.reviews import counts_table
from sentiment.reviews.table import LABELS, SPLITS

if TYPE_CHECKING:
    from sentiment.checks import Check
    from sentiment.deployment import Version
    from sentiment.evaluation.bootstrap import Interval
    from sentiment.monitoring.alarms import MonitoringRun
    from sentiment.monitoring.checks import Health
    from sentiment.pages.report_data import Report

SECTIONS = {
    "alarms": "Open alarms",
    "live": "Live",
    "drift": "Drift over time",
    "champion": "Champion",
    "history": "History",
    "gates": "Gates, rule by rule",
    "behaviour": "Behaviour",
    "data": "Data",
}
_TIME = "%Y-%m-%d %H:%M"


def report_page(report: Report) -> str:
    """Returns one self-contained page: problems first, then the live service, then its origin."""
    title = f"{report.model} on the stack {report.stack}"
    made = paragraph(f"As of {report.at:{_TIME} %Z}.", "soft")
    if not report.versions:
        return page(title, made, banner("There is no model yet", "quiet", "make train makes the first version."))
    blocks = {
        "alarms": _alarms(report),
        "live": _live(report),
        "drift": _drift(report),
        "champion": _champion(report),
        "history": _history(report),
        "gates": _gates(report),
        "behaviour": _behaviour(report),
        "data": _data(report),
    }
    sections = [section(SECTIONS[anchor], *parts, anchor=anchor) for anchor, parts in blocks.items()]
    return page(title, made, _verdict(report), _cards(report), contents(SECTIONS), *sections)


def _verdict(report: Report) -> Html:
    words, kind = _live_verdict(report)
    if report.alarms:
        words += f"; {len(report.alarms)} {'alarm is' if len(report.alarms) == 1 else 'alarms are'} open"
    if any(alarm.check.severity == "critical" for alarm in report.alarms):
        kind = "bad"
    elif kind == "good" and (report.alarms or report.warnings or report.missing):
        kind = "warn"
    alarms = ", ".join(alarm.check.name for alarm in report.alarms)
    gone = ", ".join(report.missing)
    details = [f"Open alarms: {alarms}" if alarms else "", *report.warnings, f"Gone: {gone}" if gone else ""]
    return banner(words, kind, ". ".join(filter(None, details)))


def _live_verdict(report: Report) -> tuple[str, str]:
    champion, live = report.champion, report.live
    named = f"Version {champion.number} ({champion.kind}) is champion" if champion else "No version is champion"
    if live is None:
        return f"{named}; there is no live service", "warn"
    served = f"version {live.bento.version}" + ("" if report.own_live else f" of {live.bento.model}")
    if champion and report.own_live and live.bento.version == champion.number:
        served = "it"
    if live.healthy:
        return f"{named}; {served} is live and answers", "good"
    return f"{named}; {served} is live but does not answer", "bad"


def _cards(report: Report) -> Html:
    found: list[tuple[str, object, object]] = []
    if e := report.evaluation:
        found.append(("accuracy", f"{e.overall.accuracy.value:.3f}", _range(e.overall.accuracy)))
        found.append(("calibration error", f"{e.overall.ece.value:.3f}", _range(e.overall.ece)))
    if b := report.behaviour:
        kept = len(b.checks) - len(b.failures())
        found.append(("behaviour", f"{kept} of {len(b.checks)}", "capabilities within their limits"))
    if h := report.health:
        found.append(("requests answered", f"{h.requests:,}", _format_health(h)))
    last = f"last run {report.history[-1].at:{_TIME}}" if report.history else "never monitored"
    found.append(("open alarms", f"{len(report.alarms)}" if report.history else "-", last))
    return cards(found)


def _alarms(report: Report) -> list[Html]:
    if not report.history:
        return [paragraph("The model was never monitored: python run.py --pipeline monitor.", "soft")]
    last = report.history[-1]
    if report.own_live and report.own_live.bento.version != last.version:
        words = f"The last monitoring run, {last.at:{_TIME}}, was of version {last.version}. The live version "
        return [paragraph(f"{words}{report.own_live.bento.version} was not monitored yet: make monitor.")]
    if report.latest is None:
        failed = f": {', '.join(last.failed)} failed" if last.failed else ""
        return [paragraph(f"The report of the last monitoring run, {last.at:{_TIME}}, is gone{failed}.")]
    if not report.alarms:
        return [paragraph(f"None: no check failed in the last monitoring run, {last.at:{_TIME}}.")]
    rows = [
        (check_badge(a.check), named(a.check), a.check.observed, a.check.limit, _when(a.since), a.action)
        for a in report.alarms
    ]
    critical = [i for i, a in enumerate(report.alarms) if a.check.severity == "critical"]
    return [table(["", "check", "observed", "limit", "since", "action"], rows, failed=critical)]


def _live(report: Report) -> list[Html]:
    if (live := report.live) is None:
        return [paragraph("There is no live service: make deploy.", "soft")]
    known: dict[str, object] = {
        "version": f"{live.bento.version} of {live.bento.model}",
        "health": badge("answers over HTTP and gRPC", "good") if live.healthy else badge("does not answer", "bad"),
        "since": live.since,
    }
    if h := report.health:
        known["answered"] = f"{h.requests:,} requests, {_format_health(h)}"
    known |= {
        "HTTP": live.http,
        "gRPC": live.grpc or "not reachable",
        "Bento": live.bento.tag,
        "pipeline run": live.run,
    }
    return [facts(known)]


def _format_health(health: Health) -> str:
    p95 = "" if health.p95_ms is None else f", p95 {health.p95_ms:.1f} ms"
    return f"{100 * health.error_rate:.2f}% failed{p95}"


def _drift(report: Report) -> list[Html]:
    if not report.history:
        return [paragraph("There is nothing to plot yet.", "soft")]
    count = len(report.history)
    words = f"{count:,} runs, {report.history[0].at:{_TIME}} to {report.history[-1].at:{_TIME}}; red dots failed."
    parts = [paragraph(words if count > 1 else "One run so far.", "soft"), *_plot_scores(report.history)]
    if report.latest:
        parts += [Html("<h3>The last monitoring run</h3>"), checks_table(report.latest.checks)]
    return parts


def _plot_scores(history: Sequence[MonitoringRun]) -> list[Html]:
    """Plots every score that moved or failed, in the order of the newest run; names the others."""
    names = dict.fromkeys(name for run in reversed(history) for name in run.scores)
    plots, still = [], []
    for i, name in enumerate(names):
        runs = [run for run in history if name in run.scores]
        values, failed = [run.scores[name] for run in runs], [name in run.failed for run in runs]
        if any(failed) or len(set(values)) > 1:
            plots.append(figure(charts.looks([run.at for run in runs], values, failed, f"look{i}"), name))
        else:
            still.append(name)
    parts = [figures(*plots)] if plots else []
    return [*parts, paragraph(f"Never moved and never failed: {', '.join(still)}.", "soft")] if still else parts


def _champion(report: Report) -> list[Html]:
    champion = report.champion
    if champion is None:
        return [paragraph("No version is in production: python run.py versions shows the reasons.")]
    known: dict[str, object] = {"version": f"{champion.number}, {champion.kind}"}
    if champion.registered:
        known["registered"] = f"{datetime.fromisoformat(champion.registered):{_TIME}}"
    if champion.approved_by:
        known["approved by"] = champion.approved_by
        known["reason of the approval"] = champion.approval_reason or "no reason given"
    if (e := report.evaluation) is None:
        return [facts(known), _gone("evaluation")]
    known |= {
        "latency of one text": f"p50 {e.latency_ms.p50:.1f} ms, p95 {e.latency_ms.p95:.1f} ms",
        "throughput": f"{e.reviews_per_second:,.0f} reviews a second",
        "size": f"{e.size_mb:.1f} MB",
        "test reviews": f"{e.overall.count:,}",
        "servable": e.servable_fingerprint,
    }
    rows = [("all", e.overall.accuracy), *((name, m.accuracy) for name, m in e.slices.items())]
    labels, p = e.predictions["label"].to_numpy(), e.predictions["p_positive"].to_numpy()
    return [
        facts(known),
        figure(charts.intervals(rows, "accuracy"), "Accuracy with 95% intervals; the dashed line is the whole split."),
        figures(
            figure(charts.reliability(reliability_curve(p, labels, e.ece_bins)), "Reliability on the test split."),
            figure(
                charts.precision_recall(labels, p, e.threshold),
                f"Precision and recall; the dot is the threshold {e.threshold:.3g}.",
            ),
        ),
    ]


def _history(report: Report) -> list[Html]:
    champion = report.champion.number if report.champion else None
    measured = [(r.number, r.accuracy, r.promoted) for r in report.versions if r.accuracy is not None]
    parts = []
    if len(measured) > 1:
        words = "Accuracy of every version on the test split of its time. Filled: promoted. Ringed: champion."
        parts.append(figure(charts.course(measured, champion, "accuracy"), words))
    rows = [
        (
            r.number,
            _stage(r),
            r.kind,
            _when(datetime.fromisoformat(r.registered)) if r.registered else "",
            "" if r.accuracy is None else f"{r.accuracy:.3f}",
            "" if r.ece is None else f"{r.ece:.3f}",
            r.full_reason,
        )
        for r in reversed(report.versions)
    ]
    headers = ["version", "", "kind", "registered", "accuracy", "ECE", "reason"]
    return [*parts, table(headers, rows, numbers=[4, 5], prose=[6])]


def _stage(version: Version) -> Html:
    if version.stage == "production":
        return badge("champion", "good")
    if version.rolled_back:
        return badge("rolled back", "bad")
    if version.waiting:
        return badge("waits for approval", "warn")
    return badge("was champion", "quiet") if version.stage == "archived" else text("")


def _gates(report: Report) -> list[Html]:
    if (decision := report.decision) is None:
        return [_gone("decision")] if report.champion else [paragraph("There is no champion.", "soft")]
    words = "Promoted" if decision.promote else "Not promoted by its gates: an operator promoted it"
    if (champion := report.champion) and champion.approved_by:
        words = f"Approved by {champion.approved_by} ({champion.approval_reason or 'no reason given'})"
    return [paragraph(f"{words}: {decision.reason}", "soft"), rules_table(decision)]


def _behaviour(report: Report) -> list[Html]:
    if report.behaviour is None:
        return [_gone("behavioural report")] if report.champion else [paragraph("There is no champion.", "soft")]
    checks = sorted(report.behaviour.checks, key=lambda check: (check.passed, -(check.score or 0)))
    rows = [(check_badge(c), named(c), _bar(c), c.observed, c.limit) for c in checks]
    failed = [i for i, c in enumerate(checks) if not c.passed and c.severity == "critical"]
    return [
        paragraph("Share of failed cases, capability by capability; a click opens examples.", "soft"),
        table(["", "capability", "", "observed", "limit"], rows, failed=failed),
    ]


def _bar(check: Check) -> Html:
    kind = "quiet" if check.passed else "bad" if check.severity == "critical" else "warn"
    return text("") if check.score is None else share(check.score, kind)


def _data(report: Report) -> list[Html]:
    if report.splits is None:
        return [_gone("splits")] if report.champion else [paragraph("There is no champion.", "soft")]
    rows = []
    for name in SPLITS:
        frame = getattr(report.splits, name).frame
        for source, labels in frame.groupby(frame["source"].astype(str))["label"]:
            rows.append((f"{name}, {source}", {words: int((labels == i).sum()) for i, words in enumerate(LABELS)}))
    counted = [
        Html(f"<h3>{text(name)}</h3>{counts_table(part.frame)}")
        for name in SPLITS
        if len(part := getattr(report.splits, name))
    ]
    words = "The reviews that trained, selected and tested the champion; no text is in two splits."
    return [paragraph(words, "soft"), figure(charts.stacked(rows, "reviews"), "Reviews by split and source."), *counted]


def _when(at: datetime) -> Html:
    return Html(f"<time>{at:{_TIME}}</time>")


def _gone(what: str) -> Html:
    return paragraph(f"The champion's {what} is gone from the artifact store.")


def _range(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"
