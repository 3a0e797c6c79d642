from pathlib import Path

import pandas as pd
import pytest

from sentiment.behaviour.checks import BehaviourSettings, generate_cases
from sentiment.reviews.table import Reviews
from sentiment.settings import read_settings

CONFIG = Path(__file__).parents[3] / "configs" / "behaviour.yaml"

# Short reviews, and a long one of which only sentences are used.
TEXTS = [
    ("The first act drags, but I wouldn't have missed the finale for anything.", 1),
    ("Peter Hall's direction is a great comfort in a year of loud remakes.", 1),
    ("We drove 40 minutes from London to see this, and it was not good.", 0),
    ("It doesn't know whether it is a farce or a funeral, and it is bad at both.", 0),
    ("I've seen it twice since 1998 and they're still my favourite pair on screen.", 1),
    ("Emma carries the whole thing on her shoulders, and she is brilliant.", 1),
    ("My rating is 8/10, for the dog alone.", 1),
    ("A tired idea, badly lit, that did not make a single person in Paris laugh.", 0),
]
LONG = (
    "The house stood at the end of the road and nobody went there any more after the winter had come. "
    "Julia and David are a wonderful couple, and I enjoyed every minute with them. "
    "Then the lights went out and the second half began with a long walk through the hills of Ireland. "
    "The ending is awful, to put it mildly."
)


@pytest.fixture(scope="session")
def reviews():
    rows = [(text, label, "own") for text, label in TEXTS] + [(LONG, 1, "own")]
    return Reviews(pd.DataFrame(rows, columns=["text", "label", "source"]))


@pytest.fixture(scope="session")
def settings():
    return read_settings(BehaviourSettings, CONFIG)


@pytest.fixture(scope="session")
def cases(reviews, settings):
    return generate_cases(reviews, settings, seed=7)
