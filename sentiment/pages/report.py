"""The page of a model as a whole: where it comes from, how its champion came to be, what is live, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sentiment.evaluation.calibration import reliability_curve
from sentiment.monitoring.alarms import Alarm, Watched, open_alarms
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
    from sentiment.checks import Check, CheckReport
    from sentiment.deployment import Deployment
    from sentiment.evaluation.bootstrap import Interval
    from sentiment.evaluation.measure import Evaluation
    from sentiment.monitoring.checks import Health
    from sentiment.promotion.decision import Decision
    from sentiment.reviews.table import Splits

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


@dataclass(frozen=True)
class ReportedVersion:
    """A version of the model, as the report shows it.

    Attributes:
        number: Its number.
        stage: ``production``, ``archived`` or empty.
        kind: Which candidate it is.
        registered: When it was made; None if that is not known.
        promoted: Whether it was decided to promote it.
        reason: Why, or why not.
        accuracy: On the test split of its time; None if that is not known.
        ece: Calibration error, likewise.
        taken_back: When it was taken out of production; None if it was not.
    """

    number: str
    stage: str
    kind: str
    registered: datetime | None
    promoted: bool
    reason: str
    accuracy: float | None = None
    ece: float | None = None
    taken_back: datetime | None = None


@dataclass(frozen=True)
class Report:
    """Everything the page shows; None or empty where there is nothing, or it is gone.

    Attributes:
        model: Name of the model.
        stack: Name of the stack.
        at: When this was gathered.
        versions: Every version, oldest first.
        splits: What the champion was trained and tested on.
        evaluation: Of the champion, on its test split.
        behaviour: Of the champion.
        decision: The one the champion was registered with.
        live: What is live.
        health: How it did since it started.
        history: Every look of monitoring, oldest first.
        latest: What the last look found.
        warnings: What a person should mend: what is live is not what is in production, registries disagree.
        missing: Artifacts whose files are gone.
    """

    model: str
    stack: str
    at: datetime
    versions: tuple[ReportedVersion, ...] = ()
    splits: Splits | None = None
    evaluation: Evaluation | None = None
    behaviour: CheckReport | None = None
    decision: Decision | None = None
    live: Deployment | None = None
    health: Health | None = None
    history: tuple[Watched, ...] = ()
    latest: CheckReport | None = None
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def champion(self) -> ReportedVersion | None:
        """The version in production."""
        return next((r for r in self.versions if r.stage == "production"), None)

    @property
    def own_live(self) -> Deployment | None:
        """What is live, if it is of this model: versions of different models may have the same number."""
        return self.live if self.live and self.live.bento.model == self.model else None

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What the last look found wrong with what is live."""
        return open_alarms(self.history, self.latest, self.own_live)


def report_page(report: Report) -> str:
    """One self-contained page: what is wrong first, then what is live, then where it comes from."""
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


def report_facts(report: Report) -> dict[str, Any]:
    """The same for machines, without the drawings."""
    champion, evaluation = report.champion, report.evaluation
    return {
        "model": report.model,
        "stack": report.stack,
        "at": report.at.isoformat(),
        "production": champion.number if champion else None,
        "versions": [
            {**asdict(r), "registered": _iso(r.registered), "taken_back": _iso(r.taken_back)} for r in report.versions
        ],
        "reviews": {name: len(getattr(report.splits, name)) for name in SPLITS} if report.splits else None,
        "accuracy": evaluation.overall.accuracy.value if evaluation else None,
        "ece": evaluation.overall.ece.value if evaluation else None,
        "rules": {r.name: r.passed for r in report.decision.rules} if report.decision else None,
        "behaviour": {c.name: c.score for c in report.behaviour.checks} if report.behaviour else None,
        "live": report.live.model_dump() if report.live else None,
        "health": asdict(report.health) if report.health else None,
        "monitoring": looked(report.history),
        "alarms": alarms_facts(report.alarms),
        "warnings": list(report.warnings),
        "missing": list(report.missing),
    }


def looked(history: Sequence[Watched]) -> dict[str, Any] | None:
    """The last look, for machines; None if there was none."""
    if not history:
        return None
    last = history[-1]
    return {
        "at": last.at.isoformat(),
        "run": last.run,
        "version": last.version,
        "passed": last.passed,
        "failed": list(last.failed),
        "looks": len(history),
    }


def alarms_facts(alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Open alarms, for machines."""
    return [
        {**a.check.model_dump(include={"name", "severity", "observed", "limit"}), "since": a.since.isoformat()}
        for a in alarms
    ]


def _verdict(report: Report) -> Html:
    words, kind = _standing(report)
    if report.alarms:
        words += f"; {len(report.alarms)} {'alarm is' if len(report.alarms) == 1 else 'alarms are'} open"
    if any(alarm.check.severity == "critical" for alarm in report.alarms):
        kind = "bad"
    elif kind == "good" and (report.alarms or report.warnings or report.missing):
        kind = "warn"
    alarms = ", ".join(alarm.check.name for alarm in report.alarms)
    gone = ", ".join(report.missing)
    said = [f"Open alarms: {alarms}" if alarms else "", *report.warnings, f"Gone: {gone}" if gone else ""]
    return banner(words, kind, ". ".join(filter(None, said)))


def _standing(report: Report) -> tuple[str, str]:
    champion, live = report.champion, report.live
    crowned = f"Version {champion.number} ({champion.kind}) is champion" if champion else "No version is champion"
    if live is None:
        return f"{crowned}; nothing is live", "warn"
    served = f"version {live.bento.version}" + ("" if report.own_live else f" of {live.bento.model}")
    if champion and report.own_live and live.bento.version == champion.number:
        served = "it"
    if live.healthy:
        return f"{crowned}; {served} is live and answers", "good"
    return f"{crowned}; {served} is live but does not answer", "bad"


def _cards(report: Report) -> Html:
    found: list[tuple[str, object, object]] = []
    if e := report.evaluation:
        found.append(("accuracy", f"{e.overall.accuracy.value:.3f}", _range(e.overall.accuracy)))
        found.append(("calibration error", f"{e.overall.ece.value:.3f}", _range(e.overall.ece)))
    if b := report.behaviour:
        kept = len(b.checks) - len(b.failures())
        found.append(("behaviour", f"{kept} of {len(b.checks)}", "capabilities within their limits"))
    if h := report.health:
        found.append(("requests answered", f"{h.requests:,}", _how(h)))
    last = f"last look {report.history[-1].at:{_TIME}}" if report.history else "nobody has looked yet"
    found.append(("open alarms", f"{len(report.alarms)}" if report.history else "-", last))
    return cards(found)


def _alarms(report: Report) -> list[Html]:
    if not report.history:
        return [paragraph("Nobody has looked at the live model yet: python run.py --pipeline monitor.", "soft")]
    last = report.history[-1]
    if report.own_live and report.own_live.bento.version != last.version:
        words = f"The last look, {last.at:{_TIME}}, was at version {last.version}. What is live now, version "
        return [paragraph(f"{words}{report.own_live.bento.version}, was not looked at yet: make monitor.")]
    if report.latest is None:
        failed = f": {', '.join(last.failed)} failed" if last.failed else ""
        return [paragraph(f"The report of the last look, {last.at:{_TIME}}, is gone{failed}.")]
    if not report.alarms:
        return [paragraph(f"None: the last look, {last.at:{_TIME}}, found nothing wrong.")]
    rows = [
        (check_badge(a.check), named(a.check), a.check.observed, a.check.limit, _when(a.since)) for a in report.alarms
    ]
    critical = [i for i, a in enumerate(report.alarms) if a.check.severity == "critical"]
    return [table(["", "check", "observed", "limit", "since"], rows, failed=critical)]


def _live(report: Report) -> list[Html]:
    if (live := report.live) is None:
        return [paragraph("Nothing is live: make deploy.", "soft")]
    known: dict[str, object] = {
        "version": f"{live.bento.version} of {live.bento.model}",
        "health": badge("answers over HTTP and gRPC", "good") if live.healthy else badge("does not answer", "bad"),
        "since": live.since,
    }
    if h := report.health:
        known["answered"] = f"{h.requests:,} requests, {_how(h)}"
    known |= {"HTTP": live.http, "gRPC": live.grpc, "Bento": live.bento.tag, "pipeline run": live.run}
    return [facts(known)]


def _how(health: Health) -> str:
    p95 = "" if health.p95_ms is None else f", p95 {health.p95_ms:.1f} ms"
    return f"{100 * health.error_rate:.2f} % failed{p95}"


def _drift(report: Report) -> list[Html]:
    if not report.history:
        return [paragraph("There is nothing to draw yet.", "soft")]
    count = len(report.history)
    words = f"{count:,} looks, {report.history[0].at:{_TIME}} to {report.history[-1].at:{_TIME}}; red dots failed."
    parts = [paragraph(words if count > 1 else "One look so far.", "soft"), *_courses(report.history)]
    if report.latest:
        parts += [Html("<h3>What the last look found</h3>"), checks_table(report.latest.checks)]
    return parts


def _courses(history: Sequence[Watched]) -> list[Html]:
    """A drawing for every number that moved or failed, in the order of the newest look; the names of the others."""
    names = dict.fromkeys(name for watched in reversed(history) for name in watched.scores)
    drawings, still = [], []
    for i, name in enumerate(names):
        seen = [watched for watched in history if name in watched.scores]
        values, failed = [w.scores[name] for w in seen], [name in w.failed for w in seen]
        if any(failed) or len(set(values)) > 1:
            drawings.append(figure(charts.looks([w.at for w in seen], values, failed, f"look{i}"), name))
        else:
            still.append(name)
    parts = [figures(*drawings)] if drawings else []
    return [*parts, paragraph(f"Never moved and never failed: {', '.join(still)}.", "soft")] if still else parts


def _champion(report: Report) -> list[Html]:
    champion = report.champion
    if champion is None:
        return [paragraph("No version is in production: python run.py versions says why.")]
    known: dict[str, object] = {"version": f"{champion.number}, {champion.kind}"}
    if champion.registered:
        known["registered"] = f"{champion.registered:{_TIME}}"
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
        figure(charts.intervals(rows, "accuracy"), "Accuracy with 95 % intervals; the dashed line is all of them."),
        figures(
            figure(charts.reliability(reliability_curve(p, labels, e.ece_bins)), "Reliability on the test split."),
            figure(charts.precision_recall(labels, p), "Precision and recall; the dot is the threshold 0.5."),
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
            _when(r.registered) if r.registered else "",
            "" if r.accuracy is None else f"{r.accuracy:.3f}",
            "" if r.ece is None else f"{r.ece:.3f}",
            r.reason,
        )
        for r in reversed(report.versions)
    ]
    headers = ["version", "", "kind", "registered", "accuracy", "ECE", "why, or why not"]
    return [*parts, table(headers, rows, numbers=[4, 5], prose=[6])]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _stage(version: ReportedVersion) -> Html:
    if version.stage == "production":
        return badge("champion", "good")
    if version.taken_back:
        return badge("taken back", "bad")
    return badge("was champion", "quiet") if version.stage == "archived" else text("")


def _gates(report: Report) -> list[Html]:
    if (decision := report.decision) is None:
        return [_gone("decision")] if report.champion else [paragraph("There is no champion.", "soft")]
    words = "Promoted" if decision.promote else "Not promoted by its gates: a person put it into production"
    return [paragraph(f"{words}: {decision.reason}", "soft"), rules_table(decision)]


def _behaviour(report: Report) -> list[Html]:
    if report.behaviour is None:
        return [_gone("behavioural report")] if report.champion else [paragraph("There is no champion.", "soft")]
    checks = sorted(report.behaviour.checks, key=lambda check: (check.passed, -(check.score or 0)))
    rows = [(check_badge(c), named(c), _bar(c), c.observed, c.limit) for c in checks]
    failed = [i for i, c in enumerate(checks) if not c.passed and c.severity == "critical"]
    return [
        paragraph("What share of the cases fails, capability by capability; examples open on a click.", "soft"),
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
    words = "What the champion was trained, chosen and judged on; no text is in two splits."
    return [paragraph(words, "soft"), figure(charts.stacked(rows, "reviews"), "Reviews by split and source."), *counted]


def _when(at: datetime) -> Html:
    return Html(f"<time>{at:{_TIME}}</time>")


def _gone(what: str) -> Html:
    return paragraph(f"The champion's {what} is gone from the artifact store.")


def _range(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"
