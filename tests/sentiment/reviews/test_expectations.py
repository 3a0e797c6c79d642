from pathlib import Path

import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.reviews.expectations import check_reviews, check_splits
from sentiment.reviews.suites import SuiteSettings
from sentiment.reviews.table import Reviews, Splits
from sentiment.settings import read_settings

SUITES = Path(__file__).parents[3] / "configs" / "expectations"


def frame(first, last):
    numbers = range(first, last)
    texts = [f"opinion {n} says word{n} and thing{n} for case{n} at place{n} by name{n}" for n in numbers]
    return pd.DataFrame({"text": texts, "label": [n % 2 for n in numbers], "source": "films"}).astype({"text": "str"})


def failed(report):
    return {check.name: check for check in report.failures()}


def reviews_report(table):
    return check_reviews(Reviews(table), read_settings(SuiteSettings, SUITES / "reviews.yaml"))


def splits_report(test):
    splits = Splits(Reviews(frame(0, 2000)), Reviews(frame(2000, 2600)), Reviews(test))
    return check_splits(splits, read_settings(SuiteSettings, SUITES / "splits.yaml"), similarity=0.8)


def test_good_reviews_pass_every_check():
    report = reviews_report(frame(0, 300))
    assert report.suite == "reviews"
    assert report.failures() == ()
    rows = next(check for check in report.checks if check.name == "enough reviews to train on")
    assert (rows.observed, rows.limit, rows.score) == ("300", "at least 100", 300)


@pytest.mark.parametrize(
    ("spoil", "name", "observed"),
    [
        (lambda t: t.assign(text=t["text"].where(t.index >= 30)), "texts are there", "30 of 300 rows fail (10%)"),
        (
            lambda t: t.assign(label=[7, *t["label"][1:]]),
            "labels are negative or positive",
            "1 of 300 rows fail (0.33%)",
        ),
        (lambda t: t.assign(label=0), "neither class is almost absent (share of positive reviews)", "0"),
        (lambda t: t.head(40), "enough reviews to train on", "40"),
        (lambda t: t.drop(columns="label"), "there is a column of labels", "no"),
        (lambda t: t.drop(columns="text"), "there is a column of texts", "no"),
    ],
)
def test_unusable_reviews_stop_the_pipeline(spoil, name, observed):
    report = reviews_report(spoil(frame(0, 300)))
    assert not report.passed
    assert failed(report)[name].severity == "critical"
    assert failed(report)[name].observed == observed


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda text: f"<div class='x'>{text}</div>", "texts are not full of markup"),
        (lambda _: "ok", "texts are neither stubs nor books (characters)"),
        (lambda text: text + " word" * 10_000, "texts are neither stubs nor books (characters)"),
        (lambda _: "хороший фильм, советую", "texts are in a Latin script (share of non-ASCII characters)"),
        (lambda _: "one and the same opinion", "few texts are repeated (share of distinct texts)"),
    ],
)
def test_odd_reviews_are_a_warning_with_short_examples(spoil, name):
    table = frame(0, 300)
    table.loc[:29, "text"] = table.loc[:29, "text"].map(spoil)
    report = reviews_report(table)
    assert report.passed
    check = failed(report)[name]
    assert check.severity == "warning"
    assert all(len(example) <= 120 for example in check.examples)
    if "share of distinct" not in name:
        assert len(check.examples) == 5


def test_clean_splits_pass_every_check():
    assert splits_report(frame(2600, 3200)).failures() == ()


def test_a_text_in_two_splits_is_caught():
    leak = frame(0, 1).assign(text=lambda t: t["text"].str.upper() + "!")
    report = splits_report(pd.concat([frame(2600, 3200), leak], ignore_index=True))
    assert set(failed(report)) == {"no text is in two splits"}
    assert not report.passed
    assert failed(report)["no text is in two splits"].examples[0].startswith("n_splits 2: opinion 0 says")


def test_a_text_with_two_labels_is_caught():
    leak = frame(2600, 2601).assign(label=1)
    report = splits_report(pd.concat([frame(2600, 3200), leak], ignore_index=True))
    assert set(failed(report)) == {"no text has two labels"}


def test_a_near_copy_in_another_split_is_caught():
    leak = frame(2001, 2002).assign(text=lambda t: t["text"] + " indeed")
    report = splits_report(pd.concat([frame(2600, 3200), leak], ignore_index=True))
    assert set(failed(report)) == {"no near-copy of a text is in another split"}
    assert "opinion 2001" in failed(report)["no near-copy of a text is in another split"].examples[0]


def test_a_skewed_split_is_caught():
    report = splits_report(frame(2600, 3200).assign(label=1))
    assert set(failed(report)) == {"neither class is almost absent in test (share of positive reviews)"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "{name: a, type: expect_column_values_to_not_be_nul, severity: critical, kwargs: {column: text}}",
            "expectation 1 ('a'): unknown type 'expect_column_values_to_not_be_nul'. "
            "Did you mean expect_column_values_to_not_be_null?",
        ),
        (
            "{name: a, type: expect_column_to_exist, severity: critical, kwargs: {colum: text}}",
            "expectation 1 ('a'): wrong kwargs of expect_column_to_exist: column: field required",
        ),
        ("{name: a, type: expect_column_to_exist, severity: fatal, kwargs: {column: text}}", "'fatal'"),
        ("{name: a, type: expect_column_to_exist, severty: critical, kwargs: {column: text}}", "severity"),
    ],
)
def test_a_mistake_in_a_suite_names_the_file_or_the_suite_and_the_entry(tmp_path, entry, message):
    path = tmp_path / "suite.yaml"
    path.write_text(f"name: s\nexpectations:\n  - {entry}\n")
    with pytest.raises(UserError) as error:
        check_reviews(Reviews(frame(0, 10)), read_settings(SuiteSettings, path))
    assert str(path) in str(error.value) or "suite s: expectation 1" in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def suite(**entries):
    expectations = [
        {"name": name, "type": kind, "severity": "warning", "kwargs": kwargs}
        for name, (kind, kwargs) in entries.items()
    ]
    return SuiteSettings(name="mine", expectations=expectations)


def checks_of(**entries):
    return {check.name: check for check in check_reviews(Reviews(frame(0, 300)), suite(**entries)).checks}


def test_expectations_of_every_kind_give_a_check():
    quantiles = {"quantiles": [0.05, 0.5], "value_ranges": [[0, 100], [0, None]]}
    found = checks_of(
        a_set=("expect_column_distinct_values_to_equal_set", {"column": "label", "value_set": [0, 1]}),
        quantiles=(
            "expect_column_quantile_values_to_be_between",
            {"column": "characters", "quantile_ranges": quantiles},
        ),
        rows=("expect_compound_columns_to_be_unique", {"column_list": ["source", "label"]}),
        pairs=("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "label", "column_B": "characters"}),
        columns=("expect_table_columns_to_match_set", {"column_set": ["text", "label"], "exact_match": False}),
        mostly=("expect_column_values_to_match_regex", {"column": "text", "regex": "^opinion", "mostly": 0.95}),
        strict=("expect_column_mean_to_be_between", {"column": "label", "min_value": 0.1, "strict_min": True}),
        common=("expect_column_most_common_value_to_be_in_set", {"column": "source", "value_set": ["films"]}),
    )
    assert {name for name, check in found.items() if not check.passed} == {"rows", "pairs"}
    assert found["a_set"].limit == "0, 1"
    assert "0.05, 0.5" in found["quantiles"].observed
    assert found["quantiles"].limit == "0.05: 0 to 100; 0.5: at least 0"
    assert (found["rows"].observed, found["rows"].limit) == ("300 of 300 rows fail (100%)", "holds for every row")
    assert found["rows"].examples[0].startswith("source films: label 0: opinion 0")
    assert found["pairs"].examples[0].startswith("label 0: characters ")
    assert found["mostly"].limit == "regex ^opinion in at least 95% of the rows"
    assert found["strict"].limit == "more than 0.1"
    assert found["common"].limit == "films"


def test_an_expectation_that_cannot_be_computed_says_why_and_harms_no_other():
    found = checks_of(
        missing=("expect_column_mean_to_be_between", {"column": "stars", "min_value": 1}),
        words=("expect_column_mean_to_be_between", {"column": "text", "min_value": 1}),
        rows=("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch}"}),
        fine=("expect_table_row_count_to_be_between", {"min_value": 100}),
    )
    assert found["fine"].passed
    for name in ("missing", "words", "rows"):
        assert not found[name].passed
        assert found[name].observed.startswith("cannot be computed: ")
        assert len(found[name].observed) > len("cannot be computed: ")


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_column_values_to_be_between", {"column": "label", "min_value": 5, "max_value": 1}),
        ("expect_column_quantile_values_to_be_between", {"column": "characters", "quantile_ranges": 3}),
    ],
)
def test_wrong_arguments_are_one_line_that_names_the_entry(kind, kwargs):
    try:
        report = check_reviews(Reviews(frame(0, 300)), suite(wrong=(kind, kwargs)))
    except UserError as error:
        assert "expectation 1 ('wrong')" in str(error)
        assert "\n" not in str(error)
    else:
        assert not report.checks[0].passed
