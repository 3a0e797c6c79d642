import pytest

from tests.helpers import tiny_servables


@pytest.fixture(scope="session")
def linear(tmp_path_factory):
    return tiny_servables.save_linear(tmp_path_factory.mktemp("linear"))


@pytest.fixture(scope="session")
def cascade(tmp_path_factory):
    return tiny_servables.save_cascade(tmp_path_factory.mktemp("cascade"))
