"""Every kind of input gives the same scores, and every kind of output holds them."""

import gzip
import json
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.errors import UserError
from sentiment.models import Classifier
from tests.helpers import scoring

ROWS = scoring.rows(2300)


def write_zst(path, data):
    with pa.output_stream(str(path), compression="zstd") as sink:
        sink.write(data)


def csv(separator=","):
    return ROWS.to_csv(index=False, sep=separator).encode()


def jsonl():
    return ROWS.to_json(orient="records", lines=True, force_ascii=False).encode()


INPUTS = {
    "a.csv": lambda path: path.write_bytes(csv()),
    "a.tsv": lambda path: path.write_bytes(csv("\t")),
    "a.jsonl": lambda path: path.write_bytes(jsonl()),
    "a.parquet": lambda path: ROWS.to_parquet(path, row_group_size=700),
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress(csv())),
    "a.csv.zst": lambda path: write_zst(path, csv()),
    "a.jsonl.gz": lambda path: path.write_bytes(gzip.compress(jsonl())),
    "a.ndjson.zst": lambda path: write_zst(path, jsonl()),
}


@pytest.fixture(scope="module")
def expected(linear):
    return Classifier.load(linear.path).predict_proba(ROWS["text"].tolist())


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_keeps_its_rows_and_their_order(linear, expected, tmp_path, name):
    INPUTS[name](tmp_path / name)
    done = scoring.score(linear, tmp_path / name, tmp_path / "out", shard_rows=1000, abstain_below=0.7)
    found = scoring.read_parts(tmp_path / "out")
    assert found["text"].tolist() == ROWS["text"].tolist()
    assert found["id"].astype(int).tolist() == ROWS["id"].tolist()
    np.testing.assert_allclose(found["positive"], expected, atol=1e-6)
    assert (found["label"] == np.where(expected > 0.5, "positive", "negative")).all()
    np.testing.assert_allclose(found["score"], np.maximum(expected, 1 - expected), atol=1e-6)
    assert (found["abstained"] == (found["score"] < 0.7)).all()
    assert set(found["model_version"]) == {"7"}
    assert [len(pd.read_parquet(path)) for path in sorted((tmp_path / "out" / "parts").iterdir())][:1] == [
        700 if name == "a.parquet" else 1000
    ]
    assert done.manifest.scored == done.manifest.rows == 2300


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_every_output_is_one_file_if_it_is_named_so(linear, expected, tmp_path, suffix):
    ROWS.to_parquet(tmp_path / "a.parquet")
    output = tmp_path / f"scored.{suffix}"
    scoring.score(linear, tmp_path / "a.parquet", output, shard_rows=1000)
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda p: pd.read_json(p, lines=True)}[suffix]
    found = read(output)
    assert found["id"].tolist() == ROWS["id"].tolist()
    assert found["text"].tolist() == ROWS["text"].tolist()
    np.testing.assert_allclose(found["positive"], expected, atol=1e-6)
    assert not (tmp_path / f"scored.{suffix}.job" / "parts").exists()  # nothing is there twice
    assert scoring.score(linear, tmp_path / "a.parquet", output, shard_rows=1000).new_rows == 0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_parts_may_be_of_another_format(linear, tmp_path, form):
    ROWS.to_parquet(tmp_path / "a.parquet")
    scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out", output_format=form, shard_rows=1000)
    assert [path.name for path in sorted((tmp_path / "out" / "parts").iterdir())] == [
        f"part-{number:06d}.{form}" for number in range(3)
    ]


def test_types_of_parquet_stay_and_csv_is_text(linear, tmp_path):
    frame = ROWS.assign(
        day=pd.Timestamp("2026-01-02"), tags=[["a", "b"]] * len(ROWS), kind=pd.Categorical(ROWS["shop"])
    )
    frame.to_parquet(tmp_path / "a.parquet")
    scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out")
    schema = pq.read_schema(next((tmp_path / "out" / "parts").iterdir()))
    before = pq.read_schema(tmp_path / "a.parquet")
    for name in ("id", "day", "tags"):
        assert schema.field(name).type == before.field(name).type
    assert schema.field("kind").type == pa.string()
    scoring.score(linear, tmp_path / "a.parquet", tmp_path / "scored.csv")
    found = pd.read_csv(tmp_path / "scored.csv")
    assert json.loads(found["tags"][0]) == ["a", "b"]
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    scoring.score(linear, tmp_path / "a.csv", tmp_path / "from csv")
    assert pq.read_schema(next((tmp_path / "from csv" / "parts").iterdir())).field("id").type == pa.string()


def test_json_keeps_nested_values_and_keys_that_few_rows_have(linear, tmp_path):
    lines = [
        {"text": "a lovely film", "tags": ["x"], "n": 1},
        {"text": "a dull film", "n": 2.5, "late": {"a": None}},
        {"text": "half an emoji \ud83d", "mixed": 1},
        {"text": "lovely", "mixed": "one", "big": 2**70},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    scoring.score(linear, tmp_path / "a.jsonl", tmp_path / "scored.jsonl")
    found = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert [row["n"] for row in found] == [1, 2.5, None, None]
    assert (found[0]["tags"], found[1]["late"]) == (["x"], {"a": None})
    assert [row["mixed"] for row in found] == [None, None, "1", "one"]
    assert found[2]["text"] == "half an emoji \ufffd"
    assert found[3]["big"] == str(2**70)


def test_a_folder_and_a_glob_are_read_in_the_order_of_their_names(linear, tmp_path):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name, part in zip(["b.csv", "a.jsonl", "deep/c.parquet"], (ROWS[:5], ROWS[5:9], ROWS[9:12]), strict=True):
        write = {"csv": lambda f, p: f.to_csv(p, index=False), "parquet": lambda f, p: f.astype(str).to_parquet(p)}
        as_text = part.assign(id=part["id"].astype(str))
        write.get(name.split(".")[1], lambda f, p: f.to_json(p, orient="records", lines=True))(as_text, folder / name)
    (folder / "_SUCCESS").touch()
    (folder / ".hidden.csv").write_text("no")
    scoring.score(linear, folder, tmp_path / "out")
    assert scoring.read_parts(tmp_path / "out")["id"].astype(int).tolist() == [*range(5, 9), *range(5), *range(9, 12)]
    scoring.score(linear, folder / "*.csv", tmp_path / "globbed")
    assert len(scoring.read_parts(tmp_path / "globbed")) == 5


def test_a_column_that_a_file_lacks_is_empty_there(linear, tmp_path):
    ROWS[:3].to_parquet(tmp_path / "a.parquet")
    ROWS[3:5].drop(columns="shop").assign(more=1.5).to_parquet(tmp_path / "b.parquet")
    scoring.score(linear, tmp_path / "*.parquet", tmp_path / "out")
    found = scoring.read_parts(tmp_path / "out")
    assert found["shop"].isna().tolist() == [False] * 3 + [True] * 2
    assert found["more"].isna().tolist() == [True] * 3 + [False] * 2


def test_the_result_of_a_query_is_streamed_into_the_job(linear, expected, tmp_path):
    with sqlite3.connect(tmp_path / "reviews.db") as database:
        ROWS.to_sql("reviews", database, index=False)
    query = "SELECT id, text AS body FROM reviews WHERE text LIKE '%' ORDER BY id"
    source = f"sql:sqlite:///{tmp_path}/reviews.db"
    scoring.score(linear, source, tmp_path / "out", query=query, text_column="body")
    found = scoring.read_parts(tmp_path / "out")
    assert found["id"].tolist() == ROWS["id"].tolist()
    np.testing.assert_allclose(found["positive"], expected, atol=1e-6)
    assert not (tmp_path / "out" / "spool").exists()
    with pytest.raises(UserError, match="the query failed"):
        scoring.score(linear, source, tmp_path / "other", query="SELECT nothing FROM nowhere")


def test_other_encodings_and_separators_are_settings(linear, tmp_path):
    (tmp_path / "a.csv").write_bytes('text;id\n"näïve; lovely";1\n'.encode("cp1252"))
    scoring.score(linear, tmp_path / "a.csv", tmp_path / "out", encoding="cp1252", separator="semicolon")
    assert scoring.read_parts(tmp_path / "out")["text"].tolist() == ["näïve; lovely"]
    (tmp_path / "b.csv").write_bytes('\ufefftext,id\n"what a film,1\n'.encode())  # a lone quotation mark
    with pytest.raises(UserError, match="not CSV at byte"):
        scoring.score(linear, tmp_path / "b.csv", tmp_path / "quoted")
    scoring.score(linear, tmp_path / "b.csv", tmp_path / "unquoted", quoting="none")
    assert scoring.read_parts(tmp_path / "unquoted")["text"].tolist() == ['"what a film']


def test_columns_have_the_names_that_are_set_and_a_clash_is_one_line(linear, tmp_path):
    ROWS.assign(label="x").to_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a column 'label' already.*--set columns\.label=predicted_label"):
        scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out")
    scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out", columns={"label": "predicted", "score": "sure"})
    names = list(scoring.read_parts(tmp_path / "out").columns)
    assert names == ["id", "text", "shop", "label", "predicted", "sure", "positive", "abstained", "model_version"]
