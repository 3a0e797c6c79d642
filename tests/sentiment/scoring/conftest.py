from types import SimpleNamespace

import pytest

from sentiment.scoring.storage import Storage
from stacks.cloud.keys import BUCKET, Keys
from stacks.cloud.s3 import S3
from tests.helpers import tiny_servables


@pytest.fixture(scope="session")
def linear(tmp_path_factory):
    return tiny_servables.save_linear(tmp_path_factory.mktemp("linear"))


@pytest.fixture(scope="session")
def cascade(tmp_path_factory):
    return tiny_servables.save_cascade(tmp_path_factory.mktemp("cascade"))


@pytest.fixture(scope="session")
def bucket(tmp_path_factory):
    """A bucket of a real S3 server: ``options(port)`` are those of s3fs, ``folder`` is where its files lie."""
    server = S3(tmp_path_factory.mktemp("s3"), Keys(database="sqlite"))
    server.start()
    server.wait()

    def options(port=server.port):
        keys = {"key": server.keys.s3_access_key, "secret": server.keys.s3_secret_key}
        return {**keys, "client_kwargs": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"}}

    yield SimpleNamespace(
        url=f"s3://{BUCKET}", folder=server.data / BUCKET, port=server.port, options=options, storage=Storage(options())
    )
    server.stop(at_once=True)
