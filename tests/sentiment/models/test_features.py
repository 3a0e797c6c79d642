"""The linear model's features against a slow reference, written down from their definition."""

from collections import Counter

import numpy as np
import pytest

from sentiment.models.features import BASE, MAX_CHUNK_TEXTS, chunks, count_terms
from sentiment.words import find_words
from tests.helpers import tiny_transformer as tiny

ODD = [
    "", " ", "!", "?!", "a", "a a a a", "İstanbul'da ÇOK güzel", "日本語 の 映画", "don't 😀 don't :-)",
    "यह फिल्म अच्छी है", "x" * 5000, "naïve café", "_ 1 2", "end", "\ud83d half an emoji", "",
]  # fmt: skip
TEXTS = [*ODD, *tiny.reviews(30, 5).frame["text"]]
MODULUS = 2**64


def mix(number):
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % MODULUS
    number = (number ^ number >> 27) * 0x94D049BB133111EB % MODULUS
    return number ^ number >> 31


def hash_word(word):
    data = word.encode("utf-8", "surrogatepass")
    return sum(mix((byte + 1) * BASE % MODULUS) * pow(BASE, i, MODULUS) for i, byte in enumerate(data)) % MODULUS


def reference(text, longest, bits):
    words = [hash_word(word) for word in find_words(text)]
    found = Counter()
    for n in range(1, longest + 1):
        for start in range(len(words) - n + 1):
            value = 0
            for word in words[start : start + n]:
                value = (value * BASE + word) % MODULUS
            found[mix(value) % 2**bits] += 1
    return found


def by_text(texts, longest, bits):
    found = count_terms(texts, longest, bits)
    tables = [Counter() for _ in texts]
    for text, column, count in zip(*found, strict=True):
        assert column not in tables[text], "a column is listed once"
        tables[text][column] = count
    return tables


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("bits", [4, 22])
def test_terms_are_those_of_the_definition(longest, bits):
    assert by_text(TEXTS, longest, bits) == [reference(text, longest, bits) for text in TEXTS]


def test_the_terms_of_a_text_do_not_depend_on_the_others():
    together = by_text(TEXTS, 3, 24)
    assert [by_text([text], 3, 24)[0] for text in TEXTS] == together
    assert by_text(TEXTS[::-1], 3, 24) == together[::-1]


def test_few_words_share_a_column():
    words = [f"word{number}" for number in range(5000)]
    assert len(set(count_terms([" ".join(words)], 1, 22).columns.tolist())) > 4985  # of 2**22; by chance 3 share one


@pytest.mark.parametrize("texts", [[], ["a"], ["a"] * MAX_CHUNK_TEXTS, ["a"] * 150, ["a" * 200_000, "b"], TEXTS])
def test_chunks_hold_every_text_once_and_in_order(texts):
    cut = [list(chunk) for chunk in chunks(texts)]
    assert [text for chunk in cut for text in chunk] == texts
    assert all(0 < len(chunk) <= MAX_CHUNK_TEXTS for chunk in cut)
    assert all(sum(map(len, chunk[:-1])) < 1 << 16 for chunk in cut)


def test_counts_are_whole_and_ordered_by_text():
    found = count_terms(TEXTS, 3, 10)
    assert (np.diff(found.texts) >= 0).all()
    assert found.counts.min() >= 1
