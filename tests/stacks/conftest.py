from uuid import uuid4

import pytest

from tests.helpers.own_zenml import copied_zenml, fresh_zenml, own_zenml


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """The folder of an unused ZenML, to be copied."""
    return fresh_zenml(tmp_path_factory.mktemp("fresh") / "zenml")


@pytest.fixture
def zenml(fresh, tmp_path):
    """Works on a ZenML of this test; returns its folder."""
    with own_zenml(copied_zenml(fresh, tmp_path / "zenml")):
        yield tmp_path / "zenml"


@pytest.fixture
def cloud_stack(cloud, tmp_path):
    """Reads the project's cloud stack on the servers of this test session; pairs of texts replace parts of it."""
    from stacks.stack_file import ROOT, read_stack

    name = f"shared-{uuid4().hex[:8]}"

    def cloud_stack(*changes):
        text = (ROOT / "configs" / "stacks" / "cloud.yaml").read_text()
        text = text.replace("env_file: .cloud/env", f"env_file: {cloud.env_file}")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / f"{name}.yaml").write_text(text)
        return read_stack(name, tmp_path)

    return cloud_stack
