"""What people do with versions."""

import pytest

from tests.helpers import command_line

MODEL = "people"


@pytest.fixture(scope="module")
def two(train, reviews_file):
    """Version 1 in production, version 2 no better and so not promoted; yields how to train version 2."""
    arguments = train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")
    assert command_line.run(*arguments).summary["promoted"]
    arguments = [*arguments, "--set", "linear.inverse_regularization=9"]
    second = command_line.run(*arguments).summary
    assert (second["promoted"], second["model_version"]) == (False, "2"), second["reason"]
    return arguments


def do(*arguments):
    return command_line.run(*arguments, "--model", MODEL, "--json").summary


def test_versions_promote_and_rollback(two):
    first, second = command_line.versions(MODEL)
    assert (first["number"], first["stage"], first["promoted"], first["kind"]) == ("1", "production", True, "linear")
    assert (second["number"], second["stage"], second["promoted"]) == ("2", "", False)
    assert "tie with champion version 1" in second["reason"]

    assert do("promote", "--version", "2", "--dry-run") == {"model": MODEL, "from": "1", "to": "2", "changed": False}
    assert command_line.production(MODEL) == command_line.champion(MODEL) == "1"

    assert do("promote", "--version", "2")["changed"]
    assert command_line.production(MODEL) == command_line.champion(MODEL) == "2"
    assert not do("promote", "--version", "2")["changed"]

    assert do("rollback", "--dry-run") == {"model": MODEL, "from": "2", "to": "1", "changed": False}
    assert command_line.production(MODEL) == command_line.champion(MODEL) == "2"
    assert do("rollback") == {"model": MODEL, "from": "2", "to": "1", "changed": True}
    assert command_line.production(MODEL) == command_line.champion(MODEL) == "1"
    assert do("rollback", "--to", "2")["changed"]
    assert command_line.production(MODEL) == command_line.champion(MODEL) == "2"
    assert [v["stage"] for v in command_line.versions(MODEL)] == ["archived", "production"]


def test_a_person_sees_a_table(two):
    out = command_line.run("versions", "--model", MODEL).out
    for words in ("version", "stage", "production", "linear", "not promoted", "tie with champion"):
        assert words in out
    assert command_line.run("versions", "--model", "nobody").code == 0


def test_rollback_goes_where_production_was_before_and_then_further_back():
    """The order of promotions is not the order of numbers, and a version just left is not where to go."""
    from cli.commands.rollback import find_previous
    from sentiment.deployment import Version

    def version(number, stage, replaced):
        return Version(number, stage, "linear", "f", promoted=True, reason="", replaced=replaced)

    history = [version("1", "archived", ""), version("2", "production", "3"), version("3", "archived", "1")]
    assert find_previous(history, "m") == "3"  # promoted 1, then 3, then 2
    left = [version("1", "archived", ""), version("2", "archived", "3"), version("3", "production", "1")]
    assert find_previous(left, "m") == "1"


def test_rollback_follows_the_promotions(two):
    for number in ("2", "1", "2"):
        do("promote", "--version", number)
    assert {v["number"]: v["replaced"] for v in command_line.versions(MODEL)} == {"1": "2", "2": "1"}
    assert do("rollback")["to"] == "1"
    assert {v["number"]: v["replaced"] for v in command_line.versions(MODEL)} == {"1": "2", "2": "1"}


def test_a_training_does_not_promote_what_was_rolled_back(two):
    do("promote", "--version", "2")
    do("rollback", "--to", "1")
    again = command_line.run(*two).summary
    assert (again["promoted"], again["model_version"]) == (False, "2")
    assert again["reason"].startswith("was rolled back (version 2, 20")
    assert "rolled back 20" in command_line.run("versions", "--model", MODEL).out
    assert "a tie with champion version 1" in command_line.versions(MODEL)[1]["reason"]  # what was said of it at first
    do("promote", "--version", "2")  # a person may
    assert [v["taken_back"] for v in command_line.versions(MODEL)] == ["", ""]


def test_a_rollback_that_died_on_the_way_has_taken_nothing_back(two):
    from cli.session import session

    do("promote", "--version", "2")
    with session("local", debug=False):
        from zenml import log_metadata

        log_metadata(metadata={"taken_back": "2026-11-21T03:00:00+00:00"}, model_name=MODEL, model_version="2")
    assert [(v["stage"], v["taken_back"]) for v in command_line.versions(MODEL)] == [
        ("archived", ""),
        ("production", ""),
    ]
    do("promote", "--version", "1")
    assert [(v["stage"], v["taken_back"]) for v in command_line.versions(MODEL)] == [
        ("production", ""),
        ("archived", ""),
    ]
