import json

import pytest

from sentiment.monitoring.evidently_report import evidently_report, keep_snapshot
from sentiment.monitoring.settings import DriftSettings
from tests.helpers.windows import reference, stream, window

pytestmark = pytest.mark.slow  # Evidently's imports


def failed(snapshot):
    return {test["name"].rpartition(" ")[2] for test in snapshot.dict()["tests"] if test["status"] == "FAIL"}


def test_shows_drift_on_a_separate_page(tmp_path):
    held = reference()
    same, drifted = (
        evidently_report(window(stream(share=share, keep_text=True)[0]), held, DriftSettings()) for share in (0.5, 0.7)
    )
    assert failed(same) == set()
    assert {"positive", "label"} <= failed(drifted)
    html = drifted.get_html_str(as_iframe=False)
    assert 'src="http' not in html
    assert "film17" not in html


def test_a_project_keeps_snapshots_over_time(tmp_path):
    held = reference()
    for end in (1_700_090_000.0, 1_700_180_000.0):
        snapshot = evidently_report(window(stream(300)[0], end=end), held, DriftSettings())
        keep_snapshot(snapshot, tmp_path / "ws", "sentiment")
    (project,) = (tmp_path / "ws").glob("*/metadata.json")
    assert json.loads(project.read_text())["name"] == "sentiment"
    assert len(list((tmp_path / "ws").glob("*/snapshots/*.json"))) == 2
    dashboard = json.loads((project.parent / "dashboard.json").read_text())
    assert len(dashboard["panels"]) == 5


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_is_drawn_of_nothing(rows):
    records = stream(rows)[0] if rows else []
    assert evidently_report(window(records), reference(200), DriftSettings()) is None
