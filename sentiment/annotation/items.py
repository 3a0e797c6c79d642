"""The texts that annotators get, and the answers that they give."""

from __future__ import annotations

from dataclasses import dataclass

QUESTION = "sentiment"
GUIDELINE = "Is the opinion in this text positive or negative? Skip the text if it has no opinion or you cannot tell."


@dataclass(frozen=True)
class Item:
    """A text to annotate.

    Attributes:
        prediction_id: The prediction that the label will be feedback on.
        text: As the client sent it.
        label: The model's answer.
        score: Calibrated probability of the answer, in [0, 1].
        model_version: Number of the version that answered.
        reason: Why the text was selected: names of :data:`sentiment.annotation.selection.SHARES` or ``random``, joined
            by ``and``.
    """

    prediction_id: str
    text: str
    label: str
    score: float
    model_version: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """The answer of one annotator about one text.

    Attributes:
        prediction_id: The prediction that the text belongs to.
        annotator: Name, address or number of the annotator, as the tool has it.
        label: The label; None if the annotator skipped the text or has not finished.
        time: When the answer was first saved, in seconds since 1970 (UTC); None if the file does not say.
        reason: Why the text was selected; empty if the file does not say.
        has_status: Whether the file says if the answer was submitted or discarded.
    """

    prediction_id: str
    annotator: str
    label: str | None
    time: float | None
    reason: str = ""
    has_status: bool = True
