"""Suites of Great Expectations, as the files under ``configs/expectations/`` declare them."""

from __future__ import annotations

from typing import Any

from sentiment.checks import Severity
from sentiment.settings import Settings


class ExpectationSettings(Settings):
    """One expectation of a suite."""

    name: str
    type: str
    severity: Severity
    kwargs: dict[str, Any]


class SuiteSettings(Settings):
    """A suite."""

    name: str
    expectations: tuple[ExpectationSettings, ...]
