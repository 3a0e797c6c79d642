"""Finds the version to roll back to."""

import pytest

from cli.commands.rollback import find_previous
from sentiment.deployment import Version
from sentiment.errors import UserError


def test_the_previous_version_is_the_one_that_production_replaced():
    """The order of promotions differs from the order of numbers, and a version just rolled back is never next."""

    def version(number, stage, replaced):
        return Version(number, stage, "linear", "f", promoted=True, reason="", replaced=replaced)

    history = [version("1", "archived", ""), version("2", "production", "3"), version("3", "archived", "1")]
    assert find_previous(history, "m") == "3"  # promoted 1, then 3, then 2
    left = [version("1", "archived", ""), version("2", "archived", "3"), version("3", "production", "1")]
    assert find_previous(left, "m") == "1"


def test_without_a_record_the_previous_version_is_the_latest_archived_one():
    def version(number, stage):
        return Version(number, stage, "linear", "f", promoted=True, reason="", replaced="")

    known = [version("1", "archived"), version("2", "archived"), version("3", "production"), version("4", "archived")]
    assert find_previous(known, "m") == "2"
    with pytest.raises(UserError, match="no version was in production before"):
        find_previous([version("1", "production"), version("2", "")], "m")
