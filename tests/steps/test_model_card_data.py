import pandas as pd

from sentiment.reviews.table import Reviews, Splits
from steps.promotion.promote import _data_facts


def reviews(*sources):
    return Reviews(pd.DataFrame({"text": [f"Text {i}." for i in range(len(sources))], "label": 0, "source": sources}))


def test_the_card_names_the_sources_that_were_used_and_cites_no_others():
    facts = _data_facts(
        Splits(reviews("imdb", "imdb", "mine"), reviews("mine"), reviews("mine", "mine")), "file:dvc:22a1"
    )
    assert facts["source version"] == "file:dvc:22a1"
    assert facts["train"] == "3 reviews"
    assert facts["test"] == "2 reviews"
    assert facts["train, mine"] == "1 reviews"
    assert facts["train, imdb"].startswith("2 reviews (Maas et al. 2011")
    assert "Pang" not in str(facts)
