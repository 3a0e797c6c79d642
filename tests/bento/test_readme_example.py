"""The README's example request is answered in the form that it shows."""

import json
import re

import httpx
import pytest

from sentiment.imports import ROOT

pytestmark = pytest.mark.slow


def test_the_readme_example_is_answered_in_the_form_shown(service):
    readme = (ROOT / "README.md").read_text()
    body, shown = re.search(r"/v1/predict -d '(\{.*?\})'\n((?:# .*\n)+)", readme).groups()
    expected = json.loads("".join(line.removeprefix("#").strip() for line in shown.splitlines()))
    answer = httpx.post(f"{service.http}/v1/predict", content=body).json()
    assert answer.keys() == expected.keys()
    assert len(answer["predictions"]) == len(expected["predictions"]) == len(json.loads(body)["texts"])
    for given, wanted in zip(answer["predictions"], expected["predictions"], strict=True):
        assert {name: type(value) for name, value in given.items()} == {n: type(v) for n, v in wanted.items()}
