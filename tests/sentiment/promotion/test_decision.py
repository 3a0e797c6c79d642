from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from sentiment.checks import Check, CheckReport
from sentiment.errors import UserError
from sentiment.evaluation.measure import Evaluation, Latency
from sentiment.evaluation.metrics import measure
from sentiment.evaluation.slices import slice_masks
from sentiment.promotion.champion import ChampionScores
from sentiment.promotion.decision import decide
from sentiment.promotion.settings import PromotionSettings

YAML = Path(__file__).parents[3] / "configs" / "promotion.yaml"
SETTINGS = PromotionSettings(resamples=300, margins={"behaviour": 0.05}, gains={"behaviour": 0.05})
CAPABILITIES = {"negation near": 0.02, "but-clauses": 0.10, "religion does not matter": 0.0}
N = 1200


def evaluation_of(
    p, candidate="cascade", fingerprint="new", *, latency=(2.0, 20.0), size_mb=30.0, labels=None, order=None
):
    rows = pd.DataFrame(
        {
            "text_key": [f"{i:040x}" for i in range(N)],
            "label": np.arange(N) % 2 if labels is None else labels,
            "p_positive": p,
            "source": np.where(np.arange(N) < 20, "letters", np.where(np.arange(N) < 800, "imdb", "rotten_tomatoes")),
            "length": np.where(np.arange(N) < 800, "long", "short"),
            "negation": np.where(np.arange(N) % 3 == 0, "present", "absent"),
        }
    )
    rows = rows if order is None else rows.iloc[order].reset_index(drop=True)

    def measured(mask):
        y, q = rows["label"].to_numpy()[mask], rows["p_positive"].to_numpy()[mask]
        return measure(y, q, resamples=100, ece_bins=15, seed=0)

    return Evaluation(
        candidate=candidate,
        engine="numpy",
        servable_fingerprint=fingerprint,
        data_fingerprint="data",
        overall=measured(np.ones(N, dtype=bool)),
        slices={name: measured(mask) for name, mask in slice_masks(rows)},
        predictions=rows,
        latency_ms=Latency(p50=latency[0], p95=latency[1]),
        reviews_per_second=500.0,
        size_mb=size_mb,
        errors=(),
        label_suspects=(),
        ece_bins=15,
    )


def answers(wrong, sure=0.96):
    """P(positive) that is wrong on the rows ``wrong``."""
    right = np.arange(N) % 2 == 1
    right[list(wrong)] = ~right[list(wrong)]
    return np.where(right, sure, 1 - sure)


EVERYWHERE = range(7, N, 10)  # a tenth of all rows, in every slice: the linear baseline
FEW = range(7, N, 20)  # half of those
FEWER = range(7, N, 40)


def with_abstention(report, rate):
    """The same report with a check that promotion does not compare."""
    check = Check(name="says nothing", passed=True, observed="", limit="", score=rate, count=200, compared=False)
    return report.model_copy(update={"checks": (*report.checks, check)})


def behaviour(severity="warning", passed=True, count=200, **rates):
    rates = CAPABILITIES | {name.replace("_", " "): rate for name, rate in rates.items()}
    return CheckReport(
        suite="behaviour",
        checks=tuple(
            Check(name=n, severity=severity, passed=passed, observed=f"{r}", limit="0.1", score=r, count=count)
            for n, r in rates.items()
        ),
    )


def gate(passed=True, severity="critical"):
    check = Check(name="texts in one split", severity=severity, passed=passed, observed="2", limit="1")
    return CheckReport(suite="leakage", checks=(check,))


LINEAR = evaluation_of(answers(EVERYWHERE, 0.9), "linear", "linear", latency=(0.3, 0.6))
CHALLENGER = evaluation_of(answers(FEWER))
CHAMPION = ChampionScores("3", evaluation_of(answers(FEW), fingerprint="old"), behaviour())


def decision(
    challenger=CHALLENGER, champion=CHAMPION, *, cases=None, gates=(), others=(LINEAR,), settings=SETTINGS, **facts
):
    evaluations = {e.candidate: e for e in (*others, challenger)}
    behaviours = {challenger.candidate: cases or behaviour()}
    name = challenger.candidate
    return decide(
        evaluations, behaviours, gates, challenger=name, champion=champion, settings=settings, seed=0, **facts
    )


def blocking(made):
    return [rule.name for rule in made.rules if rule.blocks]


def test_a_better_challenger_is_promoted_and_every_rule_has_its_numbers():
    made = decision(gates=[gate()])
    assert made.promote, made.reason
    assert made.champion == "3"
    assert made.reason.startswith("better than champion version 3 and nowhere worse: accuracy +2.5 points")
    assert len({rule.name for rule in made.rules}) == len(made.rules) >= 20
    assert all(rule.observed and rule.limit for rule in made.rules)
    assert {rule.name.split(":")[0] for rule in made.rules} == {"gate", "floor", "baseline", "champion", "gain"}


def labelled(evaluation, rows):
    """The same, where users labelled these rows since."""
    source = np.where(np.isin(np.arange(N), list(rows)), "feedback", evaluation.predictions["source"])
    return replace(evaluation, predictions=evaluation.predictions.assign(source=source))


@pytest.mark.parametrize(("rows", "promoted"), [(range(0, 600, 20), True), (range(0, 180, 20), False)])
def test_a_gain_on_feedback_counts_even_if_it_is_too_small_to_show_overall(rows, promoted):
    champion_wrong = [*FEW, *list(rows)[::4]]  # and as often right where the challenger is not
    challenger_wrong = [*FEW, *range(1, 1 + 20 * len(list(rows)[::4]), 20)]
    champion = replace(CHAMPION, evaluation=labelled(evaluation_of(answers(champion_wrong), fingerprint="old"), rows))
    made = decision(labelled(evaluation_of(answers(challenger_wrong)), rows), champion)
    assert made.promote == promoted, made.reason
    assert not next(rule.passed for rule in made.rules if rule.name == "gain: accuracy")
    (gain,) = [rule for rule in made.rules if rule.name == "gain: accuracy on feedback"]
    assert (gain.passed, gain.detail) == (promoted, f"{len(rows)} reviews")


def test_manual_promotion_changes_no_other_rule():
    held = SETTINGS.model_copy(update={"automatic": False})
    made, free = decision(gates=[gate()], settings=held), decision(gates=[gate()])
    assert (made.promote, made.reason) == (False, "keeps every rule, waits for an approval: python run.py promote")
    assert (made.waits, free.waits) == (True, False)
    assert made.rules[:-1] == free.rules
    tie = replace(CHALLENGER, predictions=CHAMPION.evaluation.predictions)
    assert decision(tie, settings=held).reason == decision(tie).reason  # the actual reason
    assert not decision(tie, settings=held).waits


def test_the_first_champion_is_promoted_when_it_keeps_the_floors():
    made = decision(champion=None, gates=[gate()])
    assert made.promote
    assert made.champion is None
    assert made.reason.startswith("first champion") and "gain over linear: +7.5 points" in made.reason
    assert not [rule for rule in made.rules if rule.name.startswith(("champion", "gain"))]


def test_nothing_replaces_a_champion_that_cannot_be_scored():
    made = decision(champion=None, lost="3")
    assert not made.promote
    assert made.champion == "3"
    assert made.reason.startswith("champion: scored on the same reviews: the files of version 3 are gone")


def test_a_version_that_was_rolled_back_is_not_promoted_automatically():
    made = decision(rolled_back="version 4, 2026-11-21")
    assert blocking(made) == ["rolled back: an operator promotes"]
    words = "was rolled back (version 4, 2026-11-21): only an operator promotes it again, python run.py promote"
    assert made.reason == words


def test_a_version_that_a_person_rejected_is_neither_promoted_nor_held():
    made = decision(rejected="version 4: too slow")
    assert blocking(made) == ["rejected: an operator promotes"]
    assert made.reason == "was rejected (version 4: too slow): only an operator promotes it, python run.py promote"
    assert not decision(rejected="version 4", settings=SETTINGS.model_copy(update={"automatic": False})).waits


def test_the_same_model_is_not_promoted_again():
    made = decision(replace(CHALLENGER, servable_fingerprint="old"))
    assert not made.promote
    assert made.reason == "identical to champion version 3"


def test_a_tie_does_not_promote():
    made = decision(evaluation_of(answers(FEW)))
    assert blocking(made) == ["champion: better somewhere"]
    assert made.reason == "a tie with champion version 3: nowhere worse, nowhere better"


def test_a_difference_that_chance_explains_is_a_tie():
    two_more_right = [row for row in FEW if row not in (7, 27)]
    assert blocking(decision(evaluation_of(answers(two_more_right)))) == ["champion: better somewhere"]


def test_flipped_labels_in_one_slice_block():
    """Overall the challenger still wins; only in the short reviews it lost."""
    champion = ChampionScores("3", evaluation_of(answers([*range(7, 800, 4)]), fingerprint="old"), behaviour())
    floors = SETTINGS.floors.model_copy(update={"accuracy": 0.5, "sources": {}, "max_ece": 1.0})
    settings = SETTINGS.model_copy(update={"floors": floors})
    wins = evaluation_of(answers([]))
    assert decision(wins, champion, settings=settings).promote
    flipped = evaluation_of(answers(range(800, 840)))
    made = decision(flipped, champion, settings=settings)
    assert set(blocking(made)) == {"champion: accuracy of source=rotten_tomatoes", "champion: accuracy of length=short"}
    assert "champion: accuracy of source=rotten_tomatoes: -10.0 points" in made.reason


def test_a_tiny_slice_is_shown_and_does_not_block():
    assert (CHALLENGER.predictions["source"] == "letters").sum() == 20
    made = decision(evaluation_of(answers([*range(12), *range(47, N, 40)])))
    letters = [rule for rule in made.rules if rule.name.endswith("source=letters")]
    assert len(letters) == 2
    assert all(not rule.passed and rule.severity == "warning" and "too few to judge" in rule.detail for rule in letters)
    strict = decision(
        evaluation_of(answers([*range(12), *range(47, N, 40)])),
        settings=SETTINGS.model_copy(update={"min_slice_count": 20}),
    )
    assert {rule.name for rule in letters} <= set(blocking(strict))


@pytest.mark.parametrize(
    ("rates", "blocked"),
    [
        ({"religion_does_not_matter": 0.06}, True),
        ({"religion_does_not_matter": 0.05}, False),  # the margin itself is kept
        ({"but-clauses": 0.16}, True),
        ({"but-clauses": 0.0}, False),
    ],
)
def test_a_capability_that_got_worse_blocks_alone(rates, blocked):
    name = next(iter(rates)).replace("_", " ")
    assert blocking(decision(cases=behaviour(**rates))) == ([f"champion: behaviour {name}"] if blocked else [])


def test_one_single_failing_case_is_forgiven_where_there_are_few():
    assert decision(cases=behaviour(count=20, **{"but-clauses": 0.15})).promote
    assert not decision(cases=behaviour(count=20, **{"but-clauses": 0.20})).promote


@pytest.mark.parametrize(("rise", "blocked"), [(0.02, False), (0.021, True)])
def test_capabilities_that_all_become_a_little_worse_block(rise, blocked):
    """Each one keeps its margin of 5 points."""
    made = decision(cases=behaviour(**{name: rate + rise for name, rate in CAPABILITIES.items()}))
    assert blocking(made) == (["champion: behaviour on average"] if blocked else [])


def test_a_capability_that_was_not_tested_blocks():
    fewer = CheckReport(suite="behaviour", checks=behaviour().checks[1:])
    assert blocking(decision(cases=fewer)) == ["champion: behaviour negation near"]


def test_checks_that_are_only_reported_neither_block_nor_promote():
    def made(before, after):
        champion = replace(CHAMPION, behaviour=with_abstention(behaviour(), before))
        return decision(evaluation_of(answers(FEW)), champion, cases=with_abstention(behaviour(), after))

    better, worse = made(0.9, 0.1), made(0.1, 0.9)
    assert blocking(better) == blocking(worse) == ["champion: better somewhere"]
    assert [rule.observed for rule in better.rules] == [rule.observed for rule in worse.rules]
    assert not any("says nothing" in rule.name for rule in better.rules)


def test_a_gain_in_one_capability_is_enough():
    as_accurate = evaluation_of(answers(FEW))
    assert decision(as_accurate, cases=behaviour(**{"but-clauses": 0.05})).promote
    assert not decision(as_accurate, cases=behaviour(**{"but-clauses": 0.06})).promote


@pytest.mark.parametrize(
    ("latency", "promoted"),
    [((1.5, 13.0), True), ((1.5, 15.0), False), ((2.5, 13.0), False)],  # clearly faster; a little; slower on average
)
def test_a_clear_gain_in_latency_is_enough(latency, promoted):
    assert decision(evaluation_of(answers(FEW), latency=latency)).promote == promoted


def test_a_faster_answer_within_the_noise_is_a_tie():
    quick = replace(CHAMPION, evaluation=evaluation_of(answers(FEW), fingerprint="old", latency=(0.3, 0.9)))
    assert not decision(evaluation_of(answers(FEW), latency=(0.2, 0.5)), quick).promote


@pytest.mark.parametrize(("p95", "blocked"), [(29.0, False), (30.1, True)])
def test_a_slower_answer_blocks_beyond_the_margin(p95, blocked):
    made = decision(evaluation_of(answers(FEWER), latency=(2.0, p95)))
    assert blocking(made) == (["champion: p95 latency"] if blocked else [])


def test_a_worse_calibration_blocks():
    made = decision(evaluation_of(answers(FEWER, sure=0.94)))
    assert blocking(made) == ["champion: calibration error"]


def test_a_loss_overall_blocks_even_below_significance():
    """Non-inferior means that a loss larger than the margin is ruled out, not merely unproven."""
    noisy = answers([row for row in range(7, N, 20) if row % 40 == 7] + [row + 2 for row in FEWER if row + 2 < N])
    made = decision(evaluation_of(noisy))
    overall = next(rule for rule in made.rules if rule.name == "champion: overall accuracy")
    assert overall.observed.startswith("+0.0 points")
    assert not overall.passed


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("floor: overall accuracy", {"accuracy": 0.98}),
        ("floor: accuracy of source=imdb", {"sources": {"imdb": 0.99}}),
        ("floor: accuracy of source=rotten_tomatoes", {"sources": {"rotten_tomatoes": 0.99}}),
        ("floor: calibration error", {"max_ece": 0.001}),
        ("floor: p95 latency", {"max_p95_latency_ms": 19.0}),
        ("floor: size", {"max_size_mb": 29.0}),
    ],
)
@pytest.mark.parametrize("champion", [None, CHAMPION])
def test_each_floor_blocks_alone(rule, change, champion):
    settings = SETTINGS.model_copy(update={"floors": SETTINGS.floors.model_copy(update=change)})
    made = decision(champion=champion, settings=settings)
    assert blocking(made) == [rule]
    assert made.reason.startswith(f"{rule}: ")


def test_a_source_without_its_own_floor_has_the_common_one():
    floors = SETTINGS.floors.model_copy(update={"sources": {"imdb": 0.5}, "source_accuracy": 0.99})
    made = decision(settings=SETTINGS.model_copy(update={"floors": floors}))
    assert blocking(made) == ["floor: accuracy of source=rotten_tomatoes"]


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_a_failed_gate_blocks_if_it_is_critical(severity):
    critical = severity == "critical"
    made = decision(gates=[gate(passed=False, severity=severity)])
    assert blocking(made) == (["gate: leakage"] if critical else [])
    detail = next(rule.detail for rule in made.rules if rule.name == "gate: leakage")
    assert detail == f"{'failed' if critical else 'warned'}: texts in one split (2, limit 1)"
    assert decision(cases=behaviour(severity, passed=False)).promote is not critical


def test_the_challenger_must_beat_the_baseline_by_more_than_chance():
    as_good = replace(LINEAR, predictions=CHALLENGER.predictions)
    assert blocking(decision(others=(as_good,))) == ["baseline: gain over linear"]
    nearly = evaluation_of(answers([*FEWER, 8]), "linear", "linear")  # one error more: chance explains it
    assert blocking(decision(others=(nearly,))) == ["baseline: gain over linear"]
    assert blocking(decision(others=())) == ["baseline: gain over linear"]
    lenient = SETTINGS.model_copy(update={"baseline": SETTINGS.baseline.model_copy(update={"required": False})})
    assert decision(others=(), settings=lenient).promote


def test_the_baseline_is_promoted_only_where_it_is_the_only_candidate():
    alone = decision(LINEAR, champion=None, others=())
    assert alone.promote, alone.reason
    assert "linear is the only candidate" in alone.reason
    assert blocking(decision(LINEAR, champion=None, others=(CHALLENGER,))) == ["baseline: gain over linear"]


def test_rows_are_aligned_by_their_text():
    shuffled = evaluation_of(answers(FEW), fingerprint="old", order=np.random.default_rng(0).permutation(N))
    first, second = (decision(champion=replace(CHAMPION, evaluation=e)) for e in (CHAMPION.evaluation, shuffled))
    assert first.rules == second.rules


@pytest.mark.parametrize("column", ["text_key", "label"])
def test_different_test_sets_are_not_compared(column):
    other = CHAMPION.evaluation.predictions.copy()
    other.loc[5, column] = "f" * 40 if column == "text_key" else 0
    champion = replace(CHAMPION, evaluation=replace(CHAMPION.evaluation, predictions=other))
    with pytest.raises(UserError, match="different reviews"):
        decision(champion=champion)


def test_a_decision_is_the_same_each_time_and_survives_json():
    made = decision()
    assert made == decision()
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_the_yaml_names_every_setting_with_its_default():
    written = yaml.safe_load(YAML.read_text(encoding="utf-8"))
    assert PromotionSettings.model_validate(written) == PromotionSettings()
    assert written == PromotionSettings().model_dump()


RARE = (np.arange(N) % 20 == 3).astype(int)  # one review in twenty is positive, in every slice


def rare_answers(found, false_alarms, sure=0.96):
    """P(positive) that finds this share of the rare positive reviews, and this share of the others wrongly."""
    draw = np.random.default_rng(0).random(N)  # the same rows first: a model that finds more also finds these
    return np.where(draw < np.where(RARE == 1, found, false_alarms), sure, 1 - sure)


def rare(found, false_alarms=0.02, candidate="cascade", fingerprint="new", **more):
    return evaluation_of(rare_answers(found, false_alarms, **more), candidate, fingerprint, labels=RARE)


MAJORITY = rare(0.0, 0.0, "linear", "linear")  # accuracy 0.95


def rule_named(made, name):
    return next(rule for rule in made.rules if rule.name == name)


def test_always_answering_the_frequent_label_is_refused_although_its_accuracy_is_high():
    made = decision(MAJORITY, None, others=())
    assert rule_named(made, "floor: overall accuracy").passed
    assert blocking(made) == ["floor: macro-F1", "floor: recall of the rare label, positive"]
    assert "0.000" in rule_named(made, "floor: recall of the rare label, positive").observed


def test_a_model_that_finds_the_rare_label_is_promoted_by_its_macro_f1():
    useful = rare(0.7, 0.05)
    assert useful.overall.accuracy.value < MAJORITY.overall.accuracy.value
    made = decision(useful, None, others=(MAJORITY,))
    assert made.promote, made.reason
    assert rule_named(made, "baseline: gain over linear").limit == "lower end above 0 points of macro-F1"
    assert made.reason.startswith(
        f"first champion: keeps every gate and floor; macro-F1 {useful.overall.macro_f1.value:.3f}"
    )


def test_more_accuracy_at_the_cost_of_the_rare_label_replaces_no_champion():
    champion = ChampionScores("3", rare(0.7, 0.06, fingerprint="old"), behaviour())
    careful = rare(0.4, 0.0)
    assert careful.overall.accuracy.value > champion.evaluation.overall.accuracy.value + 0.02
    made = decision(careful, champion, others=(MAJORITY,))
    assert "champion: overall macro-F1" in blocking(made)
    assert not [rule for rule in made.rules if rule.name == "gain: accuracy"]


def test_a_better_macro_f1_replaces_the_champion_at_the_cost_of_accuracy():
    champion = ChampionScores("3", rare(0.3, 0.0, fingerprint="old"), behaviour())
    made = decision(rare(0.9, 0.045), champion, others=(MAJORITY,))
    assert made.promote, made.reason
    assert "macro-F1 +" in made.reason


def test_balanced_reviews_are_not_judged_by_the_rules_of_a_rare_label():
    floors = SETTINGS.floors.model_copy(update={"macro_f1": 1.0, "rare_recall": 1.0})
    made = decision(settings=SETTINGS.model_copy(update={"floors": floors}))
    assert made.promote, made.reason
    assert not [rule for rule in made.rules if "rare" in rule.name or rule.name == "floor: macro-F1"]


def test_models_are_compared_at_their_own_thresholds():
    """Equal probabilities, other labels: only the threshold of the challenger finds the rare reviews."""
    p = np.where(rare_answers(0.8, 0.01) > 0.5, 0.3, 0.02)
    champion = ChampionScores("3", evaluation_of(p, fingerprint="old", labels=RARE), behaviour())
    moved = replace(evaluation_of(p, labels=RARE), threshold=0.2)
    difference = rule_named(decision(moved, champion, others=(MAJORITY,)), "champion: overall macro-F1")
    assert difference.observed.startswith("+43.3 points")
