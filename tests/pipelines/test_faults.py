"""The cloud stack's network and servers fail: one line, no partial result, and the next run succeeds."""

import threading
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.helpers import command_line
from tests.helpers.faulty_proxy import faulty_proxy

MODEL = "faults"
PROXIED = {"s3": "SENTIMENT_S3_ENDPOINT", "mlflow": "SENTIMENT_MLFLOW_URI", "zenml": "SENTIMENT_ZENML_URL"}


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def proxies(cloud, patch):
    """A proxy in front of every server."""
    for name, value in cloud.environment.items():
        patch.setenv(name, value)
    with ExitStack() as stack:
        made = {}
        for server, name in PROXIED.items():
            made[server] = stack.enter_context(faulty_proxy(urlsplit(cloud.environment[name]).port))
            patch.setenv(name, f"http://127.0.0.1:{made[server].port}")
        yield made


@pytest.fixture(autouse=True)
def healed(proxies):
    yield
    for proxy in proxies.values():
        proxy.heal()


@pytest.fixture(scope="module")
def train_on_cloud(proxies, patch, train, reviews_file):
    """Trains a model on the cloud stack; each strength of regularisation gives another one."""
    patch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.05)
    patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

    def run(*more, model=MODEL, strength=1):
        start = train(model, *command_line.LINEAR, "--stack", "cloud", "--set", f"source.source=file:{reviews_file}")
        return command_line.run(*start, "--set", f"linear.inverse_regularization={strength}", *more)

    return run


@pytest.fixture(scope="module")
def first(cloud, proxies, train_on_cloud):
    """The first run, while S3 is overloaded, ZenML's server and MLflow fail, and MLflow's database restarts."""
    from registry import mlflow_registry

    postgresql, find, restarts = cloud.server("postgresql"), mlflow_registry.find_registered, []

    def restart_and_find(*arguments):
        if not restarts:
            postgresql.stop()
            restarts.append(threading.Timer(1.0, postgresql.start))
            restarts[0].start()
        return find(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlflow_registry, "find_registered", restart_and_find)
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
        proxies["s3"].answer(503, times=4, after=b"/zenml/train_linear")
        proxies["mlflow"].answer(500, times=1, after=b"/runs/log-batch")
        proxies["zenml"].cut(times=2, after=b"PUT /api/v1/steps")
        result = train_on_cloud()
    assert [proxy.given for proxy in proxies.values()] == [4, 1, 2], result.err
    assert restarts
    return result


def status(model, *more):
    return command_line.run("status", "--stack", "cloud", "--model", model, "--json", *more).summary


def last_line(result):
    """Returns the error that a failed run prints below the lines about its steps."""
    assert result.code in {1, 2}
    assert "Traceback" not in result.err
    *_, error = result.err.splitlines()
    assert error.startswith("error: ")
    return error


def test_a_short_failure_is_retried(first):
    assert first.summary["promoted"], first.summary["reason"]
    for service in ("S3", "MLflow", "ZenML's server"):
        assert f"{service} does not answer properly: trying again" in first.err


FAULTS = [  # each later in the run than the one before
    ("s3", "answer", 403, b"/zenml/train_linear", "S3: refuses the credentials (403). Check the credentials"),
    (
        "s3",
        "answer",
        500,
        b"/zenml/train_linear",
        "S3: answers with the error 500 at every attempt",
    ),
    ("zenml", "answer", 500, b"PUT /api/v1/steps", "ZenML's server: answers with an error: "),
    ("mlflow", "cut", None, b"POST /api/2.0/mlflow/runs/create", "MLflow at 127.0.0.1:"),
    ("mlflow", "answer", 503, b"/model-versions/create", "MLflow at 127.0.0.1:"),
    ("mlflow", "cut", None, b"/registered-models/alias", "MLflow at 127.0.0.1:"),
]


def test_a_lasting_failure_costs_one_run_and_no_version(proxies, train_on_cloud):
    model = "faults-in-every-step"
    for name, kind, value, after, words in FAULTS:
        proxy = proxies[name]
        getattr(proxy, kind)(*filter(None, [value]), after=after)
        failed = train_on_cloud(model=model, strength=7)
        proxy.heal()
        assert proxy.given, last_line(failed)
        assert words in last_line(failed)
        if after == b"/model-versions/create":
            assert status(model)["production"] is None
    (seen,) = status(model)["disagreements"]  # only a cut between stage and alias leaves a trace
    assert "version 1 is in production, but MLflow's alias champion does not exist" in seen

    done = train_on_cloud(model=model, strength=7).summary
    assert done["reason"] == "identical to champion version 1"
    after = status(model)
    assert after["disagreements"] == []
    (version,) = after["decisions"]
    assert (version["stage"], version["promoted"]) == ("production", True)
    assert version["reason"].startswith("first champion")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SENTIMENT_S3_SECRET_KEY", "wrong", "refuses the key"),
        ("SENTIMENT_S3_BUCKET", "nowhere", "bucket"),
        ("SENTIMENT_MLFLOW_PASSWORD", "wrong", "password"),
        ("SENTIMENT_MLFLOW_URI", "http://127.0.0.1:9", "127.0.0.1:9"),
    ],
)
def test_a_wrong_setting_stops_the_run_before_its_first_step(name, value, words, first, train_on_cloud, monkeypatch):
    monkeypatch.setenv(name, value)
    error = last_line(train_on_cloud())
    assert words in error
    assert "✓" not in error


def test_status_works_while_mlflow_is_down(first, proxies):
    proxies["mlflow"].cut()
    seen = status(MODEL)
    assert seen["production"] == first.summary["model_version"]
    assert "MLflow at 127.0.0.1:" in seen["disagreements"][0]


def test_files_missing_from_a_slow_bucket_are_computed_again(first, cloud, train_on_cloud, proxies):
    from cli.session import session

    with session("cloud", debug=False):
        from zenml.client import Client

        uri = Client().get_pipeline_run(first.summary["run"]).steps["divide"].regular_outputs["splits"].uri
    name, prefix = uri.removeprefix("s3://").split("/", 1)
    for entry in cloud.bucket().list_objects_v2(Bucket=name, Prefix=prefix)["Contents"]:
        cloud.bucket().delete_object(Bucket=name, Key=entry["Key"])
    proxies["s3"].delay(1, times=2, after=b"/zenml/divide")
    result = train_on_cloud()
    assert "S3 does not answer properly: trying again" in result.err
    assert result.summary["reason"] == f"identical to champion version {first.summary['model_version']}"
    assert result.err.count("files of its output are gone: not from cache") == 1
    assert "= train_linear  from cache" in result.err
