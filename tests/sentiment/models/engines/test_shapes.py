"""Shapes of batches: every text once, few shapes, little padding."""

import random

import pytest

from sentiment.models.engines.shapes import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, batches, padded, shapes


@pytest.mark.parametrize("most", [3, 32, 160, 512])
def test_every_batch_of_random_texts_has_a_shape_that_was_compiled_in_advance(most):
    draw, compiled = random.Random(0), set(shapes(most))
    for _ in range(200):
        lengths = [draw.randint(2, most) for _ in range(draw.randint(0, 70))]
        found = list(batches(lengths, draw.choice([0, 16, 500])))
        assert sorted(row for rows, _ in found for row in rows) == list(range(len(lengths)))
        for rows, width in found:
            assert (len(rows), width) in compiled
            assert max(lengths[row] for row in rows) <= width
            assert len(rows) == 1 or len(rows) * width <= MAX_BATCH_TOKENS


def test_texts_are_grouped_by_length():
    (long, wide), (short, narrow) = batches([10, 150, 12, 148, 9, 160, 11, 155], 16)
    assert (sorted(long), wide) == ([1, 3, 5, 7], 160)
    assert (sorted(short), narrow) == ([0, 2, 4, 6], 16)


def test_texts_that_differ_too_much_are_computed_apart():
    assert [(len(rows), width) for rows, width in batches([60, 10, 40, 8], 16)] == [(1, 64), (1, 40), (2, 16)]
    assert [(len(rows), width) for rows, width in batches([60, 10, 40, 8], 56)] == [(4, 64)]


def test_the_number_of_shapes_is_bounded():
    """Each takes memory: a flood of texts of all lengths must not need more."""
    assert len(set(shapes(160))) == len(list(shapes(160))) <= 60
    assert len(list(shapes(512))) <= 120


def test_padding_is_little():
    for length in range(2, 600):
        assert length <= padded(length) <= max(8, 1.25 * length, length + 15)


def test_batches_are_powers_of_two_and_not_too_large():
    sizes = {len(rows) for rows, _ in batches([20] * 61, 0)}
    assert sizes == {MAX_BATCH_TEXTS, 8, 4, 1}
