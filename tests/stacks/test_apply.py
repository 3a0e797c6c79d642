import pytest

from sentiment.errors import UserError
from stacks.apply import apply

LOCAL = """
components:
  orchestrator: {flavor: local}
  artifact_store: {flavor: local}
  experiment_tracker: {flavor: mlflow}
"""


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        (tmp_path / f"{name}.yaml").write_text(text)
        return tmp_path

    return write


def test_an_unknown_stack_names_the_nearest(write):
    folder = write("local", LOCAL)
    with pytest.raises(UserError, match=r"there is no stack 'lokal'\. Did you mean local\?"):
        apply("lokal", folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("components: {orchestra: {flavor: local}}", "there is no component type 'orchestra'"),
        ("component: {}", "Did you mean components?"),
        ("components: {orchestrator: {flavour: local}}", "key components.orchestrator"),
        ("components: {orchestrator: {flavor: loca}}", "loca"),
        ("components: {orchestrator: {flavor: local}}", "there is no artifact_store"),
        (
            "components: {orchestrator: {flavor: local}, artifact_store: {flavor: local, configuration: {pth: x}}}",
            "pth",
        ),
    ],
)
def test_a_wrong_stack_file_is_one_line(text, words, write):
    with pytest.raises(UserError) as caught:
        apply("broken", write("broken", text))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_registers_once_and_leaves_the_active_stack_alone(write):
    from zenml.client import Client

    active = Client().active_stack_model.name
    folder = write("twice", LOCAL)
    first, second = apply("twice", folder), apply("twice", folder)
    assert first.id == second.id
    assert first.name == "sentiment-twice"
    assert {kind.value: [c.flavor_name for c in found] for kind, found in second.components.items()} == {
        "orchestrator": ["local"], "artifact_store": ["local"], "experiment_tracker": ["mlflow"],
    }  # fmt: skip
    assert Client().active_stack_model.name == active


def test_a_changed_file_changes_the_stack(write, tmp_path):
    from zenml.client import Client

    without = "\n".join(line for line in LOCAL.splitlines() if "experiment_tracker" not in line)
    before = apply("grows", write("grows", without))
    after = apply("grows", write("grows", LOCAL))
    assert before.id == after.id
    assert "experiment_tracker" not in {kind.value for kind in before.components}
    (tracker,) = next(found for kind, found in after.components.items() if kind.value == "experiment_tracker")

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    apply(
        "grows",
        write("grows", LOCAL.replace("flavor: mlflow", f"flavor: mlflow, configuration: {{tracking_uri: '{uri}'}}")),
    )
    changed = Client().get_stack_component("experiment_tracker", "sentiment-grows")
    assert changed.id == tracker.id
    assert changed.configuration["tracking_uri"] == uri
