"""A rollout is complete or reverted, whichever part fails."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

import steps.deployment.roll_out as step
from sentiment.checks import Check, CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from serving.rollouts.settings import RolloutSettings, SmokeSettings

NEW = Bento(tag="sentiment:v2-b", model="sentiment", version="2", labels={"fingerprint": "f2"})
OLD = Bento(tag="sentiment:v1-a", model="sentiment", version="1", labels={"fingerprint": "f1"})
EVALUATION = SimpleNamespace(engine="numpy", servable_fingerprint="f2", threshold=0.5)
SPLITS = SimpleNamespace(test=None)


def deployment(bento=OLD, **change):
    values = {"http": "h", "grpc": "g", "since": "s", "front": True, "run": "r", "service": "i", **change}
    return Deployment(bento=bento, **values)


def report(suite, passed=True):
    return CheckReport(suite=suite, checks=(Check(name="it", passed=passed, observed="seen", limit="wanted"),))


class Deployer:
    """Records its calls; refuses the ones that the test names."""

    smoke = compared = True

    def __init__(self, live=None, refuses=None, up_to_date=True, interrupted=False):
        self.told, self._live, self._refuses = [], live, refuses
        self._up_to_date, self._interrupted, self._switched = up_to_date, interrupted, False

    def _tell(self, what, *more):
        self.told.append(" ".join(map(str, (what, *more))))
        if what == self._refuses:
            raise UserError(f"no {what}")

    def live(self):
        return self._live

    def is_up_to_date(self, live):
        return self._up_to_date

    def is_live(self, service):
        return self._switched

    def start(self, bento):
        self._tell("start", bento.tag)
        return SimpleNamespace(name="new")

    def test(self, service, known, settings, *, engine, threshold):
        if isinstance(self.smoke, BaseException):
            raise self.smoke
        return report("smoke", self.smoke)

    def compare(self, service, live, known, settings):
        self._tell("compare", settings.mode, settings.share)
        return report(settings.mode, self.compared)

    def switch(self, service, *, run):
        self._tell("switch", run)
        self._switched = True
        if self._interrupted:
            raise KeyboardInterrupt
        return deployment(NEW, run=run)

    def discard(self, service):
        self._tell("discard", service.name)


@pytest.fixture
def world(monkeypatch):
    """Runs the step's function on a deployer, with the given reports."""
    kept = []

    def roll_out(deployer, mode="switch", smoke=True, compared=True, evaluation=EVALUATION):
        deployer.smoke, deployer.compared = smoke, compared
        monkeypatch.setattr(step, "model_deployer", lambda: deployer)
        monkeypatch.setattr(step, "smoke_set", lambda *_, **__: [])
        monkeypatch.setattr(step, "save_artifact", lambda report, name: kept.append((name, report.passed)))
        context = SimpleNamespace(pipeline_run=SimpleNamespace(name="deploy-1"))
        monkeypatch.setattr(step, "get_step_context", lambda: context)
        return step.roll_out.entrypoint(NEW, SPLITS, evaluation, SmokeSettings(), RolloutSettings(mode=mode, share=20))

    return SimpleNamespace(roll_out=roll_out, kept=kept)


def test_a_service_that_passes_goes_live(world):
    deployer = Deployer(live=deployment())
    assert world.roll_out(deployer).bento == NEW
    assert deployer.told == ["start sentiment:v2-b", "switch deploy-1"]
    assert world.kept == [("smoke_checks", True)]


def test_the_same_bento_live_and_healthy_is_left_alone(world):
    live = deployment(NEW)
    deployer = Deployer(live=live)
    assert world.roll_out(deployer) is live
    assert deployer.told == world.kept == []


def test_the_same_bento_live_but_ill_is_started_anew(world):
    deployer = Deployer(live=deployment(NEW, healthy=False))
    world.roll_out(deployer)
    assert deployer.told == ["start sentiment:v2-b", "switch deploy-1"]


@pytest.mark.parametrize("mode", ["switch", "canary", "shadow"])
def test_the_same_bento_with_other_settings_takes_over(mode, world):
    deployer = Deployer(live=deployment(NEW), up_to_date=False)
    world.roll_out(deployer, mode=mode)
    assert deployer.told == ["start sentiment:v2-b", "switch deploy-1"]


@pytest.mark.parametrize("mode", ["canary", "shadow"])
def test_services_with_different_settings_are_not_compared(mode, world):
    deployer = Deployer(live=deployment(), up_to_date=False)
    with pytest.raises(UserError, match=r"version 1 was started with other settings .* --set version=1"):
        world.roll_out(deployer, mode=mode)
    assert deployer.told == []


def test_an_interrupt_after_the_switch_reverts_nothing(world):
    deployer = Deployer(live=deployment(), interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        world.roll_out(deployer)
    assert deployer.told == ["start sentiment:v2-b", "switch deploy-1"]


@pytest.mark.parametrize(
    ("smoke", "refuses", "raised", "told"),
    [
        (False, None, UserError, []),
        (KeyboardInterrupt(), None, KeyboardInterrupt, []),
        (OSError("full"), None, OSError, []),
        (True, "switch", UserError, ["switch deploy-1"]),
    ],
)
def test_after_any_failure_the_new_service_is_stopped(smoke, refuses, raised, told, world):
    deployer = Deployer(live=deployment(), refuses=refuses)
    with pytest.raises(raised):
        world.roll_out(deployer, smoke=smoke)
    assert deployer.told == ["start sentiment:v2-b", *told, "discard new"]


def test_a_failed_smoke_test_is_kept_with_its_reason(world):
    with pytest.raises(UserError, match="suite smoke: critical checks failed: it: seen, must be wanted"):
        world.roll_out(Deployer(live=deployment()), smoke=False)
    assert world.kept == [("smoke_checks", False)]


def test_a_service_that_does_not_start_is_the_deployers_to_clean_up(world):
    deployer = Deployer(refuses="start")
    with pytest.raises(UserError, match="no start"):
        world.roll_out(deployer)
    assert deployer.told == ["start sentiment:v2-b"]


def test_a_good_canary_is_promoted(world):
    deployer = Deployer(live=deployment())
    world.roll_out(deployer, mode="canary")
    assert deployer.told == ["start sentiment:v2-b", "compare canary 20", "switch deploy-1"]
    assert world.kept == [("smoke_checks", True), ("canary_checks", True)]


def test_a_bad_canary_is_aborted(world):
    deployer = Deployer(live=deployment())
    with pytest.raises(UserError, match="suite canary"):
        world.roll_out(deployer, mode="canary", compared=False)
    assert deployer.told == ["start sentiment:v2-b", "compare canary 20", "discard new"]
    assert world.kept == [("smoke_checks", True), ("canary_checks", False)]


def test_where_nothing_healthy_is_live_a_canary_is_a_switch(world):
    for live in (None, deployment(healthy=False)):
        deployer = Deployer(live=live)
        world.roll_out(deployer, mode="canary")
        assert deployer.told == ["start sentiment:v2-b", "switch deploy-1"]


@pytest.mark.parametrize("alike", [True, False])
def test_a_shadow_never_switches(alike, world):
    live = deployment()
    deployer = Deployer(live=live)
    with nullcontext() if alike else pytest.raises(UserError, match="suite shadow"):
        assert world.roll_out(deployer, mode="shadow", compared=alike) is live
    assert deployer.told == ["start sentiment:v2-b", "compare shadow 20", "discard new"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mode": "shadow"}, "there is no live service to compare with"),
        ({"evaluation": SimpleNamespace(engine="numpy", servable_fingerprint="f1")}, "is of another servable"),
    ],
)
def test_a_rollout_that_cannot_be_judged_is_not_started(change, words, world):
    deployer = Deployer(live=None)
    with pytest.raises(UserError, match=words):
        world.roll_out(deployer, **change)
    assert deployer.told == []
