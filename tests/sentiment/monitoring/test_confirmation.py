"""N of the last M windows before a retraining, on made-up sequences of monitoring runs."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from sentiment.checks import Check, CheckReport
from sentiment.errors import UserError
from sentiment.monitoring.alarms import MonitoringRun
from sentiment.monitoring.checks import actions, decided, explain_actions
from sentiment.monitoring.confirmation import Windows, count_windows, judged_checks
from sentiment.monitoring.settings import MonitorSettings
from sentiment.settings import read_settings

HOUR = 3600.0
NOW = 1_700_000_000.0
WORDS, LENGTH = "input_drift: words (MMD)", "input_drift: length"


def settings(windows, of):
    return MonitorSettings(confirm={"windows": windows, "of": of})


def report(*failed):
    return CheckReport(
        suite="monitoring",
        checks=tuple(Check(name=n, passed=n not in failed, observed="", limit="", score=0.1) for n in (WORDS, LENGTH)),
    )


def run(hours_ago, *failed, judged=(WORDS, LENGTH), hours=24.0):
    """A run whose window ended this many hours ago."""
    end = NOW - hours_ago * HOUR
    at = datetime.fromtimestamp(end, UTC)
    return MonitoringRun(at, "run", "1", not failed, failed, span=(end - hours * HOUR, end), judged=judged)


def windows(earlier, *, failed=(WORDS,), of=3):
    """The windows of the finding, for a window of 24 hours that ends now."""
    return count_windows(report(*failed), (NOW - 24 * HOUR, NOW), earlier, settings(1, of).confirm)


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ([], (1, 1)),  # never monitored before
        ([run(24), run(48)], (1, 3)),
        ([run(24, WORDS), run(48)], (2, 3)),
        ([run(24), run(48, WORDS)], (2, 3)),
        ([run(24), run(48), run(72, WORDS)], (1, 3)),  # too long ago
        ([run(24, LENGTH), run(48, LENGTH)], (1, 3)),  # another check: chance, not the same drift
        ([run(n, WORDS) for n in range(1, 21)], (1, 1)),  # hourly runs share most of the day
        ([run(n, WORDS) for n in range(1, 25)], (2, 2)),
        ([run(n, WORDS) for n in range(1, 200)], (3, 3)),
        ([run(23, WORDS)], (2, 2)),  # a daily run that started an hour early
        ([run(20, WORDS)], (1, 1)),
        ([run(12, WORDS, hours=1)], (1, 1)),  # a short window inside of this one
        ([run(24, judged=()), run(48, WORDS)], (2, 2)),  # not enough data: neither for nor against
        ([run(24, judged=(LENGTH,)), run(48, WORDS)], (2, 2)),
    ],
)
def test_the_windows_of_a_finding(earlier, expected):
    assert windows(earlier) == {"input_drift": Windows(*expected)}


def test_a_finding_has_the_windows_of_its_steadiest_check():
    assert windows([run(24, LENGTH)], failed=(WORDS, LENGTH)) == {"input_drift": Windows(2, 2)}
    assert windows([run(24, WORDS)], failed=()) == {}


def test_the_history_is_read_only_as_far_as_necessary():
    assert windows((run(24 * day) for day in count(1)), of=50) == {"input_drift": Windows(1, 50)}
    assert windows(iter(lambda: pytest.fail("the history was read"), None), of=1) == {"input_drift": Windows(1, 1)}


def test_checks_without_enough_data_are_not_judged():
    few = Check(name="accuracy", severity="warning", passed=True, observed="not enough labels", limit="")
    found = report(WORDS)
    assert judged_checks(found.model_copy(update={"checks": (*found.checks, few)})) == [WORDS, LENGTH]


@pytest.mark.parametrize(
    ("needed", "seen", "action"),
    [
        ((1, 1), (1, 1), "retrain"),
        ((2, 2), (1, 1), "alert"),
        ((2, 3), (1, 3), "alert"),
        ((2, 3), (2, 2), "retrain"),
        ((2, 3), (3, 3), "retrain"),
    ],
)
def test_a_retraining_waits_for_its_windows(needed, seen, action):
    found, chosen = report(WORDS), settings(*needed)
    counted = {"input_drift": Windows(*seen)}
    assert (actions(found, chosen, counted), decided(found, chosen, counted)) == ({"input_drift": action}, action)
    told = "" if needed == (1, 1) else ": in {} of {} windows; retrain at {} of {}".format(*seen, *needed)
    assert explain_actions(found, chosen, counted) == {"input_drift": action + told}


def test_other_actions_do_not_wait():
    quiet = settings(2, 2).model_copy(update={"actions": {"input_drift": "nothing"}})
    assert explain_actions(report(WORDS), quiet, {}) == {"input_drift": "nothing"}


@pytest.mark.parametrize("wrong", ["{windows: 3, of: 2}", "{windows: 0}", "{windows: 2, of: 51}"])
def test_windows_that_cannot_confirm_are_refused(wrong):
    with pytest.raises(UserError, match="confirm"):
        read_settings(MonitorSettings, Path("configs/monitor.yaml"), [f"confirm={wrong}"])
