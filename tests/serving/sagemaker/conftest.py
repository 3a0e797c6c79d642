import json

import pytest

from sentiment.deployment import Bento
from serving.sagemaker.invoke import Variant
from tests.bento.conftest import bento, servable, service, service_log  # noqa: F401  # fixtures
from tests.helpers import sagemaker

POSITIVE = {"a lovely film": 0.9, "a dull plot": 0.2}


def described(version):
    labels = {"fingerprint": "f" * 64, "note": "not a tag: {}"}
    return Bento(tag=f"sentiment:v{version}-abc", model="sentiment", version=version, labels=labels)


@pytest.fixture
def account():
    """An account with the images of versions 1 to 3."""
    with sagemaker.account() as made:
        for version in "123":
            sagemaker.put_image(f"v{version}-abc")
        made.calls.clear()
        yield made


@pytest.fixture
def deployer(account):
    return sagemaker.deployer()


@pytest.fixture
def answers(monkeypatch):
    """Answers of the containers, by the version in a variant's name: P(positive) by text, or a status."""
    given = dict.fromkeys("123", POSITIVE)

    def post(variant, body):
        answer = given[variant.name.removeprefix("sentiment-v")[0]]
        if isinstance(answer, int):
            return answer, b""
        try:
            score = answer[json.loads(body)["texts"][0]]
        except (ValueError, KeyError, IndexError):  # a bad request of the smoke test
            return 422, b""
        label = "positive" if score > 0.5 else "negative"
        found = {"id": "i", "label": label, "score": max(score, 1 - score), "abstained": False}
        return 200, json.dumps({"model_version": "1", "predictions": [found]}).encode()

    monkeypatch.setattr(Variant, "post", post)
    return given
