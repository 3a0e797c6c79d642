"""The reviews of the smoke test: from the version's own test split, with their recorded scores."""

from __future__ import annotations

from dataclasses import dataclass

from sentiment.errors import UserError
from sentiment.evaluation.measure import Evaluation
from sentiment.evaluation.slices import text_key
from sentiment.reviews.table import Reviews


@dataclass(frozen=True)
class Known:
    """A review with its recorded score.

    Attributes:
        text: The review.
        positive: P(positive) that evaluation recorded, in [0, 1].
    """

    text: str
    positive: float


def smoke_set(test: Reviews, evaluation: Evaluation, *, reviews: int, max_characters: int, seed: int) -> list[Known]:
    """Chooses reviews, the same for the same seed: as many short as long ones, as many negative as positive ones.

    Args:
        test: The split that was evaluated.
        evaluation: Of the version.
        reviews: How many; fewer if there are fewer.
        max_characters: Longer reviews are left out: the service refuses them.
        seed: Of the choice.

    Raises:
        UserError: If the evaluation is not of these reviews.
    """
    texts = {text_key(text): text for text in test.frame["text"].astype(str)}
    predictions = evaluation.predictions
    if set(predictions["text_key"]) - set(texts):
        raise UserError(
            "is of other reviews than the version's test split", where="evaluation", remedy="Train the version again."
        )
    served = predictions[predictions["text_key"].map(lambda key: len(texts[key]) <= max_characters)]
    shuffled = served.sample(frac=1, random_state=seed)
    in_turn = shuffled.groupby(["length", "label"]).cumcount().sort_values(kind="stable").index[:reviews]
    chosen = shuffled.loc[in_turn]
    return [Known(texts[key], float(p)) for key, p in zip(chosen["text_key"], chosen["p_positive"], strict=True)]
