"""The data path: requests as SageMaker passes them on, to the real service in its own process."""

import pytest

from bento.predictor import MAX_CHARACTERS
from sentiment.models import Classifier
from serving.rollouts.settings import SmokeSettings
from serving.rollouts.smoke_set import Known
from serving.sagemaker.invoke import Variant, ask_both
from tests.helpers import sagemaker

TEXTS = ["a lovely film with a superb ending", "a dull plot, and a tedious actor"]
FAST = SmokeSettings(p95_ms=60_000)  # this machine is busy


@pytest.fixture(scope="module")
def runtime(service):
    """An account whose endpoint ``sentiment`` is the service."""
    with sagemaker.account() as account, sagemaker.forwarder(service.http):
        yield account


def invoke(runtime, body, kind, accept="*/*"):
    answer = sagemaker.deployer().aws.call(
        "sagemaker-runtime", "invoke_endpoint", EndpointName="sentiment", ContentType=kind, Accept=accept, Body=body
    )
    return answer["ContentType"], answer["Body"].decode()


@pytest.mark.slow
def test_a_deployment_is_tested_over_sagemaker_and_goes_live(runtime, bento, servable):
    sagemaker.put_image(bento.tag.partition(":")[2])
    deployer, classifier = sagemaker.deployer(), Classifier.load(servable)
    known = [Known(text, float(p)) for text, p in zip(TEXTS, classifier.predict_proba(TEXTS), strict=True)]
    service = deployer.start(bento)
    report = deployer.test(service, known, FAST, engine=classifier.engine, threshold=0.5)
    assert report.passed, report.failures()
    assert [c.name for c in report.checks][:2] == ["model over SageMaker", "scores over SageMaker"]
    assert report.checks[3].observed.startswith("11 of 11")  # bad requests
    variant = Variant(deployer.aws, "sentiment", service.variant)
    assert all(pair.agrees for pair in ask_both(variant, variant, TEXTS))
    assert deployer.switch(service, run="r").bento.tag == bento.tag


@pytest.mark.slow
def test_another_bento_in_the_container_fails_the_smoke_test(runtime, bento):
    other = bento.model_copy(update={"tag": "sentiment:v8-other", "version": "8"})
    sagemaker.put_image("v8-other")
    deployer = sagemaker.deployer()
    service = deployer.start(other)
    report = deployer.test(service, [Known(TEXTS[0], 0.9)], FAST, engine="numpy", threshold=0.5)
    assert "model over SageMaker" in [c.name for c in report.failures()]
    deployer.discard(service)


@pytest.mark.slow
def test_lines_and_csv_are_answered_as_the_evaluated_model_does(runtime, servable):
    expected = [p.label for p in Classifier.load(servable).predict(TEXTS)]
    lines = f'{{"text": "{TEXTS[0]}"}}\n"{TEXTS[1]}"\n'
    kind, answer = invoke(runtime, lines, "application/jsonlines", accept="text/csv")
    assert kind.startswith("text/csv")
    assert [line.partition(",")[0] for line in answer.split("\n")] == expected
    table = f'text\n{TEXTS[0]}\n"{TEXTS[1]}"\n'
    kind, answer = invoke(runtime, table, "text/csv", accept="application/jsonlines")
    assert kind == "application/jsonlines"
    assert [f'"label": "{label}"' in line for label, line in zip(expected, answer.split("\n"), strict=True)] == [
        True
    ] * 2
    with pytest.raises(Exception, match="from the model") as caught:
        invoke(runtime, f'"fine"\n"{"a" * (MAX_CHARACTERS + 1)}"', "application/jsonlines")
    assert "line 2 has 20001 characters" in caught.value.response["OriginalMessage"]
