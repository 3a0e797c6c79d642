"""Files, databases and data sets as users have them: read whole, or refused in one line that says what to do."""

import json
import sqlite3
import zipfile
from contextlib import closing

import pandas as pd
import pytest
from pydantic import ValidationError

from sentiment.reviews.sources import SourceSettings, load_reviews, source_fingerprint
from tests.helpers.reading import load, refusal, table


def rows_of(n=120):
    return [(f"text {i}, of its own", "neg" if i % 2 else "pos") for i in range(n)]


def test_quotation_marks_that_begin_texts_swallow_no_rows(tmp_path):
    rows = rows_of(240)
    rows[20], rows[120] = ('"Wow" is all I say', "pos"), ('"A film', "neg")
    path = tmp_path / "quotes.tsv"
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    assert len(load(f"file:{path}")) == 240
    csv_path = tmp_path / "quotes.csv"  # one value needs its quotation marks, and one mark is misplaced
    lines = [
        "text,label",
        '"good, really",pos',
        '"Best ever,pos',
        "so bad,neg",
        'they called it good",neg',
        *["a,pos", "b,neg"] * 60,
    ]
    csv_path.write_text("\n".join(lines) + "\n")
    assert "a quotation mark on line 3 may enclose everything up to line 5" in refusal(f"file:{csv_path}")
    assert "Set source.quoting" in refusal(f"file:{csv_path}")
    found = load(f"file:{csv_path}", quoting="standard", minimum=2)
    assert len(found) == 122


def test_of_an_archive_the_one_table_is_read(tmp_path):
    data = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows_of())
    one, two, none = (tmp_path / f"{name}.zip" for name in ("one", "two", "none"))
    of_a_mac = ["export/", "export/reviews.csv", "export/readme.txt", "__MACOSX/._reviews.csv", ".DS_Store"]
    for path, names in ((one, of_a_mac), (two, ["test.csv", "train.csv"]), (none, ["readme.txt"])):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "" if name.endswith("/") else data)
    assert len(load(f"file:{one}")) == 120
    assert "holds 2 tables: test.csv, train.csv. Unpack it" in refusal(f"file:{two}")
    assert "holds no table; only readme.txt" in refusal(f"file:{none}")


@pytest.mark.parametrize(
    ("content", "values", "words"),
    [
        (b"text;label\n", {"separator": "comma"}, "not separated by comma. Set source.separator to semicolon"),
        (b"text;label\n", {"separator": "tab"}, "not separated by tab. Set source.separator to semicolon"),
        (b"caf\xe9;label\n", {}, "not UTF-8: byte 0xe9 at offset 3 (line 1). Perhaps it is"),
        ("text;é\n".encode(), {"encoding": "cp1252"}, "its bytes are UTF-8, not cp1252. Set source.encoding to utf-8"),
        ("text;label\n".encode("utf-16-le"), {}, "Perhaps it is UTF-16: set source.encoding to utf-16-le"),
        (b"", {}, "may be separated by comma or semicolon. Set source.separator to the right one"),
    ],
)  # fmt: skip
def test_a_wrong_format_is_recognised_and_the_right_one_named(tmp_path, content, values, words):
    path = tmp_path / "export.csv"
    head = content.decode("utf-16-le") if content[1:2] == b"\x00" else ""
    body = "".join(f"{text};{label}\n" for text, label in rows_of())
    path.write_bytes(content + body.encode("utf-16-le" if head else "utf-8"))
    assert words in refusal(f"file:{path}", **values)


def test_what_spreadsheets_export_is_read(tmp_path):
    body = "".join(f"{text};{label}\r\n" for text, label in rows_of())
    for name, data in {
        "semicolon": f"text;label\r\n{body}".encode(),
        "marked": f"text;label\r\n{body}".encode("utf-8-sig"),
        "unicode": f"text;label\r\n{body}".encode("utf-16"),
        "hinted": f"sep=;\r\ntext;label\r\n{body}".encode(),
    }.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes(data)
        assert len(load(f"file:{path}")) == 120, name
    headless = tmp_path / "headless.csv"
    headless.write_text(body.replace(", of", " of"))
    assert "Set source.header to false, and `text_column`" in refusal(f"file:{headless}")
    columns = {"header": False, "text_column": "1", "label_column": "2"}
    assert len(load(f"file:{headless}", **columns)) == 120
    western = tmp_path / "western.csv"
    western.write_bytes(f"text;label\r\n{body.replace('text', 'café')}".encode("cp1252"))
    assert load(f"file:{western}", encoding="cp1252")["text"].str.startswith("café").all()


@pytest.mark.parametrize("content", ["\ufeff", "sep=;\r\n", "\ufeff\r\n\r\n"])
def test_a_file_of_marks_alone_is_empty(tmp_path, content):
    path = tmp_path / "empty.csv"
    path.write_text(content)
    assert refusal(f"file:{path}") == f"{path}: the file is empty"


def test_a_line_is_counted_from_the_first_of_the_file(tmp_path):
    path = tmp_path / "hinted.csv"
    path.write_text("sep=;\r\ntext;label\r\nfine;pos\r\nso;so;neg\r\n")
    assert "line 4 has 3 values" in refusal(f"file:{path}")


def test_labels_as_yaml_reads_them(tmp_path):
    from sentiment.settings import read_settings

    path = tmp_path / "answers.csv"
    path.write_text("text,label\n" + "".join(f'"{t}",{"yes" if y == "pos" else "no"}\n' for t, y in rows_of()))
    config = tmp_path / "source.yaml"
    config.write_text(f"source: 'file:{path}'\nlabels: {{yes: positive, no: negative, 01: drop}}\n")
    settings = read_settings(SourceSettings, config)
    assert settings.labels == {"yes": "positive", "no": "negative", "01": "drop"}
    assert len(load_reviews(settings, seed=1)) == 120
    with pytest.raises(ValidationError, match="'1' has two meanings"):
        SourceSettings(labels={1: "negative", "1.0": "positive"})


def test_cells_that_are_no_single_values_are_one_line(tmp_path):
    path = tmp_path / "lists.parquet"
    pd.DataFrame({"text": ["a", "b"], "label": [[1, 2], [3]], "words": [["a"], ["b"]]}).to_parquet(path)
    assert "column 'label' holds ndarray values such as array([1, 2]), not single values (row 1)" in refusal(
        f"file:{path}"
    )
    assert "column 'words' holds ndarray values" in refusal(f"file:{path}", text_column="words")


def test_a_query_is_run_as_it_is_written(tmp_path):
    database = tmp_path / "reviews.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE reviews (text, label)")
        connection.executemany("INSERT INTO reviews VALUES (?, ?)", [*rows_of(), ("so :Dull", "neg"), ("100%", "pos")])
    query = "SELECT text, label FROM reviews WHERE text NOT LIKE '%:D%' AND label <> ':x'"
    assert len(load(f"sql:sqlite:///{database}", query=query)) == 121


def test_a_data_set_of_several_configs_names_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "sets"
    configs = "".join(f"- config_name: {name}\n  data_files: {name}/train.jsonl\n" for name in ("de", "en"))
    for name in ("de", "en"):
        (folder / name).mkdir(parents=True)
        lines = (json.dumps({"text": f"{name} {text}", "label": label}) for text, label in rows_of())
        (folder / name / "train.jsonl").write_text("\n".join(lines))
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    assert "has several configs: 'de', 'en'. Name one: hub:<dataset>@<config>" in refusal(f"hub:{folder}")
    assert load(f"hub:{folder}@en")["text"].str.startswith("en ").all()
    before = source_fingerprint(SourceSettings(source=f"hub:{folder}@en"))
    (folder / "en" / "train.jsonl").write_text("")
    assert source_fingerprint(SourceSettings(source=f"hub:{folder}@en")) != before


def test_what_became_of_the_rows_is_counted(tmp_path):
    path = tmp_path / "stars.csv"
    table(n=250, labels=(1, 2, 3, 4, 5)).to_csv(path, index=False)
    stars = {1: "negative", 2: "negative", 3: "drop", 4: "positive", 5: "positive"}
    reviews = load_reviews(SourceSettings(source=f"file:{path}", labels=stars, rows=100), seed=1)
    assert {count.name: count.rows for count in reviews.row_counts} == {
        "read": 250,
        "label means drop": 50,
        "sampled away": 100,
    }
    assert all(len(count.examples) == 3 for count in reviews.row_counts[1:])
