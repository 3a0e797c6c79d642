"""What goes wrong is told in one line, with its place; finished parts stay."""

import gzip

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sentiment.errors import UserError
from sentiment.scoring.scorer import Scorer
from tests.helpers import scoring

ROWS = scoring.rows(600)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("missing.csv", {}, r"input .*missing\.csv: no such file"),
        ("nothing-*.csv", {}, "no such file"),
        ("a.csv", {"text_column": "body"}, r"a\.csv: no column 'body'; there are 'id', 'text', 'shop'.*text_column"),
        ("a.csv", {"source_column": "where"}, r"no column 'where'.*source_column"),
        ("a.csv", {"text_column": "id", "output": "a.xlsx"}, "cannot write .xlsx files"),
        ("numbers.parquet", {"text_column": "id"}, r"column 'id' holds int64, not text"),
        ("empty.csv", {}, r"empty\.csv: the file is empty"),
        ("head.csv", {}, "there are no rows"),
        ("twice.csv", {}, "two columns are called 'text'"),
        ("a.txt", {}, r"a\.txt: unknown kind of file.*\.csv, \.tsv"),
        ("broken.parquet", {}, r"broken\.parquet: not a Parquet file"),
        ("cut.csv.gz", {}, r"cut\.csv\.gz: cannot be read"),
        ("noise.csv.zst", {}, r"noise\.csv\.zst: cannot be read"),
    ],
)
def test_an_input_that_cannot_be_read_is_one_line(linear, tmp_path, name, settings, message):
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    ROWS.to_parquet(tmp_path / "numbers.parquet")
    for written, content in {
        "empty.csv": b"", "head.csv": b"id,text\n", "twice.csv": b"text,text\na,b\n", "a.txt": b"text\nfine\n",
        "broken.parquet": b"PAR1 no PAR1", "noise.csv.zst": b"no zst",
        "cut.csv.gz": gzip.compress((tmp_path / "a.csv").read_bytes())[:-500],
    }.items():  # fmt: skip
        (tmp_path / written).write_bytes(content)
    output = tmp_path / settings.pop("output", "out")
    with pytest.raises(UserError, match=message) as caught:
        scoring.score(linear, tmp_path / name, output, **settings)
    assert "\n" not in str(caught.value)
    assert not (output / "parts").exists()


def test_columns_of_several_types_are_one_line(linear, tmp_path):
    ROWS.to_parquet(tmp_path / "a.parquet")
    ROWS.assign(id="x").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UserError, match=r"b\.parquet: its columns do not go with those of the files before: .*id"):
        scoring.score(linear, tmp_path / "*.parquet", tmp_path / "out")


def test_a_damaged_file_in_the_middle_of_a_folder_keeps_the_parts_before(linear, tmp_path):
    for name in "abc":
        ROWS.to_parquet(tmp_path / f"{name}.parquet", row_group_size=200)
    whole = (tmp_path / "b.parquet").read_bytes()
    chunk = pq.ParquetFile(tmp_path / "b.parquet").metadata.row_group(1).column(1)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    (tmp_path / "b.parquet").write_bytes(whole[:start] + b"\xff" * 200 + whole[start + 200 :])
    settings = {"shard_rows": 200}
    with pytest.raises(UserError, match=r"b\.parquet: cannot be read at row 201"):
        scoring.score(linear, tmp_path / "*.parquet", tmp_path / "out", **settings)
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 4
    (tmp_path / "b.parquet").write_bytes(whole)
    with pytest.raises(UserError, match=r"the input .*b\.parquet changed"):
        scoring.score(linear, tmp_path / "*.parquet", tmp_path / "out", **settings)


@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_changes_while_it_is_read_is_refused(linear, tmp_path, monkeypatch, gone):
    path = tmp_path / "a.csv"
    ROWS.to_csv(path, index=False)
    score = Scorer.score

    def change_then_score(self, task):
        if task.shard.index == 2:
            path.unlink() if gone else ROWS[::-1].to_csv(path, index=False)
        return score(self, task)

    monkeypatch.setattr(Scorer, "score", change_then_score)
    with pytest.raises(UserError, match=r"a\.csv: the file " + ("is gone" if gone else "changed while it was read")):
        scoring.score(linear, path, tmp_path / "out", shard_rows=200)
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 2


@pytest.mark.parametrize(
    ("source", "output"), [("in", "in/scored"), ("in/*.csv", "in/a.csv"), ("in/a.csv", "in/a.csv"), ("in", "in")]
)
def test_an_output_in_the_input_is_refused(linear, tmp_path, source, output):
    (tmp_path / "in").mkdir()
    ROWS.to_csv(tmp_path / "in" / "a.csv", index=False)
    before = (tmp_path / "in" / "a.csv").read_bytes()
    for restart in (True, False):
        with pytest.raises(UserError, match=r"lies in the input|no job has written"):
            scoring.score(linear, tmp_path / source, tmp_path / output, restart=restart)
    assert scoring.contents(tmp_path / "in") == {"a.csv": before}


def test_an_unreadable_manifest_is_one_line(linear, tmp_path):
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    scoring.score(linear, tmp_path / "a.csv", tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(UserError, match=r"manifest\.json: is no manifest that this version reads.*--restart"):
        scoring.score(linear, tmp_path / "a.csv", tmp_path / "out")
    scoring.score(linear, tmp_path / "a.csv", tmp_path / "out", restart=True)
    assert len(scoring.read_parts(tmp_path / "out")) == len(ROWS)


def test_a_long_value_does_not_take_all_memory(linear, tmp_path, monkeypatch):
    monkeypatch.setattr("sentiment.scoring.text_tables.MAX_VALUE_BYTES", 1000)
    (tmp_path / "a.csv").write_text('text\n"never closed' + "\nmore" * 500)
    with pytest.raises(UserError, match=r"not CSV at byte 5: field larger than field limit"):
        scoring.score(linear, tmp_path / "a.csv", tmp_path / "out")


def test_an_object_of_pandas_is_no_row(tmp_path, linear):
    """An index that pandas wrote is a column like any other."""
    ROWS.set_index("id").to_parquet(tmp_path / "a.parquet")
    scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out")
    found = scoring.read_parts(tmp_path / "out")
    assert pd.Series(found.get("id", found.index)).tolist() == ROWS["id"].tolist()
