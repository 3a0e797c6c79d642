import pytest
from pydantic import ValidationError

from sentiment.checks import Check, CheckReport
from sentiment.errors import UserError
from sentiment.progress import listening, report


def check(name, severity, passed):
    return Check(name=name, severity=severity, passed=passed, observed="1", limit="2")


def test_a_warning_does_not_fail_a_report():
    gate = CheckReport(suite="s", checks=(check("a", "critical", True), check("b", "warning", False)))
    assert gate.passed
    assert [c.name for c in gate.failures()] == ["b"]
    assert gate.failures("critical") == ()


def test_one_critical_check_fails_a_report():
    gate = CheckReport(suite="s", checks=(check("a", "warning", False), check("b", "critical", False)))
    assert not gate.passed
    assert [c.name for c in gate.failures()] == ["a", "b"]
    assert [c.name for c in gate.failures("critical")] == ["b"]
    assert [c.name for c in gate.failures("warning")] == ["a"]


def test_a_report_without_checks_passes():
    assert CheckReport(suite="s", checks=()).passed


def test_a_report_comes_back_from_json():
    gate = CheckReport(suite="s", checks=(check("ä", "warning", False).model_copy(update={"examples": ("x\n<b>",)}),))
    assert CheckReport.model_validate_json(gate.model_dump_json()) == gate


def test_a_severity_is_one_of_two():
    with pytest.raises(ValidationError):
        check("a", "fatal", True)


def test_a_user_error_reads_as_one_sentence():
    error = UserError("there is no such key", where="train.yaml, key sed", remedy="Did you mean seed?")
    assert str(error) == "train.yaml, key sed: there is no such key. Did you mean seed?"
    assert str(UserError("it is wrong")) == "it is wrong"


def test_progress_reaches_only_the_listener():
    heard = []
    report("unheard", 0, 1)
    with listening(lambda task, done, total, **figures: heard.append((task, done, total, figures))):
        report("train", 1, 2, loss=0.5)
    report("unheard", 1, 1)
    assert heard == [("train", 1, 2, {"loss": 0.5})]
