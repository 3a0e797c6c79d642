"""From a bucket to a bucket, on a real S3 server: the same rows, and one clear line for every fault."""

import pandas as pd
import pytest

from cli.faults import explain
from sentiment.errors import UserError
from sentiment.scoring.scorer import Scorer
from sentiment.scoring.storage import Storage
from tests.helpers import scoring
from tests.helpers.faulty_proxy import faulty_proxy

ROWS = scoring.rows(1500)


@pytest.fixture(scope="module")
def source(bucket):
    """A folder of three files."""
    for number, name in enumerate(["a.parquet", "b.csv.gz", "c.jsonl"]):
        part = ROWS[number * 500 : (number + 1) * 500].astype(str)
        path = bucket.folder / "reviews" / name
        path.parent.mkdir(exist_ok=True)
        write = {"a": part.to_parquet, "b": part.to_csv, "c": part.to_json}[name[0]]
        write(path, **{"a": {}, "b": {"index": False}, "c": {"orient": "records", "lines": True}}[name[0]])
    return f"{bucket.url}/reviews"


@pytest.mark.parametrize("address", ["", "/", "/*.*"])
def test_a_folder_of_a_bucket_is_scored_like_one_of_this_machine(linear, bucket, source, tmp_path, address):
    output = f"{bucket.url}/scored{len(address)}"
    done = scoring.score(linear, source + address, output, storage=bucket.storage, shard_rows=200)
    here = scoring.score(linear, bucket.folder / "reviews", tmp_path / "out", shard_rows=200)
    found = scoring.read_parts(bucket.folder / f"scored{len(address)}")
    assert found["text"].tolist() == ROWS["text"].tolist()
    pd.testing.assert_frame_equal(found, scoring.read_parts(tmp_path / "out"))
    assert done.manifest.rejected == here.manifest.rejected
    assert scoring.score(linear, source + address, output, storage=bucket.storage, shard_rows=200).new_rows == 0


def test_one_file_in_a_bucket_is_joined_there(linear, bucket, source):
    output = f"{bucket.url}/joined.csv"
    scoring.score(linear, source, output, storage=bucket.storage, shard_rows=200)
    assert pd.read_csv(bucket.folder / "joined.csv")["text"].tolist() == ROWS["text"].tolist()


def test_a_bucket_that_fails_now_and_then_costs_nothing(linear, bucket, source, monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    scoring.score(linear, source, f"{bucket.url}/unfaulted", storage=bucket.storage, shard_rows=200)
    expected = scoring.contents(bucket.folder / "unfaulted")
    with faulty_proxy(bucket.port) as proxy:
        storage = Storage({**bucket.options(proxy.port), "config_kwargs": {"retries": {"mode": "standard"}}})
        for number, after in enumerate([b"GET /sentiment/reviews/a.parquet", b"PUT /sentiment/", b"done/part-000002"]):
            proxy.answer(503, times=1, after=after)
            output = f"{bucket.url}/faulty-{number}"
            scoring.score(linear, source, output, storage=storage, shard_rows=200)
            assert proxy.given
            assert scoring.contents(bucket.folder / f"faulty-{number}") == expected


def test_a_bucket_that_goes_away_loses_nothing(linear, bucket, source, monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    output = f"{bucket.url}/gone"
    with faulty_proxy(bucket.port) as proxy:
        storage = Storage({**bucket.options(proxy.port), "config_kwargs": {"retries": {"mode": "standard"}}})
        proxy.cut(after=b"done/part-000004")
        with pytest.raises(Exception, match="onnect") as caught:
            scoring.score(linear, source, output, storage=storage, shard_rows=200)
        assert str(explain(caught.value)).startswith("S3")
        proxy.heal()
        done = scoring.score(linear, source, output, storage=storage, shard_rows=200)
    assert done.new_rows < len(ROWS)
    assert scoring.read_parts(bucket.folder / "gone")["text"].tolist() == ROWS["text"].tolist()


def test_a_bucket_that_may_be_read_but_not_written_is_refused_before_the_first_row(linear, bucket, source):
    with faulty_proxy(bucket.port) as proxy:
        storage = Storage(bucket.options(proxy.port))
        proxy.answer(403, after=b"PUT /sentiment/forbidden")
        with pytest.raises(PermissionError) as caught:
            scoring.score(linear, source, f"{bucket.url}/forbidden", storage=storage, shard_rows=200)
    assert "S3: refuses" in str(explain(caught.value))
    assert not (bucket.folder / "forbidden" / "parts").exists()


def test_an_object_that_changes_while_it_is_read_is_refused(linear, bucket, monkeypatch):
    url = f"{bucket.url}/changing.csv"
    bucket.storage.put(url, ROWS.to_csv(index=False).encode())
    score = Scorer.score

    def change_then_score(self, task):
        if task.shard.index == 2:
            bucket.storage.put(url, ROWS[:900].to_csv(index=False).encode())
        return score(self, task)

    monkeypatch.setattr(Scorer, "score", change_then_score)
    with pytest.raises(UserError, match=r"changing\.csv: the file changed while it was read"):
        scoring.score(linear, url, f"{bucket.url}/out", storage=bucket.storage, shard_rows=200)
    assert len(list((bucket.folder / "out" / "parts").iterdir())) == 2


def test_names_with_signs_of_patterns_are_names(linear, bucket):
    """``--restart`` on ``out[1]`` must not remove the parts of ``out1``."""
    url = f"{bucket.url}/few.csv"
    bucket.storage.put(url, ROWS[:20].to_csv(index=False).encode())
    for output in ("out1", "out[1]", "out[1]"):
        scoring.score(linear, url, f"{bucket.url}/{output}", storage=bucket.storage, restart=True)
    for output in ("out1", "out[1]"):
        assert len(scoring.read_parts(bucket.folder / output)) == 20


def test_folders_and_their_markers_are_no_files(linear, bucket):
    few = ROWS[:20].astype(str)
    bucket.storage.put(f"{bucket.url}/mixed/a.parquet", few.to_parquet())
    bucket.storage.put(f"{bucket.url}/mixed/spark.parquet/part.parquet", few.to_parquet())
    done = scoring.score(linear, f"{bucket.url}/mixed/*.parquet", f"{bucket.url}/unmixed", storage=bucket.storage)
    assert done.manifest.rows == 20
