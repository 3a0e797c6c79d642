"""The files of settings in ``configs/``."""

from functools import partial

import pytest

from pipelines import settings
from sentiment.monitoring.settings import MonitorSettings
from sentiment.settings import read_settings
from tests.helpers.command_line import ROOT

READ = {
    "train": settings.read_train_settings,
    "evaluate": settings.read_evaluate_settings,
    "deploy": partial(read_settings, settings.DeploySettings),
    "monitor": partial(read_settings, MonitorSettings),
}


@pytest.mark.parametrize("pipeline", READ)
def test_every_file_of_a_pipeline_is_valid(pipeline):
    paths = list((ROOT / "configs").glob(f"{pipeline}*.yaml"))
    assert paths
    for path in paths:
        READ[pipeline](path, ())


def test_the_files_of_the_loop_are_valid():
    settings.read_continuous_settings(ROOT / "configs" / "monitor.yaml", ())


def test_the_deploy_file_equals_the_defaults_of_the_code():
    assert read_settings(settings.DeploySettings, ROOT / "configs" / "deploy.yaml") == settings.DeploySettings()
