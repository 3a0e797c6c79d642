import pytest

from bento.build import build
from tests.helpers import tiny_servables
from tests.helpers.booted import boot

SLOW = {"bento", "serve", "service", "browser"}  # fixtures that need a built Bento, or start a browser


def pytest_collection_modifyitems(items):
    for item in items:
        if SLOW & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


LINEAGE = {"pipeline_run": "train-1", "git_commit": "0123abc"}


@pytest.fixture(scope="session")
def servable(tmp_path_factory):
    return tiny_servables.save("cascade", tmp_path_factory.mktemp("servable")).path


@pytest.fixture(scope="session")
def bento(servable):
    return build(servable, model="sentiment", version="7", labels=LINEAGE)


@pytest.fixture(scope="session")
def service_log(tmp_path_factory):
    """The prediction log of the shared service."""
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="session")
def service(bento, service_log, tmp_path_factory):
    """A service without tokens, shared by all tests that do not change it."""
    booted = boot(bento.tag, tmp_path_factory.mktemp("service"), log=service_log, abstain_below=0.7)
    yield booted
    booted.stop()


@pytest.fixture
def serve(bento, tmp_path):
    """Serves the Bento with the settings of one test."""
    started = []

    def start(**settings):
        booted = boot(settings.pop("tag", bento.tag), tmp_path / str(len(started)), **settings)
        started.append(booted)
        return booted

    yield start
    for booted in started:
        if booted.process.poll() is None:
            booted.stop()
