from uuid import uuid4

import pytest
import tiny_servables
from loopback import free_ports
from own_zenml import copied_zenml, fresh_zenml, own_zenml

from bento.build import build

STACK = """
components:
  orchestrator: {{flavor: local}}
  artifact_store: {{flavor: local}}
  model_deployer:
    flavor: sentiment_bento
    configuration: {{http_port: {ports[0]}, grpc_port: {ports[1]}, workers: 1, drain_seconds: 5{more}}}
"""


@pytest.fixture(scope="session")
def bentos(tmp_path_factory):
    """Versions 1 and 2, by their numbers."""
    servables = {
        v: tiny_servables.save_linear(tmp_path_factory.mktemp("servable") / "it", seed=int(v)).path for v in "12"
    }
    return {v: build(path, model="reviews", version=v, labels={}) for v, path in servables.items()}


@pytest.fixture(scope="module")
def deployer_of(tmp_path_factory):
    """Makes a deployer on a stack of its own; whatever it serves is stopped in the end."""
    from zenml.client import Client

    from stacks.apply import apply
    from stacks.stack_file import read_stack

    folder = tmp_path_factory.mktemp("stacks")
    made = []
    with pytest.MonkeyPatch.context() as patch:

        def make(name, **more):
            settings = "".join(f", {key}: {value}" for key, value in more.items())
            (folder / f"{name}.yaml").write_text(STACK.format(ports=free_ports(2), more=settings))
            patch.setenv("ZENML_ACTIVE_STACK_ID", str(apply(read_stack(name, folder)).id))
            made.append(Client().active_stack.model_deployer)
            return made[-1]

        yield make
        for deployer in made:
            deployer.stop()


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """The folder of a ZenML that nobody has used yet, to be copied."""
    return fresh_zenml(tmp_path_factory.mktemp("fresh") / "zenml")


@pytest.fixture
def zenml(fresh, tmp_path):
    """Works on a ZenML of the test's own; its folder."""
    with own_zenml(copied_zenml(fresh, tmp_path / "zenml")):
        yield tmp_path / "zenml"


@pytest.fixture
def cloud_stack(cloud, tmp_path):
    """Reads the project's cloud stack, on the servers of this test session; pairs of texts change it."""
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
