import pytest

from bento.build import build
from tests.bento.conftest import bento, servable  # noqa: F401  # fixtures
from tests.helpers import tiny_servables
from tests.helpers.loopback import free_ports

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
    """Makes a deployer on its own stack; stops its services at the end."""
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
