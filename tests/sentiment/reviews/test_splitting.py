import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.errors import UserError
from sentiment.reviews.cleaning import clean
from sentiment.reviews.near_copies import near_copies
from sentiment.reviews.splitting import SplitSettings, exclude, split
from sentiment.reviews.table import SPLITS, Reviews
from sentiment.words import normalise


def text(number, length=20):
    """A text that shares two words with the text of any other number."""
    return " ".join(["the", "film", *(f"word{place}of{number}" for place in range(length - 2))])


def reviews(rows):
    return Reviews(pd.DataFrame(rows, columns=["text", "label", "source"]).astype({"text": "str"}))


def corpus(n=400):
    return [(text(i), i % 2, "films" if i % 4 < 3 else "books") for i in range(n)]


def count(splits, name):
    return next(count.rows for count in splits.row_counts if count.name == name)


def texts_of(splits):
    return {name: set(getattr(splits, name).frame["text"]) for name in SPLITS}


def test_shares_hold_in_every_stratum():
    splits = split(reviews(corpus(800)), SplitSettings(validation=0.1, test=0.2), seed=1)
    rows = {name: getattr(splits, name).frame.value_counts(["source", "label"]) for name in SPLITS}
    for source, label, size in (("films", 0, 400), ("films", 1, 200), ("books", 1, 200)):
        assert rows["test"][source, label] == size * 0.2
        assert rows["validation"][source, label] == size * 0.1
        assert rows["train"][source, label] == size * 0.7


def test_the_order_of_the_rows_does_not_matter_but_the_seed_does():
    rows = [*corpus(), (text(5).upper(), 1, "films"), (text(6) + "!", 0, "films")]
    first = split(reviews(rows), SplitSettings(), seed=1)
    again = split(reviews(rows[::-1]), SplitSettings(), seed=1)
    other = split(reviews(rows), SplitSettings(), seed=2)
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint


def test_reviews_that_come_later_move_none_between_train_and_test():
    before = texts_of(split(reviews(corpus(400)), SplitSettings(), seed=1))
    after = texts_of(split(reviews(corpus(520)), SplitSettings(), seed=1))
    assert not before["train"] & after["test"]
    assert not before["test"] & after["train"]


def test_dropped_rows_are_counted():
    rows = corpus(200)
    rows += [(text(2).upper() + " !", 0, "films"), (f"<p>{text(2)}</p>", 0, "films")]  # equal to review 2
    rows += [(text(3), 0, "films")]  # review 3 is positive
    rows += [(text(4, 30).rsplit(" ", 1)[0], 0, "films"), (text(4, 30), 0, "films")]  # near-copies of each other
    rows += [("<br />", 1, "films"), (None, 1, "films")]
    rows += [("long " * 300_000, 1, "films")]
    splits = split(reviews(rows), SplitSettings(), seed=1)
    kept = sum(len(getattr(splits, name)) for name in SPLITS)
    assert {count.name: count.rows for count in splits.row_counts} == {
        "empty": 2, "contradictions": 2, "duplicates": 2, "near copies": 1, "kept": kept, "cut": 1,
    }  # fmt: skip
    assert len(rows) == kept + 2 + 2 + 2 + 1
    examples = {count.name: count.examples for count in splits.row_counts}
    assert examples["empty"] == ("<br />",)
    assert examples["contradictions"] == (text(3), text(3))
    assert len(examples["duplicates"]) == 2
    assert examples["cut"][0].startswith("long long")
    kept = pd.concat([getattr(splits, name).frame for name in SPLITS])
    assert kept["text"].str.len().max() <= 20_000
    assert not kept["text"].map(normalise).duplicated().any()
    assert text(3) not in set(kept["text"])


def test_a_planted_near_copy_survives_in_no_split():
    rows = corpus(300)
    copies = [(words.replace(words.split()[4], "changed"), label, source) for words, label, source in rows[:100]]
    splits = split(reviews(rows + copies), SplitSettings(), seed=1)
    kept = pd.concat([getattr(splits, name).frame for name in SPLITS])["text"].tolist()
    assert count(splits, "near copies") == 100
    assert len(kept) == 300
    assert max(near_copies(kept, similarity=0.8, seed=5)) == -1


@given(st.lists(st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=12), min_size=2, max_size=25))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_near_copies_are_those_that_comparing_all_finds(lists):
    keys = [" ".join(words) for words in lists]
    sets = [set(words) for words in lists]
    kept, expected = [], []
    for i, words in enumerate(sets):
        copied = [j for j in kept if len(words & sets[j]) / len(words | sets[j]) >= 0.8]
        expected.append(bool(copied))
        if not copied:
            kept.append(i)
    assert [copy >= 0 for copy in near_copies(keys, similarity=0.8, seed=3)] == expected


def test_a_copy_of_a_copy_that_is_gone_stays():
    first, copy, copy_of_copy = "a b c d e f g h i", "a b c d e f g h i j", "b c d e f g h i j k"
    assert near_copies([first, copy, copy_of_copy], similarity=0.8, seed=1) == [-1, 0, -1]


def test_within_groups_repetition_is_allowed():
    keys = ["a b c d e", "a b c d e", "a b c d e f", "x y z"]
    assert near_copies(keys, similarity=0.8, seed=1, groups=["train", "train", "test", "test"]) == [-1, -1, 0, -1]


def test_sources_of_a_few_rows_are_still_divided():
    rows = [(text(i), i % 2, f"author {i}") for i in range(200)]
    splits = split(reviews(rows), SplitSettings(), seed=1)
    assert len(splits.test) == 20
    assert len(splits.validation) == 20


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(text(1), i % 2, "films") for i in range(2) for _ in range(100)], "only 0 distinct reviews"),
        ([(text(1), 1, "films")] * 300 + [(text(2), 0, "films")] * 300, "only 2 distinct reviews are left of 600"),
        ([(text(i), int(i > 1), "films") for i in range(200)], "no negative review is left for the"),
    ],
)
def test_too_little_to_divide_is_one_clear_line(rows, message):
    with pytest.raises(UserError, match=message) as error:
        split(reviews(rows), SplitSettings(), seed=1)
    assert "\n" not in str(error.value)


def test_known_texts_are_excluded_despite_markup_and_case():
    unknown = ("something else", 1, "films")
    known = reviews([("A good one.", 1, "films"), (None, 1, "films")])
    left = exclude(reviews([("<b>a GOOD</b> one", 1, "x"), unknown, (None, 0, "films")]), known)
    assert left.frame["text"].dropna().tolist() == ["something else"]
    assert len(left) == 2


def test_a_known_beginning_of_a_long_text_excludes_the_text():
    long = [(f"Review {i}: " + f"word{i} and so on " * 100, i % 2, "films") for i in range(200)]
    settings = SplitSettings(max_characters=1000)
    splits = split(reviews(long), settings, seed=1)
    assert count(splits, "cut") == 200
    left = exclude(reviews(long), splits.train)
    assert len(left) == 200 - len(splits.train)
    assert len(exclude(reviews([(f"{splits.train.frame['text'][0]}", 1, "x")]), reviews(long))) == 1  # not reversed


def test_blanks_around_a_text_cut_nothing_off():
    rows = [*corpus(), (" " * 25_000, 1, "films"), ("\n" * 25_000 + text(900), 0, "films")]
    splits = split(reviews(rows), SplitSettings(), seed=1)
    assert (count(splits, "cut"), count(splits, "empty")) == (0, 1)
    assert text(900) in set().union(*texts_of(splits).values())


def test_a_windows_ellipsis_at_the_end_is_repaired_and_is_no_white_space():
    splits = split(reviews([*corpus(), (text(901) + "\x85", 1, "films")]), SplitSettings(), seed=1)
    assert text(901) + "…" in set().union(*texts_of(splits).values())


def test_shares_that_leave_no_train_are_refused():
    with pytest.raises(ValueError, match=r"less than 0\.5"):
        SplitSettings(test=0.5)


def test_split_texts_are_clean():
    splits = split(reviews([(f"{t}<br />&amp; so on", label, s) for t, label, s in corpus()]), SplitSettings(), seed=1)
    for name in SPLITS:
        assert all(clean(t) == t and "<" not in t for t in getattr(splits, name).frame["text"])
