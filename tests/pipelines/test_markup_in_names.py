"""Names that look like the markup of a table are shown as they are."""

import pytest

from tests.helpers import command_line

MODEL = "markup"
NAMES = {"shop": "[/r/movies]", "blog": "[blu-ray]"}


@pytest.fixture(scope="module")
def trained(train, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    rows = command_line.sentences(400)
    rows.assign(source=rows["source"].map(NAMES)).to_csv(path, index=False)
    source = ("--set", f"source.source=file:{path}", "--set", "source.source_column=source")
    arguments = [a for a in train(MODEL, *command_line.LINEAR, *source) if a != "--json"]
    return command_line.run(*arguments), arguments


def test_a_training_shows_the_names(trained):
    result, arguments = trained
    assert result.code == 0, result.err
    again = command_line.run(*arguments, "--set", "linear.inverse_regularization=9")
    assert again.code == 0, again.err
    for words in (*NAMES.values(), *(f"source={name}" for name in NAMES.values())):
        assert words in result.out
        assert words in again.out


@pytest.mark.parametrize("command", [["versions"], ["status"], ["compare"], ["report", "--output", "[b].html"]])
def test_every_command_shows_the_names(command, trained, tmp_path):
    command = [tmp_path / a if a.endswith(".html") else a for a in command]
    result = command_line.run(*command, "--model", MODEL)
    assert result.code == 0, result.err
    assert command[0] != "compare" or "[/r/movies]" in result.out
    assert command[0] != "report" or "[b].html" in result.out


def test_a_reason_with_markup_is_shown(trained):
    from cli.session import session
    from registry import versions

    with session("local", debug=False):
        versions.record_decision(MODEL, "1", promoted=True, reason="better on [/r/movies]")
    for command in ("versions", "status"):
        result = command_line.run(command, "--model", MODEL)
        assert result.code == 0, result.err
        assert "[/r/movies]" in result.out
