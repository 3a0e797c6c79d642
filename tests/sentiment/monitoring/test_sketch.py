import subprocess
import sys

import numpy as np
import pytest

from sentiment.monitoring.sketch import DIMENSIONS, sketch, unsketch


def test_a_sketch_is_a_unit_vector_in_a_few_hundred_bytes():
    stored = sketch("A quiet film that stays with you, didn't it?")
    vector = unsketch(stored)
    assert len(stored) < 400
    assert vector.shape == (DIMENSIONS,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_every_process_makes_the_same_one():
    text = "Stable across processes, naïvely or not!"
    code = "import sys; from sentiment.monitoring.sketch import sketch; print(sketch(sys.argv[1]))"
    command = [sys.executable, "-c", code, text]
    others = [
        subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}).stdout.strip()
        for seed in ("1", "2")
    ]
    assert others == [sketch(text)] * 2


def test_sketches_do_not_change_between_releases():
    """Logs outlive the code that wrote them: a change of the hash or its scale needs a new field."""
    vector = unsketch(sketch("two words"))
    assert {i: round(float(vector[i]), 3) for i in np.flatnonzero(vector)} == {102: -0.707, 140: -0.707}


def test_case_order_and_repeated_space_do_not_count():
    assert sketch("Good film") == sketch("film   GOOD") == sketch("good\nfilm")
    assert sketch("good film") != sketch("good films")


def test_a_repeated_word_counts_more_but_not_twice():
    said = [unsketch(sketch(f"{'fine ' * times} film")) @ unsketch(sketch("fine")) for times in (1, 2, 4)]
    assert said == pytest.approx([(1 + np.log(n)) / np.hypot(1 + np.log(n), 1) for n in (1, 2, 4)], abs=0.01)


@pytest.mark.parametrize("text", ["", "   ", "...", "\ud800"])
def test_texts_without_words(text):
    assert np.linalg.norm(unsketch(sketch(text))) == 0


def test_inner_products_are_those_of_the_words():
    draw = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(5000)])
    shared, expected = [], []
    for count in np.linspace(0, 60, 200).astype(int):
        chosen = draw.choice(words, 120 - count, replace=False)
        a, b = chosen[:60], np.concatenate([chosen[:count], chosen[60:]])
        shared.append(unsketch(sketch(" ".join(a))) @ unsketch(sketch(" ".join(b))))
        expected.append(count / 60)
    errors = np.array(shared) - expected
    assert abs(errors.mean()) < 0.02  # without bias
    assert errors.std() < 1.5 / np.sqrt(DIMENSIONS)


def test_a_long_text_is_no_louder_than_a_short_one():
    once = "the plot is thin and the cast is good"
    assert unsketch(sketch(once)) @ unsketch(sketch(" ".join([once] * 500))) > 0.97


@pytest.mark.parametrize("stored", ["", "AAAA", "not base64!", sketch("a")[:-4], sketch("a") + "!"])
def test_an_invalid_sketch_is_refused(stored):
    with pytest.raises(ValueError, match=r"sketch|base64|padd"):
        unsketch(stored)
