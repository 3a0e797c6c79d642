"""The data gates: Great Expectations suites over raw reviews, over splits, and over any table."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentiment.checks import Check, CheckReport
from sentiment.errors import UserError
from sentiment.reviews.cleaning import normalised
from sentiment.reviews.near_copies import near_copies
from sentiment.reviews.suites import ExpectationSettings, SuiteSettings
from sentiment.reviews.table import SPLITS, Reviews, Splits

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

_EXAMPLES = 5
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
    by_key = rows.assign(key=rows["text"].map(normalised)).groupby("key", sort=False)
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

    suite = gx.ExpectationSuite(name=settings.name)
    suite.expectations = [_expectation(entry, n, settings.name) for n, entry in enumerate(settings.expectations)]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all")
    context.suites.add(suite)
    table = table.reset_index(drop=True)
    outcome = gx.ValidationDefinition(name=settings.name, data=batch, suite=suite).run(
        batch_parameters={"dataframe": table},
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES},
    )
    results = sorted(outcome.results, key=_number_of_entry)
    checks = (_check(entry, result, table) for entry, result in zip(settings.expectations, results, strict=True))
    return CheckReport(suite=settings.name, checks=tuple(checks))


def _expectation(entry: ExpectationSettings, number: int, suite: str) -> Expectation:
    """Built one by one: a suite that is given wrong entries logs them and goes on without them."""
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError, InvalidExpectationConfigurationError
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
    except InvalidExpectationConfigurationError as error:
        raise UserError(str(error).splitlines()[0], where=where) from None


def _number_of_entry(result: ExpectationValidationResult) -> int:
    return int(result.expectation_config.meta["entry"]) if result.expectation_config else -1


def _check(entry: ExpectationSettings, result: ExpectationValidationResult, table: pd.DataFrame) -> Check:
    observed, score = _observed(result)
    rows = (result.result or {}).get("element_count", len(table))
    return Check(
        name=entry.name,
        severity=entry.severity,
        passed=bool(result.success),
        observed=observed,
        limit=_limit(entry),
        score=score,
        count=int(rows),
        examples=() if result.success else _examples(entry, result, table),
    )


def _observed(result: ExpectationValidationResult) -> tuple[str, float | None]:
    """Returns the observation as text and as a number: the share of failing rows, or the value itself."""
    found = result.result or {}
    if "observed_value" in found:
        value = found["observed_value"]
        if isinstance(value, list):
            return ", ".join(map(str, value)), None
        if value is not None:
            return _number(value), float(value)
    if "element_count" in found:
        share = found["unexpected_count"] / max(found["element_count"], 1)
        return f"{found['unexpected_count']:,} of {found['element_count']:,} rows fail ({100 * share:.2g}%)", share
    message = next(_messages(result.exception_info), None)
    return (f"cannot be computed: {message}" if message else "yes" if result.success else "no"), None


def _messages(info: object) -> Iterator[str]:
    """Messages of a result's exceptions: one record, or one for each metric that failed."""
    if isinstance(info, dict):
        if info.get("raised_exception") is True:
            yield str(info["exception_message"]).splitlines()[0]
        for value in info.values():
            yield from _messages(value)
    elif hasattr(info, "exception_message"):
        yield str(info.exception_message).splitlines()[0]


def _limit(entry: ExpectationSettings) -> str:
    kwargs = entry.kwargs
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None and high is not None:
        limit = f"{_number(low)} to {_number(high)}"
    elif low is not None or high is not None:
        limit = f"at least {_number(low)}" if low is not None else f"at most {_number(high)}"
    elif "value_set" in kwargs:
        limit = " or ".join(map(str, kwargs["value_set"])) if "in_set" in entry.type else ", ".join(kwargs["value_set"])
    else:
        limit = ""
    if entry.type == "expect_column_to_exist":
        return "yes"
    if not entry.type.startswith("expect_column_value"):
        return limit
    rows = f"at least {entry.kwargs['mostly']:.4g} of the rows" if "mostly" in entry.kwargs else "every row"
    return f"{limit} in {rows}" if limit else f"holds for {rows}"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _examples(entry: ExpectationSettings, result: ExpectationValidationResult, table: pd.DataFrame) -> tuple[str, ...]:
    column = entry.kwargs.get("column")
    examples = []
    for row in (result.result or {}).get("partial_unexpected_index_list", [])[:_EXAMPLES]:
        value = "" if column == "text" else f"{column} {str(table[column].loc[row])[: _EXAMPLE_CHARACTERS // 2]}: "
        text = str(table["text"].loc[row]) if "text" in table and table["text"].notna().loc[row] else "(no text)"
        examples.append((value + text)[:_EXAMPLE_CHARACTERS])
    return tuple(examples)
