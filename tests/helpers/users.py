"""Users of a service: they send reviews, and later the right labels."""

import itertools
import random
import threading
from contextlib import contextmanager

from tests.helpers import command_line

# Words that no model was trained on, as if the service were suddenly used for another kind of product.
NEW_GOOD = ["zippy", "sturdy", "waterproof", "quiet", "snug", "rechargeable", "foldable", "spotless"]
NEW_BAD = ["leaky", "rattling", "scratched", "flimsy", "overheating", "wobbly", "rusty", "noisy"]
TEXTS_PER_REQUEST = 50


def usual(rows, seed):
    """Returns texts and labels as in training."""
    frame = command_line.sentences(rows, seed=seed)
    return list(
        zip(frame["text"], [{"pos": "positive", "neg": "negative"}[raw] for raw in frame["label"]], strict=True)
    )


def drifted(rows, seed, good=NEW_GOOD, bad=NEW_BAD):
    """Returns texts and labels with other words than in training."""
    draw = random.Random(seed)
    syllables = [a + b for a in "cghjqvwxyz" for b in "aeiou"]
    found = []
    for i in range(rows):
        words = ["".join(draw.choices(syllables, k=3)) for _ in range(draw.randint(15, 40))]
        for place in (3, 9):
            words[place] = draw.choice(good if i % 2 else bad)
        found.append((f"Arrived {' '.join(words)}.", "positive" if i % 2 else "negative"))
    return found


def predict(address, reviews):
    """Sends the texts; returns the identifiers of the predictions in the same order."""
    from bento.client import HttpClient

    with HttpClient(address) as http:
        return [
            answer.id
            for start in range(0, len(reviews), TEXTS_PER_REQUEST)
            for answer in http.predict([text for text, _ in reviews[start : start + TEXTS_PER_REQUEST]]).predictions
        ]


def label(address, identifiers, reviews):
    """Sends the right label of each prediction."""
    from bento.client import HttpClient

    with HttpClient(address) as http:
        for identifier, (_, right) in zip(identifiers, reviews, strict=True):
            http.feedback(identifier, right)


@contextmanager
def constant_traffic(address):
    """Sends requests without a pause while the block runs, and requires that none fails."""
    from bento.client import HttpClient

    done, failed = threading.Event(), []
    texts = itertools.cycle([text for text, _ in usual(400, seed=9)])

    def call():
        with HttpClient(address) as http:
            while not done.wait(0.05):
                try:
                    http.predict([next(texts)])
                except Exception as error:
                    failed.append(error)
                    return

    caller = threading.Thread(target=call)
    caller.start()
    try:
        yield
    finally:
        done.set()
        caller.join()
    assert not failed, failed
