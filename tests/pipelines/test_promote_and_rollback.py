"""Lists, promotes and rolls back versions."""

import pytest

from tests.helpers import command_line

MODEL = "promoted"


@pytest.fixture(scope="module")
def two(train, reviews_file):
    """Version 1 is in production, version 2 is no better; the arguments that train version 2."""
    arguments = train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")
    assert command_line.run(*arguments).summary["promoted"]
    arguments = [*arguments, "--set", "linear.inverse_regularization=9"]
    second = command_line.run(*arguments).summary
    assert (second["promoted"], second["model_version"]) == (False, "2"), second["reason"]
    return arguments


def summary_of(*arguments):
    return command_line.run(*arguments, "--model", MODEL, "--json").summary


def test_versions_promote_and_rollback(two):
    first, second = command_line.list_versions(MODEL)
    assert (first["number"], first["stage"], first["promoted"], first["kind"]) == ("1", "production", True, "linear")
    assert (second["number"], second["stage"], second["promoted"]) == ("2", "", False)
    assert "tie with champion version 1" in second["reason"]

    assert summary_of("promote", "--version", "2", "--dry-run", *command_line.APPROVED) == {
        "model": MODEL,
        "from": "1",
        "to": "2",
        "changed": False,
    }
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"

    refused = command_line.run("promote", "--version", "2", "--model", MODEL)
    assert refused.code == 2
    assert "version 2 was never in production, and did not keep every rule. Say who approves it" in refused.err
    assert command_line.run("rollback", "--to", "2", "--model", MODEL).code == 2  # is no way around it

    assert summary_of("promote", "--version", "2", *command_line.APPROVED)["changed"]
    assert "approved by Ann: it is good" in command_line.run("versions", "--model", MODEL).out
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "2"
    assert not summary_of("promote", "--version", "2")["changed"]

    assert summary_of("rollback", "--dry-run") == {"model": MODEL, "from": "2", "to": "1", "changed": False}
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "2"
    assert summary_of("rollback") == {"model": MODEL, "from": "2", "to": "1", "changed": True}
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"
    assert summary_of("rollback", "--to", "2")["changed"]
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "2"
    assert [v["stage"] for v in command_line.list_versions(MODEL)] == ["archived", "production"]


def test_versions_prints_a_table(two):
    out = command_line.run("versions", "--model", MODEL).out
    for words in ("version", "stage", "production", "linear", "approved", "tie with champion"):
        assert words in out
    assert command_line.run("versions", "--model", "unknown").code == 0


def test_rollback_follows_the_promotions(two):
    for number in ("2", "1", "2"):
        summary_of("promote", "--version", number)
    assert {v["number"]: v["replaced"] for v in command_line.list_versions(MODEL)} == {"1": "2", "2": "1"}
    assert summary_of("rollback")["to"] == "1"
    assert {v["number"]: v["replaced"] for v in command_line.list_versions(MODEL)} == {"1": "2", "2": "1"}


def test_a_training_does_not_promote_a_version_that_was_rolled_back(two):
    summary_of("promote", "--version", "2")
    summary_of("rollback", "--to", "1")
    again = command_line.run(*two).summary
    assert (again["promoted"], again["model_version"]) == (False, "2")
    assert again["reason"].startswith("was rolled back (version 2, 20")
    assert "rolled back 20" in command_line.run("versions", "--model", MODEL).out
    assert "a tie with champion version 1" in command_line.list_versions(MODEL)[1]["reason"]  # its first decision
    summary_of("promote", "--version", "2")  # users may
    assert [v["taken_back"] for v in command_line.list_versions(MODEL)] == ["", ""]


def test_a_rollback_that_dies_midway_rolls_nothing_back(two):
    from cli.session import session

    summary_of("promote", "--version", "2")
    with session("local", debug=False):
        from zenml import log_metadata

        log_metadata(metadata={"taken_back": "2026-11-21T03:00:00+00:00"}, model_name=MODEL, model_version="2")
    assert [(v["stage"], v["taken_back"]) for v in command_line.list_versions(MODEL)] == [
        ("archived", ""),
        ("production", ""),
    ]
    summary_of("promote", "--version", "1")
    assert [(v["stage"], v["taken_back"]) for v in command_line.list_versions(MODEL)] == [
        ("production", ""),
        ("archived", ""),
    ]
