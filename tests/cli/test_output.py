"""Paths are relative to the user's folder, and output that cannot be written fails no command."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from cli import app
from cli.arguments import override, user_path
from cli.output import tolerant_output
from tests.helpers import command_line
from tests.helpers.command_line import ROOT


class Broken(io.StringIO):
    """A stream whose disk is full, or whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise OSError(28, "No space left on device")


def test_printing_into_a_broken_stream_goes_on(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Broken())
    with tolerant_output():
        print("lost")  # noqa: T201
        sys.stdout.flush()
    assert isinstance(sys.stdout, Broken)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437"])
def test_a_console_without_the_characters_shows_replacement_signs(encoding, monkeypatch):
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding=encoding))
    with tolerant_output():
        print("✓ शानदार 😀")  # noqa: T201
    assert "?" in file.getvalue().decode(encoding)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["> /dev/full 2>&1", "| true; exit ${PIPESTATUS[0]}"])
def test_a_command_whose_output_cannot_be_written_succeeds(end):
    command = f"{sys.executable} run.py --help"
    done = subprocess.run(["bash", "-c", f"{command} {end}"], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_paths_are_relative_to_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "set").mkdir()
    here = Path(tmp_path)
    assert user_path("mine.yaml") == here / "mine.yaml"
    for given, meant in {
        "source.source=file:rows.csv": f"source.source=file:{here}/rows.csv",
        "source.source=file:/a/rows.csv": "source.source=file:/a/rows.csv",
        "source.source=file:s3://bucket/rows.csv": "source.source=file:s3://bucket/rows.csv",
        "source.source=sql:sqlite:///rows.db": f"source.source=sql:sqlite:///{here}/rows.db",
        "source.source=sql:sqlite:////a/rows.db": "source.source=sql:sqlite:////a/rows.db",
        "source.source=hub:./set@en": f"source.source=hub:{here}/set@en",
        "source.source=hub:owner/set": "source.source=hub:owner/set",
        "promotion=mine.yaml": f"promotion={here}/mine.yaml",
        "promotion=configs/promotion.yaml": "promotion=configs/promotion.yaml",
        "transformer.model=./set": f"transformer.model={here}/set",
        "seed=7": "seed=7",
        "transformer.learning_rate=3.0e-4": "transformer.learning_rate=3.0e-4",
        "model=set": "model=set",
    }.items():
        assert override(given) == meant
    monkeypatch.chdir(ROOT)
    assert override("source.source=file:rows.csv") == "source.source=file:rows.csv"
    assert user_path("configs/train.yaml") == Path("configs/train.yaml")


def test_a_file_that_is_not_there_is_named_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = command_line.run("--pipeline", "train", "--config", "mine.yaml")
    assert result.code == app.BAD_INPUT
    assert f"{tmp_path}/mine.yaml: there is no such file" in result.err
