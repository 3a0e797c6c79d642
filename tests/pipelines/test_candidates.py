"""The table of candidates: the only place where they are listed."""

import pytest

from pipelines import candidates
from pipelines.candidates import Candidate, CandidateSettings, train_candidates
from sentiment.settings import Settings


class EchoSettings(Settings):
    enabled: bool = True


class MoreSettings(CandidateSettings):
    echo: EchoSettings = EchoSettings()


@pytest.fixture
def table(monkeypatch):
    """A table with one more candidate, and training functions that record their order."""
    order = []

    def trains(name):
        def train(settings, splits, split_checks, trained):
            order.append(name)
            return f"{name} of {splits}, after {sorted(trained)}"

        return train

    rows = [Candidate(c.name, trains(c.name), c.needs) for c in candidates.CANDIDATES]
    monkeypatch.setattr(
        candidates, "CANDIDATES", (*rows, Candidate("echo", trains("echo"), needs=lambda _: ("linear",)))
    )
    return order


def test_a_row_is_enough_to_train_a_new_candidate_after_those_that_it_needs(table):
    trained = train_candidates(MoreSettings(), "splits", "checks", {})
    assert list(trained) == ["linear", "cascade", "transformer", "echo"]  # the cheapest first: the first wins a tie
    assert table.index("linear") < table.index("echo")
    assert max(table.index("linear"), table.index("transformer")) < table.index("cascade")
    assert "'linear'" in trained["echo"]


def test_a_candidate_that_is_off_is_not_trained(table):
    assert "echo" not in train_candidates(MoreSettings(echo={"enabled": False}), "splits", "checks", {})


def test_a_new_candidate_is_checked_like_the_others(table):
    off = {"enabled": False}
    with pytest.raises(ValueError, match=r"echo needs linear: enable them, or set echo\.enabled=false"):
        MoreSettings(linear=off, cascade=off)
    with pytest.raises(ValueError, match=r"enable at least one of linear, .*, large_transformer"):
        MoreSettings(linear=off, transformer=off, cascade=off, echo=off)


def test_the_cascade_needs_the_stages_that_its_settings_name(table):
    stages = ["linear", "transformer", "large_transformer"]
    with pytest.raises(ValueError, match="cascade needs linear and transformer and large_transformer: enable them"):
        MoreSettings(cascade={"stages": stages})
    settings = MoreSettings(cascade={"stages": stages}, large_transformer={"enabled": True})
    train_candidates(settings, "splits", "checks", {})
    assert table.index("cascade") > table.index("large_transformer")


def test_a_stage_that_is_no_candidate_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"needs 'large_transfomer', which is no candidate; did you mean large_tr"):
        CandidateSettings(cascade={"stages": ["linear", "large_transfomer"]})
    for stages, reason in ((["linear", "linear"], "named twice"), (["linear", "cascade"], "of itself")):
        with pytest.raises(ValueError, match=reason):
            CandidateSettings(cascade={"stages": stages})


def test_only_an_enabled_candidate_is_reused_or_promoted():
    assert CandidateSettings(reuse={"transformer": 3}).reuse == {"transformer": "3"}
    with pytest.raises(ValueError, match="a cascade is built from its stages: reuse these"):
        CandidateSettings(reuse={"cascade": 3})
    with pytest.raises(ValueError, match="valid string"):
        CandidateSettings(reuse={"transformer": None})
    for setting in ({"reuse": {"large_transformer": 3}}, {"challenger": "large_transformer"}):
        with pytest.raises(ValueError, match="names large_transformer, which is no enabled candidate: cascade, linear"):
            CandidateSettings(**setting)


@pytest.mark.parametrize("given", [0, 1, "0.5.", "automatic", -0.2])
def test_a_threshold_is_a_probability_or_automatic(given):
    with pytest.raises(ValueError, match="decision_threshold"):
        CandidateSettings(decision_threshold=given)


def test_a_given_threshold_is_set_on_every_candidate_after_all_are_trained(table, monkeypatch):
    moved = []

    class Step:
        def with_options(self, *, substitutions):
            return lambda servable, splits, name, threshold, id: (
                moved.append((servable, threshold, id)) or f"{name}, moved"
            )

    monkeypatch.setattr("steps.training.set_threshold.set_threshold", Step())
    trained = train_candidates(MoreSettings(decision_threshold=0.3), "splits", "checks", {})
    assert trained["linear"] == "linear, moved"
    assert [(threshold, id) for _, threshold, id in moved] == [(0.3, f"threshold_{name}") for name in trained]
    assert not any("moved" in servable for servable, _, _ in moved)  # a cascade's stages stay as they were trained
