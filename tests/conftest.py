"""Tests use no home directory, no network and none of the developer's ZenML."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(tempfile.mkdtemp(prefix="sentiment-tests-"))
ENVIRONMENT = {
    "HOME": FOLDER / "home",
    "ZENML_CONFIG_PATH": FOLDER / "zenml",
    "ZENML_REPOSITORY_DIRECTORY_NAME": ".zen-pytest",  # otherwise ZenML would find the developer's .zen
    "ZENML_CUSTOM_SOURCE_ROOT": ROOT,
    "ZENML_ANALYTICS_OPT_IN": "false",
    "ZENML_SECRETS_STORE_ENCRYPTION_KEY": "5e" * 32,  # otherwise no stack with secrets is applied
    "SENTIMENT_CACHE": FOLDER / "cache",
    "HF_HOME": FOLDER / "hub",
    "HF_HUB_OFFLINE": "1",
    "BENTOML_HOME": FOLDER / "bentoml",
    "BENTOML_DO_NOT_TRACK": "True",
    "MPLCONFIGDIR": FOLDER / "matplotlib",
    "COLUMNS": "200",  # width of tables
}
if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
    ENVIRONMENT["OMP_NUM_THREADS"] = 1  # two processes that each compute on all cores slow each other down

# Starting one of these takes a minute: one process runs each group, and starts it once.
TOGETHER = {
    "the cloud's servers, or the smoke profile's training": (
        "pipelines/test_cloud_loop.py",
        "pipelines/test_faults.py",
        "pipelines/test_parity.py",
        "pipelines/test_train.py",
        "pipelines/test_two_trainings.py",
        "stacks/test_cloud.py",
        "stacks/test_stack_artifacts.py",
        "stacks/test_stack_check.py",
        "stacks/test_stack_server.py",
    ),
    "an image with Python": ("serving/test_image.py", "stacks/test_remote_stacks.py"),
}

FOREIGN = ("ZENML_", "MLFLOW_", "AWS_", "BENTOML_", "SENTIMENT_", "OTEL_")


def pytest_configure() -> None:
    for name, value in ENVIRONMENT.items():
        os.environ[name] = str(value)
    for name in [n for n in os.environ if n.startswith(FOREIGN) and n not in ENVIRONMENT]:
        del os.environ[name]
    (FOLDER / "home").mkdir()
    FOLDER.chmod(0o711)  # PostgreSQL runs as another user


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    group_of = {f"tests/{file}": group for group, files in TOGETHER.items() for file in files}

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return group_of.get(file, file)

    return Scheduling(config, log)


def pytest_unconfigure() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def cloud():
    """The cloud stack's servers; see ``cloud.Servers``."""
    from tests.helpers.cloud import servers

    with servers(FOLDER / "cloud") as started:
        yield started


@pytest.fixture(scope="session")
def container_engine():
    """The program that builds images; see ``containers``."""
    from tests.helpers.containers import engine, missing

    if reason := missing():
        pytest.skip(reason)
    with engine(FOLDER / "images") as found:
        yield found


@pytest.fixture(scope="session")
def container_base(container_engine, tmp_path_factory):
    """Name of an image with Python 3.11."""
    from tests.helpers.containers import base

    return base(container_engine, tmp_path_factory.mktemp("base"))
