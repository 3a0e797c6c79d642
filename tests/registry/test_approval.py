"""Approvals on a real ZenML store and a real MLflow registry, by command and by MLflow's tag."""

import io
import json
import zlib

import pytest

from sentiment.errors import UserError
from sentiment.promotion.approval import make_approval
from sentiment.promotion.decision import Decision
from tests.helpers.command_line import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_session")]


@pytest.fixture(scope="module")
def in_session():
    from cli.session import session

    with session("local", debug=False):
        yield


class Model:
    """A model whose versions hold no files; version 1 is in production."""

    count = 0

    def __init__(self, name):
        from registry.mlflow_registry import connect

        self.name, self.client, self.refused = name, connect(), []
        self.client.create_registered_model(name)
        self.put_into_production(self.add())

    def add(self, *, waits=False):
        """Adds a version; with ``waits``, only the approval is missing."""
        from registry import approval, versions

        self.count += 1
        number, fingerprint = str(self.count), f"{self.name} {self.count}"
        tags = {"fingerprint": fingerprint, "zenml_version": number}
        self.client.create_model_version(self.name, "file:///nowhere", tags=tags)
        facts = {"kind": "linear", "fingerprint": fingerprint, "promoted": False, "reason": "keeps every rule"}
        versions.create_version(self.name, facts, "# A card\n\n## Data\n\nNone\n")
        if waits:
            approval.ask_for_approval(self.name, number, self.production)
        return number

    def put_into_production(self, number):
        """Does what ``set_champion`` does to stage and alias, and is faster."""
        from zenml.client import Client

        Client().update_model_version(self.name, number, stage="production", force=True)
        self.client.set_registered_model_alias(self.name, "champion", number)

    def entry(self, number):
        """Returns MLflow's version, whose numbers are those of ZenML here."""
        return self.client.get_model_version(self.name, number)

    def tag(self, number, **tags):
        for name, value in tags.items():
            self.client.set_model_version_tag(self.name, number, name, value)

    def follow_tags(self):
        from registry.approval import follow_tags

        return follow_tags(self.name, lambda number, problem: self.refused.append((number, problem)))

    def version(self, number):
        from registry.versions import get_version

        return get_version(self.name, number)

    @property
    def production(self):
        from registry.mlflow_registry import find_aliased
        from registry.versions import find_production

        number = find_production(self.name).number
        assert find_aliased(self.name).number == number
        return number


@pytest.fixture
def model(request):
    from registry import versions

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "is_stored", lambda *_: True)  # the versions have no files
        yield Model(f"{request.node.name[:50]}-{zlib.crc32(request.node.name.encode()):x}")


def test_a_tag_in_mlflow_promotes_a_version_that_waits(model):
    number = model.add(waits=True)
    assert (model.version(number).waiting, model.entry(number).tags["approval"]) == (True, "pending")
    assert model.follow_tags() == []

    model.tag(number, approval="approved", approval_by="Ann", approval_reason="tried on my <own> texts")
    assert model.follow_tags() == ["version 2 was approved by Ann"]
    assert model.production == number
    version, tags = model.version(number), model.entry(number).tags
    assert (version.waiting, version.approved_by, version.approval_reason) == (False, "Ann", "tried on my <own> texts")
    assert (tags["approval"], tags["approval_by"]) == ("approved", "Ann")
    assert tags["approval_time"][:2] == "20"
    from registry.approval import require_approved
    from registry.versions import get_card

    require_approved(model.name, version)
    for card in (get_card(model.name, number), model.entry(number).description):
        assert "## Approval\n\nApproved by Ann on 20" in card
        assert "tried on my &lt;own&gt; texts" in card
    assert model.follow_tags() == model.refused == []


def test_an_approval_of_an_overtaken_version_is_refused_once(model):
    waiting, other = model.add(waits=True), model.add()
    model.put_into_production(other)
    assert not model.version(waiting).waiting
    model.tag(waiting, approval="approved")
    assert model.follow_tags() == []
    problem = "was compared with version 1, and version 3 is in production now: it must be evaluated again"
    assert (model.refused, model.production) == ([(waiting, problem)], other)
    assert model.entry(waiting).tags["approval"] == f"refused: {problem}"
    assert model.follow_tags() == []
    assert len(model.refused) == 1

    model.put_into_production("1")  # the comparison is valid again
    assert model.version(waiting).waiting


def test_the_newest_of_two_approved_versions_is_promoted(model):
    older, newer = model.add(waits=True), model.add(waits=True)
    for number in (older, newer):
        model.tag(number, approval="approved")
    assert model.follow_tags() == ["version 3 was approved by MLflow's tag"]  # which records no user
    assert (model.production, [number for number, _ in model.refused]) == (newer, [older])


def test_a_rejected_version_waits_no_more(model):
    from registry.approval import ask_for_approval

    number = model.add(waits=True)
    model.tag(number, approval="rejected", approval_by="Bob", approval_reason="too slow")
    assert model.follow_tags() == ["version 2 was rejected by Bob"]
    ask_for_approval(model.name, number, "1")  # a later training finds the same version
    version = model.version(number)
    assert (version.waiting, version.approved_by, version.full_reason) == (
        False, "", "keeps every rule; rejected: too slow",
    )  # fmt: skip
    model.tag(number, approval="approved")
    model.follow_tags()
    assert (model.production, model.refused) == (
        "1",
        [(number, "was rejected: only python run.py promote promotes it")],
    )


def test_a_version_that_kept_no_rule_or_was_replaced_is_refused(model):
    second, third = model.add(), model.add()
    model.put_into_production(second)
    for number in ("1", third):
        model.tag(number, approval="approved")
    assert model.follow_tags() == []
    assert model.production == second
    assert {number: problem.partition(":")[0] for number, problem in model.refused} == {
        "1": "was in production before",
        third: "does not wait for an approval",
    }


def test_a_version_in_production_gets_its_approval_on_record(model):
    since = model.version("1").since
    model.tag("1", approval="approved", approval_by="Ann")
    model.follow_tags()
    version = model.version("1")
    assert (version.approved_by, version.since, version.stage) == ("Ann", since, "production")


def test_a_promotion_that_dies_midway_is_carried_out_by_the_next_turn(model, monkeypatch):
    from zenml.client import Client

    number = model.add(waits=True)
    model.tag(number, approval="approved", approval_by="Ann")

    def die(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr(Client, "update_model_version", die)
    with pytest.raises(OSError, match="no space"):
        model.follow_tags()
    monkeypatch.undo()
    assert (model.production, model.version(number).waiting) == ("1", True)
    model.follow_tags()
    assert (model.production, model.refused) == (number, [])


def test_a_champion_that_appears_meanwhile_refuses_the_approval(model, monkeypatch):
    from registry import champion

    waiting, other = model.add(waits=True), model.add()
    ensure_registered = champion.ensure_registered

    def promote_another(name, version):
        model.put_into_production(other)
        return ensure_registered(name, version)

    monkeypatch.setattr(champion, "ensure_registered", promote_another)
    with pytest.raises(champion.OvertakenError):
        champion.set_champion(model.name, waiting, approval=make_approval("Ann", "good"))
    assert (model.production, model.version(waiting).approved_by) == (other, "")


def test_a_version_that_was_never_compared_with_the_champion_is_not_promoted(model, monkeypatch):
    """The champion changes before the registries are read, or after a promotion died with its approval recorded."""
    from registry import champion, versions
    from registry.approval import require_approval

    waiting, other, unasked = model.add(waits=True), model.add(), model.add()
    require_known_alias, given = champion._require_known_alias, make_approval("Ann", "good")

    def promote_another(name):
        require_known_alias(name)
        model.put_into_production(other)

    monkeypatch.setattr(champion, "_require_known_alias", promote_another)
    with pytest.raises(champion.OvertakenError):
        champion.set_champion(model.name, waiting, approval=given)
    monkeypatch.undo()

    for number in (waiting, unasked):
        versions.record_approval(model.name, number, given)
    with pytest.raises(UserError, match="version 2 was compared with version 1, and version 3 is in production now"):
        require_approval(model.name, model.version(waiting), given)
    with pytest.raises(champion.OvertakenError):
        champion.set_champion(model.name, waiting, approval=given)
    assert model.production == other
    require_approval(model.name, model.version(unasked), given)  # it never waited: a person may promote it at any time
    champion.set_champion(model.name, unasked, approval=given)
    assert model.production == unasked


def test_a_decision_promotes_a_version_whose_earlier_comparison_is_out_of_date(model):
    from registry import champion

    waiting, other = model.add(waits=True), model.add()
    model.put_into_production(other)
    decision = Decision(promote=True, reason="better", challenger="linear", champion=other, rules=())
    champion.set_champion(model.name, waiting, decision=decision)
    assert model.production == waiting


def test_a_version_that_fails_its_next_evaluation_waits_no_more(model):
    from registry.approval import require_approval, stop_waiting

    number = model.add(waits=True)
    version = stop_waiting(model.name, model.version(number))
    assert (version.waiting, version.approval, model.entry(number).tags["approval"]) == (False, "", "")
    with pytest.raises(UserError, match="did not keep every rule"):
        require_approval(model.name, version, None)
    model.tag(number, approval="approved")
    model.follow_tags()
    assert (model.production, model.refused) == (
        "1",
        [(number, "does not wait for an approval: it did not keep every rule")],
    )


def test_an_approval_that_a_person_gave_before_the_failed_evaluation_is_refused_with_an_alert(model):
    from registry.approval import stop_waiting

    number = model.add(waits=True)
    model.tag(number, approval="approved")
    stop_waiting(model.name, model.version(number))
    assert model.follow_tags() == []
    assert (model.production, len(model.refused)) == ("1", 1)


@pytest.mark.parametrize("state", ["approved", "rejected"])
def test_a_turn_that_dies_before_mlflow_has_the_approval_is_completed_by_the_next_one(model, state, monkeypatch):
    from registry import approval

    def die(*_):
        raise OSError("no connection")

    number = model.add(waits=True)
    model.tag(number, approval=state, approval_by="Ann")
    monkeypatch.setattr(approval, "publish_approval", die)
    with pytest.raises(OSError, match="no connection"):
        model.follow_tags()
    assert (model.version(number).approval, "approval_time" in model.entry(number).tags) == (state, False)
    monkeypatch.undo()
    assert model.follow_tags() == [f"version 2 was {state} by Ann"]
    assert model.entry(number).tags["approval_time"][:2] == "20"
    assert f"{state.capitalize()} by Ann on 20" in model.entry(number).description
    assert model.production == (number if state == "approved" else "1")
    assert model.follow_tags() == model.refused == []


def test_a_tag_may_have_capitals_and_spaces_and_an_unknown_one_is_refused_once(model):
    number, other = model.add(waits=True), model.add(waits=True)
    model.tag(other, approval="aproved")
    model.tag(number, approval=" Approved ")
    assert model.follow_tags() == ["version 2 was approved by MLflow's tag"]
    problem = "has the tag approval with the value 'aproved': write approved or rejected"
    assert (model.production, model.refused) == (number, [(other, problem)])
    assert model.entry(other).tags["approval"] == f"refused: {problem}"
    assert model.follow_tags() == []
    assert len(model.refused) == 1


def test_a_version_whose_files_are_gone_is_refused(model, monkeypatch):
    number = model.add(waits=True)
    model.tag(number, approval="approved")
    monkeypatch.setattr("registry.versions.is_stored", lambda *_: False)
    assert model.follow_tags() == []
    assert (model.production, model.refused) == (
        "1",
        [(number, "cannot be promoted, because its files are gone: train again")],
    )


def test_a_rejected_version_is_refused_with_its_own_words(model):
    from registry import versions
    from registry.approval import require_approval

    number = model.add(waits=True)
    versions.record_approval(model.name, number, make_approval("Bob", "too slow", "rejected"))
    with pytest.raises(UserError, match=r"version 2 was rejected\. Say who approves it"):
        require_approval(model.name, model.version(number), None)
    require_approval(model.name, model.version(number), make_approval("Ann", "fast enough"))


def test_a_new_comparison_asks_anew_and_the_same_one_keeps_an_approval(model):
    from registry.approval import ask_for_approval

    number = model.add(waits=True)
    model.tag(number, approval="approved", approval_by="Ann")
    ask_for_approval(model.name, number, "1")
    assert model.entry(number).tags["approval"] == "approved"
    model.put_into_production(model.add())
    ask_for_approval(model.name, number, "3")
    assert (model.entry(number).tags["approval"], model.entry(number).tags["approval_by"]) == ("pending", "")
    assert (model.version(number).waiting, model.version(number).compared_with) == (True, "3")


def test_a_turn_of_the_loop_starts_with_the_tags(model, tmp_path, monkeypatch):
    """What is approved goes live in this turn; what is refused is alerted."""
    from rich.console import Console

    from cli.runs import continuous
    from pipelines.settings import read_continuous_settings

    good, bad = model.add(waits=True), model.add()
    for number in (good, bad):
        model.tag(number, approval="approved")
    overrides = [f"model={model.name}", f"alert.log={tmp_path}/alerts.jsonl"]
    settings = read_continuous_settings(ROOT / "configs" / "monitor.yaml", overrides)
    monkeypatch.setattr(continuous, "find_promoted_but_not_live", lambda _: model.production)
    monkeypatch.setattr(continuous, "go_live", lambda *_: f"version {model.production} goes live")
    out = io.StringIO()
    assert continuous._run_turn(settings, Console(file=out, width=200), cache=True) == f"version {good} goes live"
    assert "version 2 was approved by MLflow's tag" in out.getvalue()
    assert "warning: the approval of version 3 was refused: it does not wait for an approval" in out.getvalue()
    (alert,) = map(json.loads, (tmp_path / "alerts.jsonl").read_text().splitlines())
    assert (alert["model_version"], alert["found"][0]["check"]) == (bad, "approval")
