"""What goes wrong is told in one line, with its place; finished parts stay."""

import gzip
import json
from datetime import timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as pa
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
        ("empty.csv", {}, r"empty\.csv: there are no rows"),
        ("head.csv", {}, "there are no rows"),
        ("twice.csv", {}, "several columns are called 'text'"),
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
    ("source", "output"),
    [
        ("in", "in/scored"),
        ("in", "in"),
        ("in/a.csv", "in/a.csv"),
        ("in/*.csv", "in/a.csv"),
        ("in/../in/*.csv", "in/a.csv"),
        ("in/**/*.csv", "in/scored"),
    ],
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


def test_valid_tables_of_any_type_are_scored(linear, tmp_path):
    """Columns that CSV does not have, views, required columns, whole numbers beside fractions, missing columns."""
    text = pa.array(["a lovely film", "a dull film"])
    first = pa.table(
        {
            "text": text.cast(pa.string_view()),
            "id": pa.array([1, 2]),
            "blob": pa.array([b"\xff", b"fine"]).cast(pa.binary_view()),
            "amount": pa.array([Decimal("1.50"), None]),
            "nested": pa.array([{"a": [1.5, float("nan")]}, None]),
            "took": pa.array([timedelta(seconds=1), None]),
        }
    )
    required = pa.schema([pa.field("text", pa.string(), nullable=False), pa.field("must", pa.int8(), nullable=False)])
    second = pa.table({"text": text, "must": pa.array([1, 2], pa.int8())}, schema=required)
    third = pa.table({"text": pa.DictionaryArray.from_arrays([0, 1], text), "id": pa.array([0.5, None])})
    for name, table in {"a": first, "b": second, "c": third, "d": first.slice(0, 0)}.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / "in" / f"{name}.parquet")
    for output in ("parts", "scored.csv", "scored.jsonl", "scored.parquet"):
        assert scoring.score(linear, tmp_path / "in", tmp_path / output).manifest.scored == 6
    lines = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [1, 2, None, None, 0.5, None]
    assert (lines[0]["blob"], lines[0]["nested"]) == ("\ufffd", {"a": [1.5, None]})
    frame = pd.read_csv(tmp_path / "scored.csv")
    assert (frame["amount"][0], frame["must"][2]) == (1.5, 1)


def test_whole_numbers_that_a_float_cannot_hold_are_one_line(linear, tmp_path):
    ROWS[:2].assign(id=[2**60 + 1, 1]).to_parquet(tmp_path / "a.parquet")
    ROWS[:2].assign(id=[0.5, None]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: column 'id' does not fit into double"):
        scoring.score(linear, tmp_path / "*.parquet", tmp_path / "out")
    lines = [{"text": "fine", "id": 2**60 + 1}, {"text": "fine", "id": 0.5}, {"text": "fine", "id": None}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    scoring.score(linear, tmp_path / "a.jsonl", tmp_path / "text")
    assert scoring.read_parts(tmp_path / "text")["id"].tolist()[:2] == [str(2**60 + 1), "0.5"]


def test_json_values_in_one_file_and_text_in_another_are_text(linear, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"text": "fine", "tags": ["x"], "late": null}\n')
    (tmp_path / "in" / "b.jsonl").write_text('{"text": "fine", "tags": "plain", "late": 5}\n')
    (tmp_path / "in" / "c.jsonl").write_text("")
    scoring.score(linear, tmp_path / "in", tmp_path / "scored.jsonl")
    found = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert [(row["tags"], row["late"]) for row in found] == [('["x"]', None), ("plain", 5)]


def test_long_values_that_repeat_do_not_make_long_shards(linear, tmp_path):
    """Parquet stores such a value once, so the footer says nothing of it."""
    rows = scoring.rows(4000).assign(note="x" * 50_000)
    rows.to_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 2_000_000
    done = scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out", shard_rows=4000)
    assert max(shard.rows for shard in done.manifest.shards) * 50_000 < 40_000_000
