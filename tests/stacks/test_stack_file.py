import pytest

from sentiment.errors import UserError
from stacks import stack_file
from stacks.stack_file import environment_of, read_stack, read_stack_settings, stack_path

ROOT = stack_file.ROOT
HEAD = "components: {orchestrator: {flavor: local}, artifact_store: {flavor: %s}}\n"
LOCAL = HEAD % "local"


@pytest.fixture
def read(tmp_path):
    """Writes a stack file, and reads it."""

    def read(text):
        (tmp_path / "it.yaml").write_text(text)
        return read_stack("it", tmp_path)

    return read


def with_path(path):
    return HEAD % f"s3, configuration: {{path: '{path}'}}"


@pytest.fixture
def env_file(tmp_path):
    path = tmp_path / "env"
    path.write_text("# comment\nBUCKET=from-file\nKEY='with $dollar and # sign'\n")
    path.chmod(0o600)
    return path


def test_variables_come_from_the_environment_then_from_the_file_then_from_the_default(read, env_file, monkeypatch):
    text = with_path("s3://${BUCKET}/${FOLDER:-zenml}") + f"env_file: {env_file}\nsecrets: {{s: {{k: '${{KEY}}'}}}}\n"
    stack = read(text)
    assert stack.components["artifact_store"].configuration == {"path": "s3://from-file/zenml"}
    assert stack.secrets == {"s": {"k": "with $dollar and # sign"}}
    monkeypatch.setenv("BUCKET", "from-environment")
    monkeypatch.setenv("FOLDER", "mine")
    assert read(text).components["artifact_store"].configuration == {"path": "s3://from-environment/mine"}


def test_the_file_of_variables_is_not_exported(read, env_file):
    read(with_path("s3://${BUCKET}") + f"env_file: {env_file}\n")
    import os

    assert "BUCKET" not in os.environ


def test_an_empty_value_is_left_out(read, monkeypatch):
    monkeypatch.setenv("EMPTY", "")
    settings = "{a: {b: '${NOT_SET:-}', c: ['${EMPTY:-}', 1]}, d: {e: '${NOT_SET:-}'}, f: '', g: null, h: {}}"
    stack = read(HEAD % f"local, configuration: {settings}" + "server: {url: '${NOT_SET:-}', api_key: '${NEITHER}'}\n")
    assert stack.components["artifact_store"].configuration == {"a": {"c": [1]}, "f": "", "g": None, "h": {}}
    assert stack.server is None  # and the key is not needed


def test_missing_variables_are_named_together(read, tmp_path):
    text = with_path("s3://${NO_BUCKET}/${NO_FOLDER}") + "secrets: {s: {k: '${NO_KEY}'}}\n"
    with pytest.raises(UserError) as caught:
        read(text)
    assert str(caught.value) == (
        f"{tmp_path}/it.yaml: the variables NO_BUCKET, NO_FOLDER, NO_KEY are not set. Export NO_BUCKET first."
    )
    with pytest.raises(UserError, match=r"the variable NO_BUCKET is not set\. Run make cloud-up, or export NO_BUCKET"):
        read(with_path("s3://${NO_BUCKET}") + "env_file: nowhere/env\n")


def test_a_variable_that_is_empty_is_missing(read, monkeypatch):
    monkeypatch.setenv("BUCKET", "")
    with pytest.raises(UserError, match="the variable BUCKET is not set"):
        read(with_path("s3://${BUCKET}"))


def test_a_file_of_variables_that_others_may_read_is_refused(read, env_file):
    env_file.chmod(0o640)
    with pytest.raises(UserError, match=r"others may read it\. Run chmod 600"):
        read(with_path("s3://${BUCKET}") + f"env_file: {env_file}\n")


@pytest.mark.parametrize(
    "text",
    [
        "secrets: {s: {k: hunter2}}",
        "secrets: {s: {k: '${NAME:-hunter2}'}}",
        "secrets: {s: {k: 'hunter2${NAME}'}}",
        "secrets: {s: {k: [hunter2]}}",
        "secrets: {s: hunter2}",
        "secrets: hunter2",
        "secrets: [hunter2]",
        "server: {url: 'http://z', api_key: hunter2}",
    ],
)
def test_a_secret_in_the_file_is_an_error_that_does_not_repeat_it(text, read, monkeypatch):
    monkeypatch.setenv("NAME", "value")
    with pytest.raises(UserError, match=r"must be \$\{VARIABLE\}: secrets stay out of files") as caught:
        read(f"{LOCAL}{text}\n")
    assert "hunter2" not in str(caught.value)


NESTED = HEAD % "s3, configuration: {path: 's3://b', client_kwargs: %s}"
RUNS = LOCAL + "steps: {train_transformer: %s}\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (
            NESTED % "{aws_secret_access_key: '${LEAK}'}",
            "components.artifact_store.configuration.client_kwargs.aws_sec",
        ),
        (NESTED % "{region_name: 'x-${LEAK:-}'}", "components.artifact_store.configuration.client_kwargs.region_name"),
        (NESTED % "{a: [{b: '${ZENML}'}]}", "components.artifact_store.configuration.client_kwargs.a[0].b"),
        (with_path("s3://${LEAK}"), "components.artifact_store.configuration.path"),
        (RUNS % "{docker: {build_options: {args: {A: '${LEAK}'}}}}", "steps.train_transformer.docker.build_options.a"),
        (LOCAL + "settings: {docker: {environment: {A: '${ZENML}'}}}\n", "settings.docker.environment.A"),
    ],
)
def test_a_variable_that_holds_a_secret_is_nowhere_else(text, where, read, monkeypatch):
    for name in ("LEAK", "ZENML"):
        monkeypatch.setenv(name, "hunter2")
    secret = "secrets: {s: {key: '${LEAK}'}}\nserver: {url: 'http://z', api_key: '${ZENML}'}\n"
    with pytest.raises(
        UserError, match=r"(LEAK|ZENML) is a secret, and would be in plain text\. Take it out: "
    ) as caught:
        read(text + secret)
    assert f"it.yaml, key {where}" in str(caught.value)
    assert not {"hunter2", "\n"} & set(str(caught.value).split(" "))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (NESTED % "{aws_secret_access_key: hunter2}", "aws_secret_access_key"),
        (NESTED % "{more: [{session_token: hunter2}]}", "session_token"),
        (NESTED % "{password: 12345678}", "password"),
        (RUNS % "{docker: {environment: {HF_TOKEN: hunter2}}}", "HF_TOKEN"),
        (RUNS % "{docker: {environment: {HF_TOKEN: '${PATH}'}}}", "HF_TOKEN"),
        (RUNS % "{orchestrator: {pod_settings: {env: [{name: API_KEY, value: hunter2}]}}}", "API_KEY"),
    ],
)
def test_a_value_named_like_a_secret_is_not_in_plain_text(text, key, read):
    with pytest.raises(
        UserError, match=rf"it\.yaml, key \S+: {key} is a secret in plain text\. Take it out: "
    ) as caught:
        read(text)
    assert not {"hunter2", "12345678"} & set(str(caught.value).split())


def test_references_to_secrets_and_names_of_secrets_are_no_secrets(read):
    pods = (
        "{image_pull_secrets: [registry], automount_service_account_token: false, tolerations: [{key: gpu}],"
        " env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hub, key: token}}}],"
        " volumes: [{secret: {secretName: hub}}], image_pull_secret: registry}"
    )
    nested = "{aws_secret_access_key: '{{s.key}}', token_path: /token}"
    flags = "{docker: {environment: {HF_HUB_DISABLE_IMPLICIT_TOKEN: '1', TOKENIZERS_PARALLELISM: 'false'}}}"
    stack = read(
        NESTED % nested + f"secrets: {{s: {{key: '${{PATH}}'}}}}\nsettings: {flags}\n"
        f"steps: {{train_transformer: {{orchestrator: {{pod_settings: {pods}}}}}}}\n"
    )
    kept = stack.components["artifact_store"].configuration["client_kwargs"]
    assert kept == {"aws_secret_access_key": "{{s.key}}", "token_path": "/token"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LOCAL.replace("orchestrator", "orchestra"), "there is no component type 'orchestra'. Did you mean orch"),
        ("components: {orchestrator: {flavor: local}}", "there is no artifact_store"),
        ("component: {}", "Did you mean components?"),
        (LOCAL + "secret: {}", "Did you mean secrets?"),
        (LOCAL + "requirements: {package: [x]}", "Did you mean requirements.packages?"),
        (LOCAL + "server: {api_key: '${K}'}", "key server.url"),
        (with_path("s3://${bucket-name}"), "key components.artifact_store.configuration.path: is not a variable"),
        (with_path("s3://$${BUCKET"), "is not a variable"),
        (
            with_path("https://me:hunter2@s3"),
            "key components.artifact_store.configuration.path: holds a password in plain text",
        ),
        (
            with_path("{{s.kye}}") + "secrets: {s: {key: '${PATH}'}}",
            "the secret s has no key kye. Did you mean key?",
        ),
    ],
)
def test_a_mistake_is_one_line(text, words, read):
    with pytest.raises(UserError) as caught:
        read(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_stack_names_the_nearest(tmp_path):
    (tmp_path / "local.yaml").write_text(LOCAL)
    with pytest.raises(UserError, match=r"there is no stack 'lokal'\. Did you mean local\?"):
        read_stack("lokal", tmp_path)


def test_component_types_are_those_of_zenml():
    from zenml.enums import StackComponentType

    assert sorted(StackComponentType.values()) == sorted(stack_file.KINDS)


def test_a_stack_does_not_show_its_secrets(read, monkeypatch):
    monkeypatch.setenv("NAME", "hunter2")
    stack = read(LOCAL + "secrets: {s: {k: '${NAME}'}}\nserver: {url: 'http://z/', api_key: '${NAME}'}\n")
    assert (stack.server.url, stack.server.api_key) == ("http://z", "hunter2")
    assert "hunter2" not in repr(stack)


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "stacks").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_stack_file_of_the_project_can_be_read(path, monkeypatch):
    settings = read_stack_settings(path)
    for name in stack_file.unset_variables(settings, {}):
        monkeypatch.setenv(name, "http://value" if name.endswith(("URI", "URL", "ENDPOINT")) else "value")
    stack = read_stack(path.stem, path.parent)
    assert stack.is_remote == (path.stem != "local")
    assert not any("${" in text for _, text in stack_file._strings(stack.components))


def test_the_cloud_needs_its_variables(monkeypatch):
    monkeypatch.setattr(stack_file, "ROOT", ROOT / "nowhere")
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=r"configs/stacks/cloud\.yaml: the variables SENTIMENT_S3_BUCKET, SENTIMENT_M"):
        read_stack("cloud")
    assert environment_of(read_stack_settings(stack_path("cloud"))).get("SENTIMENT_S3_BUCKET") is None
