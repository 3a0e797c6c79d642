"""The files of settings in ``configs/``."""

import json
from functools import partial

import pytest

from pipelines import settings
from pipelines.search import read_tune_settings
from sentiment.errors import UserError
from sentiment.monitoring.settings import MonitorSettings
from sentiment.promotion.settings import PromotionSettings
from sentiment.scoring.settings import ScoreSettings
from sentiment.settings import read_settings
from sentiment.tuning.settings import TuneSettings
from tests.helpers.command_line import ROOT

READ = {
    "train": settings.read_train_settings,
    "tune": read_tune_settings,
    "evaluate": settings.read_evaluate_settings,
    "deploy": partial(read_settings, settings.DeploySettings),
    "monitor": partial(read_settings, MonitorSettings),
    "score": partial(read_settings, ScoreSettings),
}


@pytest.mark.parametrize("pipeline", READ)
def test_every_file_of_a_pipeline_is_valid(pipeline):
    paths = list((ROOT / "configs").glob(f"{pipeline}*.yaml"))
    assert paths
    for path in paths:
        READ[pipeline](path, ())


def test_the_files_of_the_loop_are_valid():
    settings.read_continuous_settings(ROOT / "configs" / "monitor.yaml", ())


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("train", settings.TrainSettings),
        ("evaluate", settings.EvaluateSettings),
        ("deploy", settings.DeploySettings),
        ("monitor", MonitorSettings),
        ("score", ScoreSettings),
        ("promotion", PromotionSettings),
    ],
)
def test_the_defaults_of_the_code_equal_the_default_file(file, model):
    assert read_settings(model, ROOT / "configs" / f"{file}.yaml") == model()


def test_the_defaults_of_a_search_equal_the_default_file_but_for_its_space():
    read = read_settings(TuneSettings, ROOT / "configs" / "tune.yaml")
    assert read == TuneSettings(space=read.space)


def test_a_file_named_in_a_file_is_included_by_value(tmp_path):
    suite = {"name": "own", "expectations": []}
    (tmp_path / "suite.yaml").write_text(json.dumps(suite))
    (tmp_path / "train.yaml").write_text(f"expectations: {{reviews: {tmp_path}/suite.yaml}}\n")
    read = settings.read_train_settings(tmp_path / "train.yaml", [f"promotion={ROOT}/configs/promotion.held.yaml"])
    (tmp_path / "suite.yaml").unlink()  # it was read once: nothing reads it again
    dumped = read.model_dump(mode="json")
    assert dumped["expectations"]["reviews"] == suite
    assert dumped["promotion"]["automatic"] is False
    assert settings.TrainSettings.model_validate(dumped) == read


def test_a_mistake_in_an_included_file_names_that_file(tmp_path):
    (tmp_path / "promotion.yaml").write_text("floors: {acuracy: 0.9}\n")
    with pytest.raises(UserError, match=r"promotion\.yaml, key floors\.acuracy: .*floors\.accuracy"):
        settings.read_train_settings(ROOT / "configs" / "train.yaml", [f"promotion={tmp_path}/promotion.yaml"])
