"""Report, status and comparison of a real training."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers import command_line

MODEL = "reported"


@pytest.fixture(scope="module")
def first(train, reviews_file):
    return command_line.run(*train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}"))


@pytest.fixture(scope="module")
def champion(first):
    assert first.summary["promoted"], first.summary["reason"]
    return command_line.find_production(MODEL)


def report(folder, *more):
    return command_line.run("report", "--output", folder / "report.html", "--model", MODEL, "--json", *more)


@contextmanager
def missing_files(number, *names):
    """Moves the files of these artifacts of a version away for the block."""
    from cli.session import session

    with session("local", debug=False):
        from registry import versions

        folders = [Path(versions.get_artifact(MODEL, number, name).uri) for name in names]
    for folder in folders:
        shutil.move(folder, f"{folder}.away")
    yield
    for folder in folders:
        shutil.move(f"{folder}.away", folder)


def test_the_report_is_one_page_about_the_champion(first, champion, tmp_path):
    result = report(tmp_path)
    facts, page = result.summary, (tmp_path / "report.html").read_text()
    known = next(v for v in command_line.list_versions(MODEL) if v["number"] == champion)
    assert (facts["production"], facts["missing"], facts["live"]) == (champion, [], None)
    assert facts["accuracy"] == pytest.approx(known["accuracy"], abs=1e-5)
    assert facts["reviews"]["test"] == first.summary["metrics"][known["kind"]]["count"]
    assert facts["rules"] and facts["behaviour"]
    for words in (
        f"Version {champion} ({known['kind']}) is champion; there is no live service",
        "Gates, rule by rule",
        "<svg",
    ):
        assert words in page
    assert "<script" not in page
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]  # no unfinished file


def test_missing_artifacts_are_named_and_the_rest_is_shown(champion, tmp_path):
    kind = next(v["kind"] for v in command_line.list_versions(MODEL) if v["number"] == champion)
    with missing_files(champion, "splits", f"{kind}_evaluation"):
        result = report(tmp_path)
    assert result.summary["missing"] == ["splits", "evaluation"]
    assert result.summary["behaviour"]
    assert "warning: the champion's splits is gone from the artifact store" in result.err
    assert "splits is gone from the artifact store" in (tmp_path / "report.html").read_text()


def test_an_unknown_model_is_one_line(tmp_path):
    result = report(tmp_path, "--model", "unknown")
    assert result.summary["versions"] == []
    assert "there is no version of unknown yet: make train" in result.err
    assert "There is no model yet" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("output", ["", "nowhere/report.html"])
def test_an_output_that_cannot_be_written_is_one_line(output, tmp_path):
    result = command_line.run("report", "--output", tmp_path / output, "--model", "unknown")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("error: --output")


def test_status_fits_one_screen(champion):
    result = command_line.run("status", "--model", MODEL, "--json")
    summary, out = result.summary, result.err
    assert (summary["production"], summary["live"], summary["monitoring"], summary["alarms"]) == (
        champion,
        None,
        None,
        [],
    )
    assert f"production: version {champion} of {MODEL}, " in out
    assert ", linear, accuracy 1.000, ECE 0.0" in out
    assert "monitoring: never monitored: make monitor" in out
    assert len(out.splitlines()) <= 40


def test_the_comparison_of_the_first_training(first, tmp_path):
    markdown = tmp_path / "comparison.md"
    chosen = ("compare", "--model", MODEL, "--run", first.summary["run"])
    summary = command_line.run(*chosen, "--markdown", markdown, "--json").summary
    assert summary["reason"] == first.summary["reason"]
    assert summary["differences"] is None  # it was the first
    text = markdown.read_text()
    assert "### Model: promoted" in text and "no champion yet" in text
    shown = command_line.run(*chosen)
    assert "Candidates on the test split" in shown.out and "Decision, rule by rule" in shown.out


@pytest.mark.parametrize("arguments", [["--run", "train-nowhere"], ["--model", "unknown"]])
def test_an_unknown_training_is_one_line(arguments, first):
    result = command_line.run("compare", *arguments)
    assert result.code == 2
    assert "no such train run came to a decision" in result.err.splitlines()[-1]
