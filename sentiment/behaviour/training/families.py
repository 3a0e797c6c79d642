"""The templates of generated training examples by family; disjoint from the templates that test."""

from __future__ import annotations

from sentiment.behaviour.templates import Template
from sentiment.behaviour.training import contrast, idioms, negation, opinions, voices

FAMILIES: dict[str, tuple[Template, ...]] = {
    "opinions": opinions.OPINIONS,
    "idioms": idioms.IDIOMS,
    "negation_far": negation.FAR_NEGATION,
    "negation_near": negation.NEAR_NEGATION,
    "negated_negatives": negation.NEGATED_NEGATIVES,
    "but_clauses": contrast.BUT_CLAUSES,
    "comparatives": contrast.COMPARATIVES,
    "temporal_change": contrast.TEMPORAL_CHANGE,
    "questions_answers": voices.QUESTIONS_ANSWERS,
    "opinion_holder": voices.OPINION_HOLDER,
    "intensifiers": opinions.DEGREES,
    "details": opinions.DETAILS,
}
"""Templates by the behaviour they teach."""
