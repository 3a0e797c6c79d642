"""The data gates: Great Expectations suites over raw reviews, over splits, and over any table."""

from __future__ import annotations

import difflib
import logging
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Union

from sentiment.checks import Check, CheckReport
from sentiment.errors import UserError
from sentiment.reviews.near_copies import near_copies
from sentiment.reviews.suites import ExpectationSettings, SuiteSettings
from sentiment.reviews.table import SPLITS, Reviews, Splits
from sentiment.words import normalise

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

_EXAMPLES = 5
_MESSAGE_CHARACTERS = 300
# arguments that name the rows, not what must hold for them
_NO_LIMIT = {
    *("column", "column_A", "column_B", "mostly", "row_condition", "condition_parser", "ignore_row_if"),
    *("min_value", "max_value", "strict_min", "strict_max"),
}
_EXAMPLE_CHARACTERS = 120
_SEED = 97  # not a seed that a split uses: the check must not share its blind spots


def check_reviews(reviews: Reviews, settings: SuiteSettings) -> CheckReport:
    """Checks raw reviews.

    Args:
        reviews: Raw reviews. The suite sees their columns, ``characters`` (length) and ``non_ascii`` (share in [0, 1]).
        settings: A suite such as ``configs/expectations/reviews.yaml``.

    Raises:
        UserError: If an entry of the suite is wrong.
    """
    table = reviews.frame
    if "text" in table:  # that it is there is the first thing the suite checks
        texts = table["text"].fillna("")
        lengths = texts.str.len()
        in_ascii = texts.map(lambda text: len(text.encode("ascii", "ignore")))
        table = table.assign(characters=lengths, non_ascii=(lengths - in_ascii) / lengths.clip(lower=1))
    return check_table(table, settings)


def check_splits(splits: Splits, settings: SuiteSettings, *, similarity: float) -> CheckReport:
    """Checks splits, above all that nothing leaks from one into another.

    Args:
        splits: Clean splits. The suite sees one row a text with ``text, label, split, n_splits, n_labels, near_copy``.
        settings: A suite such as ``configs/expectations/splits.yaml``.
        similarity: From which Jaccard similarity of words on two texts are near-copies, in [0.5, 1].

    Raises:
        UserError: If an entry of the suite is wrong.
    """
    import pandas as pd

    rows = pd.concat([getattr(splits, name).frame.assign(split=name) for name in SPLITS], ignore_index=True)
    by_key = rows.assign(key=rows["text"].map(normalise)).groupby("key", sort=False)
    table = by_key[["text", "label", "split"]].first()
    table = table.assign(n_splits=by_key["split"].nunique(), n_labels=by_key["label"].nunique()).reset_index()
    copies = near_copies(
        table["key"].tolist(),
        similarity=similarity,
        seed=_SEED,
        groups=table["split"].tolist(),
        task="looking for leaks",
    )
    texts = table["text"].tolist()
    near = pd.Series([None if copy < 0 else texts[copy] for copy in copies], dtype="object")
    return check_table(table.drop(columns="key").assign(near_copy=near), settings)


def check_table(table: pd.DataFrame, settings: SuiteSettings) -> CheckReport:
    """Checks any table.

    Args:
        table: The suite sees its columns.
        settings: A suite such as ``configs/expectations/incoming.yaml``.

    Raises:
        UserError: If an entry of the suite is wrong.
    """
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # before the import, which logs
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("table")
    table = table.reset_index(drop=True)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})

    def run(*expectations: Expectation) -> list[ExpectationValidationResult]:
        suite = gx.ExpectationSuite(name=settings.name)
        suite.expectations = list(expectations)
        result_format = {"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES}
        results: list[ExpectationValidationResult] = batch.validate(suite, result_format=result_format).results
        return results

    expectations = [_expectation(entry, n, settings.name) for n, entry in enumerate(settings.expectations)]
    results = _run_all(run, expectations)
    checks = (_check(entry, results[n], table) for n, entry in enumerate(settings.expectations))
    return CheckReport(suite=settings.name, checks=tuple(checks))


Outcome = Union["ExpectationValidationResult", str]  # a text: why there is no result


def _run_all(
    run: Callable[..., list[ExpectationValidationResult]], expectations: list[Expectation]
) -> dict[int, Outcome]:
    """Runs all at once, which shares their metrics; if one of them breaks that, each alone. By number of the entry."""
    outcomes = dict[int, Outcome](enumerate(["it has no result"] * len(expectations)))
    try:
        outcomes.update((_number_of_entry(result), result) for result in run(*expectations))
    except Exception:  # Great Expectations has as many kinds of errors as expectations
        for number, expectation in enumerate(expectations):
            try:
                outcomes.update((number, result) for result in run(expectation))
            except Exception as error:
                outcomes[number] = _first_line(error)
    return outcomes


def _expectation(entry: ExpectationSettings, number: int, suite: str) -> Expectation:
    """Built one by one: a suite that is given wrong entries logs them and goes on without them."""
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import list_registered_expectation_implementations
    from pydantic.v1 import ValidationError  # Great Expectations validates with it

    where = f"suite {suite}: expectation {number + 1} ({entry.name!r})"
    try:
        return ExpectationConfiguration(
            type=entry.type, severity=FailureSeverity(entry.severity), kwargs=entry.kwargs, meta={"entry": number}
        ).to_domain_obj()
    except ExpectationNotFoundError:
        near = difflib.get_close_matches(entry.type, list_registered_expectation_implementations(), n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Great Expectations documents the types there are."
        raise UserError(f"unknown type {entry.type!r}", where=where, remedy=remedy) from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UserError(f"wrong kwargs of {entry.type}: {problems}", where=where) from None
    except Exception as error:  # each expectation checks its own arguments, with errors of its own
        raise UserError(f"wrong kwargs of {entry.type}: {_first_line(error)}", where=where) from None


def _number_of_entry(result: ExpectationValidationResult) -> int:
    return int(result.expectation_config.meta["entry"]) if result.expectation_config else -1


def _check(entry: ExpectationSettings, outcome: Outcome, table: pd.DataFrame) -> Check:
    if isinstance(outcome, str):
        found, reason, passed = dict[str, Any](), outcome, False
    else:
        found, reason = outcome.result or {}, next(_messages(outcome.exception_info), "")
        passed = bool(outcome.success) and not reason
    observed, score = (f"cannot be computed: {reason}", None) if reason else _observed(found, passed)
    return Check(
        name=entry.name,
        severity=entry.severity,
        passed=passed,
        observed=observed,
        limit=_limit(entry, by_row="element_count" in found or entry.type.startswith("expect_column_value")),
        score=score,
        count=int(found.get("element_count") or len(table)),
        examples=() if passed else _examples(entry, found, table),
    )


def _observed(found: dict[str, Any], passed: bool) -> tuple[str, float | None]:
    """Returns the observation as text and as a number: the share of failing rows, or the value itself."""
    value, rows, failed = (found.get(key) for key in ("observed_value", "element_count", "unexpected_count"))
    if value is not None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return _show(value), float(value) if is_number else None
    if rows is not None and failed is not None:
        share = failed / max(rows, 1)
        return f"{failed:,} of {rows:,} rows fail ({float(f'{100 * share:.2g}'):g}%)", share
    return "yes" if passed else "no", None


def _messages(info: object) -> Iterator[str]:
    """Messages of a result's exceptions: one record, or one for each metric that failed."""
    if isinstance(info, dict):
        if info.get("raised_exception") is True:
            yield _first_line(info["exception_message"])
        for value in info.values():
            yield from _messages(value)
    elif hasattr(info, "exception_message"):
        yield _first_line(info.exception_message)


def _first_line(error: object) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:_MESSAGE_CHARACTERS]


def _limit(entry: ExpectationSettings, *, by_row: bool) -> str:
    kwargs = entry.kwargs
    ranges = kwargs.get("quantile_ranges")
    if isinstance(ranges, dict) and {"quantiles", "value_ranges"} <= ranges.keys():
        pairs = zip(ranges["quantiles"], ranges["value_ranges"], strict=False)
        limit = "; ".join(f"{_show(quantile)}: {_range(*ends)}" for quantile, ends in pairs)
    elif kwargs.get("min_value") is not None or kwargs.get("max_value") is not None:
        strict = {name: bool(kwargs.get(name)) for name in ("strict_min", "strict_max")}
        limit = _range(kwargs.get("min_value"), kwargs.get("max_value"), **strict)
    elif isinstance(values := kwargs.get("value_set"), list):
        limit = (" or " if "in_set" in entry.type else ", ").join(map(_show, values))
    else:
        unnamed = _NO_LIMIT if entry.type.startswith("expect_table") else {*_NO_LIMIT, "column_list"}
        limit = "; ".join(f"{name} {_show(value)}" for name, value in kwargs.items() if name not in unnamed)
    if entry.type == "expect_column_to_exist":
        return "yes"
    if not by_row:
        return limit or "holds"
    mostly = kwargs.get("mostly")
    rows = f"at least {100 * mostly:.4g}% of the rows" if isinstance(mostly, int | float) else "every row"
    return f"{limit} in {rows}" if limit else f"holds for {rows}"


def _range(low: object, high: object, *, strict_min: bool = False, strict_max: bool = False) -> str:
    least, most = ("more than" if strict_min else "at least"), ("less than" if strict_max else "at most")
    if low is not None and high is not None and not strict_min and not strict_max:
        return f"{_show(low)} to {_show(high)}"
    return " and ".join(f"{words} {_show(end)}" for words, end in ((least, low), (most, high)) if end is not None)


def _show(value: object) -> str:
    """Shows any value of a suite or a result in one line."""
    if isinstance(value, bool) or not isinstance(value, int | float | list | tuple | set | dict):
        text = str(value)
    elif isinstance(value, int):
        text = f"{value:,}"
    elif isinstance(value, float):
        text = f"{value:.4g}"
    elif isinstance(value, dict):
        text = "; ".join(f"{name} {_show(entry)}" for name, entry in value.items())
    else:
        text = ", ".join(f"({_show(entry)})" if isinstance(entry, list | tuple) else _show(entry) for entry in value)
    return text if len(text) <= _MESSAGE_CHARACTERS else f"{text[: _MESSAGE_CHARACTERS - 1]}…"


def _examples(entry: ExpectationSettings, found: dict[str, Any], table: pd.DataFrame) -> tuple[str, ...]:
    named = [entry.kwargs.get(key) for key in ("column", "column_A", "column_B")]
    named += entry.kwargs.get("column_list") or []
    columns = [str(name) for name in named if name in table and name != "text"]
    rows = [row for row in found.get("partial_unexpected_index_list") or [] if isinstance(row, int)]
    examples = []
    for row in rows[:_EXAMPLES]:
        values = "".join(f"{name} {str(table[name].loc[row])[: _EXAMPLE_CHARACTERS // 2]}: " for name in columns)
        text = str(table["text"].loc[row]) if "text" in table and table["text"].notna().loc[row] else "(no text)"
        examples.append((values + text)[:_EXAMPLE_CHARACTERS])
    return tuple(examples)
