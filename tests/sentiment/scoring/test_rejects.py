"""A row that cannot be scored is rejected with its place and its reason; nothing is lost or cut."""

import json
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.monitoring.reference import build_reference
from sentiment.reviews.table import Reviews
from sentiment.scoring.checks import check_scored
from sentiment.scoring.settings import ScoreSettings
from tests.helpers import scoring

LONG = "lovely " * 40


def read_rejects(folder):
    lines = [line for path in sorted((folder / "rejects").iterdir()) for line in path.read_text().splitlines()]
    return [(entry["row"], entry["reason"]) for entry in map(json.loads, lines)]


def test_rows_of_csv_are_rejected_by_reason(linear, tmp_path):
    (tmp_path / "a.csv").write_bytes(
        b'id,text\n1,fine\n2,\n3,\xff\xfe\n4,too,many\n5, \xe2\x80\x8b \n6,%s\n\n7,"two\nlines"\n' % LONG.encode()
    )
    done = scoring.score(linear, tmp_path / "a.csv", tmp_path / "out", max_characters=100)
    assert read_rejects(tmp_path / "out") == [
        (2, "empty"),
        (3, "not utf-8"),
        (4, "has another number of values than there are columns"),
        (5, "empty"),
        (6, "longer than 100 characters"),
    ]
    assert scoring.read_parts(tmp_path / "out")["text"].tolist() == ["fine", "two\nlines"]
    assert done.manifest.rows == 7 == done.manifest.scored + sum(done.manifest.rejected.values())
    assert done.manifest.rejected["empty"] == 2


def test_rows_of_json_are_rejected_by_reason(linear, tmp_path):
    lines = [b'{"text": "fine"}', b'{"text": 5}', b"{broken", b"[1]", b'{"text": "\xff"}', b'{"other": 1}', b""]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    scoring.score(linear, tmp_path / "a.jsonl", tmp_path / "out")
    assert read_rejects(tmp_path / "out") == [
        (2, "not text"),
        (3, "not JSON"),
        (4, "not a JSON object"),
        (5, "not utf-8"),
        (6, "empty"),
    ]


def test_rows_of_parquet_are_rejected_by_reason(linear, tmp_path):
    pd.DataFrame({"text": ["näïve".encode(), None, b" ", b"\xff"]}).to_parquet(tmp_path / "a.parquet")
    scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out")
    assert read_rejects(tmp_path / "out") == [(2, "empty"), (3, "empty"), (4, "not utf-8")]
    pd.DataFrame({"text": [None, ""]}).to_parquet(tmp_path / "empty.parquet")
    scoring.score(linear, tmp_path / "empty.parquet", tmp_path / "nothing")
    assert len(scoring.read_parts(tmp_path / "nothing")) == 0


def test_one_bad_cell_is_one_reject(linear, tmp_path):
    """Text of Parquet in another encoding, a number of 5,000 digits, an empty line of a table with one column."""
    bad = pa.Array.from_buffers(pa.string(), 2, pa.array([b"fine", b"n\xff"]).buffers())
    pq.write_table(pa.table({"text": bad, "other": bad}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text('{"text": "fine"}\n{"text": "fine", "n": ' + "9" * 5000 + "}\n")
    (tmp_path / "c.csv").write_text("text\nfine\n\nfine\n")
    for name, reason in {"a.parquet": "not utf-8", "b.jsonl": "not JSON", "c.csv": "empty"}.items():
        for output in (f"{name} parts", f"{name}.scored.jsonl"):
            scoring.score(linear, tmp_path / name, tmp_path / output)
        assert read_rejects(tmp_path / f"{name} parts") == [(2, reason)]


@pytest.fixture(scope="module")
def reference():
    frame = scoring.rows(400, seed=5)[["text"]].assign(label=np.arange(400) % 2, source="shop")
    positive = np.where(np.arange(400) % 2, 0.9, 0.1)
    return build_reference(Reviews(frame), positive, model_version="7", rows=400, seed=0)


@pytest.mark.parametrize(("limit", "passed"), [(0.05, True), (0.04, False)])
def test_a_share_of_rejects_above_the_limit_fails(linear, reference, tmp_path, limit, passed):
    scoring.rows(20).assign(text=[None, *scoring.rows(20)["text"][1:]]).to_parquet(tmp_path / "a.parquet")
    done = scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out", max_rejected_share=limit)
    report = check_scored(done.tally, reference, ScoreSettings(max_rejected_share=limit))
    assert report.passed is passed
    assert report.checks[0].examples == ("1 empty",)


def test_an_input_unlike_the_reference_is_a_warning(linear, reference, tmp_path):
    scoring.rows(2000, seed=6).to_parquet(tmp_path / "alike.parquet")
    other = scoring.rows(2000, seed=6)
    other.assign(text=[f"invoice {i} of the quarter, paid" for i in range(2000)]).to_parquet(tmp_path / "other.parquet")
    failed = {}
    for name in ("alike", "other"):
        done = scoring.score(linear, tmp_path / f"{name}.parquet", tmp_path / name)
        report = check_scored(done.tally, reference, ScoreSettings())
        assert report.passed  # drift warns
        failed[name] = {check.name for check in report.failures()}
    words = {"input_drift: words (MMD)", "input_drift: words (classifier)", "input_drift: length"}
    assert not words & failed["alike"]
    assert words <= failed["other"]


def test_the_counts_of_a_job_are_those_of_its_rows(linear, tmp_path):
    frame = scoring.rows(3000)
    frame.to_parquet(tmp_path / "a.parquet")
    done = scoring.score(linear, tmp_path / "a.parquet", tmp_path / "out", source_column="shop", shard_rows=1000)
    totals, found = done.tally.totals, scoring.read_parts(tmp_path / "out")
    assert totals.scored == 3000
    assert totals.positives == (found["label"] == "positive").sum()
    assert totals.abstained == found["abstained"].sum()
    assert list(totals.histogram) == np.histogram(found["positive"], 20, (0, 1))[0].tolist()
    assert {name: count.rows for name, count in totals.sources.items()} == frame["shop"].value_counts().to_dict()
    assert sum(count.positives for count in totals.sources.values()) == totals.positives
    nearest = found["score"].nsmallest(10)
    assert [max(e.positive, 1 - e.positive) for e in totals.uncertain] == pytest.approx(nearest.tolist())
    assert totals.uncertain[0].text == found["text"][totals.uncertain[0].row - 1][:300]


def test_rejects_of_a_query_name_the_query(linear, tmp_path):
    with sqlite3.connect(tmp_path / "reviews.db") as database:
        scoring.rows(20).assign(text="").to_sql("reviews", database, index=False)
    source = f"sql:sqlite:///{tmp_path}/reviews.db"
    scoring.score(linear, source, tmp_path / "out", query="SELECT * FROM reviews")
    first = json.loads((tmp_path / "out" / "rejects" / "part-000000.jsonl").read_text().splitlines()[0])
    assert first == {"file": f"{source}#input-000000.parquet", "row": 1, "reason": "empty"}
