"""Databases: Snowflake's dialect, by fakesnow in this process, and results that are larger than the memory for them."""

import subprocess
import sys
import textwrap

import pandas as pd
import pytest
import sqlalchemy

from sentiment.reviews import databases
from tests.helpers.reading import load, refusal

SNOWFLAKE = "snowflake://me:secret@account/shop/public"
WORDS = "NEG", "POS"
ROWS, ROW_BYTES = 150_000, 400


@pytest.fixture(scope="module")
def snowflake():
    import fakesnow

    with fakesnow.patch():
        engine = sqlalchemy.create_engine(SNOWFLAKE)
        with engine.begin() as connection:
            columns = "TEXT varchar, LABEL number(1, 0), STARS number(3, 2), GOOD boolean, WORD varchar"
            connection.exec_driver_sql(f"create table REVIEWS ({columns})")
            rows = [
                f"('100% opinion {i}', {i % 2}, {1 + 3 * (i % 2)}, {i % 2 == 1}, '{WORDS[i % 2]}')" for i in range(120)
            ]
            connection.exec_driver_sql(f"insert into REVIEWS values {', '.join(rows)}")
        engine.dispose()
        yield f"sql:{SNOWFLAKE}"


@pytest.mark.parametrize(
    ("columns", "settings"),
    [
        ("TEXT, LABEL", {}),
        ("text, word as label", {}),
        ("text, stars", {"label_column": "stars", "labels": {"1": "negative", "4": "positive"}}),
        ("text, good", {"label_column": "good", "labels": {"false": "negative", "true": "positive"}}),
    ],
)
def test_snowflake_gives_reviews(snowflake, columns, settings):
    frame = load(snowflake, query=f"SELECT {columns} FROM REVIEWS WHERE text LIKE '100%'", **settings)
    rows = dict(zip(frame["text"], frame["label"], strict=True))
    assert rows == {f"100% opinion {i}": i % 2 for i in range(120)}


def test_mistakes_on_snowflake_are_one_line_without_the_password(snowflake):
    message = refusal(snowflake, query="SELECT nothing FROM reviews")
    assert message.startswith("sql:snowflake://me:***@account/shop/public: the query failed: ")
    assert "secret" not in message
    assert "no column 'label'; there are 'text', 'stars'" in refusal(snowflake, query="SELECT text, stars FROM reviews")


def test_batches_are_one_table(monkeypatch):
    query = "SELECT 'a' AS text, 1 AS label UNION ALL SELECT 'b', NULL UNION ALL SELECT NULL, 0"
    whole = databases.read("sqlite://", query)
    monkeypatch.setattr(databases.stream, "__kwdefaults__", {"rows": 1})
    assert [len(rows) for _, rows in databases.stream("sqlite://", query)] == [1, 1, 1]
    pd.testing.assert_frame_equal(databases.read("sqlite://", query).fillna(""), whole.fillna(""), check_dtype=False)
    assert databases.read("sqlite://", f"SELECT * FROM ({query}) WHERE text = 'c'").shape == (0, 2)


def test_a_large_result_needs_little_memory():
    """Peak memory of a process that reads 60 MB of texts, as a share of them. One fetchall takes 5."""
    program = f"""
        from pathlib import Path
        import pandas as pd, pyarrow
        from sentiment.reviews import databases

        QUERY = '''WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
                   SELECT printf('%0{ROW_BYTES}d', i) AS text, i % 2 AS label FROM n'''

        def peak():
            return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024

        databases.read("sqlite://", "SELECT 'warm' AS text, 1 AS label")
        before = peak()
        assert sum(len(rows) for _, rows in databases.stream("sqlite://", QUERY)) == {ROWS}
        streamed = peak()
        assert len(databases.read("sqlite://", QUERY)) == {ROWS}
        print(*((after - before) / {ROWS * ROW_BYTES} for after in (streamed, peak())))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, timeout=300
    )
    streamed, read = map(float, done.stdout.split())
    assert streamed < 0.4, "a bulk scoring holds a batch"
    assert read < 3, "a training holds the texts once as an Arrow column, with the allocator's reserve, and a batch"
